// SPDX-License-Identifier: GPL-2.0

//! What becomes of a range, in the most obvious way: slot by slot.

use std::ops::Range as Slots;

use crate::range::NoMemory;

/// A naive range.
#[derive(Clone)]
pub struct Model {
    pub slots: Vec<Slot>,
    /// All idle slots, and used ones that were idle before.
    pub list: Vec<usize>,
    pub closed: bool,
    pub mapped: bool,
    pages: usize,
}

/// A slot, and what is mapped in its place.
#[derive(Clone, Default)]
pub struct Slot {
    pub page: Option<usize>,
    pub leases: usize,
    /// The page was mapped since it is in the slot.
    pub was_mapped: bool,
    /// It was leased since it is in the list, or was met there.
    pub touched: bool,
    pub shown: Option<usize>,
}

/// What reclaim meets in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    Idle,
    Used,
    Touched,
}

impl Slot {
    pub fn is_used(&self) -> bool {
        self.page.is_some() && self.leases > 0
    }

    pub fn is_idle(&self) -> bool {
        self.page.is_some() && self.leases == 0
    }
}

impl Model {
    pub fn new(slots: usize) -> Self {
        Self {
            slots: vec![Slot::default(); slots],
            list: Vec::new(),
            closed: false,
            mapped: true,
            pages: 0,
        }
    }

    /// How many slots are used, and how many idle.
    pub fn counts(&self) -> (usize, usize) {
        let used = self.slots.iter().filter(|slot| slot.is_used());
        let idle = self.slots.iter().filter(|slot| slot.is_idle());

        (used.count(), idle.count())
    }

    /// Counts a lease. Returns how many pages are missing, and how many are not mapped.
    pub fn cover(&mut self, covered: Slots<usize>) -> Option<(usize, usize)> {
        if self.closed || !self.mapped {
            return None;
        }
        let (mut missing, mut unmapped) = (0, 0);
        for index in covered {
            let slot = &mut self.slots[index];

            slot.leases += 1;
            slot.touched = self.list.contains(&index);
            missing += usize::from(slot.page.is_none());
            unmapped += usize::from(!slot.was_mapped);
        }
        Some((missing, unmapped))
    }

    /// Fills empty slots, with pages that are numbered from the first one there ever was.
    pub fn fill(&mut self, covered: Slots<usize>) {
        for slot in &mut self.slots[covered] {
            if slot.page.is_none() {
                slot.page = Some(self.pages);
                slot.was_mapped = false;
                self.pages += 1;
            }
        }
    }

    /// Maps what is not known to be mapped while there is room. Returns how many insertions of
    /// consecutive pages that takes.
    pub fn map(&mut self, covered: Slots<usize>, room: usize) -> (usize, Result<(), NoMemory>) {
        let mut insertions = 0;
        let mut room = room;
        let mut goes_on = false;

        for slot in &mut self.slots[covered] {
            if slot.was_mapped {
                goes_on = false;
                continue;
            }
            insertions += usize::from(!goes_on);
            goes_on = slot.shown.is_none();
            if goes_on {
                if room == 0 {
                    return (insertions, Err(NoMemory));
                }
                room -= 1;
                slot.shown = slot.page;
            }
            slot.was_mapped = true;
        }
        (insertions, Ok(()))
    }

    pub fn uncover(&mut self, covered: Slots<usize>) {
        for index in covered {
            let slot = &mut self.slots[index];

            slot.leases -= 1;
            if slot.is_idle() {
                match self.closed {
                    true => slot.page = None,
                    false if self.list.contains(&index) => {}
                    false => {
                        slot.touched = false;
                        self.list.push(index);
                    }
                }
            }
        }
    }

    /// A fault. `None` if there is nothing to be seen.
    pub fn fault(&mut self, index: usize, room: usize) -> Option<Result<(), NoMemory>> {
        let slot = self.slots.get_mut(index).filter(|slot| slot.is_used())?;
        if slot.shown.is_none() {
            if room == 0 {
                return Some(Err(NoMemory));
            }
            slot.shown = slot.page;
        }

        slot.was_mapped = true;
        Some(Ok(()))
    }

    /// What reclaim will do with a slot of the list, if it can.
    pub fn meet(&mut self, slot: usize, second_chance: bool) -> Met {
        let state = &mut self.slots[slot];
        let touched = std::mem::take(&mut state.touched);

        if state.is_used() {
            self.list.retain(|&listed| listed != slot);
            return Met::Used;
        }
        match touched && second_chance {
            true => {
                self.list.retain(|&listed| listed != slot);
                self.list.push(slot);
                Met::Touched
            }
            false => Met::Idle,
        }
    }

    /// How many slots can be reclaimed with `slot`, itself included.
    pub fn idle_around(&self, slot: usize) -> usize {
        let idle = |slot: &&Slot| slot.is_idle();
        let before = self.slots[..slot].iter().rev().take_while(idle).count();

        before + self.slots[slot..].iter().take_while(idle).count()
    }

    pub fn reclaim(&mut self, slots: Slots<usize>, unmap: bool) {
        for slot in &mut self.slots[slots.clone()] {
            slot.page = None;
            slot.was_mapped = false;
            slot.touched = false;
            if unmap {
                slot.shown = None;
            }
        }
        self.list.retain(|slot| !slots.contains(slot));
    }

    pub fn discard(&mut self, slots: Slots<usize>) {
        for slot in &mut self.slots[slots] {
            slot.shown = None;
        }
    }

    pub fn close(&mut self) {
        self.closed = true;
        self.list.clear();
        for slot in self.slots.iter_mut().filter(|slot| slot.is_idle()) {
            slot.page = None;
        }
    }
}
