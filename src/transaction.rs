// SPDX-License-Identifier: GPL-2.0

//! Transactions: calls, one-way calls and replies on their way from one process to another.
//!
//! A synchronous call stays known to both sides until it is replied to. All calls that wait for
//! each other are one chain: each knows the call that its sender was handling, or waiting for, when
//! it was sent ([`Transaction::below`]). A thread's place in such chains is its topmost call: one
//! that it handles, or one that it waits for. A chain may cross a thread more than once, when a
//! callback comes back into a thread that waits.

use kernel::{
    alloc::AllocError,
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
        new_spinlock,
        Arc,
        SpinLock, //
    },
    task::Kuid,
    uaccess::UserPtr, //
};

use vmarea::context::UserContext;

use crate::{
    buffer::Buffer,
    node::Node,
    process::Process,
    thread::Thread,
    uapi::{
        TransactionData,
        BR_DEAD_REPLY,
        BR_FAILED_REPLY,
        BR_TRANSACTION_COMPLETE,
        TF_CLEAR_BUF,
        TF_ONE_WAY, //
    },
};

/// One message. It is in at most one queue.
#[pin_data(PinnedDrop)]
pub(crate) struct Transaction {
    #[pin]
    links: ListLinks,
    /// Who waits for the reply; nobody, if this is a reply or one-way.
    pub(crate) from: Option<Arc<Thread>>,
    /// The call that the sender was handling when it sent this one.
    below: Option<Arc<Transaction>>,
    /// The receiving object; none, if this is a reply.
    pub(crate) node: Option<Arc<Node>>,
    pub(crate) code: u32,
    pub(crate) flags: u32,
    pub(crate) sender_euid: Kuid,
    /// Why there will be no reply, if that became known while the sender was busy with a call back
    /// into it. Zero if there is nothing to be known.
    failure: Atomic<u32>,
    #[pin]
    buffer: SpinLock<Option<Buffer>>,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Transaction { untracked; }
}

impl_list_item! {
    impl ListItem<0> for Transaction { using ListLinks { self.links }; }
}

/// Why a transaction cannot be sent: the command that the sender is to get.
pub(crate) struct Refused(pub(crate) u32);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        // A process without an area, or without an address space, is as good as dead.
        Self(if error == ESRCH {
            BR_DEAD_REPLY
        } else {
            BR_FAILED_REPLY
        })
    }
}

impl From<AllocError> for Refused {
    fn from(_: AllocError) -> Self {
        Self(BR_FAILED_REPLY)
    }
}

impl Transaction {
    /// Builds a transaction with the data that is described by `data`, copied from the current
    /// process's memory into a buffer in `to`.
    fn build(
        context: &mut UserContext,
        data: &TransactionData,
        to: &Arc<Process>,
        node: Option<Arc<Node>>,
        from: Option<Arc<Thread>>,
        below: Option<Arc<Transaction>>,
    ) -> Result<ListArc<Self>, Refused> {
        // Objects in the data are not supported.
        if data.offsets_size != 0 {
            return Err(Refused(BR_FAILED_REPLY));
        }
        let size = usize::try_from(data.data_size).map_err(|_| EINVAL)?;
        let oneway = data.flags & TF_ONE_WAY != 0 && node.is_some();
        let clear = data.flags & TF_CLEAR_BUF != 0;
        let buffer = Buffer::allocate(context, to.clone(), size, oneway, clear)?;

        buffer.fill(context, UserPtr::from_addr(data.buffer as usize))?;
        Ok(ListArc::pin_init(
            try_pin_init!(Self {
                links <- ListLinks::new(),
                from,
                below,
                node,
                code: data.code,
                flags: data.flags,
                sender_euid: Kuid::current_euid(),
                failure: Atomic::new(0),
                buffer <- new_spinlock!(Some(buffer), "Transaction::buffer"),
            }? Error),
            GFP_KERNEL,
        )?)
    }

