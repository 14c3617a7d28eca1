// SPDX-License-Identifier: GPL-2.0

//! Sending: how a thread makes calls and replies to them.

use kernel::{
    list::ListArc,
    prelude::*,
    security::{
        self,
        SecurityCtx, //
    },
    sync::Arc,
    uaccess::UserPtr, //
};

use vmarea::context::UserContext;

use crate::{
    buffer::{
        Buffer,
        Purpose, //
    },
    layout::Layout,
    node::Node,
    objects::Message,
    process::Process,
    thread::Thread,
    transaction::{
        Refused,
        Standing,
        Transaction, //
    },
    uapi::{
        TransactionData,
        BR_DEAD_REPLY,
        BR_FAILED_REPLY,
        BR_ONEWAY_SPAM_SUSPECT,
        BR_TRANSACTION_COMPLETE,
        BR_TRANSACTION_PENDING_FROZEN,
        TF_ACCEPT_FDS,
        TF_CLEAR_BUF,
        TF_ONE_WAY, //
    },
};

/// A node that something is sent to, with a strong reference that keeps it meanwhile.
struct Target {
    node: Option<Arc<Node>>,
}

impl Target {
    /// The node that `handle` stands for in the current process.
    fn find(process: &Process, handle: u32) -> Result<Self, Refused> {
        let dead = || Refused::because(BR_DEAD_REPLY, EINVAL);
        let (node, lives) = if handle == 0 {
            // As long as it lives, it keeps itself.
            let node = process.device.context.manager().ok_or_else(dead)?;
            if node.owner.pid == process.pid {
                return Err(EINVAL.into());
            }
            let lives = node.add_local(&mut node.owner.lock().lock(), true);
            (node, lives.is_ok())
        } else {
            process.take_node(handle, true)?
        };

        if !lives {
            return Err(dead());
        }
        Ok(Self { node: Some(node) })
    }

    fn node(&self) -> Result<&Arc<Node>, Refused> {
        self.node.as_ref().ok_or(EINVAL.into())
    }

    /// Gives the reference to a buffer.
    fn hand_over(mut self) -> Option<Arc<Node>> {
        let node = self.node.take();

        // Nothing is left to be dropped.
        core::mem::forget(self);
        node
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            node.remove_local(true);
        }
    }
}

/// What is to be sent: what `data` describes, with `buffers_size` bytes of attached buffers.
struct Draft<'d> {
    /// The number that the transaction will have.
    id: u64,
    data: &'d TransactionData,
    buffers_size: u64,
}

impl Draft<'_> {
    fn has_objects(&self) -> bool {
        self.data.offsets_size > 0
    }

    fn is_oneway(&self) -> bool {
        self.data.flags & TF_ONE_WAY != 0
    }
}

impl Thread {
    /// Sends what `data` describes, with `buffers_size` bytes of attached buffers. What becomes of it
    /// is told by the next read; returns whether that has to come first.
    pub(crate) fn send(
        self: &Arc<Self>,
        context: &mut UserContext,
        data: &TransactionData,
        buffers_size: u64,
        is_reply: bool,
    ) -> bool {
        let draft = Draft {
            id: self.process.device.next_id(),
            data,
            buffers_size,
        };
        self.begin_to_send(draft.id);

        let result = if is_reply {
            self.reply(context, &draft)
        } else {
            self.call(context, &draft)
                .inspect_err(|refused| self.note_failure(draft.id, refused))
        };
        match result {
            Ok(()) => false,
            Err(refused) => {
                self.owe_error(refused.command);
                true
            }
        }
    }

    /// Makes the transaction to `to` that `draft` is for, whose target is the node that it stands on.
    /// Returns with it whether the sender sends too many.
    fn compose(
        self: &Arc<Self>,
        context: &mut UserContext,
        draft: &Draft<'_>,
        to: &Arc<Process>,
        target: Option<Target>,
        accepts_fds: bool,
        standing: Standing,
    ) -> Result<(ListArc<Transaction>, bool)> {
        let data = draft.data;
        let label = match &standing.node {
            Some(node) if node.wants_context => Some(SecurityCtx::from_secid(
                self.process.credential().get_secid(),
            )?),
            _ => None,
        };
        let label = label.as_ref().map(SecurityCtx::as_bytes);
        let layout = Layout::new(
            data.data_size,
            data.offsets_size,
            draft.buffers_size,
            label.map_or(0, <[u8]>::len),
        )
        .ok_or(EINVAL)?;
        let oneway = standing.node.is_some() && draft.is_oneway();
        let purpose = Purpose {
            target: target.and_then(Target::hand_over),
            oneway_from: oneway.then(|| kernel::current!().tgid()),
            clear: data.flags & TF_CLEAR_BUF != 0,
        };

        // Without objects there is nothing to translate. What is to be cleared when the buffer is freed
        // needs one, also if the copy fails half way.
        let is_plain = !draft.has_objects() && layout.is_aligned() && !purpose.clear;
        let filled = if is_plain { layout.data() } else { 0 };
        let from = UserPtr::from_addr(data.buffer as usize);
        // It is large: as an option from the start it is not moved to become one.
        let mut buffer = Some(Buffer::allocate(
            context,
            to.clone(),
            layout,
            purpose,
            from,
            filled,
        )?);
        let mut is_spam = false;
        if let Some(buffer) = &mut buffer {
            is_spam = buffer.is_spam;
            if let (Some(at), Some(label)) = (layout.context_at(), label) {
                buffer.write(at, label)?;
            }
            if !is_plain {
                Message::new(context, self, to, buffer, accepts_fds, data).send()?;
            }
        }
        let size = layout.total();
        let transaction =
            Transaction::new(&self.spare, draft.id, to, standing, data, size, &mut buffer)?;

        Ok((transaction, is_spam))
    }

