// SPDX-License-Identifier: GPL-2.0

//! How memory reclaim takes idle pages.
//!
//! The shrinker walks the LRU lists, and calls [`visit`] for each item with the list locked. Every
//! other lock is only tried. Once the range's lock is held, the neighbours of the page are as easy
//! to take as the page itself, so a whole run of idle pages goes with one lock and one zap.

use core::{
    mem::ManuallyDrop,
    ops::Range, //
};

use kernel::{
    bindings,
    ffi::c_void,
    mm::MmWithUser,
    page::PAGE_SHIFT,
    prelude::*,
    sync::{
        atomic::Acquire,
        Arc, //
    },
};

use crate::{
    area::OwnArea,
    counters::Counters,
    lru::{
        ListLru,
        LockedList, //
    },
    shrinker::{
        Node,
        Reclaimable, //
    },
    slot::{
        Slot,
        TakenPage, //
    },
};

use super::{
    Place,
    RangeInner,
    RangeUsage, //
};

/// The most pages that are taken at once. They are kept on the stack.
const RUN: usize = 32;

const SKIP: bindings::lru_status = bindings::lru_status::LRU_SKIP;
const REMOVED: bindings::lru_status = bindings::lru_status::LRU_REMOVED_RETRY;

/// The idle pages of any number of page ranges, for one shrinker.
#[pin_data]
pub struct PageLru {
    #[pin]
    list: ListLru,
}

impl PageLru {
    /// Returns an empty list.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> Result<Arc<Self>> {
        Arc::pin_init(try_pin_init!(Self { list <- ListLru::new() }), GFP_KERNEL)
    }

    pub(super) fn list(&self) -> &ListLru {
        &self.list
    }
}

/// What one walk may still take, and took beyond the items that it visited.
struct Walk {
    budget: usize,
    neighbours: usize,
}

impl Reclaimable for PageLru {
    fn count(&self, node: Node) -> usize {
        self.list.count(node)
    }

    fn scan(&self, node: Node, limit: usize) -> usize {
        let mut walk = Walk {
            budget: limit,
            neighbours: 0,
        };
        // SAFETY: All items are slots, for which `visit` follows the rules, with a `Walk`.
        let visited = unsafe {
            self.list
                .walk(node, limit, visit, (&raw mut walk).cast::<c_void>())
        };

        visited + walk.neighbours
    }
}

/// Why a page was not taken.
enum Skipped {
    SlotLock,
    VmaLock,
    Mm,
}

impl Skipped {
    fn count(&self, counters: &Counters) {
        match self {
            Self::SlotLock => counters.skipped_slot_lock.add(1),
            Self::VmaLock => counters.skipped_vma_lock.add(1),
            Self::Mm => counters.skipped_mm.add(1),
        }
    }
}

/// Gets another reference to a range that is known to have some.
///
/// # Safety
///
/// `range` must come from `Arc::as_ptr`, and there must be at least one reference during the call.
unsafe fn another_reference(range: *const RangeInner) -> Arc<RangeInner> {
    // SAFETY: As the caller promises; the reference is not given up.
    let existing = unsafe { ManuallyDrop::new(Arc::from_raw(range)) };

    Arc::clone(&existing)
}

/// Tries to take the page of the visited slot, and of its idle neighbours.
///
/// # Safety
///
/// `item` must be the link of a [`Slot`] in the locked `list`, `walk` a [`Walk`] that nobody else
/// uses during the call.
unsafe extern "C" fn visit(
    item: *mut bindings::list_head,
    list: *mut bindings::list_lru_one,
    walk: *mut c_void,
) -> bindings::lru_status {
    // SAFETY: As the caller promises.
    let (list, walk) = unsafe { (LockedList::from_raw(list), &mut *walk.cast::<Walk>()) };
    let slot = item.cast::<Slot>();
    // SAFETY: The link is a slot's first field. The slot is in the list, which is locked, and a
    // slot's range is not dropped before all its slots were removed (`RangeInner::close` does it
    // for a `PageRange`, which has a reference). So the slot is valid, and there is a reference.
    let range = unsafe { another_reference((*slot).range) };

    if walk.budget == 0 {
        return SKIP;
    }
    // SAFETY: The slot is valid and in the locked list, as shown above.
    match unsafe { range.reclaim(slot, item, list, walk) } {
        Ok(()) => REMOVED,
        Err(skipped) => {
            skipped.count(&range.counters);
            SKIP
        }
    }
}

