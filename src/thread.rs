// SPDX-License-Identifier: GPL-2.0

//! Threads: what the driver knows of a thread that uses a file.
//!
//! A thread's state is protected by the lock of its process. The rest of this file is how
//! transactions and their outcomes get to a thread and away from it; how a thread waits for them
//! and reads them is in `read.rs`.

use kernel::{
    list::{
        impl_list_arc_safe,
        impl_list_item,
        AtomicTracker,
        List,
        ListArc,
        ListLinks,
        TryNewListArc, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        new_condvar,
        poll::PollCondVarBox,
        Arc,
        CondVar,
        LockedBy,
        SetOnce, //
    },
};

use vmarea::spare::Spare;

use crate::{
    counts::{
        Counted,
        THREAD, //
    },
    inner::ProcessInner,
    process::Process,
    queue::{
        Item,
        Queue,
        OF_THREAD, //
    },
    trace,
    transaction::{
        drop_call,
        Refused,
        Transaction, //
    },
    uapi::{
        ExtendedError,
        BR_FAILED_REPLY,
        BR_TRANSACTION_COMPLETE, //
    },
};

/// A thread that uses the file of a process.
#[pin_data]
pub(crate) struct Thread {
    /// The thread's id.
    pub(crate) id: i32,
    pub(crate) process: Arc<Process>,
    pub(crate) state: LockedBy<ThreadState, ProcessInner>,
    /// Signalled when there is a reason to stop waiting.
    #[pin]
    pub(crate) wake: CondVar,
    /// The same for `poll`, once the thread has used it.
    pub(crate) poll: SetOnce<PollCondVarBox>,
    /// A read should return in any case.
    pub(crate) interrupted: Atomic<bool>,
    /// The number of the last transaction that the thread tried to send.
    pub(crate) last_sent: Atomic<u32>,
    /// Whether there is a [`ThreadState::failure`].
    pub(crate) has_failure: Atomic<bool>,
    /// Whether the thread had a failed command to be told of when it looked last. No other thread
    /// causes one.
    owed_error: Atomic<bool>,
    _counted: Counted<THREAD>,
    /// What the thread has received, or replied to, leaves the memory for what it sends next.
    pub(crate) spare: Spare<Transaction>,
    /// The place among the waiting threads of the process.
    #[pin]
    links: ListLinks,
    #[pin]
    tracker: AtomicTracker,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Thread { tracked_by tracker: AtomicTracker; }
}

impl_list_item! {
    impl ListItem<0> for Thread { using ListLinks { self.links }; }
}

/// Whether a thread serves its process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Looper {
    /// The driver asked for the thread, and got it.
    pub(crate) registered: bool,
    /// The thread joined by itself.
    pub(crate) entered: bool,
}

impl Looper {
    pub(crate) fn serves(self) -> bool {
        self.registered || self.entered
    }
}

/// What is to be told to a thread, and what it is doing.
pub(crate) struct ThreadState {
    /// What is for this thread and no other.
    pub(crate) todo: Queue<OF_THREAD>,
    /// What a read could not write to user memory, which the next one begins with.
    pub(crate) unread: KVec<u8>,
    /// Why a transaction of this thread failed, if it asks.
    pub(crate) failure: Option<ExtendedError>,
    /// The topmost call of the chain that the thread is in.
    pub(crate) topmost: Option<Arc<Transaction>>,
    /// Whether there is something that a read should return for. A sent call being complete is
    /// not: the thread is to wait for the reply.
    pub(crate) ready: bool,
    /// The thread is among the waiting threads of its process.
    pub(crate) waiting: bool,
    /// The thread is gone.
    pub(crate) dead: bool,
    pub(crate) looper: Looper,
}

impl ThreadState {
    fn new() -> Self {
        Self {
            todo: Queue::new(),
            unread: KVec::new(),
            failure: None,
            topmost: None,
            ready: false,
            waiting: false,
            dead: false,
            looper: Looper::default(),
        }
    }

    /// Whether nothing is to be told to the thread.
    pub(crate) fn is_empty(&self) -> bool {
        self.todo.is_empty() && self.unread.is_empty()
    }

    /// Whether the thread may get what is for any thread of the process.
    pub(crate) fn is_available(&self) -> bool {
        self.topmost.is_none() && self.is_empty()
    }
}

impl Thread {
    /// Creates the thread `id` of `process`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(id: i32, process: Arc<Process>) -> Result<Arc<Self>> {
        let state = LockedBy::new(process.lock(), ThreadState::new());

