// SPDX-License-Identifier: GPL-2.0

//! `/dev/vmarea_test`: a few pages that the process which opened the file shares with the kernel.
//!
//! This is an example of the hook `mmap`. A file can be mapped as often and in as many parts as its
//! process likes, and each of the areas can be split, moved and inherited: what is where follows from
//! the offset in the file, so the driver remembers no address.

use kernel::{
    fs::File,
    new_mutex,
    page::{
        PAGE_MASK,
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full,
            Relaxed, //
        },
        poll::PollTable,
        Arc,
        Mutex, //
    },
    uaccess::UserPtr, //
};

use vmarea::{
    area::{
        VmArea,
        VmAreaRef, //
    },
    context::UserContext,
    file::{
        CharDevice,
        FileMapping,
        Opening, //
    },
    mm::OwnerMm,
    mmap::{
        Established,
        VmAreaNew, //
    },
    ops::{
        Access,
        Closed,
        Fault,
        FaultOutcome,
        Mapped,
        MkwriteOutcome,
        PageMkwrite,
        VmOperations,
        VmOps, //
    },
    page::{
        charge_to,
        OwnedPage, //
    },
    user::UserReader, //
};

use crate::{
    requests::Requests,
    tally::{
        Counted,
        TALLY, //
    },
    uapi::{
        self,
        Range, //
    }, //
};

/// The device, which has no data of its own.
pub(crate) struct BufferDevice;

/// An opened file, and the owner of all of its areas.
#[pin_data]
pub(crate) struct Buffer {
    mm: OwnerMm,
    mapping: Arc<FileMapping>,
    pages: KVec<OwnedPage>,
    requests: Requests,
    areas: Atomic<usize>,
    /// Whether the shy page has been hidden.
    hid: Atomic<bool>,
    /// What debuggers see of the page that nobody else sees.
    #[pin]
    hidden: Mutex<KVec<u8>>,
    _counted: Counted,
}

static VM_OPS: VmOps<Buffer> = VmOps::new();

impl Buffer {
    fn new(opening: &mut Opening<'_>) -> Result<Arc<Self>> {
        let mm = OwnerMm::current(opening.context());
        let mapping = FileMapping::new()?;
        let pages = numbered_pages(&mm, uapi::PAGES)?;

        opening.use_mapping(mapping.clone());
        Arc::pin_init(
            pin_init!(Self {
                mm,
                mapping,
                pages,
                requests: Requests::new(),
                areas: Atomic::new(0),
                hid: Atomic::new(false),
                hidden <- new_mutex!(KVec::from_elem(uapi::HOLE_PAGE as u8, PAGE_SIZE, GFP_KERNEL)?),
                _counted: TALLY.owners.one(),
            }? Error),
            GFP_KERNEL,
        )
    }

    /// The page of the file that is at `address` in an area.
    fn offset_at(area: &VmAreaRef, address: usize) -> usize {
        area.offset() + ((address - area.start()) >> PAGE_SHIFT)
    }

    /// Calls `f` with the area of this file at an address of its process.
    fn with_area<R>(
        &self,
        context: &mut UserContext,
        address: usize,
        f: impl FnOnce(&VmArea<Self>) -> Result<R>,
    ) -> Result<R> {
        let mm = self.mm.get(context).ok_or(ESRCH)?;
        let guard = mm.lock_area(context, address)?.ok_or(ENOENT)?;

        f(guard.area_of(self).ok_or(EPERM)?)
    }

    /// Inserts what belongs there. Returns how many pages were inserted.
    fn insert(&self, area: &VmArea<Self>, address: usize, pages: usize) -> Result<isize> {
        let offset = Self::offset_at(area, address);
        let pages = self.pages.iter().skip(offset).take(pages);
        let area = area.as_mixed_map().ok_or(EPERM)?;

        match area.insert_pages(address, pages.map(OwnedPage::borrow)) {
            (0, Err(error)) => Err(error),
            (inserted, _) => Ok(inserted as isize),
        }
    }
}

/// Pages on the account of the process that uses `mm`, each of which begins with its number.
pub(crate) fn numbered_pages(mm: &OwnerMm, count: usize) -> Result<KVec<OwnedPage>> {
    charge_to(mm, |account| {
        let mut pages = KVec::with_capacity(count, GFP_KERNEL)?;

        for number in 0..count {
            let page = account.alloc_page()?;
            page.borrow().write(0, &[number as u8])?;
            pages.push(page, GFP_KERNEL)?;
        }
        Ok(pages)
    })
}

