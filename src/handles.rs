// SPDX-License-Identifier: GPL-2.0

//! Handles: the numbers by which a process knows objects of other processes.
//!
//! An object has one handle in a process, and a new one gets the lowest that is free. All operations
//! take time logarithmic in the number of handles. Removing never needs memory.
//!
//! Nothing here needs a kernel: the trees come from whoever makes a table. `tests/host` builds this
//! very file with trees of its own.

use crate::ordered::{
    Error,
    Reservation,
    Tree,
    TreeKind, //
};

/// The handles of a process. `T` is what the process keeps of each object, `M` makes the trees.
pub(crate) struct Handles<T, M: TreeKind> {
    entries: M::Tree<u32, Entry<T, M>>,
    /// The handle of each object, by the object's number.
    by_object: M::Tree<u64, u32>,
    /// The free handles below `next`, without [`ZERO`].
    free: M::Tree<u32, ()>,
    /// No handle from this one on is in use.
    next: u32,
}

struct Entry<T, M: TreeKind> {
    object: u64,
    /// Both are there until the handle is taken out of use.
    value: Option<T>,
    /// With this the handle will be made known as free.
    node: Option<Reservation<M, u32, ()>>,
}

/// The handle that is given only to those who ask for it.
const ZERO: u32 = 0;

impl<T, M: TreeKind> Handles<T, M> {
    /// A table without handles.
    pub(crate) fn new() -> Self {
        Self {
            entries: M::Tree::new(),
            by_object: M::Tree::new(),
            free: M::Tree::new(),
            next: ZERO + 1,
        }
    }

    /// The handle of the object with the number `object`.
    pub(crate) fn find(&self, object: u64) -> Option<u32> {
        self.by_object.get(&object).copied()
    }

    /// What is kept of the object that `handle` stands for.
    pub(crate) fn get(&self, handle: u32) -> Option<&T> {
        self.entries.get(&handle)?.value.as_ref()
    }

    /// What is kept of the object that `handle` stands for.
    pub(crate) fn get_mut(&mut self, handle: u32) -> Option<&mut T> {
        self.entries.get_mut(&handle)?.value.as_mut()
    }

    /// The lowest handle in use that is not below `handle`.
    pub(crate) fn at_least(&self, handle: u32) -> Option<u32> {
        self.entries.lower_bound(&handle)
    }

    /// Gives a handle to an object that has none yet: zero, if `zero` is set and that is free, or
    /// else the lowest other one that is. Returns it.
    ///
    /// # Errors
    ///
    /// * [`Error::NoSpace`] if there are no handles left.
    /// * [`Error::NoMemory`].
    pub(crate) fn insert(&mut self, object: u64, zero: bool, value: T) -> Result<u32, Error> {
        // All memory first, so that nothing needs to be undone.
        let entry_node = M::Tree::reserve()?;
        let object_node = M::Tree::reserve()?;
        let node = M::Tree::reserve()?;

        let handle = if zero && self.get(ZERO).is_none() {
            ZERO
        } else if let Some(lowest) = self.free.lower_bound(&ZERO) {
            self.free.remove(&lowest);
            lowest
        } else {
            let next = self.next;
            self.next = next.checked_add(1).ok_or(Error::NoSpace)?;
            next
        };
        let entry = Entry {
            object,
            value: Some(value),
            node: Some(node),
        };
        self.entries.insert(entry_node, handle, entry);
        self.by_object.insert(object_node, object, handle);
        Ok(handle)
    }

    /// Takes a handle out of use. Returns what was kept of the object.
    pub(crate) fn remove(&mut self, handle: u32) -> Option<T> {
        let entry = self.entries.get_mut(&handle)?;
        let (object, value, node) = (entry.object, entry.value.take(), entry.node.take());

        self.entries.remove(&handle);
        self.by_object.remove(&object);
        if handle == ZERO {
            return value;
        }
        if handle + 1 == self.next {
            self.next = handle;
        } else if let Some(node) = node {
            self.free.insert(node, handle, ());
        }
        value
    }
}
