// SPDX-License-Identifier: GPL-2.0

//! The slots of a range, as far as they are there.
//!
//! A process maps what it may need at the worst, and most never use more than the first few pages of
//! it. So there is a prefix of the slots only, which grows when a lease goes beyond it. What is not
//! there is an empty slot.
//!
//! Slots are in lists, and holders of leases read them without a lock, so they stay where they are:
//! they come in groups, which are found by a directory. How the prefix grows is in `growth.rs`.

use core::{
    cell::UnsafeCell,
    ops::Range,
    ptr,
    slice, //
};

use kernel::{
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Relaxed,
            Release, //
        },
        Arc, //
    },
};

use crate::slot::{
    Slot,
    SlotGroup, //
};

use super::RangeInner;

/// The slots of a range.
///
/// # Invariants
///
/// * `ready` only grows, up to `limit`, and changes with the range's lock held.
/// * `directory` is empty or has a place for each group of the range. It changes once, with the range's
///   lock held, while `ready` is zero.
/// * A place in it changes once, with the range's lock held, before `ready` says that there are slots
///   of its group.
pub(super) struct Slots {
    /// How many slots the range has.
    limit: usize,
    /// How many of them are there: the first ones.
    ready: Atomic<usize>,
    directory: UnsafeCell<Directory>,
}

type Directory = KVec<UnsafeCell<Option<KBox<SlotGroup>>>>;

// SAFETY: By the type invariants what is read without the range's lock does not change any more: that
// `ready` says so was stored with `Release` when it was there, and is loaded with `Acquire`.
unsafe impl Sync for Slots {}

/// What is allocated beforehand, so that more slots are there.
pub(super) struct Growth {
    /// How many slots there will be.
    ready: usize,
    /// Empty if there is one already.
    directory: Directory,
    /// The number of the first of the `groups`.
    first: usize,
    groups: KVec<Option<KBox<SlotGroup>>>,
}

impl Growth {
    /// How many slots will be there.
    pub(super) fn ready(&self) -> usize {
        self.ready
    }
}

impl Slots {
    /// The slots of a range that has `limit` of them, none of which is there.
    pub(super) fn new(limit: usize) -> Self {
        // INVARIANT: None is there.
        Self {
            limit,
            ready: Atomic::new(0),
            directory: UnsafeCell::new(KVec::new()),
        }
    }

    /// How many slots the range has.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// How many of them are there. With the range's lock held that is as many as there are states.
    #[inline]
    pub(super) fn ready(&self) -> usize {
        self.ready.load(Acquire)
    }

