// SPDX-License-Identifier: GPL-2.0

//! References: what a process may do with objects of other processes.
//!
//! A process knows such an object by a handle, and has strong and weak references to it, as many as
//! it was given and has asked for. To the object's node only the first and the last of each kind
//! matter.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use crate::{
    counts::{
        Counted,
        REFERENCE, //
    },
    death::Death,
    freeze::Listener,
    handles::Handles,
    node::Node,
    process::Process,
    thread::Thread,
    trace,
    tree::RedBlack, //
};

/// The references of a process.
pub(crate) struct References {
    handles: Handles<Reference, RedBlack>,
    /// The process has ended, and gets no more.
    closed: bool,
}

/// What a process has of an object.
pub(crate) struct Reference {
    pub(crate) node: Arc<Node>,
    pub(crate) strong: u32,
    pub(crate) weak: u32,
    pub(crate) death: Option<Arc<Death>>,
    pub(crate) listener: Option<Arc<Listener>>,
    _counted: Counted<REFERENCE>,
}

impl References {
    pub(crate) fn new() -> Self {
        Self {
            handles: Handles::new(),
            closed: false,
        }
    }

    /// The reference with the lowest handle that is not below this one.
    pub(crate) fn at_least(&self, handle: u32) -> Option<(u32, &Reference)> {
        let found = self.handles.at_least(handle)?;

        Some((found, self.handles.get(found)?))
    }

    /// The reference, which must be a strong one if `strong` is set.
    fn get(&mut self, handle: u32, strong: bool) -> Result<&mut Reference> {
        self.handles
            .get_mut(handle)
            .filter(|reference| !strong || reference.strong > 0)
            .ok_or(EINVAL)
    }
}

impl Reference {
    fn count(&mut self, strong: bool) -> &mut u32 {
        if strong {
            &mut self.strong
        } else {
            &mut self.weak
        }
    }

    /// Ends what depends on the reference, which was the last one.
    fn end(self) {
        if let Some(death) = self.death {
            death.cancel();
        }
        if let Some(listener) = self.listener {
            listener.cancel();
        }
        self.node.remove_remote(self.strong > 0, true);
    }
}

impl Process {
    /// The node that `handle` stands for, with a reference of the driver's own to it, and whether its
    /// owner lives. The process's reference may end at any time, so that has to be done at once. The
    /// dead need no reference, but [`Node::remove_local`] may be called for them as well.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is none, or only a weak reference although `strong` is set.
    pub(crate) fn take_node(&self, handle: u32, strong: bool) -> Result<(Arc<Node>, bool)> {
        let mut references = self.references().lock();
        let node = references.get(handle, strong)?.node.clone();
        let lives = node.add_local(&mut node.owner.lock().lock(), strong);

        Ok((node, lives.is_ok()))
    }

    /// Adds a reference to `node`, with a new handle if the process has none. Returns the handle.
    /// `sender` is the thread of the node's owner that gives the object away, if that is what
    /// happens.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if a strong reference cannot be made, see [`Node::add_remote`].
    /// * `ESRCH` if the process has ended.
    /// * `ENOMEM`, `ENOSPC`.
    pub(crate) fn refer_to(
        &self,
        node: &Arc<Node>,
        strong: bool,
        sender: Option<&Thread>,
    ) -> Result<u32> {
        let mut references = self.references().lock();
        if references.closed {
            return Err(ESRCH);
        }

        if let Some(handle) = references.handles.find(node.id) {
            let reference = references.get(handle, false)?;
            let count = reference.count(strong).checked_add(1).ok_or(EINVAL)?;
            if count == 1 {
                node.add_remote(strong, false, sender)?;
            }
            *reference.count(strong) = count;
            return Ok(handle);
        }

        let is_manager = self.device.context.is_manager(node);
        let reference = Reference {
            node: node.clone(),
            strong: u32::from(strong),
            weak: u32::from(!strong),
            death: None,
            listener: None,
            _counted: Counted::new(),
        };
        let handle = references.handles.insert(node.id, is_manager, reference)?;
        if let Err(error) = node.add_remote(strong, true, sender) {
            // It is only this process that may have seen the handle, and it is told of none.
            let reference = references.handles.remove(handle);
            drop(references);
            drop(reference);
            return Err(error);
        }
        trace::ref_made(self, handle, node, strong);
        Ok(handle)
    }