    /// Sends a call from `sender`, the current thread, to the context manager.
    ///
    /// # Errors
    ///
    /// The command that tells the sender why it was not sent.
    pub(crate) fn call(
        sender: &Arc<Thread>,
        context: &mut UserContext,
        data: &TransactionData,
    ) -> Result<(), Refused> {
        // The only handle there is.
        if data.handle() != 0 {
            return Err(Refused(BR_FAILED_REPLY));
        }
        let process = &sender.process;
        let node = process
            .device
            .context
            .manager()
            .ok_or(Refused(BR_DEAD_REPLY))?;
        let target = node.owner.clone();
        if target.pid == process.pid {
            return Err(Refused(BR_FAILED_REPLY));
        }
        kernel::security::binder_transaction(process.credential(), target.credential())?;

        if data.flags & TF_ONE_WAY != 0 {
            let transaction = Self::build(context, data, &target, Some(node), None, None)?;

            // Complete, whatever becomes of it; but the sender should know of a dead receiver.
            target
                .send(transaction, None)
                .map_err(|_| Refused(BR_DEAD_REPLY))?;
            sender.owe(BR_TRANSACTION_COMPLETE);
            return Ok(());
        }

        let below = sender.topmost_to_call_from()?;
        let nested = Self::waiting_thread_of(&below, &target);
        let transaction = Self::build(
            context,
            data,
            &target,
            Some(node),
            Some(sender.clone()),
            below,
        )?;
        let known = transaction.clone_arc();
        sender.wait_for(known.clone());
        if target.send(transaction, nested.as_ref()).is_err() {
            sender.do_not_wait_for(&known);
            return Err(Refused(BR_DEAD_REPLY));
        }
        Ok(())
    }

    /// Replies to the call that `sender`, the current thread, is handling.
    ///
    /// # Errors
    ///
    /// The command that tells the sender why there is nothing to reply to. If it is only that the
    /// reply cannot reach the caller, that is `BR_TRANSACTION_COMPLETE`.
    pub(crate) fn reply(
        sender: &Arc<Thread>,
        context: &mut UserContext,
        data: &TransactionData,
    ) -> Result<(), Refused> {
        let call = sender.take_handled().ok_or(Refused(BR_FAILED_REPLY))?;
        // Only calls that somebody waits for are handled.
        let caller = call.from.clone().ok_or(Refused(BR_FAILED_REPLY))?;

        let delivered = match Self::build(context, data, &caller.process, None, None, None) {
            Ok(reply) => caller.deliver_reply(&call, reply),
            Err(Refused(command)) => {
                caller.deliver_failure(&call, command);
                false
            }
        };
        if !delivered {
            // As far as the sender is concerned this is complete, but nothing more is executed.
            return Err(Refused(BR_TRANSACTION_COMPLETE));
        }
        sender.owe(BR_TRANSACTION_COMPLETE);
        Ok(())
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

    /// The call that the sender of this one was handling.
    pub(crate) fn below(&self) -> Option<Arc<Transaction>> {
        self.below.clone()
    }

    /// The topmost call below this one that `thread` waits for.
    pub(crate) fn below_from(&self, thread: &Thread) -> Option<Arc<Transaction>> {
        let mut next = self.below.as_ref();

        while let Some(call) = next {
            if call.is_from(thread) {
                return Some(call.clone());
            }
            next = call.below.as_ref();
        }
        None
    }

    /// Whether `thread` waits for the reply to this call.
    pub(crate) fn is_from(&self, thread: &Thread) -> bool {
        self.from
            .as_ref()
            .is_some_and(|from| core::ptr::eq(&**from, thread))
    }

    /// The thread of `process` that waits for a reply in the chain that starts with `topmost`.
    ///
    /// A call back to that process has to be handled by it: another thread might not be there.
    fn waiting_thread_of(
        topmost: &Option<Arc<Transaction>>,
        process: &Arc<Process>,
    ) -> Option<Arc<Thread>> {
        let mut next = topmost.as_ref();

        while let Some(call) = next {
            if let Some(from) = &call.from {
                if Arc::ptr_eq(&from.process, process) {
                    return Some(from.clone());
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

    /// Makes the other one-way transactions to the node wait until this one's buffer is freed.
    pub(crate) fn hold_oneway(&self) {
        if let (Some(buffer), Some(node)) = (&mut *self.buffer.lock(), &self.node) {
            buffer.hold_oneway(node.clone());
        }
    }

    /// Takes the transaction's buffer, which only the receiver does.
    pub(crate) fn take_buffer(&self) -> Option<Buffer> {
        self.buffer.lock().take()
    }

    /// Gives back what [`take_buffer`](Self::take_buffer) took.
    pub(crate) fn put_buffer(&self, buffer: Buffer) {
        *self.buffer.lock() = Some(buffer);
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
