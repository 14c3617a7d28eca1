// SPDX-License-Identifier: GPL-2.0

//! What the protocol is built on: the kernel's locks, pages, LRU lists and page tables.

use core::{
    mem::ManuallyDrop,
    ops::Range, //
};

use kernel::{
    ffi::c_void,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{
        atomic::Acquire,
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        Arc, //
    },
};

use crate::{
    area::VmAreaMixedMap,
    file::FileMapping,
    lru::LruItem,
    mm::ReclaimArea,
    page::{
        OwnedPage,
        PageRef, //
    },
    slot::Slot,
    trace, //
};

use super::{
    protocol::{
        Backing,
        InsertError,
        Kind,
        Stopped,
        Usage, //
    },
    state::SlotState,
    RangeInner,
};

/// The area of a range, as something whose mappings can be changed.
pub(crate) enum RangeArea<'a> {
    /// It is locked, and was proved to be the range's.
    Vma(&'a VmAreaMixedMap<RangeInner>),
    /// The same, in a page fault.
    Faulted(&'a VmAreaMixedMap<RangeInner>),
    /// The same, with the lock itself, in reclaim.
    Locked(ReclaimArea<'a>),
    /// What is mapped of the range's own file, wherever that is. Nothing can be inserted there.
    File(Guard<'a, Option<Arc<FileMapping>>, MutexBackend>),
}

impl RangeInner {
    /// One of the slots, if it is there.
    #[inline]
    fn slot(&self, index: usize) -> Option<&Slot> {
        self.place.as_ref()?.slots.get(index)
    }

    /// What tells the range from others in a trace.
    pub(super) fn id(&self) -> *const c_void {
        core::ptr::from_ref(self).cast()
    }

    /// Slots with their pages. To be called with the range's lock held, for as long as the pages are
    /// used. Only for ranges with slots.
    fn with_pages(
        &self,
        slots: Range<usize>,
    ) -> Option<impl Iterator<Item = (&'_ Slot, PageRef<'_>)>> {
        let run = self.place.as_ref()?.slots.run(slots);

        Some(run.filter_map(|slot| {
            // SAFETY: The range's lock is held.
            Some((slot, unsafe { slot.page() }?))
        }))
    }

    /// A reference that need not be counted, because there is one for as long as `self` is borrowed.
    /// Only for ranges with slots.
    fn as_arc(&self) -> Option<ManuallyDrop<Arc<Self>>> {
        let this = self.slot(0)?.owner();

        // SAFETY: A slot's owner is its range, which is in an `Arc`, as that knows it: this range.
        // There is a reference, because `self` exists and is not being dropped: that has no way to
        // get here. It is not given up.
        Some(unsafe { ManuallyDrop::new(Arc::from_raw(this)) })
    }
}

impl Backing for RangeInner {
    type Page = OwnedPage;
    type Area<'a> = RangeArea<'a>;
    type Error = Error;
    type States = KVVec<SlotState>;
    type Lock<'a> = Guard<'a, Usage<KVVec<SlotState>>, MutexBackend>;

    fn lock(&self) -> Self::Lock<'_> {
        self.usage.lock()
    }

    fn try_lock(&self) -> Option<Self::Lock<'_>> {
        self.usage.try_lock()
    }

    fn is_mapped(&self) -> bool {
        self.mapped.load(Acquire)
    }

    fn put_page(&self, slot: usize, page: OwnedPage) {
        if let Some(slot) = self.slot(slot) {
            // SAFETY: The protocol calls this with the range's lock held.
            unsafe { slot.put(page) };
        }
    }

    fn take_page(&self, slot: usize) -> Option<OwnedPage> {
        // SAFETY: The protocol calls this with the range's lock held, for slots that no lease covers.
        unsafe { self.slot(slot)?.take() }
    }

    fn count(&self, slots: usize, from: Kind, to: Kind) {
        for (kind, leaving) in [(from, true), (to, false)] {
            let counter = match kind {
                Kind::Empty => continue,
                Kind::Used => &self.counters.used,
                Kind::Idle => &self.counters.idle,
            };
            if leaving {
                counter.sub(slots);
            } else {
                counter.add(slots);
            }
        }
    }

    fn list(&self, slots: Range<usize>) {
        if let (Some(this), Some(slots)) = (self.as_arc(), self.with_pages(slots)) {
            // SAFETY: Slots are in this list only, and are removed by `unlist` or isolated before
            // their range, which has a reference to the list, is dropped. They have the same page
            // for as long as they are in it. The iterator does nothing but to read the slots. No
            // list is being walked by this thread, except by reclaim, which calls this for none.
            unsafe { self.lru.list().add(&this, slots) };
        }
    }

    fn unlist(&self, slots: Range<usize>) {
        if let (Some(this), Some(slots)) = (self.as_arc(), self.with_pages(slots)) {
            // SAFETY: As in `list`. Reclaim has isolated the item that it visited, which has
            // unlocked the list.
            unsafe { self.lru.list().remove(&this, slots) };
        }
    }

    fn insert(&self, area: &RangeArea<'_>, slots: Range<usize>) -> Result<(), Stopped<Error>> {
        let insert = |area: &VmAreaMixedMap<Self>, address| {
            let Some(place) = self.place.as_ref() else {
                return (0, Err(EINVAL));
            };
            // Up to an empty slot: what comes after it would be mapped in its place.
            let pages = place.slots.run(slots.clone()).map_while(|slot| {
                // SAFETY: The range's lock is held.
                unsafe { slot.page() }
            });
            area.insert_pages(address, pages)
        };
        let address = |area: &VmAreaMixedMap<Self>| area.start() + (slots.start << PAGE_SHIFT);
        let (inserted, result) = match area {
            RangeArea::Vma(area) => {
                let address = address(area);
                trace::insert_begin(self.id(), address, slots.len());
                let (inserted, result) = insert(area, address);
                trace::insert_end(self.id(), address, inserted, result);
                self.counters.inserted.add(inserted);
                self.counters.batches.add(1);
                (inserted, result)
            }
            RangeArea::Faulted(area) => insert(area, address(area)),
            RangeArea::Locked(_) | RangeArea::File(_) => (0, Err(EINVAL)),
        };

        let error = match result {
            Ok(()) if inserted == slots.len() => return Ok(()),
            Ok(()) => InsertError::Failed(EINVAL),
            Err(error) if error == EBUSY => InsertError::Busy,
            Err(error) => InsertError::Failed(error),
        };
        Err(Stopped { inserted, error })
    }

    fn zap(&self, area: &RangeArea<'_>, slots: Range<usize>) {
        let zap = |area: &VmAreaMixedMap<Self>| {
            area.zap(area.start() + (slots.start << PAGE_SHIFT), slots.len());
        };

        match area {
            RangeArea::Vma(area) | RangeArea::Faulted(area) => zap(area),
            // It was proved to be the range's already.
            RangeArea::Locked(area) => {
                if let Some(area) = self.own_area(area) {
                    zap(area);
                }
            }
            RangeArea::File(mapping) => {
                if let Some(mapping) = &**mapping {
                    mapping.unmap_pages(slots.start, slots.len());
                }
            }
        }
    }
}
