// SPDX-License-Identifier: GPL-2.0

//! A device that does what a test says, and lets it see the owner of the areas.

use kernel::{
    fs::File,
    new_mutex,
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
};

use vmarea::{
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
        Fault,
        FaultOutcome,
        MapPages,
        VmOperations,
        VmOps, //
    },
    page::{
        OwnedPage,
        PageRef, //
    },
};

use crate::buffer::numbered_pages;

/// How many pages an owner has.
pub(super) const PAGES: usize = 80;
/// The command that the toy knows. It returns its argument.
pub(super) const ECHO: u32 = 7;

/// A device.
#[pin_data]
pub(super) struct Toy {
    /// The owner of the file that was opened last.
    #[pin]
    opened: Mutex<Option<Arc<ToyOwner>>>,
    /// How many owners there are.
    owners: Atomic<usize>,
    /// Whether the next hook fails after it has established its area.
    pub(super) fail: Atomic<bool>,
    /// Whether the next areas can hold pages.
    pub(super) without_pages: Atomic<bool>,
}

impl Toy {
    pub(super) fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                opened <- new_mutex!(None),
                owners: Atomic::new(0),
                fail: Atomic::new(false),
                without_pages: Atomic::new(false),
            }),
            GFP_KERNEL,
        )
    }

    pub(super) fn take_opened(&self) -> Option<Arc<ToyOwner>> {
        self.opened.lock().take()
    }

    pub(super) fn owners(&self) -> usize {
        self.owners.load(Relaxed)
    }
}

/// The owner of the areas of a file. Its areas show no pages but those that are inserted by the test,
/// or by faults if it wants that.
pub(super) struct ToyOwner {
    mm: OwnerMm,
    toy: Arc<Toy>,
    pub(super) mapping: Arc<FileMapping>,
    pub(super) pages: KVec<OwnedPage>,
    /// Whether faults insert the page that belongs there.
    pub(super) faults_insert: Atomic<bool>,
    pub(super) faults: Atomic<usize>,
    /// Whether areas have a name.
    pub(super) is_named: Atomic<bool>,
    /// What `map_pages` was last called with, and what it gave.
    pub(super) around: Around,
}

/// A call of `map_pages`. Every second page is there.
pub(super) struct Around {
    pub(super) first: Atomic<usize>,
    pub(super) end: Atomic<usize>,
    /// The address of the first page.
    pub(super) start: Atomic<usize>,
    pub(super) offered: Atomic<usize>,
    pub(super) is_done: Atomic<bool>,
}

impl ToyOwner {
    pub(super) fn page(&self, number: usize) -> PageRef<'_> {
        self.pages[number].borrow()
    }

    /// The pages of a range, to be inserted.
    pub(super) fn pages_from(
        &self,
        first: usize,
        count: usize,
    ) -> impl Iterator<Item = PageRef<'_>> {
        self.pages
            .iter()
            .skip(first)
            .take(count)
            .map(OwnedPage::borrow)
    }
}

impl Drop for ToyOwner {
    fn drop(&mut self) {
        self.toy.owners.fetch_sub(1, Relaxed);
    }
}

static VM_OPS: VmOps<ToyOwner> = VmOps::new();

#[vtable]
impl VmOperations for ToyOwner {
    fn vm_ops() -> &'static VmOps<Self> {
        &VM_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }

    fn fault(&self, fault: &Fault<'_, Self>) -> FaultOutcome {
        self.faults.add(1, Relaxed);
        let (Some(area), Some(page), true) = (
            fault.area().as_mixed_map(),
            self.pages.get(fault.offset()),
            self.faults_insert.load(Relaxed),
        ) else {
            return FaultOutcome::NoPage;
        };
        FaultOutcome::of_insertion(area.insert_page(fault.address(), page.borrow()))
    }

    fn name(&self) -> Option<&CStr> {
        self.is_named.load(Relaxed).then_some(NAME)
    }

    fn map_pages(&self, around: &mut MapPages<'_, Self>) {
        if !self.faults_insert.load(Relaxed) {
            return;
        }
        around.insert(|around, offset| {
            let page = around.owner().pages.get(offset)?;

            (offset % 2 == 0).then(|| page.borrow())
        });
        let offsets = around.offsets();
        let this = &self.around;
        this.start.store(around.address_of(offsets.start), Relaxed);
        this.first.store(offsets.start, Relaxed);
        this.end.store(offsets.end, Relaxed);
        this.offered.store(around.offered(), Relaxed);
        this.is_done.store(around.is_done(), Relaxed);
    }
}

/// What areas are called.
pub(super) const NAME: &CStr = kernel::c_str!("toy");

#[vtable]
impl CharDevice for Toy {
    type Open = ToyOwner;

    fn open(toy: &Arc<Self>, opening: &mut Opening<'_>) -> Result<Arc<ToyOwner>> {
        let mm = OwnerMm::current(opening.context());
        let pages = numbered_pages(&mm, PAGES)?;
        let mapping = FileMapping::new()?;
        opening.use_mapping(mapping.clone());
        toy.owners.add(1, Relaxed);
        let owner = ToyOwner {
            mm,
            toy: toy.clone(),
            mapping,
            pages,
            faults_insert: Atomic::new(false),
            faults: Atomic::new(0),
            is_named: Atomic::new(false),
            around: Around {
                first: Atomic::new(0),
                end: Atomic::new(0),
                start: Atomic::new(0),
                offered: Atomic::new(0),
                is_done: Atomic::new(false),
            },
        };
        let owner = Arc::new(owner, GFP_KERNEL)?;

        *toy.opened.lock() = Some(owner.clone());
        Ok(owner)
    }

    fn release(_: Arc<ToyOwner>) {}

    fn flush(_: &Arc<ToyOwner>) {}

    fn ioctl(
        _: &Arc<ToyOwner>,
        _: &File,
        _: &mut UserContext,
        command: u32,
        argument: usize,
    ) -> Result<isize> {
        match command {
            ECHO => Ok(argument as isize),
            _ => Err(ENOTTY),
        }
    }

    fn poll(_: &Arc<ToyOwner>, _: &File, _: &PollTable<'_>) -> u32 {
        0
    }

    fn mmap<'a>(owner: &Arc<ToyOwner>, mut area: VmAreaNew<'a>) -> Result<Established<'a>> {
        if !owner.toy.without_pages.load(Relaxed) {
            area.flags().set_mixed_map();
        }
        let established = area.establish(owner.clone())?;
        if owner.toy.fail.xchg(false, Full) {
            return Err(ENODATA);
        }
        Ok(established)
    }
}
