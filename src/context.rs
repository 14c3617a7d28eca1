// SPDX-License-Identifier: GPL-2.0

//! The context of a device: its context manager, which every process knows as handle 0.

use kernel::{
    prelude::*,
    security,
    sync::{
        new_spinlock,
        Arc,
        SpinLock, //
    },
    task::Kuid, //
};

use crate::{
    node::Node,
    process::Process, //
};

/// Who manages a device.
#[pin_data]
pub(crate) struct Context {
    #[pin]
    manager: SpinLock<Manager>,
}

struct Manager {
    node: Option<Arc<Node>>,
    /// The user who was the manager first. Nobody else can be.
    uid: Option<Kuid>,
}

impl Context {
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            manager <- new_spinlock!(Manager { node: None, uid: None }, "Context::manager"),
        })
    }

    /// The node of the context manager, if there is one.
    pub(crate) fn manager(&self) -> Option<Arc<Node>> {
        self.manager.lock().node.clone()
    }

    /// Makes `process` the context manager.
    ///
    /// # Errors
    ///
    /// * `EBUSY` if there is one.
    /// * `EPERM` if another user was it before, or a security module says so.
    /// * `ENOMEM`.
    pub(crate) fn set_manager(&self, process: &Arc<Process>) -> Result {
        let euid = Kuid::current_euid();
        security::binder_set_context_mgr(process.credential())?;
        let node = Node::new(process.clone(), 0, 0)?;
        let mut manager = self.manager.lock();

        if manager.node.is_some() {
            return Err(EBUSY);
        }
        if manager.uid.as_ref().is_some_and(|uid| *uid != euid) {
            return Err(EPERM);
        }
        process.own(node.clone());
        manager.uid = Some(euid);
        manager.node = Some(node);
        Ok(())
    }

    /// Ends the reign of `process`, if it is the context manager.
    pub(crate) fn forget_manager(&self, process: &Process) {
        let node = {
            let mut manager = self.manager.lock();
            match &manager.node {
                Some(node) if core::ptr::eq(&*node.owner, process) => manager.node.take(),
                _ => None,
            }
        };

        // Outside of the lock, because it may be the last reference.
        drop(node);
    }
}
