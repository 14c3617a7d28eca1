// SPDX-License-Identifier: GPL-2.0

//! Reading: how a thread waits for something to be told, and is told it.
//!
//! What a read tells is collected in the kernel and written to user memory at once, at the end. If the
//! memory is not there, the next read of the thread begins with it: a wrong pointer loses nothing.

use kernel::{
    list::ListArc,
    prelude::*,
    sync::{
        atomic::Relaxed,
        lock::{
            spinlock::SpinLockBackend,
            Guard, //
        },
        Arc, //
    },
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    task, //
};

use crate::{
    buffer::Buffer,
    inner::ProcessInner,
    node::Changes,
    queue::Item,
    thread::Thread,
    told::{
        Told,
        LIMIT, //
    },
    trace,
    transaction::{
        drop_call,
        Transaction, //
    },
    uapi::{
        TransactionData,
        WriteRead,
        BR_DEAD_BINDER,
        BR_FAILED_REPLY,
        BR_NOOP,
        BR_REPLY,
        BR_SPAWN_LOOPER,
        BR_TRANSACTION,
        BR_TRANSACTION_SEC_CTX,
        READ_RESERVE, //
    },
};

type InnerGuard<'a> = Guard<'a, ProcessInner, SpinLockBackend>;

/// A read that goes on.
struct Reading {
    told: Told,
    /// How much was told before anything was read.
    begun: usize,
    /// Whether this is at the start of a read buffer.
    starts: bool,
    /// There was something to be told, although it may not have been of interest any more.
    had_work: bool,
    /// The process is to be asked for another thread, which was noted.
    spawn: bool,
    /// The buffer of the message that was taken last, which is too large to be moved about. There is
    /// none when the next one is taken.
    buffer: Option<Buffer>,
    /// What is left of the last thing that was told and is not a message. It is dropped before the
    /// process is locked again.
    rest: Option<(Item, Option<Changes>)>,
}

impl Reading {
    /// Whether the read is over.
    fn is_done(&self) -> bool {
        self.told.len() > self.begun || !self.had_work
    }
}

/// What was taken from the queues, under the lock.
enum Taken {
    /// A message, to be looked at without the lock, and what was the thread's topmost call before it
    /// got this one.
    Message(ListArc<Transaction>, Option<Arc<Transaction>>),
    /// Something that is told already, of which the [rest](Reading::rest) is to be dropped without the
    /// lock, and whether nothing more is to be taken.
    Told(bool),
    Nothing,
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
        let mut reading = Reading {
            told: Told::new(space),
            begun: 0,
            starts,
            had_work: false,
            spawn: false,
            buffer: None,
            rest: None,
        };
        if starts {
            reading.told.word(BR_NOOP).ok_or(EINVAL)?;
            reading.begun = reading.told.len();
        }

        // What there was may be of no interest any more.
        while !self.collect(context, &mut reading, nonblocking)? {
            reading.had_work = false;
        }
        let told = &mut reading.told;
        if reading.spawn {
            trace::thread_spawn(&self.process);
            told.replace_first(BR_SPAWN_LOOPER);
        }

