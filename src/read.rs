// SPDX-License-Identifier: GPL-2.0

//! Reading: how a thread waits for something to be told, and is told it.
//!
//! A read takes all that it is going to tell under the lock, and writes it to user memory after
//! that. If the memory is not there, everything is put back: a wrong pointer loses nothing.

use kernel::{
    list::ListArc,
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    },
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    user::UserWriter, //
};

use crate::{
    process::ProcessInner,
    thread::Thread,
    transaction::Transaction,
    uapi::{
        TransactionData,
        WriteRead,
        BR_NOOP,
        BR_REPLY,
        BR_SPAWN_LOOPER,
        BR_TRANSACTION,
        BR_TRANSACTION_COMPLETE,
        READ_RESERVE, //
    },
};

const WORD: usize = size_of::<u32>();

/// What one read tells.
struct Taken {
    spawn: bool,
    completes: u32,
    command_error: Option<u32>,
    reply_error: Option<u32>,
    transaction: Option<ListArc<Transaction>>,
    /// The transaction was for any thread.
    shared: bool,
    /// What was the thread's topmost call before it got a call to handle.
    previous: Option<Arc<Transaction>>,
}

impl Thread {
    /// Fills the read buffer of `request`, after waiting for something to put there.
    ///
    /// # Errors
    ///
    /// * `EAGAIN` if there is nothing and `nonblocking` is set.
    /// * `EINTR` if a signal came first.
    /// * `EINVAL` if the buffer is too short for a single word.
    /// * `EFAULT` if the buffer cannot be written.
    pub(crate) fn read(
        self: &Arc<Self>,
        context: &mut UserContext,
        request: &mut WriteRead,
        nonblocking: bool,
    ) -> Result {
        let starts = request.read_consumed == 0;
        let space = request.read_size.saturating_sub(request.read_consumed) as usize;
        let Some(room) = space.checked_sub(if starts { WORD } else { 0 }) else {
            return Err(EINVAL);
        };

        let taken = self.wait_and_take(room, starts, nonblocking)?;
        let start = UserPtr::from_addr(request.read_buffer as usize)
            .wrapping_byte_add(request.read_consumed as usize);
        match self.tell(&taken, starts, Commands::new(context, start, space)) {
            Ok(written) => {
                request.read_consumed += written as u64;
                Ok(())
            }
            Err(error) => {
                self.put_back(taken);
                Err(error)
            }
        }
    }

    /// Whether a read would return at once. `shared` says that the thread may get transactions that
    /// are for any thread.
    fn has_work(&self, inner: &mut ProcessInner, shared: bool) -> bool {
        self.state.access_mut(inner).ready
            || self.interrupted.load(Relaxed)
            || (shared && !inner.todo.is_empty())
    }

    /// Whether a read by this thread, which is the current one, would return at once.
    pub(crate) fn is_readable(&self) -> bool {
        let mut inner = self.process.lock().lock();
        let shared = self.state.access_mut(&mut inner).is_available();

        self.has_work(&mut inner, shared)
    }

    fn wait_and_take(
        self: &Arc<Self>,
        room: usize,
        starts: bool,
        nonblocking: bool,
    ) -> Result<Taken> {
        let mut inner = self.process.lock().lock();
        let shared = self.state.access_mut(&mut inner).is_available();

        while !self.has_work(&mut inner, shared) {
            if nonblocking {
                return Err(EAGAIN);
            }
            if shared {
                inner.start_waiting(self);
            }
            let signalled = self.wake.wait_interruptible_freezable(&mut inner);
            inner.stop_waiting(self);
            if signalled && !self.has_work(&mut inner, shared) {
                // It may have been this thread that was woken for a transaction.
                inner.wake_for_todo();
                return Err(EINTR);
            }
        }
        // What there is can only be nothing for an interrupted read, or for one without room.
        let mut taken = self.take(&mut inner, room, shared);
        taken.spawn = starts && self.should_spawn(&mut inner);
        inner.wake_for_todo();
        Ok(taken)
    }

    /// Takes what there is for the thread and fits into `room`. Each thing needs as much room as
    /// the largest of them, as clients know it.
    fn take(&self, inner: &mut ProcessInner, room: usize, shared: bool) -> Taken {
        let state = self.state.access_mut(inner);
        let mut taken = Taken {
            spawn: false,
            completes: 0,
            command_error: None,
            reply_error: None,
            transaction: None,
            shared: false,
            previous: None,
        };
        let Some(words) = room.checked_sub(READ_RESERVE).map(|left| left / WORD + 1) else {
            return taken;
        };

        taken.completes = u32::try_from(words).map_or(state.completes, |n| n.min(state.completes));
        state.completes -= taken.completes;
        let mut words = words - taken.completes as usize;
        if words > 0 {
            taken.command_error = state.command_error.take();
            words -= usize::from(taken.command_error.is_some());
        }
        if words > 0 {
            taken.reply_error = state.reply_error.take();
            words -= usize::from(taken.reply_error.is_some());
        }
        if words > 0 {
            taken.transaction = state.todo.pop_front();
            if taken.transaction.is_none() && shared {
                taken.transaction = inner.todo.pop_front();
                taken.shared = taken.transaction.is_some();
            }
        }

        let state = self.state.access_mut(inner);
        state.ready = !state.is_empty();
        if let Some(call) = taken
            .transaction
            .as_ref()
            .filter(|call| call.from.is_some())
        {
            taken.previous = state.topmost.replace(call.clone_arc());
        }
        taken
    }

