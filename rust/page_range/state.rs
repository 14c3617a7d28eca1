// SPDX-License-Identifier: GPL-2.0

//! The states of slots: what the range's lock protects of each.
//!
//! A message has many pages, and most often all of them are there and nobody else's. So a state is one
//! word, and whoever begins or ends a lease looks at single slots only if that is not how all are.
//!
//! This file depends on `core` alone, see [`protocol`](super::protocol).

/// What the range's lock protects of a slot.
///
/// Its word has a bit for each of the answers below, and above them how many leases cover the slot.
/// Memory for the leases runs out long before that overflows.
#[derive(Clone, Copy, Default)]
pub struct SlotState(u64);

const FILLED: u64 = 1 << 0;
const MAPPED: u64 = 1 << 1;
const LISTED: u64 = 1 << 2;
const TOUCHED: u64 = 1 << 3;
const LEASE: u64 = 1 << 4;

impl SlotState {
    /// Whether there is a page in the slot.
    pub fn is_filled(self) -> bool {
        self.0 & FILLED != 0
    }

    /// Whether the page was mapped since it is in the slot. User space may have undone it.
    pub fn is_mapped(self) -> bool {
        self.0 & MAPPED != 0
    }

    /// Whether the slot is in the LRU list.
    pub fn is_listed(self) -> bool {
        self.0 & LISTED != 0
    }

    /// Whether there is a page that no lease covers.
    pub fn is_idle(self) -> bool {
        self.is_filled() && self.0 < LEASE
    }

    /// Whether there is a page that a lease covers.
    pub fn is_used(self) -> bool {
        self.is_filled() && self.0 >= LEASE
    }

    /// Whether it is to be put into the LRU list.
    pub fn is_unlisted(self) -> bool {
        self.is_idle() && !self.is_listed()
    }

    /// Notes that there is a page in the slot.
    pub fn set_filled(&mut self) {
        self.0 |= FILLED;
    }

    /// Notes that the page is mapped.
    pub fn set_mapped(&mut self) {
        self.0 |= MAPPED;
    }

    /// Notes that the slot was put into the LRU list. Nobody has touched it there.
    pub fn set_listed(&mut self) {
        self.0 = (self.0 | LISTED) & !TOUCHED;
    }

    /// Notes that the slot was taken out of the LRU list.
    pub fn set_unlisted(&mut self) {
        self.0 &= !LISTED;
    }

    /// Whether a lease began since this was asked last, or since the slot came into the LRU list.
    pub fn take_touched(&mut self) -> bool {
        let touched = self.0 & TOUCHED != 0;

        self.0 &= !TOUCHED;
        touched
    }
}

/// How many slots are in which state, of those that a new lease covers: before it began.
pub struct Found {
    pub idle: usize,
    pub filled: usize,
    pub mapped: usize,
}

/// Counts a new lease for each of the slots. Returns how they were.
pub fn begin_lease(states: &mut [SlotState]) -> Found {
    let count = states.len();
    let (all, any) = change_all(states, |word| (word + LEASE) | TOUCHED);

    // Where there is no other lease, this is the only one.
    if all & FILLED != 0 && all & MAPPED != 0 && any < 2 * LEASE {
        return Found {
            idle: count,
            filled: count,
            mapped: count,
        };
    }
    Found {
        idle: count_of(states, |state| state.is_filled() && state.0 < 2 * LEASE),
        filled: count_of(states, SlotState::is_filled),
        mapped: count_of(states, SlotState::is_mapped),
    }
}

/// How many slots are in which state, of those that a lease covered: after it has ended.
pub struct Left {
    pub idle: usize,
    pub unlisted: usize,
}

/// Ends a lease on each of the slots. Returns how they are.
pub fn end_lease(states: &mut [SlotState]) -> Left {
    let count = states.len();
    let (all, any) = change_all(states, |word| word - LEASE);

    if all & FILLED != 0 && all & LISTED != 0 && any < LEASE {
        return Left {
            idle: count,
            unlisted: 0,
        };
    }
    Left {
        idle: count_of(states, SlotState::is_idle),
        unlisted: count_of(states, SlotState::is_unlisted),
    }
}

/// Changes the word of each. Returns which bits are set in all of them then, and which in any.
#[inline]
fn change_all(states: &mut [SlotState], change: impl Fn(u64) -> u64) -> (u64, u64) {
    states.iter_mut().fold((u64::MAX, 0), |(all, any), state| {
        state.0 = change(state.0);
        (all & state.0, any | state.0)
    })
}

fn count_of(states: &[SlotState], like: impl Fn(SlotState) -> bool) -> usize {
    states.iter().filter(|&&state| like(state)).count()
}