        let start = UserPtr::from_addr(request.read_buffer as usize)
            .wrapping_byte_add(request.read_consumed as usize);
        let result = told.write_to(context, start);
        match result {
            Ok(()) => {
                request.read_consumed += told.len() as u64;
                self.process.commands.told(told.numbers());
                trace::told(&self.process, told.commands());
            }
            Err(_) => self.put_back(&told.bytes()[reading.begun..], reading.spawn),
        }
        result
    }

    /// Whether a read would return at once. `shared` says that the thread may get what is for any
    /// thread.
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

    /// Waits for something to tell. Returns the state of the process, and whether the thread may get
    /// what is for any thread.
    fn wait_for_work(self: &Arc<Self>, nonblocking: bool) -> Result<(InnerGuard<'_>, bool)> {
        let mut inner = self.process.lock().lock();
        let shared = self.state.access_mut(&mut inner).is_available();

        // What a one-way transaction was handled with ends here, because nobody replies to it.
        if shared && task::nice() != self.process.nice {
            drop(inner);
            task::set_nice(self.process.nice);
            inner = self.process.lock().lock();
        }
        while !self.has_work(&mut inner, shared) {
            if nonblocking {
                return Err(EAGAIN);
            }
            trace::thread_wait(self, shared);
            if shared {
                inner.start_waiting(self);
            }
            let signalled = self.wake.wait_interruptible_freezable(&mut inner);
            inner.stop_waiting(self);
            if signalled && !self.has_work(&mut inner, shared) {
                // It may have been this thread that was woken for something.
                inner.wake_for_todo();
                return Err(EINTR);
            }
        }
        Ok((inner, shared))
    }

    /// Waits for something to tell, and collects what there is for the thread and fits. Returns
    /// whether the read is over.
    fn collect(
        self: &Arc<Self>,
        context: &mut UserContext,
        reading: &mut Reading,
        nonblocking: bool,
    ) -> Result<bool> {
        let (mut inner, shared) = self.wait_for_work(nonblocking)?;

        loop {
            match self.take(inner, reading, shared) {
                Taken::Message(message, previous) => {
                    if self.receive(context, message, previous, reading) {
                        return Ok(true);
                    }
                    inner = self.process.lock().lock();
                    if core::mem::take(&mut reading.spawn) {
                        inner.requested_threads = inner.requested_threads.saturating_sub(1);
                    }
                }
                Taken::Told(last) => {
                    // Nodes and notifications are dropped without the lock.
                    reading.rest = None;
                    if last {
                        return Ok(reading.is_done());
                    }
                    inner = self.process.lock().lock();
                }
                Taken::Nothing => return Ok(reading.is_done()),
            }
        }
    }

    /// Takes what there is, until there is something that cannot be told under the lock.
    fn take(&self, mut inner: InnerGuard<'_>, reading: &mut Reading, shared: bool) -> Taken {
        reading
            .told
            .add_unread(&mut self.state.access_mut(&mut inner).unread);

        let taken = loop {
            // Each thing needs as much room as the largest of them, as clients know it.
            if reading.told.room() < READ_RESERVE {
                break Taken::Nothing;
            }
            let item = match self.state.access_mut(&mut inner).todo.pop() {
                None if shared => inner.todo.pop(),
                item => item,
            };
            break match item {
                Some(Item::Command(command)) => {
                    reading.told.word(command);
                    continue;
                }
                Some(Item::Message(message)) => {
                    reading.buffer = message.take_buffer(&mut inner);
                    self.take_message(&mut inner, message)
                }
                Some(item) => Self::tell(&mut inner, item, reading),
                None => Taken::Nothing,
            };
        };
        let (is_message, last) = match &taken {
            Taken::Message(..) => (true, true),
            Taken::Told(last) => (false, *last),
            Taken::Nothing => (false, true),
        };
        reading.had_work |= !matches!(taken, Taken::Nothing);
        self.update_ready(&mut inner);
        if is_message || (last && reading.is_done()) {
            reading.spawn = self.finish_reading(&mut inner, reading.starts);
        }
        taken
    }

    fn take_message(&self, inner: &mut ProcessInner, message: ListArc<Transaction>) -> Taken {
        let previous = if message.from.is_some() {
            let state = self.state.access_mut(inner);
            state.topmost.replace(message.clone_arc())
        } else {
            self.process.settle_one(inner);
            None
        };

        Taken::Message(message, previous)
    }

    /// Tells of something that is not a message.
    #[inline(never)]
    fn tell(inner: &mut ProcessInner, item: Item, reading: &mut Reading) -> Taken {
        let told = &mut reading.told;
        let mut changes = None;
        let last = match &item {
            Item::Node(node) => {
                let changed = node.take_changes(inner);
                for command in changed.commands.iter().flatten() {
                    told.command(*command, node.name.as_bytes());
                }
                changes = Some(changed);
                false
            }
            Item::Death(death) => {
                let command = death.take_command(inner);
                if let Some(command) = command {
                    told.command(command, &death.cookie.to_ne_bytes());
                }
                // Being told of a death makes clients send, which they should do at once.
                command == Some(BR_DEAD_BINDER)
            }
            Item::Freeze(listener) => {
                let news = listener.take_news(inner);
                news.as_ref().is_some_and(|news| news.tell(told))
            }
            Item::Command(_) | Item::Message(_) => false,
        };

        reading.rest = Some((item, changes));
        Taken::Told(last)
    }

    fn update_ready(&self, inner: &mut ProcessInner) {
        let state = self.state.access_mut(inner);

        state.ready = !state.is_empty();
    }

    /// After all that is told was taken: wakes another thread if there is more, and returns whether
    /// the process should be asked for another thread, which is noted if so. There is a place for
    /// that only at the `start` of a read buffer.
    fn finish_reading(&self, inner: &mut ProcessInner, start: bool) -> bool {
        let spawn = start
            && self.state.access_mut(inner).looper.serves()
            && inner.requested_threads == 0
            && inner.started_threads < inner.max_threads
            && !inner.has_waiting();

        inner.requested_threads += u32::from(spawn);
        inner.wake_for_todo();
        spawn
    }

    /// Keeps what could not be written for the next read, before what is kept already.
    #[cold]
    fn put_back(&self, bytes: &[u8], spawn: bool) {
        // So little memory is always to be had.
        let mut unread = KVec::with_capacity(LIMIT, GFP_KERNEL).unwrap_or_else(|_| KVec::new());
        let _ = unread.extend_from_slice(bytes, GFP_KERNEL);
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        // There is room: as long as something is kept that does not fit, nothing is added to it.
        for &byte in &state.unread {
            let _ = unread.push_within_capacity(byte);
        }
        core::mem::swap(&mut state.unread, &mut unread);
        state.ready = !state.is_empty();
        if spawn {
            inner.requested_threads = inner.requested_threads.saturating_sub(1);
        }
        inner.wake_for_todo();
    }

    /// Receives a message, and hands its buffer, which was taken already, to user space. Returns
    /// whether there is something to be told of it; a call that cannot be received fails for its
    /// sender.
    fn receive(
        self: &Arc<Self>,
        context: &mut UserContext,
        message: ListArc<Transaction>,
        previous: Option<Arc<Transaction>>,
        reading: &mut Reading,
    ) -> bool {
        let message = message.into_arc();
        let told = &mut reading.told;
        let Some(buffer) = &mut reading.buffer else {
            return false;
        };
        if buffer.install_files().is_err() {
            reading.buffer = None;
            if message.node.is_none() {
                told.word(BR_FAILED_REPLY);
                return true;
            }
            self.give_up(&message, previous);
            return false;
        }
        message.lend_priority();

        let node = message.node.as_ref();
        let layout = buffer.layout;
        let address = buffer.address();
        let sender_pid = message.from.as_ref().map_or(0, |from| {
            let task = kernel::current!();
            from.process.leader.tgid_nr_ns(task.active_pid_ns())
        });
        let data = TransactionData {
            target: node.map_or(0, |node| node.name.ptr),
            cookie: node.map_or(0, |node| node.name.cookie),
            code: message.code,
            flags: message.flags,
            sender_pid,
            sender_euid: message.sender_euid.into_uid_in_current_ns(),
            data_size: layout.data() as u64,
            offsets_size: layout.offsets() as u64,
            buffer: address as u64,
            offsets: (address + layout.offsets_at()) as u64,
        };
        // Another thread of the process may see what is written and free the buffer at once, so
        // that has to be possible before.
        trace::transaction_received(message.id, buffer);
        buffer.map(context);
        buffer.deliver();
        match (node, layout.context_at()) {
            (None, _) => told.command(BR_REPLY, data.as_bytes()),
            (Some(_), None) => told.command(BR_TRANSACTION, data.as_bytes()),
            (Some(_), Some(at)) => {
                let label = (address + at) as u64;
                told.command(BR_TRANSACTION_SEC_CTX, data.as_bytes())
                    .and_then(|()| told.add(&label.to_ne_bytes()))
            }
        };
        self.spare.put(message);
        drop_call(previous);
        true
    }

    /// Does not handle `call` after all. Its sender learns that it failed.
    #[cold]
    fn give_up(&self, call: &Arc<Transaction>, previous: Option<Arc<Transaction>>) {
        let Some(caller) = &call.from else { return };
        let mut inner = self.process.lock().lock();
        let kept = previous.clone();
        let given_up = self.state.access_mut(&mut inner).resume(previous);

        self.process.settle_one(&mut inner);
        drop(inner);
        drop((given_up, kept));
        caller.deliver_failure(call, BR_FAILED_REPLY);
    }
}
