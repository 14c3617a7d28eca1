// SPDX-License-Identifier: GPL-2.0

//! Tests of page ranges whose slots come to be there as they are needed.
//!
//! A driver takes leases from the start of a range on; here they begin anywhere. What there is between
//! a range and several processes is in the sight of the programs that send messages.

use kernel::{
    c_str,
    fs::File,
    macros::kunit_tests,
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
};

use super::{
    bench::{
        OpenFile,
        Process, //
    },
    reclaim::drop_slab,
};

/// How many pages are mapped: many groups of slots, the last of them not whole.
const PAGES: usize = 250;

/// A device whose files have a range each.
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

    fn open(this: &Arc<Self>, opening: &mut Opening<'_>) -> Result<Arc<PageRange>> {
        let range = PageRange::new(
            opening,
            PAGES << PAGE_SHIFT,
            this.install,
            this.lru.clone(),
            this.counters.clone(),
        )?;
        let range = Arc::new(range, GFP_KERNEL)?;

        *this.opened.lock() = Some(range.clone());
        Ok(range)
    }

    fn release(_: Arc<PageRange>) {}

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

/// A range that is mapped.
struct Mapped {
    range: Arc<PageRange>,
    start: usize,
    counters: Arc<Counters>,
    _file: OpenFile,
    _door: Pin<KBox<Registration<Ranges>>>,
    _shrinker: Shrinker<PageLru>,
    /// The last, because it has the area.
    process: Process,
}

impl Mapped {
    fn new(install: Install) -> Result<Self> {
        let process = Process::new()?;
        let shrinker = UnregisteredShrinker::new(c_str!("vmarea_range"))?;
        let lru = PageLru::new(&shrinker)?;
        let shrinker = shrinker.register(lru.clone());
        let counters = Arc::new(Counters::new(), GFP_KERNEL)?;
        let to_device = counters.clone();
        let device = Arc::pin_init(
            pin_init!(Ranges {
                install,
                lru,
                counters: to_device,
                opened <- new_mutex!(None),
            }),
            GFP_KERNEL,
        )?;
        let name = CString::try_from_fmt(fmt!("vmarea_range"))?;
        let door = Registration::register(name, device.clone())?;
        door.enable();
        let file = OpenFile::open(c_str!("/dev/vmarea_range"), kernel::bindings::O_RDWR)?;
        let range = device.opened.lock().take().ok_or(ENXIO)?;
        let start = process.map(&file, PAGES, 0)?;

        Ok(Self {
            range,
            start,
            counters,
            _file: file,
            _door: door,
            _shrinker: shrinker,
            process,
        })
    }

    /// Leases so many pages from `first` on.
    fn lease(&mut self, first: usize, pages: usize) -> Result<Lease> {
        self.lease_bytes(first << PAGE_SHIFT, pages << PAGE_SHIFT)
    }

    fn lease_bytes(&mut self, offset: usize, len: usize) -> Result<Lease> {
        self.range.lease(self.process.context(), offset, len)
    }

    /// Leases so many pages from `first` on, and writes its number into each.
    fn lease_numbered(&mut self, first: usize, pages: usize) -> Result<Lease> {
        let lease = self.lease(first, pages)?;

        for page in 0..pages {
            lease.write(page << PAGE_SHIFT, &[number(first + page)])?;
        }
        Ok(lease)
    }

    /// What the process sees in a page.
    fn read(&mut self, page: usize) -> Result<u8> {
        self.process.read(self.start + (page << PAGE_SHIFT))
    }
}

/// What is written into a page.
fn number(page: usize) -> u8 {
    (page % 255) as u8 + 1
}

/// Calls `f` with a range that is mapped in each of the ways there are.
fn in_each_mode(f: fn(&mut Mapped) -> Result) -> Result {
    for (_, install) in Install::NAMES {
        f(&mut Mapped::new(install)?)?;
    }
    Ok(())
}

