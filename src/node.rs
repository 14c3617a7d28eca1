// SPDX-License-Identifier: GPL-2.0

//! Nodes: the objects of a process that others can hold references to and send transactions to.
//!
//! A node is known to its owner by `ptr` and `cookie`. The driver asks the owner to keep the object
//! while somebody needs it: `BR_INCREFS` and `BR_ACQUIRE` say that there are weak, or strong,
//! references from now on, `BR_DECREFS` and `BR_RELEASE` that there are none any more. What the owner
//! was told, and what is the case, are both in [`NodeState`]; whenever they differ the node is queued,
//! and what to tell is decided when the owner reads.
//!
//! How one-way transactions to a node wait for each other is in `oneway.rs`.

use kernel::{
    list::{
        impl_list_arc_safe,
        impl_list_item,
        AtomicTracker,
        ListLinks,
        TryNewListArc, //
    },
    prelude::*,
    rbtree::RBTreeNode,
    sync::{
        Arc,
        LockedBy, //
    },
};

use crate::{
    counts::{
        Counted,
        NODE, //
    },
    death::Watchers,
    freeze::Listeners,
    inner::ProcessInner,
    oneway::Oneway,
    process::Process,
    queue::{
        Turn,
        OF_THREAD, //
    },
    thread::Thread,
    trace,
    uapi::{
        FlatObject,
        PtrCookie,
        BR_ACQUIRE,
        BR_DECREFS,
        BR_INCREFS,
        BR_RELEASE,
        OBJECT_ACCEPTS_FDS,
        OBJECT_PRIORITY,
        OBJECT_SECURITY_CONTEXT, //
    },
};

/// An object of a process.
#[pin_data]
pub(crate) struct Node {
    /// A number that no other node has.
    pub(crate) id: u64,
    pub(crate) owner: Arc<Process>,
    /// What user space knows the object as.
    pub(crate) name: PtrCookie,
    /// The nice value that the object's calls are handled with at most; none, if it is more than 19.
    pub(crate) nice: i32,
    pub(crate) accepts_fds: bool,
    /// The owner wants to know the security context of who sends to the object.
    pub(crate) wants_context: bool,
    pub(crate) state: LockedBy<NodeState, ProcessInner>,
    _counted: Counted<NODE>,
    /// The places among the nodes that the process, or a thread, is to be told of.
    process_turn: Turn,
    thread_turn: Turn,
    #[pin]
    process_links: ListLinks<0>,
    #[pin]
    thread_links: ListLinks<1>,
    #[pin]
    process_tracker: AtomicTracker<0>,
    #[pin]
    thread_tracker: AtomicTracker<1>,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Node { tracked_by process_tracker: AtomicTracker<0>; }
    impl ListArcSafe<1> for Node { tracked_by thread_tracker: AtomicTracker<1>; }
}

impl_list_item! {
    impl ListItem<0> for Node { using ListLinks { self.process_links }; }
    impl ListItem<1> for Node { using ListLinks { self.thread_links }; }
}

/// Who refers to a node, and what the owner knows of it.
pub(crate) struct NodeState {
    /// Strong references of the driver's own: transactions to the node, buffers of the owner that
    /// contain the object, and requests that the owner has not answered.
    pub(crate) local_strong: u32,
    /// The same for weak ones.
    pub(crate) local_weak: u32,
    /// The processes with a strong reference.
    pub(crate) remote_strong: u32,
    /// The processes with any reference.
    pub(crate) refs: u32,
    /// Those who are about to make a reference.
    pub(crate) holds: u32,
    /// What the owner was told.
    pub(crate) has_strong: bool,
    pub(crate) has_weak: bool,
    /// The owner has not said that it has done what it was told.
    pending_strong: bool,
    pending_weak: bool,
    /// The owner is gone.
    pub(crate) dead: bool,
    /// It is the context manager, which keeps itself.
    pub(crate) is_manager: bool,
    pub(crate) oneway: Oneway,
    /// Who is to learn of its death.
    pub(crate) watchers: Watchers,
    /// Who is to learn when its owner is frozen.
    pub(crate) listeners: Listeners,
}

impl NodeState {
    fn is_strong(&self) -> bool {
        self.local_strong > 0 || self.remote_strong > 0
    }

    fn is_weak(&self) -> bool {
        self.is_strong() || self.local_weak > 0 || self.refs > 0 || self.holds > 0
    }

    fn count(&mut self, strong: bool) -> &mut u32 {
        if strong {
            &mut self.local_strong
        } else {
            &mut self.local_weak
        }
    }
}

