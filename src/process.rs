// SPDX-License-Identifier: GPL-2.0

//! Processes: what the driver knows of an opened file and whom it belongs to.
//!
//! Lock order in the driver, outermost first; none of the spinlocks is held while memory is
//! allocated or user memory is touched, and no two processes are locked at once:
//!
//! 1. `Process::space`, a mutex
//! 2. `Context::manager`, a spinlock
//! 3. `Process::inner`, a spinlock, for all that is queued and for the states of the threads
//! 4. `Transaction::buffer`, a spinlock
//!
//! The locks of the page range (see `vmarea::page_range`) are not taken with any of these held, and
//! none of these is taken in memory reclaim.

use kernel::{
    cred::Credential,
    list::{
        List,
        ListArc, //
    },
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        aref::ARef,
        atomic::{
            Atomic,
            Relaxed, //
        },
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        new_mutex,
        new_spinlock,
        Arc,
        Mutex,
        SpinLock, //
    },
    task::Task, //
};

use vmarea::{
    file::Opening,
    page_range::PageRange, //
};

use crate::{
    buffer::BufferSpace,
    device::{
        Device,
        AREA_LIMIT, //
    },
    node::Node,
    thread::{
        cancel_all,
        Thread, //
    },
    transaction::Transaction, //
};

/// An opened file, and the process that opened it.
#[pin_data]
pub(crate) struct Process {
    pub(crate) device: Arc<Device>,
    /// The process's id, and its first thread, by which others see the id in their namespaces.
    pub(crate) pid: i32,
    pub(crate) leader: ARef<Task>,
    credential: ARef<Credential>,
    pages: PageRange,
    /// How many buffers there were.
    buffers: Atomic<u64>,
    #[pin]
    space: Mutex<BufferSpace>,
    #[pin]
    inner: SpinLock<ProcessInner>,
}

/// What is going on in a process.
pub(crate) struct ProcessInner {
    /// The file was released. Nothing is queued any more.
    dead: bool,
    /// Transactions for any thread.
    pub(crate) todo: List<Transaction>,
    threads: RBTree<i32, Arc<Thread>>,
    /// Threads that wait for a transaction for any thread; the last is the first to get one.
    waiting: List<Thread>,
    /// Whether a thread has ever used `poll`.
    polled: bool,
    /// The object that is the context manager.
    node: Option<Arc<Node>>,
    /// How many threads the driver may ask for, has asked for, and has got.
    pub(crate) max_threads: u32,
    pub(crate) requested_threads: u32,
    pub(crate) started_threads: u32,
}

impl Process {
    /// Creates the process for a file that the current process has opened.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(device: Arc<Device>, opening: &mut Opening<'_>) -> Result<Arc<Self>> {
        let leader = ARef::from(kernel::current!().group_leader());
        let pages = PageRange::new(
            opening,
            AREA_LIMIT,
            device.install,
            device.lru.clone(),
            device.counters.clone(),
        )?;

