// SPDX-License-Identifier: GPL-2.0

//! Transactions: calls, one-way calls and replies on their way from one process to another.
//!
//! A synchronous call stays known to both sides until it is replied to. All calls that wait for
//! each other are one chain: each knows the call that its sender was handling, or waiting for, when
//! it was sent ([`Transaction::below`]). A thread's place in such chains is its topmost call: one
//! that it handles, or one that it waits for. A chain may cross a thread more than once, when a
//! callback comes back into a thread that waits.

use kernel::{
    list::{
        impl_list_arc_safe,
        impl_list_item,
        ListArc,
        ListLinks, //
    },
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        LockedBy, //
    },
    task::Kuid, //
};

use vmarea::{
    spare::Spare,
    task, //
};

use crate::{
    buffer::Buffer,
    counts::{
        Counted,
        TRANSACTION, //
    },
    inner::ProcessInner,
    node::Node,
    process::Process,
    queue::Turn,
    thread::Thread,
    trace,
    uapi::{
        TransactionData,
        BR_DEAD_REPLY,
        BR_FAILED_REPLY,
        TF_ONE_WAY,
        TF_UPDATE_TXN, //
    },
};

/// One message. It is in at most one queue.
#[pin_data(PinnedDrop)]
pub(crate) struct Transaction {
    #[pin]
    links: ListLinks,
    pub(crate) turn: Turn,
    /// Who waits for the reply; nobody, if this is a reply or one-way.
    pub(crate) from: Option<Arc<Thread>>,
    /// The call that the sender was handling when it sent this one.
    below: Option<Arc<Transaction>>,
    /// The receiving object; none, if this is a reply.
    pub(crate) node: Option<Arc<Node>>,
    /// A number by which the transaction is known to those who look into the driver.
    pub(crate) id: u64,
    /// The process that has sent it.
    pub(crate) sender_pid: i32,
    pub(crate) code: u32,
    pub(crate) flags: u32,
    pub(crate) sender_euid: Kuid,
    /// The nice value of the sender, and that of the receiver before it took over the sender's.
    nice: i32,
    receiver_nice: Atomic<i32>,
    /// The sender waits for the reply, now or when it has handled the calls back into it. Changed
    /// with the lock of its process held.
    awaited: Atomic<bool>,
    /// Why there will be no reply, if that became known while the sender was busy with a call back
    /// into it. Zero if there is nothing to be known.
    failure: Atomic<u32>,
    _counted: Counted<TRANSACTION>,
    /// The size of the message.
    size: usize,
    /// Whether the receiver has it.
    received: Atomic<bool>,
    /// The message, until the receiver has it.
    buffer: LockedBy<Option<Buffer>, ProcessInner>,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Transaction { untracked; }
}

impl_list_item! {
    impl ListItem<0> for Transaction { using ListLinks { self.links }; }
}

/// Why a transaction cannot be sent.
pub(crate) struct Refused {
    /// The command that the sender is to get.
    pub(crate) command: u32,
    /// The reason, for those who ask for it.
    pub(crate) error: Option<Error>,
}

impl Refused {
    pub(crate) fn because(command: u32, error: Error) -> Self {
        Self {
            command,
            error: Some(error),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        // A process without an area, or without an address space, is as good as dead.
        let command = if error == ESRCH {
            BR_DEAD_REPLY
        } else {
            BR_FAILED_REPLY
        };

        Self::because(command, error)
    }
}

/// Where a transaction stands.
pub(crate) struct Standing {
    /// Who waits for the reply to it.
    pub(crate) from: Option<Arc<Thread>>,
    /// The call that the sender was handling.
    pub(crate) below: Option<Arc<Transaction>>,
    /// The receiving object, unless this is a reply.
    pub(crate) node: Option<Arc<Node>>,
}

impl Transaction {
    /// The transaction to `to` with the number `id` that `data` describes and whose data is in
    /// `buffer`, which has `size` bytes and is taken if there is memory. It is where `spare` has a place
    /// for it.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        spare: &Spare<Self>,
        id: u64,
        to: &Process,
        standing: Standing,
        data: &TransactionData,
        size: usize,
        buffer: &mut Option<Buffer>,
    ) -> Result<ListArc<Self>> {
        trace::transaction(id, to, &standing, data, size);
        let Standing { from, below, node } = standing;
        let task = kernel::current!();

        let transaction = spare.make(try_pin_init!(Self {
                links <- ListLinks::new(),
                turn: Turn::new(),
                awaited: Atomic::new(from.is_some()),
                from,
                below,
                node,
                id,
                sender_pid: task.tgid(),
                code: data.code,
                flags: data.flags,
                sender_euid: Kuid::current_euid(),
                nice: task::nice(),
                receiver_nice: Atomic::new(0),
                failure: Atomic::new(0),
                _counted: Counted::new(),
                size,
                received: Atomic::new(false),
                buffer: LockedBy::new(to.lock(), buffer.take()),
            }? Error))?;
        Ok(transaction.into())
    }

