// SPDX-License-Identifier: GPL-2.0

//! What is going on in a process: all that is under its spinlock. See [`process`](mod@crate::process)
//! for the order of the locks.

use kernel::{
    list::{
        List,
        ListArc, //
    },
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::Arc, //
};

use crate::{
    death::{
        Death,
        Watchers, //
    },
    freeze::{
        Freezer,
        Listener,
        Listeners, //
    },
    node::Node,
    queue::{
        Queue,
        OF_PROCESS, //
    },
    thread::Thread,
    trace,
    transaction::Transaction, //
};

/// What is going on in a process.
pub(crate) struct ProcessInner {
    /// The file was released. Nothing is queued any more.
    pub(crate) dead: bool,
    /// What is for any thread.
    pub(crate) todo: Queue<OF_PROCESS>,
    pub(crate) threads: RBTree<i32, Arc<Thread>>,
    /// Threads that wait for what is for any thread; the last is the first to get something.
    waiting: List<Thread>,
    /// Whether a thread has ever used `poll`.
    polled: bool,
    /// The process's objects, by what it knows them as.
    pub(crate) nodes: RBTree<u64, Arc<Node>>,
    /// Notifications that it was told and has not acknowledged.
    pub(crate) told_deaths: Watchers,
    pub(crate) told_freezes: Listeners,
    pub(crate) freezer: Freezer,
    /// Whether it wants to know if it sends too many one-way transactions.
    pub(crate) detects_spam: bool,
    /// How many threads the driver may ask for, has asked for, and has got.
    pub(crate) max_threads: u32,
    pub(crate) requested_threads: u32,
    pub(crate) started_threads: u32,
}

impl ProcessInner {
    pub(crate) fn new() -> Self {
        Self {
            dead: false,
            todo: Queue::new(),
            threads: RBTree::new(),
            waiting: List::new(),
            polled: false,
            nodes: RBTree::new(),
            told_deaths: RBTree::new(),
            told_freezes: RBTree::new(),
            freezer: Freezer::new(),
            detects_spam: false,
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
                self.todo.push_message(transaction);
                self.notify_polling();
            }
        }
    }

    /// Lets the process be told of one of its nodes.
    pub(crate) fn queue_node(&mut self, node: &Arc<Node>) {
        self.todo.push_node(node);
        self.wake_for_todo();
    }

    /// Lets the process be told of a death.
    pub(crate) fn queue_death(&mut self, death: &Arc<Death>) {
        self.todo.push_death(death);
        self.wake_for_todo();
    }

    /// Lets the process be told whether another is frozen.
    pub(crate) fn queue_freeze(&mut self, listener: &Arc<Listener>) {
        self.todo.push_freeze(listener);
        self.wake_for_todo();
    }

    /// The object that the process knows as `ptr`.
    pub(crate) fn node(&self, ptr: u64) -> Option<Arc<Node>> {
        self.nodes.get(&ptr).cloned()
    }

    /// The object with the lowest `ptr` that is not below this one.
    pub(crate) fn node_at_least(&self, ptr: u64) -> Option<Arc<Node>> {
        self.nodes
            .cursor_lower_bound(&ptr)
            .map(|found| found.current().1.clone())
    }

    /// Forgets an object. What is returned is to be dropped without a lock held.
    pub(crate) fn forget_node(&mut self, node: &Arc<Node>) -> Option<RBTreeNode<u64, Arc<Node>>> {
        let ptr = node.name.ptr;
        if !self
            .node(ptr)
            .is_some_and(|known| Arc::ptr_eq(&known, node))
        {
            return None;
        }
        trace::node_ended(node);
        self.nodes.remove_node(&ptr)
    }

    /// Whether a transaction was sent to the process, or a thread of it is in a call.
    pub(crate) fn has_transactions(&self) -> bool {
        if self.freezer.outstanding > 0 {
            return true;
        }
        self.threads
            .values()
            .any(|thread| thread.state.access(self).topmost.is_some())
    }

    /// Wakes a thread, if there is something for any of them.
    #[inline]
    pub(crate) fn wake_for_todo(&mut self) {
        if !self.todo.is_empty() {
            self.wake_one();
        }
    }

    fn wake_one(&mut self) {
        match self.take_waiting() {
            Some(thread) => thread.notify(),
            None => self.notify_polling(),
        }
    }

    /// Whether any thread waits for what is for any thread.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Adds a thread to those that wait for what is for any thread.
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
