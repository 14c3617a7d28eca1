// SPDX-License-Identifier: GPL-2.0

//! Walking through a [`ListLru`]: what is done with each item is the visitor's to say.

use core::{
    marker::PhantomData,
    ptr, //
};

use kernel::{
    bindings,
    ffi::c_void,
    sync::Arc, //
};

use crate::shrinker::ScanTarget;

use super::{
    count_reclaimable,
    ListLru,
    LruItem, //
};

impl<I: LruItem> ListLru<I> {
    /// Shows up to `limit` items of `target` to `visitor`, the longest unused first. Returns how
    /// many of them it has isolated.
    ///
    /// # Context
    ///
    /// Sleeps only if the visitor does, after it has isolated an item. A visitor that has not isolated
    /// its item must not call this: the list is locked.
    pub fn walk<V>(&self, target: &ScanTarget<'_>, limit: usize, visitor: V) -> usize
    where
        V: for<'l> FnMut(Visited<'l, I>) -> Verdict<'l>,
    {
        let mut limit = limit;
        let mut walk = Walk {
            nid: target.nid(),
            visitor,
        };

        // SAFETY: The list, the node and the cgroup are valid. The callback gets the walk that it
        // expects, and follows the C side's rules.
        unsafe {
            bindings::list_lru_walk_one(
                self.lru.get(),
                target.nid(),
                target.memcg(),
                Some(Self::visit::<V>),
                ptr::from_mut(&mut walk).cast(),
                &mut limit,
            )
        }
    }

    /// # Safety
    ///
    /// Called by `walk`, with the link of an item in `list`, which is locked, and the `Walk`.
    unsafe extern "C" fn visit<V>(
        link: *mut bindings::list_head,
        list: *mut bindings::list_lru_one,
        walk: *mut c_void,
    ) -> bindings::lru_status
    where
        V: for<'l> FnMut(Visited<'l, I>) -> Verdict<'l>,
    {
        // SAFETY: As the caller promises.
        let walk = unsafe { &mut *walk.cast::<Walk<V>>() };
        // SAFETY: It is the link of an item, which exists because the list has a reference to its
        // owner, for as long as it is in the list.
        let item = unsafe { &*I::from_link(link.cast_const().cast()) };

        // INVARIANT: As the caller promises.
        (walk.visitor)(Visited {
            item,
            list,
            nid: walk.nid,
            _visit: PhantomData,
        })
        .status
    }
}

/// What is passed through the C side.
struct Walk<V> {
    nid: i32,
    visitor: V,
}

/// An item of a list that is being walked and is locked.
///
/// # Examples
///
/// ```
/// # use kernel::sync::Arc;
/// use vmarea::lru::{LruItem, Verdict, Visited};
///
/// /// Takes an item that nobody else has a use for.
/// fn take_if<'l, I: LruItem>(visited: Visited<'l, I>, unused: fn(&I) -> bool) -> Verdict<'l> {
///     if !unused(visited.item()) {
///         return visited.rotate();
///     }
///     let (owner, verdict) = visited.isolate();
///
///     // From here on the list is not locked, and `owner` keeps the item.
///     drop(owner);
///     verdict
/// }
/// ```
///
/// # Invariants
///
/// `list`, which is one of node `nid`, is locked by this thread, and `item` is in it.
pub struct Visited<'l, I: LruItem> {
    item: &'l I,
    list: *mut bindings::list_lru_one,
    nid: i32,
    _visit: Visit<'l>,
}

/// Tells one visit from all others: no lifetime can stand for another.
type Visit<'l> = PhantomData<fn(&'l ()) -> &'l ()>;

/// What is to become of a visited item. It cannot be made but by consuming the visit, and is good for
/// no other.
///
/// See [`Visited`] for an example.
pub struct Verdict<'l> {
    status: bindings::lru_status,
    _visit: Visit<'l>,
}

impl Verdict<'_> {
    fn new(status: bindings::lru_status) -> Self {
        Self {
            status,
            _visit: PhantomData,
        }
    }
}

impl<'l, I: LruItem> Visited<'l, I> {
    /// The item. The list is locked: nothing may be waited for.
    pub fn item(&self) -> &I {
        self.item
    }

    /// Leaves the item where it is.
    pub fn skip(self) -> Verdict<'l> {
        Verdict::new(bindings::lru_status::LRU_SKIP)
    }

    /// Moves the item to the end of the list.
    pub fn rotate(self) -> Verdict<'l> {
        Verdict::new(bindings::lru_status::LRU_ROTATE)
    }

    /// Leaves the item where it is, and ends the walk.
    pub fn stop(self) -> Verdict<'l> {
        // SAFETY: By the type invariants this thread has locked it. The C side does not touch the list
        // any more.
        unsafe { bindings::list_lru_unlock(self.list) };
        Verdict::new(bindings::lru_status::LRU_STOP)
    }

    /// Removes the item, and unlocks the list. Returns the reference that the list had to the
    /// item's owner, which from now on is what keeps the item.
    pub fn isolate(self) -> (Arc<I::Owner>, Verdict<'l>) {
        let owner = self.item.owner();
        // SAFETY: By the type invariants the list is locked, and the item is in it.
        unsafe { bindings::list_lru_isolate(self.list, self.item.link().link.get()) };
        // SAFETY: By the type invariants this thread has locked it.
        unsafe { bindings::list_lru_unlock(self.list) };
        count_reclaimable(self.nid, -1);

        (
            // SAFETY: By the invariants of `ListLru` the item had a reference, which it gives up.
            unsafe { Arc::from_raw(owner) },
            Verdict::new(bindings::lru_status::LRU_REMOVED_RETRY),
        )
    }
}