    /// Gives the current task, which begins to handle this call, the priority for it: that of the
    /// sender, if that is at least what the object asks for.
    pub(crate) fn lend_priority(&self) {
        let Some(node) = &self.node else { return };
        let (own, oneway) = (task::nice(), self.is_oneway());

        self.receiver_nice.store(own, Relaxed);
        if !oneway {
            task::set_nice(i32::min(self.nice, node.nice));
        } else if own > node.nice {
            task::set_nice(node.nice);
        }
    }

    /// Gives the current task, which has handled this call, its own priority back.
    pub(crate) fn return_priority(&self) {
        task::set_nice(self.receiver_nice.load(Relaxed));
    }

    /// Whether this one-way transaction makes others pointless that have not been delivered.
    pub(crate) fn may_supersede(&self) -> bool {
        const UPDATE: u32 = TF_ONE_WAY | TF_UPDATE_TXN;

        self.flags & UPDATE == UPDATE
    }

    /// Whether this one-way transaction, which [may](Self::may_supersede), makes `other` pointless.
    pub(crate) fn supersedes(&self, other: &Self) -> bool {
        (self.flags, self.code, self.sender_pid) == (other.flags, other.code, other.sender_pid)
    }

    /// Tells the caller, if there is one, that nobody will handle this transaction.
    pub(crate) fn cancel(self: &Arc<Self>) {
        if let Some(caller) = &self.from {
            caller.deliver_failure(self, BR_DEAD_REPLY);
        }
    }

    /// Notes why there will be no reply. To be called with the lock of the sender's process held.
    pub(crate) fn fail(&self, command: u32) {
        self.failure.store(command, Relaxed);
    }

    /// What [`fail`](Self::fail) has noted. To be called with the lock of the sender's process held.
    pub(crate) fn failure(&self) -> Option<u32> {
        Some(self.failure.load(Relaxed)).filter(|&command| command != 0)
    }

    /// Whether the sender of this call was handling another.
    pub(crate) fn has_below(&self) -> bool {
        self.below.is_some()
    }

    /// The call that the sender of this one was handling.
    pub(crate) fn below(&self) -> Option<Arc<Transaction>> {
        self.below.clone()
    }

    /// The topmost call below this one that `thread` waits for.
    pub(crate) fn below_from(&self, thread: &Thread) -> Option<Arc<Transaction>> {
        let mut next = self.below.as_ref();

        while let Some(call) = next {
            if call.is_from(thread) && call.is_awaited() {
                return Some(call.clone());
            }
            next = call.below.as_ref();
        }
        None
    }

    /// Whether the sender still waits for the reply.
    pub(crate) fn is_awaited(&self) -> bool {
        self.awaited.load(Relaxed)
    }

    /// The sender does not wait for the reply any more.
    pub(crate) fn forsake(&self) {
        self.awaited.store(false, Relaxed);
    }

    /// Whether `thread` has sent this call.
    pub(crate) fn is_from(&self, thread: &Thread) -> bool {
        self.from
            .as_ref()
            .is_some_and(|from| core::ptr::eq(&**from, thread))
    }

    /// The call in the chain that starts with `topmost` whose reply a thread of `process` waits for.
    ///
    /// A call back to that process has to be handled by it: another thread might not be there.
    pub(crate) fn waiting_call_of(
        topmost: &Option<Arc<Transaction>>,
        process: &Arc<Process>,
    ) -> Option<Arc<Transaction>> {
        let mut next = topmost.as_ref();

        while let Some(call) = next {
            if let Some(from) = &call.from {
                if Arc::ptr_eq(&from.process, process) && call.is_awaited() {
                    return Some(call.clone());
                }
            }
            next = call.below.as_ref();
        }
        None
    }

    /// Whether this is a call that nobody waits for.
    pub(crate) fn is_oneway(&self) -> bool {
        self.node.is_some() && self.from.is_none()
    }

    /// Makes the other one-way transactions to the node wait until this one's buffer is freed. To be
    /// called, like what follows, with the state of the receiver.
    pub(crate) fn hold_oneway(&self, inner: &mut ProcessInner) {
        if let Some(buffer) = self.buffer.access_mut(inner) {
            buffer.hold_oneway();
        }
    }

    /// Takes the transaction's buffer, which only the receiver does.
    pub(crate) fn take_buffer(&self, inner: &mut ProcessInner) -> Option<Buffer> {
        self.received.store(true, Relaxed);
        self.buffer.access_mut(inner).take()
    }

    /// The size of the message, unless the receiver has it.
    pub(crate) fn size(&self) -> Option<usize> {
        (!self.received.load(Relaxed)).then_some(self.size)
    }
}

/// Drops a reference, if there is one. Most often there is none, and then nothing is called.
#[inline]
pub(crate) fn drop_call(call: Option<Arc<Transaction>>) {
    if let Some(call) = call {
        drop(call);
    }
}

#[pinned_drop]
impl PinnedDrop for Transaction {
    fn drop(self: Pin<&mut Self>) {
        // One by one: a chain may be longer than the stack is deep.
        let mut next = self.project().below.take();

        while let Some(mut call) = next.and_then(Arc::into_unique_or_drop) {
            next = call.as_mut().project().below.take();
        }
    }
}
