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
    process::Process,
    uapi::FlatObject, //
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

    /// Whether `node` is the context manager.
    pub(crate) fn is_manager(&self, node: &Arc<Node>) -> bool {
        let manager = self.manager.lock();

        manager
            .node
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, node))
    }

    /// The node of the context manager, if there is one.
    pub(crate) fn manager(&self) -> Option<Arc<Node>> {
        self.manager.lock().node.clone()
    }

    /// Makes `process` the context manager, with the object that `object` describes.
    ///
    /// # Errors
    ///
    /// * `EBUSY` if there is one.
    /// * `EPERM` if another user was it before, or a security module says so.
    /// * `ENOMEM`.
    pub(crate) fn set_manager(&self, process: &Arc<Process>, object: &FlatObject) -> Result {
        let euid = Kuid::current_euid();
        if self.manager.lock().node.is_some() {
            return Err(EBUSY);
        }
        security::binder_set_context_mgr(process.credential())?;

        let node = process.hold_node(object)?;
        let result = self.install(&node, euid);
        node.unhold();
        result
    }

    fn install(&self, node: &Arc<Node>, euid: Kuid) -> Result {
        let mut manager = self.manager.lock();

        if manager.node.is_some() {
            return Err(EBUSY);
        }
        if manager.uid.as_ref().is_some_and(|uid| *uid != euid) {
            return Err(EPERM);
        }
        manager.uid = Some(euid);
        node.make_manager(&mut node.owner.lock().lock());
        manager.node = Some(node.clone());
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