    /// Adds a reference to what the process knows as `handle` already.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it does not, or has no strong reference although `strong` is set, or has too many.
    pub(crate) fn add_reference(&self, handle: u32, strong: bool) -> Result {
        let mut references = self.references().lock();
        let reference = references.get(handle, strong)?;
        let count = reference.count(strong).checked_add(1).ok_or(EINVAL)?;

        if count == 1 {
            reference.node.add_remote(strong, false, None)?;
        }
        *reference.count(strong) = count;
        Ok(())
    }

    /// Ends a reference. With the last one the handle becomes free.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there is none of the kind.
    pub(crate) fn remove_reference(&self, handle: u32, strong: bool) -> Result {
        let mut references = self.references().lock();
        let reference = references.get(handle, strong)?;
        let count = reference.count(strong).checked_sub(1).ok_or(EINVAL)?;

        if count == 0 && *reference.count(!strong) == 0 {
            let last = references.handles.remove(handle);
            drop(references);
            if let Some(last) = last {
                trace::ref_ended(self, handle, &last.node);
                last.end();
            }
            return Ok(());
        }
        *reference.count(strong) = count;
        if strong && count == 0 {
            reference.node.remove_remote(true, false);
        }
        Ok(())
    }

    /// Lets the process learn of the death of what `handle` stands for.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if it stands for nothing, or the process learns of it already.
    /// * `ENOMEM`.
    pub(crate) fn request_death(self: &Arc<Self>, handle: u32, cookie: u64) -> Result {
        let mut references = self.references().lock();
        let reference = references.get(handle, false)?;

        if reference.death.is_some() {
            return Err(EINVAL);
        }
        reference.death = Some(Death::request(self, &reference.node, cookie)?);
        Ok(())
    }

    /// Undoes [`request_death`](Self::request_death).
    ///
    /// # Errors
    ///
    /// `EINVAL` if that was not called for this handle, or not with this cookie.
    pub(crate) fn clear_death(&self, thread: &Arc<Thread>, handle: u32, cookie: u64) -> Result {
        let mut references = self.references().lock();
        let reference = references.get(handle, false)?;
        let death = reference
            .death
            .take_if(|death| death.cookie == cookie)
            .ok_or(EINVAL)?;

        drop(references);
        death.clear(thread);
        Ok(())
    }

    /// Lets the process learn whether the owner of what `handle` stands for is frozen.
    ///
    /// # Errors
    ///
    /// As for [`request_death`](Self::request_death).
    pub(crate) fn request_freeze(self: &Arc<Self>, handle: u32, cookie: u64) -> Result {
        let mut references = self.references().lock();
        let reference = references.get(handle, false)?;

        if reference.listener.is_some() {
            return Err(EINVAL);
        }
        reference.listener = Some(Listener::request(self, &reference.node, cookie)?);
        Ok(())
    }

    /// Undoes [`request_freeze`](Self::request_freeze).
    ///
    /// # Errors
    ///
    /// As for [`clear_death`](Self::clear_death).
    pub(crate) fn clear_freeze(&self, handle: u32, cookie: u64) -> Result {
        let mut references = self.references().lock();
        let reference = references.get(handle, false)?;
        let listener = reference
            .listener
            .take_if(|listener| listener.cookie == cookie)
            .ok_or(EINVAL)?;

        drop(references);
        listener.clear();
        Ok(())
    }

    /// Ends all references, and lets there be no more.
    pub(crate) fn drop_references(&self) {
        self.references().lock().closed = true;
        loop {
            let mut references = self.references().lock();
            let Some(handle) = references.handles.at_least(0) else {
                return;
            };
            let last = references.handles.remove(handle);
            drop(references);
            if let Some(last) = last {
                trace::ref_ended(self, handle, &last.node);
                last.end();
            }
        }
    }
}