#[vtable]
impl VmOperations for Buffer {
    fn vm_ops() -> &'static VmOps<Self> {
        &VM_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }

    fn open(&self, _: &Mapped) {
        self.areas.add(1, Relaxed);
        TALLY.areas.add();
    }

    fn close(&self, _: &Closed<'_, Self>) {
        self.areas.fetch_sub(1, Relaxed);
        TALLY.areas.sub();
    }

    fn fault(&self, fault: &Fault<'_, Self>) -> FaultOutcome {
        TALLY.faults.add();
        if fault.offset() == uapi::HOLE_PAGE {
            return FaultOutcome::NoPage;
        }
        let (Some(area), Some(page)) = (
            fault.area().as_mixed_map(),
            self.pages.get(fault.offset()), //
        ) else {
            return FaultOutcome::NoPage;
        };
        FaultOutcome::of_insertion(area.insert_page(fault.address(), page.borrow()))
    }

    fn page_mkwrite(&self, page: &PageMkwrite<'_, Self>) -> MkwriteOutcome {
        TALLY.mkwrites.add();
        match page.offset() {
            uapi::CONST_PAGE => MkwriteOutcome::Refused,
            uapi::SHY_PAGE if !self.hid.xchg(true, Full) => {
                page.area().zap(page.address(), 1);
                MkwriteOutcome::Gone
            }
            _ => MkwriteOutcome::Allowed,
        }
    }

    fn name(&self) -> Option<&CStr> {
        self.requests
            .has(uapi::MODE_NAMED)
            .then_some(kernel::c_str!("vmarea_test"))
    }

    fn access(&self, area: &VmArea<Self>, address: usize, access: Access<'_>) -> Result<usize> {
        TALLY.accesses.add();
        if Self::offset_at(area, address) != uapi::HOLE_PAGE {
            return Err(EFAULT);
        }
        let mut hidden = self.hidden.lock();
        let hidden = &mut hidden[address & !PAGE_MASK..];

        match access {
            Access::Read(to) => {
                to.copy_from_slice(&hidden[..to.len()]);
                Ok(to.len())
            }
            Access::Write(from) => {
                hidden[..from.len()].copy_from_slice(from);
                Ok(from.len())
            }
        }
    }
}

#[vtable]
impl CharDevice for BufferDevice {
    type Open = Buffer;

    fn open(_: &Arc<Self>, opening: &mut Opening<'_>) -> Result<Arc<Buffer>> {
        let buffer = Buffer::new(opening)?;

        TALLY.files.add();
        Ok(buffer)
    }

    fn release(_: Arc<Buffer>) {
        TALLY.files.sub();
    }

    fn flush(_: &Arc<Buffer>) {}

    fn ioctl(
        buffer: &Arc<Buffer>,
        _: &File,
        context: &mut UserContext,
        command: u32,
        argument: usize,
    ) -> Result<isize> {
        let read_range = |context: &mut UserContext| -> Result<(usize, usize)> {
            let from = UserPtr::from_addr(argument);
            let range: Range = UserReader::new(from, size_of::<Range>()).read(context)?;

            Ok((range.first as usize, range.pages as usize))
        };

        match command {
            uapi::AREAS => Ok(buffer.areas.load(Relaxed) as isize),
            uapi::UNMAP => {
                let (first, pages) = read_range(context)?;
                buffer.mapping.unmap_pages(first, pages);
                Ok(0)
            }
            uapi::ZAP => {
                let (address, pages) = read_range(context)?;
                buffer.with_area(context, address, |area| {
                    area.zap(address, pages);
                    Ok(0)
                })
            }
            uapi::INSERT => {
                let (address, pages) = read_range(context)?;
                buffer.with_area(context, address, |area| buffer.insert(area, address, pages))
            }
            _ => buffer.requests.ioctl(command, argument),
        }
    }

    fn poll(_: &Arc<Buffer>, _: &File, _: &PollTable<'_>) -> u32 {
        0
    }

    fn mmap<'a>(buffer: &Arc<Buffer>, mut area: VmAreaNew<'a>) -> Result<Established<'a>> {
        let size = (area.end() - area.start()) >> PAGE_SHIFT;
        let end = area.offset().checked_add(size).ok_or(EINVAL)?;
        if end > uapi::PAGES {
            return Err(EINVAL);
        }
        buffer.requests.apply_to(area.flags())?;
        let established = area.establish(buffer.clone())?;
        buffer.requests.end_hook()?;

        // Nothing can fail any more.
        buffer.areas.add(1, Relaxed);
        TALLY.areas.add();
        Ok(established)
    }
}
