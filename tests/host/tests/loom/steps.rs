// SPDX-License-Identifier: GPL-2.0

//! What threads do to each other, in steps that loom tries in all orders.
//!
//! loom's own locks do not do for a protocol that lives on attempts: to loom releasing a lock is no
//! step that anything could come before, so no `try_lock` ever meets a holder (tokio-rs/loom#376).
//! And of the loads of an atomic it remembers only the last when a store is to be tried before them
//! (tokio-rs/loom#166). Read-modify-write operations have neither problem: here everything is one.

use std::cell::RefCell;

use loom::{
    sync::atomic::{
        AtomicUsize,
        Ordering, //
    },
    thread::{
        self,
        ThreadId, //
    },
};

/// The steps that threads take with one thing. Each is tried before and after those of the other
/// threads; what a thread does between two of its steps happens at once.
pub struct Steps {
    name: Name,
    /// Not there if it does not matter in which order they are taken.
    order: Option<AtomicUsize>,
}

/// What kind of thing it is, and which of them.
pub type Name = (&'static str, usize);

impl Steps {
    /// The steps are tried in all orders only if threads are going to `compete`.
    pub fn new(name: Name, compete: bool) -> Self {
        Self {
            name,
            order: compete.then(|| AtomicUsize::new(0)),
        }
    }

    pub fn are_tried(&self) -> bool {
        self.order.is_some()
    }

    /// Takes a step, which orders memory accesses as an atomic operation would.
    pub fn take(&self, what: &'static str, ordering: Ordering) {
        if let Some(order) = &self.order {
            order.fetch_add(0, ordering);
        }
        self.note(what);
    }

    /// Notes what came of a step.
    pub fn note(&self, what: &'static str) {
        let thread = thread::current().id();
        let name = self.name;

        TAKEN.with_borrow_mut(|taken| taken.push(Step { thread, what, name }));
    }
}

struct Step {
    thread: ThreadId,
    what: &'static str,
    name: Name,
}

thread_local! {
    /// All steps of this execution. To loom's threads, which are none, this is global.
    static TAKEN: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

/// Begins with the steps of another execution.
pub fn begin() {
    TAKEN.with_borrow_mut(Vec::clear);
}

/// Shows what has led to a panic, if there is one when this is dropped.
pub struct ShownOnPanic;

impl Drop for ShownOnPanic {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        TAKEN.with_borrow(|taken| {
            for Step { thread, what, name } in taken {
                eprintln!("{thread:?} {what} {} {}", name.0, name.1);
            }
        });
    }
}
