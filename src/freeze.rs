// SPDX-License-Identifier: GPL-2.0

//! Freezing: a process that is frozen gets no calls, and keeps one-way transactions for later. Who
//! holds a reference to one of its objects can learn of it.
//!
//! A listener is kept by the process that listens, with its reference, and by the node, whose owner
//! it is about ([`Listeners`]). Its state is under the lock of the listening process; that and the
//! owner's lock are never held together.

use kernel::{
    list::{
        impl_list_arc_safe,
        impl_list_item,
        AtomicTracker,
        ListLinks,
        TryNewListArc, //
    },
    prelude::*,
    sync::{
        Arc,
        CondVarTimeoutResult,
        LockedBy, //
    },
    time::msecs_to_jiffies, //
};

use crate::{
    counts::{
        Counted,
        LISTENER, //
    },
    inner::ProcessInner,
    node::Node,
    notice::{
        self,
        Key,
        Notices,
        Place, //
    },
    process::Process,
    queue::Turn,
    told::Told,
    uapi::{
        FreezeInfo,
        FrozenStateInfo,
        BR_CLEAR_FREEZE_NOTIFICATION_DONE,
        BR_FROZEN_BINDER, //
    },
};

/// Whether a process is frozen, and what has happened to it since.
pub(crate) struct Freezer {
    pub(crate) is_frozen: bool,
    /// Calls were refused, or one-way transactions kept, since it was frozen.
    pub(crate) refused_calls: bool,
    pub(crate) kept_oneways: bool,
    /// Transactions that were sent to the process and not yet replied to, or if they are one-way or
    /// replies, not yet read.
    pub(crate) outstanding: u32,
    /// How often it was frozen and thawed.
    changes: u64,
}

/// Whether a process is frozen, and how often that had changed when it was so.
#[derive(Clone, Copy)]
struct Condition {
    is_frozen: bool,
    changes: u64,
}

impl Freezer {
    pub(crate) const fn new() -> Self {
        Self {
            is_frozen: false,
            refused_calls: false,
            kept_oneways: false,
            outstanding: 0,
            changes: 0,
        }
    }

    fn set(&mut self, is_frozen: bool) {
        self.change(is_frozen);
        self.refused_calls = false;
        self.kept_oneways = false;
    }

    fn change(&mut self, is_frozen: bool) {
        self.is_frozen = is_frozen;
        self.changes += 1;
    }

    fn condition(&self) -> Condition {
        Condition {
            is_frozen: self.is_frozen,
            changes: self.changes,
        }
    }

    /// The process ends: nobody waits for it.
    pub(crate) fn end(&mut self) {
        self.is_frozen = false;
        self.outstanding = 0;
    }
}

impl Process {
    /// Freezes or thaws the process, as `info` says.
    ///
    /// # Errors
    ///
    /// * `EAGAIN` if transactions are under way, still after the time that `info` gives them. Then
    ///   the process is not frozen.
    /// * `ERESTARTSYS` after a signal. Then it is not frozen either.
    pub(crate) fn freeze(self: &Arc<Self>, info: &FreezeInfo) -> Result {
        let mut inner = self.lock().lock();
        inner.freezer.set(info.enable != 0);
        if info.enable == 0 {
            drop(inner);
            self.tell_listeners();
            return Ok(());
        }

        let mut left = msecs_to_jiffies(info.timeout_ms);
        let mut result = Ok(());
        while inner.freezer.outstanding > 0 && left > 0 {
            match self.drained.wait_interruptible_timeout(&mut inner, left) {
                CondVarTimeoutResult::Woken { jiffies } => left = jiffies,
                CondVarTimeoutResult::Timeout => left = 0,
                CondVarTimeoutResult::Signal { .. } => {
                    result = Err(ERESTARTSYS);
                    break;
                }
            }
        }
        if result.is_ok() && inner.has_transactions() {
            result = Err(EAGAIN);
        }
        if result.is_err() {
            inner.freezer.change(false);
        }
        drop(inner);
        // Those who began to listen meanwhile have been told, too.
        self.tell_listeners();
        result
    }

    fn tell_listeners(&self) {
        let mut from = 0;

        loop {
            let inner = self.lock().lock();
            let Some(node) = inner.node_at_least(from) else {
                return;
            };
            let condition = inner.freezer.condition();
            drop(inner);
            Listener::tell_all(&node, condition);
            match node.name.ptr.checked_add(1) {
                Some(next) => from = next,
                None => return,
            }
        }
    }
}

/// A wish to learn whether an object's owner is frozen.
#[pin_data]
pub(crate) struct Listener {
    id: u64,
    pub(crate) cookie: u64,
    process: Arc<Process>,
    node: Arc<Node>,
    state: LockedBy<State, ProcessInner>,
    _counted: Counted<LISTENER>,
    pub(crate) turn: Turn,
    #[pin]
    links: ListLinks,
    #[pin]
    tracker: AtomicTracker,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Listener { tracked_by tracker: AtomicTracker; }
}

impl_list_item! {
    impl ListItem<0> for Listener { using ListLinks { self.links }; }
}

struct State {
    /// Whether the owner is frozen, if that is known yet.
    is_frozen: Option<bool>,
    /// Since which of its changes.
    changes: u64,
    /// What was told last.
    last_told: Option<bool>,
    /// That is not acknowledged yet; until it is nothing more is told.
    told: bool,
    /// The process does not want to know any more.
    cleared: bool,
    /// It has been told that, or has lost its reference.
    over: bool,
    /// For the tree of those that were told.
    place: Option<Place<Listener>>,
}

