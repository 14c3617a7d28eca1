// SPDX-License-Identifier: GPL-2.0

//! How memory reclaim takes idle pages.
//!
//! The shrinker walks the LRU lists, and visits items with the list locked. Every other lock is only
//! tried. Once the range's lock is held, the neighbours of the page are as easy to take as the page
//! itself, so a whole run of idle pages goes with one lock and one zap.

use core::ops::Range;

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    context::ReclaimContext,
    lru::{
        ListLru,
        LruItem,
        Verdict,
        Visited, //
    },
    shrinker::{
        Reclaimable,
        ScanTarget,
        UnregisteredShrinker, //
    },
    slot::Slot,
    trace::{
        self,
        SkipReason, //
    },
};

use super::{
    backing::RangeArea,
    protocol::{
        self,
        Backing,
        Reclaimed,
        Skipped, //
    },
    Install,
    RangeInner, //
};

/// The idle pages of any number of page ranges, for one shrinker.
///
/// See [`Shrinker`](crate::shrinker::Shrinker) for an example.
#[pin_data]
pub struct PageLru {
    #[pin]
    list: ListLru<Slot>,
}

impl PageLru {
    /// Returns an empty list, through which `shrinker` will walk.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new(shrinker: &UnregisteredShrinker) -> Result<Arc<Self>> {
        Arc::pin_init(
            try_pin_init!(Self { list <- ListLru::new(shrinker) }),
            GFP_KERNEL,
        )
    }

    pub(super) fn list(&self) -> &ListLru<Slot> {
        &self.list
    }
}

impl Reclaimable for PageLru {
    fn count(&self, target: &ScanTarget<'_>) -> usize {
        self.list.count(target)
    }

    fn scan(&self, target: &ScanTarget<'_>, limit: usize, context: &ReclaimContext<'_>) -> usize {
        let mut freed = 0;
        // What cannot be taken goes to the end, so as not to be met again when the walk starts over.
        // But a walk follows its items there with the list locked: each may be met there once.
        let mut rotations = self.list.count(target);

        self.list.walk(target, limit, |visited: Visited<'_, Slot>| {
            if freed >= limit {
                return visited.stop();
            }
            match visit(visited, limit - freed, context) {
                Ok((verdict, taken)) => {
                    freed += taken;
                    verdict
                }
                Err(visited) if rotations > 0 => {
                    rotations -= 1;
                    visited.rotate()
                }
                Err(visited) => visited.skip(),
            }
        });
        freed
    }
}

/// Tries to take the page of the visited slot, and those of its idle neighbours, at most `limit`.
/// Returns how many it took, or the visit if it could not take the page.
fn visit<'l>(
    visited: Visited<'l, Slot>,
    limit: usize,
    context: &ReclaimContext<'_>,
) -> Result<(Verdict<'l>, usize), Visited<'l, Slot>> {
    // SAFETY: The slot is in the list, which has a reference to the range. When it is isolated, that
    // reference is handed over as `owner`, which is dropped below after the last use.
    let range: &RangeInner = unsafe { &*visited.item().owner() };
    let Some(index) = range.index_of(visited.item()) else {
        return Err(visited);
    };

    trace::reclaim_begin(range.id(), index, range.is_mapped());
    let result = protocol::reclaim(
        range,
        index,
        limit,
        visited,
        || range.try_lock_area(context),
        Visited::isolate,
    );
    match result {
        Ok(Reclaimed {
            slots,
            unmapped,
            isolated: (owner, verdict),
        }) => {
            range.reclaimed(&slots, unmapped);
            context.account_reclaimed(slots.len());
            // It may be the last reference.
            drop(owner);
            Ok((verdict, slots.len()))
        }
        Err((visited, skipped)) => {
            range.skipped(index, skipped);
            Err(visited)
        }
    }
}

impl RangeInner {
    /// Locks the area without waiting. Returns `None` if the address space is dying, and with it all
    /// that is mapped in it.
    fn try_lock_area<'c>(
        &'c self,
        context: &'c ReclaimContext<'_>,
    ) -> Result<Option<RangeArea<'c>>, Skipped> {
        let place = self.place.as_ref().ok_or(Skipped::Mm)?;
        if self.install == Install::Fault {
            let mapping = self.mapping.try_lock().ok_or(Skipped::SlotLock)?;
            return Ok(Some(RangeArea::File(mapping)));
        }
        let Some(mm) = self.mm.get_in_reclaim(context) else {
            return Ok(None);
        };
        let area = mm.try_into_area(place.start).ok_or(Skipped::VmaLock)?;
        // Something else: the area has just been unmapped.
        self.own_area(&area).ok_or(Skipped::Mm)?;
        Ok(Some(RangeArea::Locked(area)))
    }

    fn reclaimed(&self, slots: &Range<usize>, unmapped: bool) {
        let counter = if unmapped {
            &self.counters.reclaimed_mapped
        } else {
            &self.counters.reclaimed_unmapped
        };

        counter.add(slots.len());
        trace::reclaim_end(self.id(), slots.start, slots.len(), unmapped);
    }

    fn skipped(&self, slot: usize, skipped: Skipped) {
        let (counter, reason) = match skipped {
            Skipped::SlotLock => (&self.counters.skipped_slot_lock, SkipReason::SlotLock),
            Skipped::VmaLock => (&self.counters.skipped_vma_lock, SkipReason::VmaLock),
            Skipped::Mm => (&self.counters.skipped_mm, SkipReason::Mm),
        };

        counter.add(1);
        trace::reclaim_skip(self.id(), slot, reason);
    }
}
