// SPDX-License-Identifier: GPL-2.0

//! Per-node lists of things that may be reclaimed, the longest unused first.
//!
//! C header: [`include/linux/list_lru.h`](srctree/include/linux/list_lru.h)

use kernel::{
    bindings,
    error::to_result,
    ffi::c_void,
    prelude::*,
    types::Opaque, //
};

use crate::shrinker::Node;

/// A `struct list_lru`, not aware of memory cgroups.
///
/// Its own spinlocks, one per node, are the innermost of all locks.
#[pin_data(PinnedDrop)]
pub struct ListLru {
    #[pin]
    lru: Opaque<bindings::list_lru>,
}

// SAFETY: A `list_lru` has its own locks and is not bound to a thread.
unsafe impl Send for ListLru {}
// SAFETY: A `list_lru` has its own locks, which all of its functions take.
unsafe impl Sync for ListLru {}

/// The place of an item in a [`ListLru`].
///
/// # Invariants
///
/// Once [`init`](Self::init) was called the link is either empty or in one list.
#[repr(transparent)]
pub struct LruLink {
    link: Opaque<bindings::list_head>,
}

// SAFETY: A link is only accessed by the functions of the `ListLru` it is in, under that list's
// lock.
unsafe impl Send for LruLink {}
// SAFETY: As for `Send`.
unsafe impl Sync for LruLink {}

impl LruLink {
    /// Returns a link that must be initialized before it is used.
    #[expect(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            link: Opaque::zeroed(),
        }
    }

    /// Makes the link empty.
    ///
    /// # Safety
    ///
    /// Nobody else may access the link, it may not be in a list, and it may not move from now on
    /// until it is freed.
    pub unsafe fn init(&self) {
        let link = self.link.get();

        // SAFETY: The caller promises exclusive access to a link that stays where it is.
        unsafe {
            (*link).next = link;
            (*link).prev = link;
        }
    }
}

/// What the visitor of [`ListLru::walk`] is called with: the visited item's link, the locked list,
/// and the walk's argument.
///
/// It returns an `lru_status`. For `LRU_REMOVED_RETRY` it must have removed the item with
/// [`LockedList::isolate_and_unlock`].
pub type Visitor = unsafe extern "C" fn(
    *mut bindings::list_head,
    *mut bindings::list_lru_one,
    *mut c_void,
) -> bindings::lru_status;

impl ListLru {
    /// Returns an initializer for an empty list.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new() -> impl PinInit<Self, Error> {
        try_pin_init!(Self {
            lru <- Opaque::try_ffi_init(|slot: *mut bindings::list_lru| {
                // SAFETY: `slot` is valid and exclusive memory for a `list_lru`, for which zeroes
                // are what the C side expects before initialization.
                unsafe { slot.write_bytes(0, 1) };
                // SAFETY: As above. Without memory cgroups no shrinker is needed.
                to_result(unsafe {
                    bindings::__list_lru_init(slot, false, core::ptr::null_mut())
                })
            }),
        }? Error)
    }

    /// Adds an item at the end of the list of node `nid`, unless it is in a list.
    ///
    /// # Safety
    ///
    /// The node must exist. `link` must be initialized and must stay valid until it was removed. Must not be called from
    /// a [`Visitor`] while the list is locked.
    pub unsafe fn add(&self, link: &LruLink, nid: i32) -> bool {
        // SAFETY: The caller promises a valid link; the list is valid.
        unsafe {
            bindings::list_lru_add(self.lru.get(), link.link.get(), nid, core::ptr::null_mut())
        }
    }

    /// Removes an item from the list of node `nid`, if it is in it. Returns whether it was.
    ///
    /// When this returns, no visitor can find the item any more.
    ///
    /// # Safety
    ///
    /// The node must exist. `link` must be initialized, and in no list other than this one. Must not be called from a
    /// [`Visitor`] while the list is locked.
    pub unsafe fn remove(&self, link: &LruLink, nid: i32) -> bool {
        // SAFETY: The caller promises a valid link; the list is valid.
        unsafe {
            bindings::list_lru_del(self.lru.get(), link.link.get(), nid, core::ptr::null_mut())
        }
    }

    /// The number of items in the list of `node`.
    pub fn count(&self, node: Node) -> usize {
        // SAFETY: The list is valid, and so is the node.
        unsafe { bindings::list_lru_count_node(self.lru.get(), node.id()) }
    }

    /// Shows up to `limit` items of `node` to `visitor`, the longest unused first.
    ///
    /// Returns how many of them the visitor says that it removed.
    ///
    /// # Safety
    ///
    /// `visitor` must follow the C side's rules for a `list_lru_walk_cb`, for each item that was
    /// ever added and with `argument`.
    pub unsafe fn walk(
        &self,
        node: Node,
        limit: usize,
        visitor: Visitor,
        argument: *mut c_void,
    ) -> usize {
        let mut limit = limit;

        // SAFETY: The list and the node are valid; the caller promises that the visitor is.
        unsafe {
            bindings::list_lru_walk_one(
                self.lru.get(),
                node.id(),
                core::ptr::null_mut(),
                Some(visitor),
                argument,
                &mut limit,
            )
        }
    }
}

#[pinned_drop]
impl PinnedDrop for ListLru {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The list was initialized, and nobody uses it any more.
        unsafe { bindings::list_lru_destroy(self.lru.get()) };
    }
}

/// One node's list while a [`Visitor`] is called.
///
/// # Invariants
///
/// `list` is locked by this thread.
pub struct LockedList {
    list: *mut bindings::list_lru_one,
}

impl LockedList {
    /// Wraps what a [`Visitor`] got.
    ///
    /// # Safety
    ///
    /// To be used at the start of a visitor with the list it was called with.
    pub unsafe fn from_raw(list: *mut bindings::list_lru_one) -> Self {
        // INVARIANT: The C side calls visitors with the list locked.
        Self { list }
    }

    /// Removes the visited item and unlocks the list.
    ///
    /// After this nothing keeps the item, or what it is part of, alive. The visitor must return
    /// `LRU_REMOVED_RETRY`.
    ///
    /// # Safety
    ///
    /// `item` must be what the visitor was called with.
    pub unsafe fn isolate_and_unlock(self, item: *mut bindings::list_head) {
        // SAFETY: The list is locked, and the item is in it.
        unsafe { bindings::list_lru_isolate(self.list, item) };
        // SAFETY: By the type invariants this thread has locked it.
        unsafe { bindings::spin_unlock(&raw mut (*self.list).lock) };
    }
}