impl State {
    /// Whether there is something to be told now.
    fn has_news(&self) -> bool {
        !self.over && !self.told && (self.cleared || self.is_frozen != self.last_told)
    }
}

/// The listeners of an object, or those that a process was told of, by cookie.
pub(crate) type Listeners = Notices<Listener>;

impl Listener {
    /// Lets `process` learn whether the owner of `node` is frozen, for the first time at once.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn request(
        process: &Arc<Process>,
        node: &Arc<Node>,
        cookie: u64,
    ) -> Result<Arc<Self>> {
        let state = LockedBy::new(
            process.lock(),
            State {
                is_frozen: None,
                changes: 0,
                last_told: None,
                told: false,
                cleared: false,
                over: false,
                place: Some(Place::new(GFP_KERNEL)?),
            },
        );
        let listener = Arc::pin_init(
            pin_init!(Self {
                id: process.device.next_id(),
                cookie,
                process: process.clone(),
                node: node.clone(),
                state,
                _counted: Counted::new(),
                turn: Turn::new(),
                links <- ListLinks::new(),
                tracker <- AtomicTracker::new(),
            }),
            GFP_KERNEL,
        )?;
        let entry = Place::new(GFP_KERNEL)?.into_node(listener.key(), listener.clone());

        let mut owner = node.owner.lock().lock();
        let condition = owner.freezer.condition();
        let state = node.state.access_mut(&mut owner);
        if state.dead {
            // There is nothing to learn.
            drop(owner);
            drop(entry);
            return Ok(listener);
        }
        state.listeners.insert(entry);
        drop(owner);
        listener.owner_changed(condition);
        Ok(listener)
    }

    fn key(&self) -> Key {
        (self.cookie, self.id)
    }

    /// Tells the process about the owner, if that is news.
    fn owner_changed(self: &Arc<Self>, condition: Condition) {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        // It may have been overtaken.
        if condition.changes >= state.changes {
            state.is_frozen = Some(condition.is_frozen);
            state.changes = condition.changes;
        }
        if state.has_news() {
            inner.queue_freeze(self);
        }
    }

    /// Tells everybody who listens at a node about its owner.
    fn tell_all(node: &Node, condition: Condition) {
        let mut from = (0, 0);

        loop {
            let owner = node.owner.lock().lock();
            let listeners = &node.state.access(&owner).listeners;
            let Some((key, listener)) = listeners.cursor_lower_bound(&from).map(|found| {
                let (key, listener) = found.current();
                (*key, listener.clone())
            }) else {
                return;
            };
            drop(owner);
            listener.owner_changed(condition);
            from = (key.0, key.1.saturating_add(1));
        }
    }

    fn stop_listening(&self) {
        let mut owner = self.node.owner.lock().lock();
        let state = self.node.state.access_mut(&mut owner);
        let entry = state.listeners.remove_node(&self.key());

        drop(owner);
        drop(entry);
    }

    /// The process does not want to know any more, which it will be told.
    pub(crate) fn clear(self: &Arc<Self>) {
        self.stop_listening();
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        state.cleared = true;
        if state.has_news() {
            inner.queue_freeze(self);
        }
    }

    /// The process has lost its reference, and with it the right to be told.
    pub(crate) fn cancel(&self) {
        self.stop_listening();
        let mut inner = self.process.lock().lock();

        self.state.access_mut(&mut inner).over = true;
        // What is in a queue meanwhile stays there, and will be passed over.
        let told = inner.told_freezes.remove_node(&self.key());
        drop(inner);
        drop(told);
    }

    /// The process has acknowledged what it was told.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it was told nothing with this cookie.
    pub(crate) fn acknowledge(process: &Process, cookie: u64) -> Result {
        let mut inner = process.lock().lock();
        let listener = notice::with_cookie(&inner.told_freezes, cookie).ok_or(EINVAL)?;
        let entry = inner
            .told_freezes
            .remove_node(&listener.key())
            .ok_or(EINVAL)?;
        let state = listener.state.access_mut(&mut inner);

        state.told = false;
        state.place = Some(entry.into_reservation());
        if state.has_news() {
            inner.queue_freeze(&listener);
        }
        drop(inner);
        Ok(())
    }

    /// What the process, which reads, is to be told, if anything.
    pub(crate) fn take_news(self: &Arc<Self>, inner: &mut ProcessInner) -> Option<News> {
        let state = self.state.access_mut(inner);
        if !state.has_news() {
            return None;
        }
        if state.cleared {
            state.over = true;
            return Some(News::Cleared(self.cookie));
        }

        state.told = true;
        state.last_told = state.is_frozen;
        let info = FrozenStateInfo {
            cookie: self.cookie,
            is_frozen: u32::from(state.is_frozen == Some(true)),
            reserved: 0,
        };
        if let Some(place) = state.place.take() {
            let entry = place.into_node(self.key(), self.clone());
            inner.told_freezes.insert(entry);
        }
        Some(News::Changed(info))
    }
}

/// What a process is told by a listener.
pub(crate) enum News {
    Changed(FrozenStateInfo),
    Cleared(u64),
}

impl News {
    /// Tells it. Returns whether it is of a kind that makes clients send, which they should do at
    /// once.
    pub(crate) fn tell(&self, told: &mut Told) -> bool {
        match self {
            Self::Changed(info) => {
                told.command(BR_FROZEN_BINDER, info.as_bytes());
                true
            }
            Self::Cleared(cookie) => {
                told.command(BR_CLEAR_FREEZE_NOTIFICATION_DONE, &cookie.to_ne_bytes());
                false
            }
        }
    }
}