    /// The slot with this index, if it is there.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Option<&Slot> {
        self.part_from(index)?.first()
    }

    /// The slot after one of these, if it is there. What a group has beyond the end of the range is
    /// always empty.
    #[inline]
    pub(super) fn after<'a>(&'a self, slot: &'a Slot) -> Option<&'a Slot> {
        slot.after().or_else(|| self.get(slot.index() + 1))
    }

    /// The slot with this index and those after it in its group, if it is there. What a group has
    /// beyond the end of the range is always empty.
    #[inline]
    pub(super) fn part_from(&self, index: usize) -> Option<&[Slot]> {
        if index >= self.ready() {
            return None;
        }
        // SAFETY: There is a slot of that group.
        let group = unsafe { self.group(index / SlotGroup::LEN) };

        Some(&group.slots()[index % SlotGroup::LEN..])
    }

    /// Those of the slots in `range` that are there, in their order.
    pub(super) fn run(&self, range: Range<usize>) -> Run<'_> {
        Run {
            slots: self,
            next: range.start,
            end: usize::min(range.end, self.ready()),
            here: [].iter(),
        }
    }

    /// # Safety
    ///
    /// [`ready`](Self::ready) must have said that there are slots of the group with this number.
    #[inline]
    unsafe fn group(&self, number: usize) -> &SlotGroup {
        // SAFETY: By the type invariants the directory has this place, with a group in it, and neither
        // of them changes any more.
        unsafe {
            let place = (*self.directory.get()).as_slice().get_unchecked(number);
            (*place.get()).as_deref().unwrap_unchecked()
        }
    }

    /// Allocates what is missing for `needed` slots to be there, and more: the fewer there are, the
    /// fewer. It is to be [used](Self::grow) for the same slots. Returns nothing if they are there by
    /// now.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if the range does not have so many.
    /// * `ENOMEM`.
    ///
    /// # Context
    ///
    /// May sleep, and may enter memory reclaim.
    pub(super) fn prepare(&self, range: &Arc<RangeInner>, needed: usize) -> Result<Option<Growth>> {
        if needed > self.limit {
            return Err(EINVAL);
        }
        let ready = self.ready();
        if needed <= ready {
            return Ok(None);
        }
        let wanted = usize::min(usize::max(needed, 2 * ready), self.limit);
        let missing = groups_for(ready)..groups_for(wanted);
        let mut growth = Growth {
            ready: usize::min(missing.end * SlotGroup::LEN, self.limit),
            directory: KVec::new(),
            first: missing.start,
            groups: KVec::with_capacity(missing.len(), GFP_KERNEL)?,
        };

        if ready == 0 {
            let places = groups_for(self.limit);
            growth.directory.reserve(places, GFP_KERNEL)?;
            for _ in 0..places {
                growth.directory.push(UnsafeCell::new(None), GFP_KERNEL)?;
            }
        }
        for number in missing {
            // SAFETY: Its slots are used when it is a part of the range, if it ever is.
            let group = unsafe { SlotGroup::new(range, number) }?;
            growth.groups.push(Some(group), GFP_KERNEL)?;
        }
        Ok(Some(growth))
    }

    /// Lets those slots be there that are not yet. What somebody else was faster with is left in
    /// `growth`.
    ///
    /// # Safety
    ///
    /// The range's lock must be held, and `growth` must have been prepared for these slots.
    pub(super) unsafe fn grow(&self, growth: &mut Growth) {
        let ready = self.ready.load(Relaxed);
        if ready >= growth.ready {
            return;
        }
        if ready == 0 {
            // SAFETY: By the type invariants nobody reads it yet, and with the lock held nobody else
            // changes it. INVARIANT: It was prepared for this range.
            unsafe { ptr::swap(self.directory.get(), &mut growth.directory) };
        }
        // SAFETY: As above, except that it may be read.
        let directory = unsafe { &*self.directory.get() };
        let numbered = growth.groups.iter_mut().zip(growth.first..);
        for (group, number) in numbered.skip_while(|(_, number)| *number < groups_for(ready)) {
            // SAFETY: No slot of the group is there, so nobody reads the place, and with the lock held
            // nobody else changes it. INVARIANT: It was empty, for the same reason.
            unsafe { directory[number].get().write(group.take()) };
        }
        // INVARIANT: All groups up to there are in their places.
        self.ready.store(growth.ready, Release);
    }
}

/// How many groups have the first `slots`.
fn groups_for(slots: usize) -> usize {
    slots.div_ceil(SlotGroup::LEN)
}

/// Slots that follow each other.
pub(super) struct Run<'a> {
    slots: &'a Slots,
    /// The first slot that is not among those `here`, nor before them.
    next: usize,
    end: usize,
    /// What is left of the group that was entered last.
    here: slice::Iter<'a, Slot>,
}

impl<'a> Run<'a> {
    /// Goes on to the next group. Returns the first slot of it.
    fn enter(&mut self) -> Option<&'a Slot> {
        let left = self.end.checked_sub(self.next).filter(|&left| left > 0)?;
        let slots = self.slots.part_from(self.next)?;
        let slots = &slots[..usize::min(left, slots.len())];

        self.next += slots.len();
        self.here = slots.iter();
        self.here.next()
    }
}

impl<'a> Iterator for Run<'a> {
    type Item = &'a Slot;

    #[inline]
    fn next(&mut self) -> Option<&'a Slot> {
        match self.here.next() {
            Some(slot) => Some(slot),
            None => self.enter(),
        }
    }
}