        Arc::pin_init(
            pin_init!(Self {
                id,
                process,
                state,
                wake <- new_condvar!("Thread::wake"),
                poll: SetOnce::new(),
                interrupted: Atomic::new(false),
                last_sent: Atomic::new(0),
                has_failure: Atomic::new(false),
                owed_error: Atomic::new(false),
                _counted: Counted::new(),
                spare: Spare::new(),
                links <- ListLinks::new(),
                tracker <- AtomicTracker::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// Makes a waiting read or poll look again.
    ///
    /// To be called with the lock of the process held, after its reason was made known.
    pub(crate) fn notify(&self) {
        self.wake.notify_sync();
        if let Some(poll) = self.poll.as_ref() {
            poll.notify_all();
        }
    }

    /// Adds a transaction for this thread.
    pub(crate) fn push(&self, inner: &mut ProcessInner, transaction: ListArc<Transaction>) {
        let state = self.state.access_mut(inner);

        state.todo.push_message(transaction);
        state.ready = true;
        self.notify();
    }

    /// Lets the thread, which is the current one, get the receipt `command` with its next read.
    pub(crate) fn owe_receipt(&self, command: u32) {
        let mut inner = self.process.lock().lock();

        self.state.access_mut(&mut inner).add_receipt(command);
    }

    /// Undoes [`owe_receipt`](Self::owe_receipt).
    #[cold]
    pub(crate) fn take_back_receipt(&self, command: u32) {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        state.todo.take_back_receipt(command);
        state.ready = !state.is_empty();
    }

    /// Lets the thread, which is the current one, learn with its next read that a command failed.
    #[cold]
    pub(crate) fn owe_error(&self, command: u32) {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        state.todo.push_command_error(command);
        state.ready = true;
        self.owed_error.store(true, Relaxed);
    }

    /// Whether the thread has to be told of a failed command before it may execute another.
    pub(crate) fn has_command_error(&self) -> bool {
        self.owed_error.load(Relaxed) && self.still_owes_error()
    }

    #[cold]
    fn still_owes_error(&self) -> bool {
        let inner = self.process.lock().lock();
        let owed = self.state.access(&inner).todo.has_command_error();

        self.owed_error.store(owed, Relaxed);
        owed
    }

    /// The call that the current thread handles, from which it may make another.
    ///
    /// # Errors
    ///
    /// `EPROTO` if the thread waits for a reply, or has a transaction to see to first.
    pub(crate) fn topmost_to_call_from(&self) -> Result<Option<Arc<Transaction>>, Refused> {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        let waits = state
            .topmost
            .as_ref()
            .is_some_and(|call| call.is_from(self));
        if waits || state.todo.begins_with_message() {
            return Err(Refused::because(BR_FAILED_REPLY, EPROTO));
        }
        Ok(state.topmost.clone())
    }

    /// Notes that the thread waits for the reply to `call`.
    pub(crate) fn wait_for(&self, call: Arc<Transaction>) {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);
        let below = state.topmost.replace(call);

        // That the call was sent is only told together with its outcome.
        state.todo.push_receipt(BR_TRANSACTION_COMPLETE);
        drop(inner);
        drop_call(below);
    }

    /// Undoes [`wait_for`](Self::wait_for) for a call that could not be sent.
    pub(crate) fn do_not_wait_for(&self, call: &Arc<Transaction>) {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);
        let mut failed = None;

        if state.waits_for(call) {
            call.forsake();
            failed = core::mem::replace(&mut state.topmost, call.below());
            state.todo.take_back_receipt(BR_TRANSACTION_COMPLETE);
        }
        drop(inner);
        drop(failed);
    }

    /// Ends the handling of a call by the current thread. Returns the call, to be replied to. If
    /// `receipt` is set, the thread gets the receipt for the reply with its next read.
    pub(crate) fn take_handled(&self, receipt: bool) -> Option<Arc<Transaction>> {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);
        let call = state.topmost.as_ref().filter(|call| !call.is_from(self))?;
        if !call.has_below() {
            let handled = state.topmost.take();
            if receipt {
                state.add_receipt(BR_TRANSACTION_COMPLETE);
            }
            self.process.settle_one(&mut inner);
            return handled;
        }
        let call = call.clone();
        drop(inner);
        // The call that the thread goes on waiting for. A chain can be long, so it is searched
        // without the lock: while the thread handles a call, nobody else changes its topmost one.
        let below = call.below_from(self);

        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);
        let handled = state.resume(below);
        if receipt {
            state.add_receipt(BR_TRANSACTION_COMPLETE);
        }
        self.process.settle_one(&mut inner);
        drop(inner);
        handled
    }

    /// Gives the thread the reply to the call that it waits for. Returns whether it does wait; if
    /// not, the reply is dropped.
    pub(crate) fn deliver_reply(
        &self,
        call: &Arc<Transaction>,
        reply: ListArc<Transaction>,
    ) -> bool {
        let mut reply = Some(reply);

        self.end_wait(call, |inner| match (inner, reply.take()) {
            (Some(inner), Some(reply)) => {
                inner.freezer.outstanding += 1;
                self.state.access_mut(inner).todo.push_message(reply);
            }
            (_, unwanted) => {
                // The thread is busy with a call back into it, which somebody forgot to reply to.
                call.fail(BR_FAILED_REPLY);
                // It is dropped after the lock is.
                reply = unwanted;
            }
        })
    }

    /// Tells the thread why a call that it waits for gets no reply: at once if that is its topmost
    /// call, otherwise when the calls back into the thread are handled.
    #[inline(never)]
    pub(crate) fn deliver_failure(&self, call: &Arc<Transaction>, command: u32) {
        trace::call_failed(call.id, &self.process, command);
        self.end_wait(call, |inner| match inner {
            Some(inner) => self.state.access_mut(inner).todo.push_reply_error(command),
            None => call.fail(command),
        });
    }

    /// Ends the wait for `call`, if that is what the thread waits for, and calls `outcome` with the
    /// state of its process then, or else with nothing. Returns whether the thread did wait.
    fn end_wait(
        &self,
        call: &Arc<Transaction>,
        outcome: impl FnOnce(Option<&mut ProcessInner>),
    ) -> bool {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);
        if state.dead || !state.waits_for(call) {
            outcome(None);
            return false;
        }
        call.forsake();
        let ended = core::mem::replace(&mut state.topmost, call.below());
        outcome(Some(&mut *inner));
        self.state.access_mut(&mut inner).ready = true;
        self.notify();
        drop(inner);
        drop_call(ended);
        true
    }

    /// Ends the thread: whoever waits for it learns that it is dead, and other threads are told what
    /// it was to be told about the process's objects and references.
    ///
    /// The thread must have been removed from its process's threads.
    pub(crate) fn release(self: &Arc<Self>) {
        trace::thread_exit(self);
        let mut next = {
            let mut inner = self.process.lock().lock();
            inner.stop_waiting(self);
            let state = self.state.access_mut(&mut inner);
            state.dead = true;
            state.topmost.take()
        };

        loop {
            let mut inner = self.process.lock().lock();
            match self.state.access_mut(&mut inner).todo.pop() {
                Some(Item::Message(transaction)) => {
                    self.process.settle_one(&mut inner);
                    drop(inner);
                    transaction.into_arc().cancel();
                }
                Some(Item::Node(node)) => {
                    inner.queue_node(&node);
                    drop(inner);
                }
                Some(Item::Death(death)) => {
                    inner.queue_death(&death);
                    drop(inner);
                }
                Some(Item::Freeze(listener)) => {
                    inner.queue_freeze(&listener);
                    drop(inner);
                }
                Some(Item::Command(_)) => {}
                None => break,
            }
        }
        while let Some(call) = next {
            next = if call.is_from(self) {
                let _inner = self.process.lock().lock();
                call.forsake();
                call.below()
            } else {
                let mut inner = self.process.lock().lock();
                self.process.settle_one(&mut inner);
                drop(inner);
                call.cancel();
                call.below_from(self)
            };
        }
    }
}

impl ThreadState {
    fn add_receipt(&mut self, command: u32) {
        self.todo.push_receipt(command);
        self.ready = true;
    }

    /// Ends the handling of the topmost call, with which the thread goes on waiting for `below`, or
    /// learns that there is nothing to wait for. Returns what was the topmost call.
    pub(crate) fn resume(
        &mut self,
        mut below: Option<Arc<Transaction>>,
    ) -> Option<Arc<Transaction>> {
        if let Some(call) = &below {
            if let Some(failure) = call.failure() {
                self.todo.push_reply_error(failure);
                self.ready = true;
                call.forsake();
                below = call.below();
            }
        }
        core::mem::replace(&mut self.topmost, below)
    }

    fn waits_for(&self, call: &Arc<Transaction>) -> bool {
        self.topmost
            .as_ref()
            .is_some_and(|topmost| Arc::ptr_eq(topmost, call))
    }
}

/// Drops transactions, and tells their senders.
pub(crate) fn cancel_all(mut transactions: List<Transaction>) {
    while let Some(transaction) = transactions.pop_front() {
        transaction.into_arc().cancel();
    }
}