/// What an owner is to be told of a node: up to two commands.
pub(crate) struct Changes {
    pub(crate) commands: [Option<u32>; 2],
    /// The node, if nobody needs it any more. To be dropped without a lock held.
    pub(crate) _removed: Option<RBTreeNode<u64, Arc<Node>>>,
}

impl Node {
    /// Creates the object of `owner` that `object` describes. It is not known to the owner yet.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(owner: Arc<Process>, object: &FlatObject) -> Result<Arc<Self>> {
        let state = LockedBy::new(
            owner.lock(),
            NodeState {
                local_strong: 0,
                local_weak: 0,
                remote_strong: 0,
                refs: 0,
                holds: 0,
                has_strong: false,
                has_weak: false,
                pending_strong: false,
                pending_weak: false,
                dead: false,
                is_manager: false,
                oneway: Oneway::new(),
                watchers: Watchers::new(),
                listeners: Listeners::new(),
            },
        );

        Arc::pin_init(
            pin_init!(Self {
                id: owner.device.next_id(),
                owner,
                name: PtrCookie {
                    ptr: object.binder,
                    cookie: object.cookie,
                },
                nice: (object.flags & OBJECT_PRIORITY) as i32,
                accepts_fds: object.flags & OBJECT_ACCEPTS_FDS != 0,
                wants_context: object.flags & OBJECT_SECURITY_CONTEXT != 0,
                state,
                _counted: Counted::new(),
                process_turn: Turn::new(),
                thread_turn: Turn::new(),
                process_links <- ListLinks::new(),
                thread_links <- ListLinks::new(),
                process_tracker <- AtomicTracker::new(),
                thread_tracker <- AtomicTracker::new(),
            }),
            GFP_KERNEL,
        )
    }

    pub(crate) fn turn<const NODES: u64>(&self) -> &Turn {
        if NODES == OF_THREAD {
            &self.thread_turn
        } else {
            &self.process_turn
        }
    }

    /// Makes the object one that its owner keeps by itself, for being the context manager.
    pub(crate) fn make_manager(&self, inner: &mut ProcessInner) {
        let state = self.state.access_mut(inner);

        state.local_strong += 1;
        state.local_weak += 1;
        state.has_strong = true;
        state.has_weak = true;
        state.is_manager = true;
        trace::node_refs(self.id, state);
    }

    /// Adds a reference of the driver's own.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the owner is gone, or there are too many.
    pub(crate) fn add_local(&self, inner: &mut ProcessInner, strong: bool) -> Result {
        let state = self.state.access_mut(inner);
        if state.dead {
            return Err(EINVAL);
        }
        let count = state.count(strong);

        *count = count.checked_add(1).ok_or(EINVAL)?;
        trace::node_refs(self.id, state);
        Ok(())
    }

    /// Ends a reference of the driver's own.
    pub(crate) fn remove_local(self: &Arc<Self>, strong: bool) {
        let mut inner = self.owner.lock().lock();
        let removed = self.end_local(&mut inner, strong);

        drop(inner);
        drop(removed);
    }

    /// Ends the strong reference that a buffer had. If the other one-way transactions waited for that, it
    /// is the turn of the next.
    pub(crate) fn end_buffer(self: &Arc<Self>, holds_oneway: bool) {
        let mut inner = self.owner.lock().lock();
        if holds_oneway {
            self.next_oneway(&mut inner);
        }
        let removed = self.end_local(&mut inner, true);

        drop(inner);
        drop(removed);
    }

    /// Ends a reference of the driver's own. What is returned is to be dropped without a lock held.
    #[inline]
    fn end_local(
        self: &Arc<Self>,
        inner: &mut ProcessInner,
        strong: bool,
    ) -> Option<RBTreeNode<u64, Arc<Node>>> {
        let state = self.state.access_mut(inner);
        // The dead need no references, and have lost count of them.
        if state.dead {
            return None;
        }
        let count = state.count(strong);

        *count = count.saturating_sub(1);
        self.settle(inner)
    }

    /// Keeps the node for [`unhold`](Self::unhold).
    pub(crate) fn hold(&self, inner: &mut ProcessInner) {
        let state = self.state.access_mut(inner);

        state.holds = state.holds.saturating_add(1);
    }

    /// Ends a [`hold`](Self::hold).
    pub(crate) fn unhold(self: &Arc<Self>) {
        let mut inner = self.owner.lock().lock();
        let state = self.state.access_mut(&mut inner);

        state.holds = state.holds.saturating_sub(1);
        let removed = self.settle(&mut inner);
        drop(inner);
        drop(removed);
    }

    /// Adds a process to those with a reference, of the kind that it has none of yet; `first` says
    /// that it has none of the other kind either. `sender` is the owner's thread that gives the
    /// object away, which will be told before anything else.
    ///
    /// # Errors
    ///
    /// `EINVAL` if a strong reference would come from nowhere: nobody has one, and the owner is not
    /// giving one.
    pub(crate) fn add_remote(
        self: &Arc<Self>,
        strong: bool,
        first: bool,
        sender: Option<&Thread>,
    ) -> Result {
        let mut inner = self.owner.lock().lock();
        let state = self.state.access_mut(&mut inner);

        if strong {
            let kept = state.remote_strong > 0 || (state.is_manager && state.has_strong);
            if sender.is_none() && !kept {
                return Err(EINVAL);
            }
            state.remote_strong = state.remote_strong.checked_add(1).ok_or(EINVAL)?;
        }
        state.refs += u32::from(first);
        trace::node_refs(self.id, state);
        if state.dead {
            return Ok(());
        }
        let news = (state.is_strong() && !state.has_strong) || !state.has_weak;
        if let Some(sender) = sender.filter(|_| news) {
            // With it the thread gets something else that makes it read.
            sender.state.access_mut(&mut inner).todo.push_node(self);
        }
        Ok(())
    }

    /// Removes a process from those with a strong reference, and, if this was its `last`, from those
    /// with any.
    pub(crate) fn remove_remote(self: &Arc<Self>, strong: bool, last: bool) {
        let mut inner = self.owner.lock().lock();
        let state = self.state.access_mut(&mut inner);

        if strong {
            state.remote_strong = state.remote_strong.saturating_sub(1);
        }
        if last {
            state.refs = state.refs.saturating_sub(1);
        }
        let removed = self.settle(&mut inner);
        drop(inner);
        drop(removed);
    }

    /// The owner says that it has done what `BR_ACQUIRE`, if `strong`, or else `BR_INCREFS` asked for.
    /// Nothing happens if it was not asked.
    pub(crate) fn done(self: &Arc<Self>, strong: bool) {
        let mut inner = self.owner.lock().lock();
        let state = self.state.access_mut(&mut inner);
        let pending = if strong {
            &mut state.pending_strong
        } else {
            &mut state.pending_weak
        };

        if !core::mem::take(pending) {
            return;
        }
        let count = state.count(strong);
        *count = count.saturating_sub(1);
        let removed = self.settle(&mut inner);
        drop(inner);
        drop(removed);
    }

    /// After a reference has ended: lets the owner know if it was the last, or forgets the node if
    /// the owner never knew. What is returned is to be dropped without a lock held.
    #[inline]
    fn settle(self: &Arc<Self>, inner: &mut ProcessInner) -> Option<RBTreeNode<u64, Arc<Node>>> {
        let state = self.state.access_mut(inner);
        trace::node_refs(self.id, state);
        if state.dead {
            return None;
        }
        let (strong, weak) = (state.is_strong(), state.is_weak());

        if (state.has_strong && !strong) || (state.has_weak && !weak) {
            inner.queue_node(self);
        } else if !state.has_weak && !weak {
            return inner.forget_node(self);
        }
        None
    }

    /// What the owner, who reads, is to be told, which it knows from now on.
    pub(crate) fn take_changes(self: &Arc<Self>, inner: &mut ProcessInner) -> Changes {
        let state = self.state.access_mut(inner);
        let (strong, weak) = (state.is_strong(), state.is_weak());
        let mut commands = [None; 2];

        if weak && !state.has_weak {
            state.has_weak = true;
            state.pending_weak = true;
            state.local_weak += 1;
            commands[0] = Some(BR_INCREFS);
        }
        if strong && !state.has_strong {
            state.has_strong = true;
            state.pending_strong = true;
            state.local_strong += 1;
            commands[1] = Some(BR_ACQUIRE);
        }
        if !strong && state.has_strong {
            state.has_strong = false;
            commands[0] = Some(BR_RELEASE);
        }
        if !weak && state.has_weak {
            state.has_weak = false;
            commands[1] = Some(BR_DECREFS);
        }
        trace::node_refs(self.id, state);
        let dead = state.dead;
        let removed = if weak || dead {
            None
        } else {
            inner.forget_node(self)
        };
        Changes {
            commands,
            _removed: removed,
        }
    }
}
