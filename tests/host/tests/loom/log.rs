// SPDX-License-Identifier: GPL-2.0

//! What happens in the executions of a program, so that a test can tell what it has tried.

use std::{
    cell::Cell,
    collections::BTreeSet,
    sync::{
        Arc,
        Mutex, //
    },
};

use crate::protocol::Skipped;

/// Something that happens in some executions and not in others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// There is a lease, with its pages.
    Leased,
    /// A page that was filled for a slot was put into it.
    Filled,
    /// A page that was filled for a slot was not needed: somebody else was faster.
    FilledInVain,
    /// There are no leases any more.
    Refused,
    /// There was a lease, but its pages cannot be mapped any more.
    Unmappable,
    /// There was not enough memory to have a page, or to map it.
    NoMemory,
    /// Something to be mapped was mapped already.
    Busy,
    /// So many pages were reclaimed and unmapped.
    Unmapped(usize),
    /// So many pages were reclaimed that were not mapped.
    Taken(usize),
    /// A page that was in the list was used, and is not there any more.
    InUse,
    /// A page was used not long ago, and stays in the list.
    SecondChance,
    /// A page was not reclaimed because the range was locked.
    RangeLocked,
    /// A page was not reclaimed because the area was locked, or gone.
    AreaLocked,
    /// A page was not reclaimed because something else was in the place of the area.
    OtherArea,
    /// A thread of the owner saw a page that was mapped.
    Seen,
    /// A page fault mapped a page.
    Faulted,
    /// A page was mapped in the neighbourhood of a fault.
    FaultedAround,
    /// A thread of the owner touched a place where there is nothing to be seen.
    Nothing,
    /// A thread of the owner touched what is not the area any more.
    NotThere,
}

impl From<Skipped> for Event {
    fn from(skipped: Skipped) -> Self {
        match skipped {
            Skipped::SlotLock => Self::RangeLocked,
            Skipped::VmaLock => Self::AreaLocked,
            Skipped::Mm => Self::OtherArea,
        }
    }
}

/// The events of all executions of a program.
pub type Events = Arc<Mutex<BTreeSet<Event>>>;

/// Notes the events of one execution.
pub struct Log {
    events: Events,
    /// Whether the threads of the program are running.
    pub is_on: Cell<bool>,
}

impl Log {
    pub fn new(events: Events) -> Self {
        Self {
            events,
            is_on: Cell::new(false),
        }
    }

    pub fn note(&self, event: Event) {
        if self.is_on.get() {
            self.events.lock().unwrap().insert(event);
        }
    }
}
