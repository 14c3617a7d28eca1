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
        Met,
        Reclaimed,
        Skipped, //
    },
    Install,
    RangeInner, //
};

/// The idle pages of any number of page ranges, for one shrinker.
///
/// Some of the pages in use are in here, too: they stay when they are leased, and go when reclaim meets
/// them. So there are at least as many as can be reclaimed, which is what reclaim is told.
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
        let count = self.list.count(target);
        // What is not taken at once should not keep others from being so.
        let more = usize::min(count, usize::max(limit.saturating_mul(4), MORE_VISITS));
        let mut scan = Scan {
            context,
            limit,
            freed: 0,
            failed: 0,
            second_chances: more,
            rotations: count,
        };

        self.list
            .walk(target, limit.saturating_add(more), |visited| {
                scan.visit(visited)
            });
        // Pages of which all are in demand have to go all the same when there are no others.
        if scan.freed < limit && scan.second_chances < more {
            scan.second_chances = 0;
            self.list.walk(target, limit, |visited| scan.visit(visited));
        }
        scan.freed
    }
}

/// So many more visits than pages to be freed are made at least, if there are so many pages. With the
/// list locked: not too many.
const MORE_VISITS: usize = 1024;

/// What is left to be done in a scan.
struct Scan<'c> {
    context: &'c ReclaimContext<'c>,
    /// So many pages are to be freed.
    limit: usize,
    freed: usize,
    failed: usize,
    /// So many pages may be spared for now.
    second_chances: usize,
    /// What cannot be taken goes to the end, so as not to be met again when the walk starts over. But
    /// a walk follows its items there with the list locked: each may be met there once.
    rotations: usize,
}

impl Scan<'_> {
    /// Tries to take the page of the visited slot, and those of its idle neighbours.
    fn visit<'l>(&mut self, visited: Visited<'l, Slot>) -> Verdict<'l> {
        let left = self.limit.saturating_sub(self.freed);
        if left == 0 || self.failed >= self.limit {
            return visited.stop();
        }
        // SAFETY: The slot is in the list, which has a reference to the range. When it is isolated,
        // that reference is handed over as `owner`, which is dropped below after the last use.
        let range: &RangeInner = unsafe { &*visited.item().owner() };
        let index = visited.item().index();

        trace::reclaim_begin(range.id(), index, range.is_mapped());
        let met = protocol::reclaim(
            range,
            index,
            left,
            self.second_chances > 0,
            visited,
            || range.try_lock_area(self.context),
            Visited::isolate,
        );
        match met {
            Met::Idle(Reclaimed {
                slots,
                unmapped,
                isolated: (owner, verdict),
            }) => {
                range.reclaimed(&slots, unmapped);
                self.context.account_reclaimed(slots.len());
                self.freed += slots.len();
                // It may be the last reference.
                drop(owner);
                verdict
            }
            Met::Used((owner, verdict)) => {
                trace::reclaim_end(range.id(), index, 0, false);
                drop(owner);
                verdict
            }
            Met::Touched(visited) => {
                trace::reclaim_end(range.id(), index, 0, false);
                self.second_chances -= 1;
                visited.rotate()
            }
            Met::Skipped(visited, skipped) => {
                range.skipped(index, skipped);
                self.fail(visited)
            }
        }
    }

    /// The page cannot be taken now.
    fn fail<'l>(&mut self, visited: Visited<'l, Slot>) -> Verdict<'l> {
        self.failed += 1;
        if self.rotations == 0 {
            return visited.skip();
        }
        self.rotations -= 1;
        visited.rotate()
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