    /// Sends a call, or a one-way one.
    fn call(self: &Arc<Self>, context: &mut UserContext, draft: &Draft<'_>) -> Result<(), Refused> {
        let process = &self.process;
        let target = Target::find(process, draft.data.handle())?;
        let node = target.node()?.clone();
        let to = node.owner.clone();
        security::binder_transaction(process.credential(), to.credential())
            .map_err(|_| Refused::because(BR_FAILED_REPLY, EPERM))?;
        let accepts_fds = node.accepts_fds;
        if draft.is_oneway() {
            let standing = Standing {
                from: None,
                below: None,
                node: Some(node),
            };
            let (transaction, is_spam) =
                self.compose(context, draft, &to, Some(target), accepts_fds, standing)?;
            let is_spam = is_spam && self.detects_spam();

            // Complete, whatever becomes of it; but the sender should know of a dead receiver.
            let receipt = match to.send(transaction, None) {
                Ok(true) => BR_TRANSACTION_PENDING_FROZEN,
                Ok(false) if is_spam => BR_ONEWAY_SPAM_SUSPECT,
                Ok(false) => BR_TRANSACTION_COMPLETE,
                Err((transaction, command)) => {
                    drop(transaction);
                    return Err(Refused {
                        command,
                        error: None,
                    });
                }
            };
            self.owe_receipt(receipt);
            return Ok(());
        }

        let below = self.topmost_to_call_from()?;
        let nested = Transaction::waiting_call_of(&below, &to);
        let standing = Standing {
            from: Some(self.clone()),
            below,
            node: Some(node),
        };
        let (transaction, _) =
            self.compose(context, draft, &to, Some(target), accepts_fds, standing)?;
        self.wait_for(transaction.clone_arc());
        if let Err((transaction, command)) = to.send(transaction, nested.as_ref()) {
            self.do_not_wait_for(&transaction.into_arc());
            return Err(Refused {
                command,
                error: None,
            });
        }
        Ok(())
    }

    /// Replies to the call that the thread is handling.
    ///
    /// # Errors
    ///
    /// Why there is nothing to reply to. If it is only that the reply cannot reach the caller, the
    /// command is `BR_TRANSACTION_COMPLETE`, and the caller is told instead.
    fn reply(
        self: &Arc<Self>,
        context: &mut UserContext,
        draft: &Draft<'_>,
    ) -> Result<(), Refused> {
        let none = || Refused::because(BR_FAILED_REPLY, EPROTO);
        // The thread is told of its objects in the message before it gets the receipt.
        let at_once = !draft.has_objects();
        let Some(call) = self.take_handled(at_once) else {
            let refused = none();
            self.note_failure(draft.id, &refused);
            return Err(refused);
        };
        call.return_priority();
        // Only calls that somebody waits for are handled.
        let Some(caller) = &call.from else {
            if at_once {
                self.take_back_receipt(BR_TRANSACTION_COMPLETE);
            }
            return Err(none());
        };
        let accepts_fds = call.flags & TF_ACCEPT_FDS != 0;
        let standing = Standing {
            from: None,
            below: None,
            node: None,
        };

        let reply = self.compose(context, draft, &caller.process, None, accepts_fds, standing);
        // The caller may answer at once, and what is told of that comes after this.
        if !at_once {
            self.owe_receipt(BR_TRANSACTION_COMPLETE);
        }
        let delivered = match reply {
            Ok((reply, _)) => caller.deliver_reply(&call, reply),
            Err(error) => {
                let refused = Refused::from(error);
                caller.note_failure(draft.id, &refused);
                caller.deliver_failure(&call, refused.command);
                false
            }
        };
        self.spare.put(call);
        if !delivered {
            // As far as the sender is concerned this is complete, but nothing more is executed.
            self.take_back_receipt(BR_TRANSACTION_COMPLETE);
            return Err(Refused {
                command: BR_TRANSACTION_COMPLETE,
                error: None,
            });
        }
        Ok(())
    }

    fn detects_spam(&self) -> bool {
        self.process.lock().lock().detects_spam
    }
}
