// SPDX-License-Identifier: GPL-2.0

//! `/dev/vmarea_test_prepare`: areas that show one page all over, each with an owner of its own.
//!
//! This is an example of the hook `mmap_prepare`. What the hook does has no effect before `mapped`
//! confirms the area, which both can refuse if a test asks for it.

use kernel::{
    fs::File,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        poll::PollTable,
        Arc, //
    },
};

use vmarea::{
    context::UserContext,
    file::{
        CharDevice,
        Opening, //
    },
    mm::OwnerMm,
    mmap::{
        Established,
        VmAreaDesc, //
    },
    ops::{
        Closed,
        Fault,
        FaultOutcome,
        Mapped,
        VmOperations,
        VmOps, //
    },
    page::{
        charge_to,
        OwnedPage, //
    },
};

use crate::{
    requests::Requests,
    tally::{
        Counted,
        TALLY, //
    },
    uapi, //
};

/// The device, which has no data of its own.
pub(crate) struct PreparedDevice;

/// An opened file.
pub(crate) struct PreparedFile {
    mm: OwnerMm,
    requests: Requests,
    areas: Atomic<usize>,
}

/// The owner of one mapping of a file, and of the parts and copies that become of it.
struct PreparedArea {
    file: Arc<PreparedFile>,
    page: OwnedPage,
    _counted: Counted,
}

static VM_OPS: VmOps<PreparedArea> = VmOps::new();

impl PreparedFile {
    fn add_area(&self) {
        self.areas.add(1, Relaxed);
        TALLY.areas.add();
    }

    /// # Errors
    ///
    /// `EPERM` if areas are to stay as they are.
    fn may_change(&self) -> Result {
        if self.requests.has(uapi::MODE_ATOMIC) {
            return Err(EPERM);
        }
        Ok(())
    }
}

#[vtable]
impl VmOperations for PreparedArea {
    fn vm_ops() -> &'static VmOps<Self> {
        &VM_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.file.mm
    }

    fn mapped(this: &Arc<Self>, _: &Mapped) -> Result {
        this.file.requests.end_mapped()?;
        this.file.add_area();
        Ok(())
    }

    fn open(&self, _: &Mapped) {
        self.file.add_area();
    }

    fn close(&self, _: &Closed<'_, Self>) {
        self.file.areas.fetch_sub(1, Relaxed);
        TALLY.areas.sub();
    }

    fn may_split(&self, _: &Mapped, _: usize) -> Result {
        self.file.may_change()
    }

    fn mremap(&self, _: &Mapped) -> Result {
        self.file.may_change()
    }

    fn fault(&self, fault: &Fault<'_, Self>) -> FaultOutcome {
        TALLY.faults.add();
        let Some(area) = fault.area().as_mixed_map() else {
            return FaultOutcome::NoPage;
        };
        FaultOutcome::of_insertion(area.insert_page(fault.address(), self.page.borrow()))
    }
}

#[vtable]
impl CharDevice for PreparedDevice {
    type Open = PreparedFile;

    fn open(_: &Arc<Self>, opening: &mut Opening<'_>) -> Result<Arc<PreparedFile>> {
        let file = PreparedFile {
            mm: OwnerMm::current(opening.context()),
            requests: Requests::new(),
            areas: Atomic::new(0),
        };
        let file = Arc::new(file, GFP_KERNEL)?;

        TALLY.files.add();
        Ok(file)
    }

    fn release(_: Arc<PreparedFile>) {
        TALLY.files.sub();
    }

    fn flush(_: &Arc<PreparedFile>) {}

    fn ioctl(
        file: &Arc<PreparedFile>,
        _: &File,
        _: &mut UserContext,
        command: u32,
        argument: usize,
    ) -> Result<isize> {
        match command {
            uapi::AREAS => Ok(file.areas.load(Relaxed) as isize),
            _ => file.requests.ioctl(command, argument),
        }
    }

    fn poll(_: &Arc<PreparedFile>, _: &File, _: &PollTable<'_>) -> u32 {
        0
    }

    fn mmap_prepare<'a>(
        file: &Arc<PreparedFile>,
        mut area: VmAreaDesc<'a>,
    ) -> Result<Established<'a>> {
        let owner = PreparedArea {
            file: file.clone(),
            page: charge_to(&file.mm, |account| account.alloc_page())?,
            _counted: TALLY.owners.one(),
        };
        let owner = Arc::new(owner, GFP_KERNEL)?;

        file.requests.apply_to(area.flags())?;
        let established = area.establish(owner)?;
        file.requests.end_hook()?;
        Ok(established)
    }
}