impl RangeInner {
    /// Takes the page in `slot`, and those of neighbours.
    ///
    /// When this succeeds, `list` was unlocked.
    ///
    /// # Safety
    ///
    /// `slot` must be one of this range's, and `item`, its link, must be in `list`.
    unsafe fn reclaim(
        &self,
        slot: *const Slot,
        item: *mut bindings::list_head,
        list: LockedList,
        walk: &mut Walk,
    ) -> Result<(), Skipped> {
        // A range with slots has a place.
        let place = self.place.as_ref().ok_or(Skipped::SlotLock)?;
        let mut usage = self.usage.try_lock().ok_or(Skipped::SlotLock)?;

        // Whether there are page table entries to be removed is known to the area's owner alone:
        // what is found at an address may be anybody's. A dying address space removes them itself.
        let mm = if self.mapped.load(Acquire) {
            self.mm.mmget_not_zero().map(MmWithUser::into_mmput_async)
        } else {
            None
        };
        let vma = match &mm {
            Some(mm) => Some(mm.lock_vma_under_rcu(place.start).ok_or(Skipped::VmaLock)?),
            None => None,
        };
        let area = match &vma {
            // A VMA that is not the area: the area is just being unmapped.
            Some(vma) => Some(OwnArea::prove(vma, self).ok_or(Skipped::Mm)?),
            None => None,
        };

        // SAFETY: Both are in the same allocation, as the caller promises.
        let index = unsafe { slot.offset_from(place.slots.as_ptr()) } as usize;
        // SAFETY: As the caller promises. The slot stays valid because the caller of this function
        // has a reference to the range, and idle because the range's lock is held.
        unsafe { list.isolate_and_unlock(item) };
        let run = self.isolate_neighbours(place, &usage, index, walk.budget);
        walk.budget -= run.len();
        walk.neighbours += run.len() - 1;

        // The slots are empty before their pages are unmapped, and no page gets into them before
        // the lock is released. The pages are freed at the end, when nothing is mapped any more.
        let mut taken = [const { None::<TakenPage> }; RUN];
        self.take_run(place, &mut usage, run.clone(), &mut taken);
        match &area {
            Some(area) => {
                area.zap(place.start + (run.start << PAGE_SHIFT), run.len());
                self.counters.reclaimed_mapped.add(run.len());
            }
            None => self.counters.reclaimed_unmapped.add(run.len()),
        }
        self.counters.idle.sub(run.len());
        Ok(())
    }

    /// Removes idle neighbours of slot `index`, which was removed already, from the LRU list.
    /// Returns the run of slots, at least one and at most `limit`.
    fn isolate_neighbours(
        &self,
        place: &Place,
        usage: &RangeUsage,
        index: usize,
        limit: usize,
    ) -> Range<usize> {
        let limit = usize::min(limit, RUN);
        let isolate = |i: usize| {
            let (Some(slot), Some(state)) = (place.slots.get(i), usage.slots.get(i)) else {
                return false;
            };
            if state.leases > 0 {
                return false;
            }
            // SAFETY: The range's lock is held: `usage` is borrowed from it.
            let Some(page) = (unsafe { slot.page() }) else {
                return false;
            };
            // SAFETY: The link was initialized, and is in no other list.
            unsafe { self.lru.list().remove(&slot.link, page.nid()) }
        };
        let mut run = index..index + 1;

        while run.len() < limit && isolate(run.end) {
            run.end += 1;
        }
        while run.len() < limit && run.start > 0 && isolate(run.start - 1) {
            run.start -= 1;
        }
        run
    }

    /// Empties a run of idle slots that are in no list.
    fn take_run(
        &self,
        place: &Place,
        usage: &mut RangeUsage,
        run: Range<usize>,
        taken: &mut [Option<TakenPage>; RUN],
    ) {
        let slots = place.slots[run.clone()].iter();

        for ((slot, state), page) in slots.zip(&mut usage.slots[run]).zip(taken) {
            // SAFETY: The range's lock is held, and no lease covers an idle slot.
            *page = unsafe { slot.take() };
            state.inserted = false;
        }
    }
}
