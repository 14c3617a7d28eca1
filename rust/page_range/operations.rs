// SPDX-License-Identifier: GPL-2.0

//! What the mm subsystem asks of the area of a range.

use kernel::{
    page::PAGE_SHIFT,
    prelude::*,
    sync::{
        atomic::Release,
        Arc, //
    },
};

use crate::{
    mm::OwnerMm,
    ops::{
        Closed,
        Fault,
        FaultOutcome,
        MapPages,
        Mapped,
        VmOperations,
        VmOps, //
    },
    trace::{
        self,
        FaultKind, //
    }, //
};

use super::{
    backing::RangeArea,
    protocol,
    slots::Slots,
    Place,
    RangeInner, //
};

static VM_OPS: VmOps<RangeInner> = VmOps::new();

#[vtable]
impl VmOperations for RangeInner {
    type OwnerModule = ();

    fn vm_ops() -> &'static VmOps<Self> {
        &VM_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }

    /// All calls for a range are made with its owner's mmap lock held for write, so there is one at a
    /// time.
    fn mapped(this: &Arc<Self>, area: &Mapped) -> Result {
        let size = usize::min(area.end() - area.start(), this.limit);
        let count = size >> PAGE_SHIFT;
        if this.place.as_ref().is_some() {
            return Err(EBUSY);
        }
        this.place.populate(Place {
            start: area.start(),
            slots: Slots::new(count),
        });
        this.mapped.store(true, Release);
        trace::mmap(
            this.id(),
            area.start(),
            (area.end() - area.start()) >> PAGE_SHIFT,
        );
        Ok(())
    }

    fn close(&self, area: &Closed<'_, Self>) {
        let ours = self
            .place
            .as_ref()
            .is_some_and(|place| place.start == area.start());

        // A copy that goes away says nothing about the area.
        if area.is_own() && ours {
            self.mapped.store(false, Release);
            trace::close(
                self.id(),
                area.start(),
                (area.end() - area.start()) >> PAGE_SHIFT,
            );
        }
    }

    fn may_split(&self, _: &Mapped, _: usize) -> Result {
        Err(EINVAL)
    }

    fn mremap(&self, _: &Mapped) -> Result {
        Err(EINVAL)
    }

    fn fault(&self, fault: &Fault<'_, Self>) -> FaultOutcome {
        let Some(area) = self.own_area(fault.area()) else {
            return FaultOutcome::NoPage;
        };
        let slot = (fault.address() - area.start()) >> PAGE_SHIFT;

        let outcome = match protocol::fault(self, &RangeArea::Faulted(area), slot) {
            None => FaultOutcome::NoPage,
            Some(result) => FaultOutcome::of_insertion(result),
        };
        let (kind, pages) = match outcome {
            FaultOutcome::Mapped => (FaultKind::Mapped, 1),
            FaultOutcome::NoPage => (FaultKind::NoPage, 0),
            FaultOutcome::NoMemory => (FaultKind::Oom, 0),
        };
        self.counters.faults.add(pages);
        trace::fault(self.id(), fault.address(), kind, pages);
        outcome
    }

    fn map_pages(&self, around: &mut MapPages<'_, Self>) {
        let Some(place) = self.place.as_ref() else {
            return;
        };

        protocol::fault_around(self, |may_be_mapped| {
            around.insert(|around, offset| {
                let slot = around.address_of(offset).checked_sub(place.start)? >> PAGE_SHIFT;
                if !may_be_mapped(slot) {
                    return None;
                }
                // SAFETY: The range's lock is held.
                unsafe { place.slots.get(slot)?.page() }
            });
        });
        if around.is_done() {
            self.counters.faults.add(1);
            let pages = around.offered();
            trace::fault(self.id(), around.address(), FaultKind::Mapped, pages);
        }
    }
}