        Arc::pin_init(
            pin_init!(Self {
                device,
                pid: leader.pid(),
                leader,
                credential: opening.file().cred().into(),
                pages,
                buffers: Atomic::new(0),
                space <- new_mutex!(BufferSpace::new(), "Process::space"),
                inner <- new_spinlock!(ProcessInner::new(), "Process::inner"),
            }),
            GFP_KERNEL,
        )
    }

    /// The lock of what is going on in the process and its threads.
    pub(crate) fn lock(&self) -> &SpinLock<ProcessInner> {
        &self.inner
    }

    /// The pages that transactions to this process are put into.
    pub(crate) fn pages(&self) -> &PageRange {
        &self.pages
    }

    /// A number for a new buffer, which no other buffer of the process has.
    pub(crate) fn next_buffer(&self) -> u64 {
        self.buffers.fetch_add(1, Relaxed)
    }

    /// How the pages are divided. Must not be held while anything of
    /// [`Delivered`](crate::buffer::Delivered) is dropped.
    pub(crate) fn space(&self) -> Guard<'_, BufferSpace, MutexBackend> {
        self.space.lock()
    }

    /// Who opened the file.
    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Makes `node` known as the process's own.
    pub(crate) fn own(&self, node: Arc<Node>) {
        self.inner.lock().node = Some(node);
    }

    /// The current thread, made known to the process if it is new.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn current_thread(self: &Arc<Self>) -> Result<Arc<Thread>> {
        let id = kernel::current!().pid();
        if let Some(thread) = self.inner.lock().threads.get(&id) {
            return Ok(thread.clone());
        }

        // Only this thread adds itself, so it is still not there below.
        let thread = Thread::new(id, self.clone())?;
        let node = RBTreeNode::new(id, thread.clone(), GFP_KERNEL)?;
        self.inner.lock().threads.insert(node);
        Ok(thread)
    }

    /// Queues a transaction: for `target`, if there is one, or else for any thread.
    ///
    /// # Errors
    ///
    /// Gives it back if the process is dead.
    pub(crate) fn send(
        &self,
        transaction: ListArc<Transaction>,
        target: Option<&Arc<Thread>>,
    ) -> Result<(), ListArc<Transaction>> {
        let mut inner = self.inner.lock();
        if inner.dead {
            return Err(transaction);
        }
        // The thread that a call should come back into may be gone; then any other will do.
        if let Some(thread) = target.filter(|thread| !thread.state.access_mut(&mut inner).dead) {
            thread.push(&mut inner, transaction);
            return Ok(());
        }
        let ready = match transaction.node.clone() {
            Some(node) if transaction.is_oneway() => node.oneway_start(&mut inner, transaction),
            _ => Some(transaction),
        };
        if let Some(transaction) = ready {
            inner.queue(transaction);
        }
        drop(inner);
        Ok(())
    }

    /// Removes the current thread from the process.
    pub(crate) fn exit_thread(&self, thread: &Arc<Thread>) {
        let removed = self.inner.lock().threads.remove_node(&thread.id);

        thread.release();
        drop(removed);
    }

    /// Makes all waiting reads return.
    pub(crate) fn flush(&self) {
        for thread in self.inner.lock().threads.values() {
            thread.interrupted.store(true, Relaxed);
            thread.notify();
        }
    }

    /// Ends the process: the file was released, and no thread is using it.
    pub(crate) fn release(&self) {
        self.device.context.forget_manager(self);
        let (threads, todo, waiting, node) = {
            let mut inner = self.inner.lock();
            inner.dead = true;
            let node = inner.node.take();
            let waiting = node
                .as_ref()
                .map_or_else(List::new, |node| node.take_waiting(&mut inner));
            (
                core::mem::replace(&mut inner.threads, RBTree::new()),
                core::mem::replace(&mut inner.todo, List::new()),
                waiting,
                node,
            )
        };

        for thread in threads.values() {
            thread.release();
        }
        cancel_all(todo);
        cancel_all(waiting);
        drop(node);
        // The leases end before the range is closed, so the pages go with one or the other.
        let space = self.space.lock().drain();
        drop(space);
        self.pages.close();
    }
}

impl ProcessInner {
    fn new() -> Self {
        Self {
            dead: false,
            todo: List::new(),
            threads: RBTree::new(),
            waiting: List::new(),
            polled: false,
            node: None,
            max_threads: 0,
            requested_threads: 0,
            started_threads: 0,
        }
    }

    /// Queues a transaction for any thread, and wakes one.
    pub(crate) fn queue(&mut self, transaction: ListArc<Transaction>) {
        match self.take_waiting() {
            Some(thread) => thread.push(self, transaction),
            None => {
                self.todo.push_back(transaction);
                self.notify_polling();
            }
        }
    }

    /// Wakes a thread, if there is something for any of them.
    pub(crate) fn wake_for_todo(&mut self) {
        if self.todo.is_empty() {
            return;
        }
        match self.take_waiting() {
            Some(thread) => thread.notify(),
            None => self.notify_polling(),
        }
    }

    /// Whether any thread waits for a transaction for any thread.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Adds a thread to those that wait for a transaction for any thread.
    pub(crate) fn start_waiting(&mut self, thread: &Arc<Thread>) {
        // It fails only if the thread is there already.
        if let Ok(item) = ListArc::try_from_arc(thread.clone()) {
            self.waiting.push_back(item);
            thread.state.access_mut(self).waiting = true;
        }
    }

    /// Removes a thread from the waiting ones, if it is still there.
    pub(crate) fn stop_waiting(&mut self, thread: &Arc<Thread>) {
        if !core::mem::take(&mut thread.state.access_mut(self).waiting) {
            return;
        }
        let mut cursor = self.waiting.cursor_front();
        while let Some(next) = cursor.peek_next() {
            if core::ptr::eq(&*next.arc(), &**thread) {
                next.remove();
                return;
            }
            cursor.move_next();
        }
    }

    /// Notes that a thread uses `poll`.
    pub(crate) fn set_polled(&mut self) {
        self.polled = true;
    }

    fn take_waiting(&mut self) -> Option<Arc<Thread>> {
        let thread = self.waiting.pop_back()?.into_arc();

        thread.state.access_mut(self).waiting = false;
        Some(thread)
    }

    /// Wakes all threads that may be polling for something for any of them.
    fn notify_polling(&self) {
        if !self.polled {
            return;
        }
        for thread in self.threads.values() {
            if let Some(poll) = thread.poll.as_ref() {
                poll.notify_all();
            }
        }
    }
}
