// SPDX-License-Identifier: GPL-2.0

//! Death notifications: how a process learns that the owner of an object is gone.
//!
//! A notification is kept by the watching process with its reference, and by the node, which finds it
//! when the owner ends ([`Watchers`]). It goes through [`Stage`]s under the lock of the watching
//! process. The owner's lock and the watcher's are never held together: who loses a race for the last
//! stage finds that out by looking at it.

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
        LockedBy, //
    },
};

use crate::{
    counts::{
        Counted,
        DEATH, //
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
    thread::Thread,
    uapi::{
        BR_CLEAR_DEATH_NOTIFICATION_DONE,
        BR_DEAD_BINDER, //
    },
};

/// A wish to learn of the death of an object's owner.
#[pin_data]
pub(crate) struct Death {
    id: u64,
    pub(crate) cookie: u64,
    /// Who wants to learn of it.
    process: Arc<Process>,
    node: Arc<Node>,
    state: LockedBy<State, ProcessInner>,
    _counted: Counted<DEATH>,
    pub(crate) turn: Turn,
    #[pin]
    links: ListLinks,
    #[pin]
    tracker: AtomicTracker,
}

impl_list_arc_safe! {
    impl ListArcSafe<0> for Death { tracked_by tracker: AtomicTracker; }
}

impl_list_item! {
    impl ListItem<0> for Death { using ListLinks { self.links }; }
}

struct State {
    stage: Stage,
    /// For the tree of the told, from when it is in that of the watchers no more.
    place: Option<Place<Death>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The owner lives.
    Waiting,
    /// The owner has died, which is to be told, or was told and not acknowledged yet.
    Dead,
    /// The same, but the process does not want to know any more, which it will be told afterwards.
    DeadAndCleared,
    /// That the owner has died was acknowledged.
    Acknowledged,
    /// That it does not want to know is to be told.
    Cleared,
    /// Nothing is to be told.
    Over,
}

/// The notifications of an object, or those that a process was told of, by cookie.
pub(crate) type Watchers = Notices<Death>;

impl Death {
    /// Lets `process` learn of the death of `node`, at once if that is dead.
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
                stage: Stage::Waiting,
                place: None,
            },
        );
        let death = Arc::pin_init(
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
        let place = Place::new(GFP_KERNEL)?;

        let mut owner = node.owner.lock().lock();
        let state = node.state.access_mut(&mut owner);
        if !state.dead {
            let entry = place.into_node(death.key(), death.clone());
            state.watchers.insert(entry);
            return Ok(death);
        }
        drop(owner);
        death.owner_died(place);
        Ok(death)
    }

    fn key(&self) -> Key {
        (self.cookie, self.id)
    }

    /// Tells the process that the owner has died. `place` is from the tree of the watchers.
    fn owner_died(self: &Arc<Self>, place: Place<Self>) {
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        state.place = Some(place);
        if state.stage == Stage::Waiting {
            state.stage = Stage::Dead;
            inner.queue_death(self);
        }
    }

    /// Tells everybody who watches a node that it has died. The node is marked dead already.
    pub(crate) fn tell_all(node: &Node) {
        loop {
            let mut owner = node.owner.lock().lock();
            let watchers = &mut node.state.access_mut(&mut owner).watchers;
            let first = watchers.values().next().cloned();
            let Some(death) = first else { return };
            let entry = watchers.remove_node(&death.key());
            drop(owner);

            if let Some(entry) = entry {
                death.owner_died(entry.into_reservation());
            }
        }
    }

    /// Stops the watching. Returns the place among the watchers, if it still had one.
    fn stop_watching(&self) -> Option<Place<Self>> {
        let mut owner = self.node.owner.lock().lock();
        let state = self.node.state.access_mut(&mut owner);
        let entry = state.watchers.remove_node(&self.key());

        drop(owner);
        entry.map(|entry| entry.into_reservation())
    }

    /// The process does not want to know any more. `thread`, the current one, is told that, or if it
    /// serves nobody then any other.
    pub(crate) fn clear(self: &Arc<Self>, thread: &Arc<Thread>) {
        let place = self.stop_watching();
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        if place.is_some() {
            state.place = place;
        }
        match state.stage {
            Stage::Waiting | Stage::Acknowledged => {
                state.stage = Stage::Cleared;
                self.queue_for(&mut inner, thread);
            }
            Stage::Dead => state.stage = Stage::DeadAndCleared,
            _ => {}
        }
    }

    /// The process has lost its reference, and with it the right to be told.
    pub(crate) fn cancel(&self) {
        let place = self.stop_watching();
        let mut inner = self.process.lock().lock();

        self.state.access_mut(&mut inner).stage = Stage::Over;
        // What is in a queue meanwhile stays there, and will be passed over.
        let told = inner.told_deaths.remove_node(&self.key());
        drop(inner);
        drop((place, told));
    }

    /// The process has acknowledged that it was told of a death.
    pub(crate) fn acknowledge(process: &Process, thread: &Arc<Thread>, cookie: u64) {
        let mut inner = process.lock().lock();
        let Some(death) = notice::with_cookie(&inner.told_deaths, cookie) else {
            return;
        };
        let entry = inner.told_deaths.remove_node(&death.key());
        let state = death.state.access_mut(&mut inner);

        if state.stage == Stage::DeadAndCleared {
            state.stage = Stage::Cleared;
            death.queue_for(&mut inner, thread);
        } else {
            state.stage = Stage::Acknowledged;
        }
        drop(inner);
        drop(entry);
    }

    fn queue_for(self: &Arc<Self>, inner: &mut ProcessInner, thread: &Arc<Thread>) {
        if thread.state.access_mut(inner).looper.serves() {
            let state = thread.state.access_mut(inner);
            state.todo.push_death(self);
            state.ready = true;
        } else {
            inner.queue_death(self);
        }
    }

    /// What the process, which reads, is to be told, if anything.
    pub(crate) fn take_command(self: &Arc<Self>, inner: &mut ProcessInner) -> Option<u32> {
        let state = self.state.access_mut(inner);

        match state.stage {
            Stage::Dead | Stage::DeadAndCleared => {
                if let Some(place) = state.place.take() {
                    let entry = place.into_node(self.key(), self.clone());
                    inner.told_deaths.insert(entry);
                }
                Some(BR_DEAD_BINDER)
            }
            Stage::Cleared => {
                state.stage = Stage::Over;
                Some(BR_CLEAR_DEATH_NOTIFICATION_DONE)
            }
            Stage::Waiting | Stage::Acknowledged | Stage::Over => None,
        }
    }
}