#[kunit_tests(vmarea_range)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lease_may_be_the_last_page() -> Result {
        in_each_mode(|it| {
            check_eq!(it.read(PAGES - 1), Err(EFAULT));
            let lease = it.lease_numbered(PAGES - 1, 1)?;

            check_eq!(it.read(PAGES - 1), Ok(number(PAGES - 1)));
            for page in [0, 1, PAGES - 2] {
                check_eq!(it.read(page), Err(EFAULT));
            }
            check_eq!(it.counters.used.get(), 1);
            drop(lease);
            check_eq!(it.counters.idle.get(), 1);
            Ok(())
        })
    }

    #[test]
    fn what_is_not_there_is_empty() -> Result {
        in_each_mode(|it| {
            check_eq!(it.read(0), Err(EFAULT));
            let _lease = it.lease_numbered(0, 1)?;

            check_eq!(it.read(0), Ok(number(0)));
            // Next to it, and as far away as can be.
            check_eq!(it.read(1), Err(EFAULT));
            check_eq!(it.read(PAGES - 1), Err(EFAULT));
            Ok(())
        })
    }

    #[test]
    fn all_of_the_range_can_be_leased() -> Result {
        let mut it = Mapped::new(Install::Sender)?;
        let size = PAGES << PAGE_SHIFT;
        check_eq!(it.range.size(), size);

        // Before anything is there.
        check_eq!(it.lease_bytes(size, 1).err(), Some(EINVAL));
        check_eq!(it.lease_bytes(size - 1, 2).err(), Some(EINVAL));
        check_eq!(it.lease_bytes(usize::MAX, 2).err(), Some(EINVAL));
        check_eq!(it.lease_bytes(size + PAGE_SIZE, 0).err(), Some(EINVAL));
        check_eq!(it.lease_bytes(size, 0)?.len(), 0);

        let lease = it.lease_numbered(0, PAGES)?;
        for page in 0..PAGES {
            check_eq!(it.read(page), Ok(number(page)));
        }
        check_eq!(it.counters.used.get(), PAGES as i64);
        // When all is there.
        check_eq!(it.lease_bytes(size - 1, 2).err(), Some(EINVAL));
        check_eq!(it.lease_bytes(size + PAGE_SIZE, 0).err(), Some(EINVAL));
        check_eq!(it.lease_bytes(size - 1, 1)?.len(), 1);
        drop(lease);
        check_eq!(it.counters.used.get(), 0);
        Ok(())
    }

    #[test]
    fn what_was_there_stays() -> Result {
        in_each_mode(|it| {
            let mut leases = KVec::new();
            // Idle pages in the list, and used ones, while slots are added after them.
            drop(it.lease_numbered(3, 2)?);
            for first in [0, 14, 15, 47, 48, 130, PAGES - 3] {
                leases.push(it.lease_numbered(first, 3)?, GFP_KERNEL)?;
            }

            let again = it.lease(3, 2)?;
            for page in [0, 2, 3, 4, 14, 17, 47, 50, 130, 132, PAGES - 1] {
                check_eq!(it.read(page), Ok(number(page)));
            }
            for page in [5, 13, 18, 46, 51, 129, 133, PAGES - 4] {
                check_eq!(it.read(page), Err(EFAULT));
            }
            check_eq!(it.counters.used.get(), 19);
            drop(again);
            drop(leases);
            check_eq!((it.counters.used.get(), it.counters.idle.get()), (0, 19));
            Ok(())
        })
    }

    #[test]
    fn reclaim_finds_each_page() -> Result {
        in_each_mode(|it| {
            let used = it.lease_numbered(40, 1)?;
            drop(it.lease_numbered(10, 90)?);
            drop(it.lease_numbered(PAGES - 20, 20)?);
            check_eq!(it.counters.idle.get(), 109);

            // What was leased lately is spared at first.
            for _ in 0..3 {
                drop_slab()?;
            }
            check_eq!((it.counters.used.get(), it.counters.idle.get()), (1, 0));
            check_eq!(it.read(40), Ok(number(40)));
            drop(used);

            // Those that come have nothing of those that went.
            let lease = it.lease(0, PAGES)?;
            for page in [10, 39, 41, 99, PAGES - 20, PAGES - 1] {
                check_eq!(it.read(page), Ok(0));
            }
            drop(lease);
            Ok(())
        })
    }

    #[test]
    fn it_can_be_closed_with_any_part_there() -> Result {
        for pages in [0, 1, 16, 17, PAGES] {
            let mut it = Mapped::new(Install::Sender)?;
            drop(it.lease_numbered(0, pages)?);

            it.range.close();
            check_eq!((it.counters.used.get(), it.counters.idle.get()), (0, 0));
            // Also what would have to be added first.
            check_eq!(it.lease(0, 1).err(), Some(ESRCH));
            check_eq!(it.lease(PAGES - 1, 1).err(), Some(ESRCH));
        }
        Ok(())
    }
}
