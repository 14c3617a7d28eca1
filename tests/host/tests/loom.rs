// SPDX-License-Identifier: GPL-2.0

//! The protocol of page ranges, `rust/page_range/protocol.rs` with `state.rs`, in all interleavings.

#![cfg(loom)]

use std::rc::Rc;

use owner::Changes;
use range::{
    Install,
    Range,
    Setup, //
};

#[path = "loom/check.rs"]
mod check;
#[path = "loom/ending.rs"]
mod ending;
#[path = "loom/explore.rs"]
mod explore;
#[path = "loom/leasing.rs"]
mod leasing;
#[path = "loom/lock.rs"]
mod lock;
#[path = "loom/log.rs"]
mod log;
#[path = "loom/owner.rs"]
mod owner;
#[path = "../../../rust/page_range/protocol.rs"]
mod protocol;
#[path = "loom/range.rs"]
mod range;
#[path = "../../../rust/page_range/state.rs"]
mod state;
#[path = "loom/steps.rs"]
mod steps;
#[path = "loom/threads.rs"]
mod threads;
#[path = "loom/touching.rs"]
mod touching;

/// A range whose area stays.
const PLAIN: Setup = Setup {
    slots: 1,
    lists: 1,
    install: Install::Sender,
    changes: Changes {
        mappings: false,
        users: false,
        memory: false,
    },
    pressure: false,
};

/// Programs in which the range is unmapped.
const UNMAPPED: Setup = Setup {
    changes: Changes {
        mappings: true,
        users: false,
        memory: false,
    },
    ..PLAIN
};

/// Ranges whose pages are mapped by faults alone.
const FAULTED: Setup = Setup {
    install: Install::Fault,
    ..PLAIN
};

/// All slots have a page that nobody leases.
fn all_idle(range: &Rc<Range>) {
    range.map();
    range.lease_and_release(0, 0..range.slots.len());
}

/// The first slot has a page that nobody leases.
fn one_idle(range: &Rc<Range>) {
    range.map();
    range.lease_and_release(0, 0..1);
}

/// Of three slots the first and the last have a page that nobody leases.
fn idle_neighbours(range: &Rc<Range>) {
    one_idle(range);
    range.lease_and_release(0, 2..3);
}
