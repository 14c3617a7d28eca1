// SPDX-License-Identifier: GPL-2.0

//! A device whose files are page ranges, mapped by the thread of a test, which sends to itself.

use kernel::{
    bindings,
    c_str,
    fs::File,
    new_mutex,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    str::CString,
    sync::{
        poll::PollTable,
        Arc,
        Mutex, //
    },
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    counters::Counters,
    file::{
        CharDevice,
        Opening,
        Registration, //
    },
    mmap::{
        Established,
        VmAreaDesc, //
    },
    page::charge_to,
    page_range::{
        Install,
        Lease,
        PageLru,
        PageRange, //
    },
    shrinker::{
        Shrinker,
        UnregisteredShrinker, //
    },
    user::{
        UserReader,
        UserWriter, //
    },
};

use super::{
    bench::{
        OpenFile,
        Process, //
    },
    reclaim::drop_slab,
};

/// What nobody may see who has not written it.
const OLD: u8 = 0xa5;

/// The device.
#[pin_data]
struct Ranges {
    install: Install,
    lru: Arc<PageLru>,
    counters: Arc<Counters>,
    /// The range of the file that was opened last.
    #[pin]
    opened: Mutex<Option<Arc<PageRange>>>,
}

#[vtable]
impl CharDevice for Ranges {
    type Open = PageRange;

    fn open(device: &Arc<Self>, opening: &mut Opening<'_>) -> Result<Arc<PageRange>> {
        let range = PageRange::new(
            opening,
            1 << 20,
            device.install,
            device.lru.clone(),
            device.counters.clone(),
        )?;
        let range = Arc::new(range, GFP_KERNEL)?;

        *device.opened.lock() = Some(range.clone());
        Ok(range)
    }

    fn release(range: Arc<PageRange>) {
        range.close();
    }

    fn flush(_: &Arc<PageRange>) {}

    fn ioctl(_: &Arc<PageRange>, _: &File, _: &mut UserContext, _: u32, _: usize) -> Result<isize> {
        Err(ENOTTY)
    }

    fn poll(_: &Arc<PageRange>, _: &File, _: &PollTable<'_>) -> u32 {
        0
    }

    fn mmap_prepare<'a>(range: &Arc<PageRange>, area: VmAreaDesc<'a>) -> Result<Established<'a>> {
        range.mmap_prepare(area)
    }
}

/// A range of pages of the current thread, which has it mapped.
pub(super) struct RangeBench {
    pub(super) range: Arc<PageRange>,
    _file: OpenFile,
    _door: Pin<KBox<Registration<Ranges>>>,
    pub(super) counters: Arc<Counters>,
    /// Where the range is mapped.
    address: usize,
    process: Process,
    /// After the process, because that has the area.
    _shrinker: Shrinker<PageLru>,
}

impl RangeBench {
    /// One of so many pages, all of which are missing.
    pub(super) fn new(pages: usize, install: Install) -> Result<Self> {
        let process = Process::new()?;
        let shrinker = UnregisteredShrinker::new(c_str!("vmarea_ranges"))?;
        let lru = PageLru::new(&shrinker)?;
        let shrinker = shrinker.register(lru.clone());
        let counters = Arc::new(Counters::new(), GFP_KERNEL)?;
        let counting = counters.clone();
        let device = Arc::pin_init(
            pin_init!(Ranges {
                install,
                lru,
                counters: counting,
                opened <- new_mutex!(None),
            }),
            GFP_KERNEL,
        )?;
        let name = CString::try_from_fmt(fmt!("vmarea_ranges"))?;
        let door = Registration::register(name, device.clone())?;
        door.enable();
        let file = OpenFile::open(c_str!("/dev/vmarea_ranges"), bindings::O_RDWR)?;
        let range = device.opened.lock().take().ok_or(ENXIO)?;
        let address = process.map(&file, pages, 0)?;

        Ok(Self {
            range,
            _file: file,
            _door: door,
            counters,
            address,
            process,
            _shrinker: shrinker,
        })
    }

    /// Leaves pages with [`OLD`] bytes to whoever asks for one next.
    pub(super) fn leave_old_pages(&self) -> Result {
        let mut pages = KVec::new();
        let bytes = KVVec::from_elem(OLD, PAGE_SIZE, GFP_KERNEL)?;

        charge_to(&self.process.mm(), |account| -> Result {
            for _ in 0..64 {
                pages.push(account.alloc_page()?, GFP_KERNEL)?;
            }
            Ok(())
        })?;
        for page in &pages {
            page.borrow().write(0, &bytes)?;
        }
        Ok(())
    }

    /// Memory with a message of so many pages, and nothing behind it.
    pub(super) fn message(&mut self, pages: usize, seed: u8) -> Result<UserPtr> {
        let address = self.process.map_memory(pages + 1)?;
        let mut bytes = KVVec::with_capacity(pages * PAGE_SIZE, GFP_KERNEL)?;

        self.process.unmap(address + pages * PAGE_SIZE, 1)?;
        for at in 0..pages * PAGE_SIZE {
            bytes.push(byte_of(seed, at), GFP_KERNEL)?;
        }
        let at = UserPtr::from_addr(address);
        UserWriter::new(at, bytes.len()).write(self.process.context(), &bytes)?;
        Ok(at)
    }

    /// `PageRange::lease_filled`.
    pub(super) fn lease_filled(
        &mut self,
        offset: usize,
        len: usize,
        from: UserPtr,
        filled: usize,
    ) -> Result<Lease> {
        self.range
            .lease_filled(self.process.context(), offset, len, from, filled)
    }

    /// `PageRange::lease`.
    pub(super) fn lease(&mut self, offset: usize, len: usize) -> Result<Lease> {
        self.range.lease(self.process.context(), offset, len)
    }

    /// What the process sees at the beginning of a page.
    pub(super) fn read(&mut self, page: usize) -> Result<u8> {
        self.process.read(self.address + (page << PAGE_SHIFT))
    }

    /// What the process sees in its area, from its byte `at` on.
    pub(super) fn seen(&mut self, at: usize, len: usize) -> Result<KVVec<u8>> {
        let mut reader = UserReader::new(UserPtr::from_addr(self.address + at), len);
        let mut bytes = KVVec::with_capacity(len, GFP_KERNEL)?;

        while reader.len() >= size_of::<u64>() {
            let word: u64 = reader.read(self.process.context())?;
            bytes.extend_from_slice(&word.to_ne_bytes(), GFP_KERNEL)?;
        }
        while !reader.is_empty() {
            bytes.push(reader.read(self.process.context())?, GFP_KERNEL)?;
        }
        Ok(bytes)
    }

    /// Takes all idle pages.
    pub(super) fn reclaim(&self) -> Result {
        for _ in 0..3 {
            drop_slab()?;
        }
        check_eq!(self.counters.idle.get(), 0);
        Ok(())
    }
}

/// The byte at a place of a message. It is neither zero nor an old one.
pub(super) fn byte_of(seed: u8, at: usize) -> u8 {
    (at / PAGE_SIZE * 7 + at) as u8 % 31 + 1 + seed * 32
}

/// Whether these are the bytes of a message from its byte `from` on.
pub(super) fn is_message(bytes: &[u8], seed: u8, from: usize) -> bool {
    bytes
        .iter()
        .enumerate()
        .all(|(at, &byte)| byte == byte_of(seed, from + at))
}

/// Whether all of these are zero.
pub(super) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}
