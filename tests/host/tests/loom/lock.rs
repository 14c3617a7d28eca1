// SPDX-License-Identifier: GPL-2.0

//! Locks whose attempts fail in all the ways in which they can.

use std::{
    cell::{
        Cell,
        RefCell, //
    },
    mem, //
};

use loom::{
    sync::atomic::Ordering::{
        AcqRel,
        Acquire,
        Release, //
    },
    thread::{
        self,
        Thread, //
    },
};

use crate::steps::{
    Name,
    Steps, //
};

/// A lock that can be tried, and be shared. Who waits for sharers keeps new ones away.
pub struct Lock {
    steps: Steps,
    state: Cell<State>,
    exclusive_wanted: Cell<bool>,
    waiting: RefCell<Vec<Thread>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Shared(usize),
    Exclusive,
}

/// A lock that is held until this is dropped.
pub struct Held<'a>(&'a Lock);

impl Lock {
    /// If no threads are going to `compete`, there must be no reason to wait for the lock.
    pub fn new(name: Name, compete: bool) -> Self {
        Self {
            steps: Steps::new(name, compete),
            state: Cell::new(State::Free),
            exclusive_wanted: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
        }
    }

    pub fn is_free(&self) -> bool {
        self.state.get() == State::Free
    }

    pub fn lock(&self) -> Held<'_> {
        loop {
            if let Some(held) = self.try_lock() {
                self.exclusive_wanted.set(false);
                return held;
            }
            let is_shared = matches!(self.state.get(), State::Shared(_));
            if is_shared && !self.exclusive_wanted.replace(true) {
                self.wait();
            } else {
                self.wait_unnoticed();
            }
        }
    }

    pub fn try_lock(&self) -> Option<Held<'_>> {
        self.steps.take("locks", Acquire);
        match self.state.get() {
            State::Free => Some(self.hold(State::Exclusive)),
            _ => self.refuse(),
        }
    }

    pub fn share(&self) -> Held<'_> {
        loop {
            if let Some(held) = self.try_share() {
                return held;
            }
            self.wait_unnoticed();
        }
    }

    pub fn try_share(&self) -> Option<Held<'_>> {
        self.steps.take("shares", Acquire);
        match self.state.get() {
            _ if self.exclusive_wanted.get() => self.refuse(),
            State::Free => Some(self.hold(State::Shared(1))),
            State::Shared(count) => Some(self.hold(State::Shared(count + 1))),
            State::Exclusive => self.refuse(),
        }
    }

    /// Locks, calls `f`, and unlocks, in one step. `f` must not take any.
    pub fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        loop {
            self.steps.take("locks and unlocks", AcqRel);
            if self.is_free() {
                return f();
            }
            self.wait_unnoticed();
        }
    }

    fn refuse(&self) -> Option<Held<'_>> {
        self.steps.note("does not get");
        None
    }

    fn hold(&self, state: State) -> Held<'_> {
        self.state.set(state);
        Held(self)
    }

    /// Waits until the lock is released. No step comes between the one that failed and this.
    fn wait(&self) {
        self.steps.note("waits for");
        assert!(self.steps.are_tried(), "nobody was going to wait for this");
        self.waiting.borrow_mut().push(thread::current());
        thread::park();
    }

    /// Waits when that changes nothing for others. Then it is as if the thread had come later, which
    /// is tried as well, and there is no need to try anything from here on.
    fn wait_unnoticed(&self) {
        loom::skip_branch();
        self.wait();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let lock = self.0;

        lock.steps.take("unlocks", Release);
        lock.state.set(match lock.state.get() {
            State::Shared(count @ 2..) => State::Shared(count - 1),
            _ => State::Free,
        });
        if lock.is_free() {
            for waiting in mem::take(&mut *lock.waiting.borrow_mut()) {
                waiting.unpark();
            }
        }
    }
}
