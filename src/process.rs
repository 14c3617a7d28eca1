// SPDX-License-Identifier: GPL-2.0

//! Processes: what the driver knows of an opened file and whom it belongs to.
//!
//! Lock order in the driver, outermost first; none of the spinlocks is held while memory is
//! allocated or user memory is touched, and no two processes are locked at once:
//!
//! 1. `Registry::files`, a mutex
//! 2. `Registry::processes`, a mutex
//! 3. `Process::references`, a mutex
//! 4. `Process::space`, a mutex
//! 5. `Context::manager`, a spinlock
//! 6. `Process::inner`, a spinlock, for the process's nodes, for all that is queued and for the
//!    states of the threads
//!
//! The locks of the page range (see `vmarea::page_range`) are not taken with any of these held, and
//! none of these is taken in memory reclaim.

use kernel::{
    cred::Credential,
    list::ListArc,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        aref::ARef,
        atomic::Relaxed,
        lock::{
            mutex::MutexBackend,
            Guard, //
        },
        new_condvar,
        new_mutex,
        new_spinlock,
        Arc,
        CondVar,
        Mutex,
        SpinLock, //
    },
    task::Task, //
};

use vmarea::{
    file::Opening,
    page_range::PageRange,
    task, //
};

use crate::{
    buffer::BufferSpace,
    counts::{
        Commands,
        Counted,
        PROCESS, //
    },
    death::Death,
    device::{
        Device,
        AREA_LIMIT, //
    },
    inner::ProcessInner,
    node::Node,
    oneway::Started,
    queue::Item,
    reference::References,
    thread::{
        cancel_all,
        Thread, //
    },
    trace,
    transaction::Transaction,
    uapi::{
        FlatObject,
        BR_DEAD_REPLY,
        BR_FROZEN_REPLY, //
    },
};

/// An opened file, and the process that opened it.
#[pin_data]
pub(crate) struct Process {
    pub(crate) device: Arc<Device>,
    /// A number that no other process has.
    pub(crate) id: u64,
    /// The process's id, and its first thread, by which others see the id in their namespaces.
    pub(crate) pid: i32,
    pub(crate) leader: ARef<Task>,
    /// The nice value of threads that wait for work.
    pub(crate) nice: i32,
    /// How often it gave each command, and was told it.
    pub(crate) commands: Commands,
    _counted: Counted<PROCESS>,
    credential: ARef<Credential>,
    pages: PageRange,
    #[pin]
    references: Mutex<References>,
    #[pin]
    space: Mutex<BufferSpace>,
    #[pin]
    inner: SpinLock<ProcessInner>,
    /// Signalled when no transaction is outstanding any more.
    #[pin]
    pub(crate) drained: CondVar,
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