    /// Whether the process should be asked for another thread, which is noted if so.
    fn should_spawn(&self, inner: &mut ProcessInner) -> bool {
        let looper = self.state.access_mut(inner).looper;
        let spawn = (looper.registered || looper.entered)
            && inner.requested_threads == 0
            && inner.started_threads < inner.max_threads
            && !inner.has_waiting();

        inner.requested_threads += u32::from(spawn);
        spawn
    }

    /// Undoes [`wait_and_take`](Self::wait_and_take).
    fn put_back(&self, taken: Taken) {
        let mut inner = self.process.lock().lock();
        if taken.spawn {
            inner.requested_threads = inner.requested_threads.saturating_sub(1);
        }
        let state = self.state.access_mut(&mut inner);
        let mut handled = None;

        state.completes += taken.completes;
        state.command_error = state.command_error.or(taken.command_error);
        state.reply_error = state.reply_error.or(taken.reply_error);
        if let Some(transaction) = taken.transaction {
            if transaction.from.is_some() {
                handled = core::mem::replace(&mut state.topmost, taken.previous);
            }
            if taken.shared {
                inner.todo.push_front(transaction);
            } else {
                state.todo.push_front(transaction);
            }
        }
        let state = self.state.access_mut(&mut inner);
        state.ready = !state.is_empty();
        inner.wake_for_todo();
        drop(inner);
        drop(handled);
    }

    /// Writes what was taken to user memory. Returns how many bytes that are.
    fn tell(&self, taken: &Taken, starts: bool, mut commands: Commands<'_>) -> Result<usize> {
        if starts {
            commands.word(if taken.spawn {
                BR_SPAWN_LOOPER
            } else {
                BR_NOOP
            })?;
        }
        for _ in 0..taken.completes {
            commands.word(BR_TRANSACTION_COMPLETE)?;
        }
        for error in [taken.command_error, taken.reply_error]
            .into_iter()
            .flatten()
        {
            commands.word(error)?;
        }
        if let Some(transaction) = &taken.transaction {
            self.tell_transaction(transaction, &mut commands)?;
        }
        commands.flush()?;
        Ok(commands.written)
    }

    /// Writes a transaction, and hands its buffer to user space.
    fn tell_transaction(&self, transaction: &Transaction, commands: &mut Commands<'_>) -> Result {
        let mut buffer = transaction.take_buffer().ok_or(EFAULT)?;
        let address = buffer.address() as u64;
        let size = buffer.data_size() as u64;
        let node = transaction.node.as_ref();
        let sender_pid = transaction.from.as_ref().map_or(0, |from| {
            let task = kernel::current!();
            from.process.leader.tgid_nr_ns(task.active_pid_ns())
        });
        let data = TransactionData {
            target: node.map_or(0, |node| node.ptr),
            cookie: node.map_or(0, |node| node.cookie),
            code: transaction.code,
            flags: transaction.flags,
            sender_pid,
            sender_euid: transaction.sender_euid.into_uid_in_current_ns(),
            data_size: size,
            offsets_size: 0,
            buffer: address,
            offsets: address + size.next_multiple_of(8),
        };

        // Another thread of the process may see what is written and free the buffer at once, so
        // that has to be possible before.
        buffer.map(commands.context);
        buffer.deliver();
        let command = if node.is_some() {
            BR_TRANSACTION
        } else {
            BR_REPLY
        };
        let result = commands
            .word(command)
            .and_then(|()| commands.bytes(data.as_bytes()))
            .and_then(|()| commands.flush());
        if result.is_err() {
            buffer.take_back();
            transaction.put_buffer(buffer);
        }
        result
    }
}

/// How many bytes are collected before they are written.
const PENDING: usize = 128;

/// Collects commands, so that user memory is written as few times as possible.
struct Commands<'c> {
    context: &'c mut UserContext,
    writer: UserWriter,
    pending: [u8; PENDING],
    length: usize,
    written: usize,
}

impl<'c> Commands<'c> {
    fn new(context: &'c mut UserContext, start: UserPtr, space: usize) -> Self {
        Self {
            context,
            writer: UserWriter::new(start, space),
            pending: [0; PENDING],
            length: 0,
            written: 0,
        }
    }

    fn word(&mut self, word: u32) -> Result {
        self.bytes(&word.to_ne_bytes())
    }

    /// Adds at most [`PENDING`] bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result {
        if bytes.len() > PENDING - self.length {
            self.flush()?;
        }
        self.pending[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
        Ok(())
    }

    fn flush(&mut self) -> Result {
        self.writer
            .write(self.context, &self.pending[..self.length])?;
        self.written += self.length;
        self.length = 0;
        Ok(())
    }
}