        let process = Arc::pin_init(
            pin_init!(Self {
                id: device.next_id(),
                device,
                pid: leader.pid(),
                leader,
                nice: task::nice(),
                commands: Commands::new(),
                _counted: Counted::new(),
                credential: opening.file().cred().into(),
                pages,
                references <- new_mutex!(References::new(), "Process::references"),
                space <- new_mutex!(BufferSpace::new(), "Process::space"),
                inner <- new_spinlock!(ProcessInner::new(), "Process::inner"),
                drained <- new_condvar!("Process::drained"),
            }),
            GFP_KERNEL,
        )?;
        process.device.registry.add(&process)?;
        Ok(process)
    }

    /// The lock of what is going on in the process and its threads.
    pub(crate) fn lock(&self) -> &SpinLock<ProcessInner> {
        &self.inner
    }

    /// The pages that transactions to this process are put into.
    pub(crate) fn pages(&self) -> &PageRange {
        &self.pages
    }

    /// How the pages are divided. Must not be held while anything of
    /// [`Delivered`](crate::buffer::Delivered) is dropped.
    pub(crate) fn space(&self) -> Guard<'_, BufferSpace, MutexBackend> {
        self.space.lock()
    }

    /// Whether the current process is this one.
    pub(crate) fn is_current(&self) -> bool {
        core::ptr::eq(kernel::current!().group_leader(), &*self.leader)
    }

    /// Who opened the file.
    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    /// What the process knows of other processes' objects.
    pub(crate) fn references(&self) -> &Mutex<References> {
        &self.references
    }

    /// The process's object that `object` describes, made known if it is new. It is held.
    ///
    /// # Errors
    ///
    /// * `ESRCH` if the process has ended.
    /// * `ENOMEM`.
    pub(crate) fn hold_node(self: &Arc<Self>, object: &FlatObject) -> Result<Arc<Node>> {
        let mut inner = self.inner.lock();
        if let Some(node) = inner.node(object.binder) {
            node.hold(&mut inner);
            return Ok(node);
        }
        drop(inner);

        let new = Node::new(self.clone(), object)?;
        let entry = RBTreeNode::new(object.binder, new.clone(), GFP_KERNEL)?;
        let mut inner = self.inner.lock();
        if inner.dead {
            return Err(ESRCH);
        }
        // Another thread may have been faster.
        let (node, unused) = match inner.node(object.binder) {
            Some(node) => (node, Some(entry)),
            None => {
                trace::node_made(&new);
                (new, inner.nodes.insert(entry))
            }
        };
        node.hold(&mut inner);
        drop(inner);
        drop(unused);
        Ok(node)
    }

    /// The current thread, made known to the process if it is new.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    #[inline]
    pub(crate) fn current_thread(self: &Arc<Self>) -> Result<Arc<Thread>> {
        let id = kernel::current!().pid();
        if let Some(thread) = self.inner.lock().threads.get(&id) {
            return Ok(thread.clone());
        }
        self.add_thread(id)
    }

    /// Makes the current thread, which is not known yet, known.
    #[cold]
    fn add_thread(self: &Arc<Self>, id: i32) -> Result<Arc<Thread>> {
        // Only this thread adds itself, so it is still not there below.
        let thread = Thread::new(id, self.clone())?;
        let node = RBTreeNode::new(id, thread.clone(), GFP_KERNEL)?;
        self.inner.lock().threads.insert(node);
        Ok(thread)
    }

    /// Queues a transaction: for the thread that has sent `nested`, if it still waits for the reply,
    /// or else for any thread. Returns whether it has to wait because the process is frozen.
    ///
    /// # Errors
    ///
    /// The transaction, and the command that says why it cannot be sent: `BR_DEAD_REPLY` or
    /// `BR_FROZEN_REPLY`.
    pub(crate) fn send(
        &self,
        transaction: ListArc<Transaction>,
        nested: Option<&Arc<Transaction>>,
    ) -> Result<bool, (ListArc<Transaction>, u32)> {
        let mut inner = self.inner.lock();
        let oneway = transaction.is_oneway();
        let frozen = inner.freezer.is_frozen;
        if frozen {
            inner.freezer.refused_calls |= !oneway;
            inner.freezer.kept_oneways |= oneway;
        }
        if frozen && !oneway {
            return Err((transaction, BR_FROZEN_REPLY));
        }
        if inner.dead {
            return Err((transaction, BR_DEAD_REPLY));
        }
        inner.freezer.outstanding += 1;

        // The thread that a call should come back into may be gone; then any other will do.
        let waiting = nested
            .filter(|call| call.is_awaited())
            .and_then(|call| call.from.as_ref());
        if let Some(thread) = waiting.filter(|thread| !thread.state.access(&inner).dead) {
            thread.push(&mut inner, transaction);
            return Ok(false);
        }
        let node = transaction.node.as_ref().filter(|_| oneway).cloned();
        let started = match node {
            Some(node) => node.oneway_start(&mut inner, transaction),
            None => Started::Now(transaction),
        };
        match started {
            Started::Now(transaction) => inner.queue(transaction),
            Started::Later(None) => {}
            Started::Later(Some(outdated)) => {
                inner.freezer.outstanding -= 1;
                drop(inner);
                drop(outdated);
            }
        }
        Ok(frozen)
    }

    /// A transaction that [`send`](Self::send) has counted is not outstanding any more.
    pub(crate) fn settle_one(&self, inner: &mut ProcessInner) {
        inner.freezer.outstanding = inner.freezer.outstanding.saturating_sub(1);
        if inner.freezer.outstanding == 0 && inner.freezer.is_frozen {
            self.drained.notify_all();
        }
    }

    /// Removes the current thread from the process.
    #[inline(never)]
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
        self.device.registry.remove(self);
        self.device.context.forget_manager(self);
        let threads = {
            let mut inner = self.inner.lock();
            inner.dead = true;
            inner.freezer.end();
            self.drained.notify_all();
            core::mem::replace(&mut inner.threads, RBTree::new())
        };

        for thread in threads.values() {
            thread.release();
        }
        self.release_nodes();
        self.drop_references();
        // What was told and then cleared belongs to no reference any more.
        let told = {
            let mut inner = self.inner.lock();
            (
                core::mem::replace(&mut inner.told_deaths, RBTree::new()),
                core::mem::replace(&mut inner.told_freezes, RBTree::new()),
            )
        };
        drop(told);
        loop {
            let item = self.inner.lock().todo.pop();
            match item {
                Some(Item::Message(transaction)) => transaction.into_arc().cancel(),
                Some(_) => {}
                None => break,
            }
        }
        // The leases end before the range is closed, so the pages go with one or the other.
        let space = self.space.lock().drain();
        drop(space);
        self.pages.close();
        self.device.registry.forget_file(self.pid);
    }

    /// Ends the process's objects: who waits for them, or wants to, learns that they are dead.
    fn release_nodes(&self) {
        loop {
            let mut inner = self.inner.lock();
            let Some(node) = inner.nodes.values().next().cloned() else {
                return;
            };
            let entry = inner.nodes.remove_node(&node.name.ptr);
            trace::node_ended(&node);
            let state = node.state.access_mut(&mut inner);
            state.dead = true;
            let listeners = core::mem::replace(&mut state.listeners, RBTree::new());
            let waiting = node.take_waiting(&mut inner);
            drop(inner);

            drop((entry, listeners));
            cancel_all(waiting);
            Death::tell_all(&node);
        }
    }
}
