// SPDX-License-Identifier: GPL-2.0

//! Lists of pages that may be reclaimed, the longest unused first.
//!
//! There is one list per memory node and memory cgroup: that of the page. So reclaim that wants
//! memory from a certain node, or from a cgroup that has reached its limit, finds the pages that
//! help, and no others.
//!
//! The pages that are in a list count as reclaimable (`KReclaimable` in `/proc/meminfo`).
//!
//! C header: [`include/linux/list_lru.h`](srctree/include/linux/list_lru.h)

use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr, //
};

use kernel::{
    bindings,
    error::to_result,
    prelude::*,
    sync::{
        rcu,
        Arc, //
    },
    types::Opaque, //
};

use crate::{
    bindings::{
        vmarea_count_reclaimable,
        vmarea_page_memcg,
        VMAREA_GFP_KERNEL, //
    },
    page::PageRef,
    shrinker::{
        ScanTarget,
        UnregisteredShrinker, //
    },
};

mod walk;

pub use walk::{
    Verdict,
    Visited, //
};

/// Something that stands for a page in a [`ListLru`].
///
/// See [`ListLru`] for an example.
///
/// # Safety
///
/// * [`link`](Self::link) and [`owner`](Self::owner) must return the same each time, and
///   [`from_link`](Self::from_link) must undo `link`.
/// * The owner must be in an [`Arc`], whose [`as_ptr`](Arc::as_ptr) `owner` returns. For as long as
///   there is a reference to it, the item must exist and must not move.
pub unsafe trait LruItem: Send + Sync + 'static {
    /// What keeps the item.
    type Owner: Send + Sync + 'static;

    /// The item's link.
    fn link(&self) -> &LruLink;

    /// The item that a link belongs to. To be computed only, not to be accessed.
    fn from_link(link: *const LruLink) -> *const Self;

    /// What keeps the item.
    fn owner(&self) -> *const Self::Owner;
}

/// The place of an item in a [`ListLru`].
///
/// See [`ListLru`] for an example.
///
/// # Invariants
///
/// The link is either empty or in one list.
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
    /// Returns an initializer for an empty link.
    pub fn new() -> impl PinInit<Self> {
        // SAFETY: The closure initializes the link, which does not move after that.
        unsafe {
            pin_init::pin_init_from_closure(|slot: *mut Self| {
                Self::init(slot);
                Ok::<(), core::convert::Infallible>(())
            })
        }
    }

    /// Makes an empty link at `slot`.
    ///
    /// # Safety
    ///
    /// `slot` must be valid for writing, and the link must not move from now on.
    pub(crate) unsafe fn init(slot: *mut Self) {
        let link = slot.cast::<bindings::list_head>();

        // SAFETY: As the caller promises. INVARIANT: A link that points at itself is empty.
        unsafe {
            (*link).next = link;
            (*link).prev = link;
        }
    }
}

/// A `struct list_lru`, aware of memory nodes and memory cgroups.
///
/// Its own spinlocks, one per list, are the innermost of all locks.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, sync::Arc};
/// use vmarea::{
///     lru::{ListLru, LruItem, LruLink},
///     page::{OwnedPage, PageRef},
/// };
///
/// /// A page that is kept for its next user.
/// #[pin_data]
/// struct Spare {
///     #[pin]
///     link: LruLink,
///     pages: KVec<OwnedPage>,
/// }
///
/// // SAFETY: There is one item for each owner, which is the item itself.
/// unsafe impl LruItem for Spare {
///     type Owner = Spare;
///
///     fn link(&self) -> &LruLink {
///         &self.link
///     }
///
///     fn from_link(link: *const LruLink) -> *const Self {
///         link.wrapping_byte_sub(core::mem::offset_of!(Spare, link)).cast()
///     }
///
///     fn owner(&self) -> *const Spare {
///         self
///     }
/// }
///
/// /// # Safety
/// ///
/// /// The page must always be the same, and the spare be removed before the list is dropped.
/// unsafe fn keep(list: &ListLru<Spare>, spare: &Arc<Spare>, page: PageRef<'_>) {
///     // SAFETY: There is one list only; for the rest as the caller promises.
///     unsafe { list.add(spare, [(&**spare, page)].into_iter()) };
/// }
/// ```
///
/// # Invariants
///
/// Each item in the list owns a reference to the item's owner.
#[pin_data(PinnedDrop)]
pub struct ListLru<I: LruItem> {
    #[pin]
    lru: Opaque<bindings::list_lru>,
    _items: PhantomData<I>,
}

// SAFETY: A `list_lru` has its own locks and is not bound to a thread; nor are the items.
unsafe impl<I: LruItem> Send for ListLru<I> {}
// SAFETY: A `list_lru` has its own locks, which all of its functions take.
unsafe impl<I: LruItem> Sync for ListLru<I> {}

impl<I: LruItem> ListLru<I> {
    /// Returns an initializer for empty lists, through which `shrinker` will walk.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new(shrinker: &UnregisteredShrinker) -> impl PinInit<Self, Error> + use<'_, I> {
        try_pin_init!(Self {
            lru <- Opaque::try_ffi_init(|slot: *mut bindings::list_lru| {
                // SAFETY: `slot` is valid and exclusive memory for a `list_lru`, for which zeroes
                // are what the C side expects before initialization.
                unsafe { slot.write_bytes(0, 1) };
                // SAFETY: As above. The shrinker is valid, and only its number is kept.
                to_result(unsafe { bindings::__list_lru_init(slot, true, shrinker.as_raw()) })
            }),
            _items: PhantomData,
        }? Error)
    }

    /// Makes the lists for the memory cgroup that `page` is charged to, of which there will be one
    /// when a page of that cgroup is added. Without this it would be added to an ancestor's.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// May sleep, and may enter memory reclaim.
    pub fn prepare_for(&self, page: PageRef<'_>) -> Result {
        let charged = {
            let _guard = rcu::read_lock();
            // SAFETY: The page is valid, and this is an RCU critical section.
            !unsafe { vmarea_page_memcg(page.as_ptr()) }.is_null()
        };
        if !charged {
            return Ok(());
        }
        // SAFETY: The list is valid. A page of order 0 is a folio; this one is charged.
        to_result(unsafe {
            bindings::folio_memcg_list_lru_alloc(
                page.as_ptr().cast(),
                self.lru.get(),
                VMAREA_GFP_KERNEL,
            )
        })
    }

    /// Adds items at the ends of the lists of their pages, unless they are in a list. Returns how
    /// many were added.
    ///
    /// Items whose owner is not `owner` are ignored.
    ///
    /// # Safety
    ///
    /// * An item must be in no other list, must be removed (or isolated) before this one is dropped,
    ///   and must go with the same page each time until then.
    /// * The iterator must neither sleep nor use a list: it is called with one locked.
    /// * No item may be [`Visited`] by the current thread.
    ///
    /// # Context
    ///
    /// Does not sleep.
    pub unsafe fn add<'a>(
        &self,
        owner: &Arc<I::Owner>,
        items: impl Iterator<Item = (&'a I, PageRef<'a>)>,
    ) -> usize {
        let items = items.filter(|(item, _)| ptr::eq(item.owner(), Arc::as_ptr(owner)));

        self.for_each_locked(items, 1, |list, item, place| {
            // SAFETY: The list is locked, for the place. The link is valid, and stays so for as long
            // as it is in the list, because the list gets a reference to the owner.
            let added = unsafe {
                bindings::__list_lru_add(
                    self.lru.get(),
                    list,
                    item.link().link.get(),
                    place.nid,
                    place.memcg,
                )
            };
            if added {
                // INVARIANT: This is the reference.
                let _ = ManuallyDrop::new(owner.clone());
            }
            added
        })
    }

    /// Removes items from the lists of their pages, as far as they are in them. Returns how many
    /// were.
    ///
    /// When this returns, no visitor can find them any more.
    ///
    /// # Safety
    ///
    /// As for [`add`](Self::add).
    ///
    /// # Context
    ///
    /// Does not sleep.
    pub unsafe fn remove<'a>(
        &self,
        owner: &Arc<I::Owner>,
        items: impl Iterator<Item = (&'a I, PageRef<'a>)>,
    ) -> usize {
        let items = items.filter(|(item, _)| ptr::eq(item.owner(), Arc::as_ptr(owner)));

        self.for_each_locked(items, -1, |list, item, place| {
            // SAFETY: The list is locked, for the place. The link is valid, and in no other list.
            let removed = unsafe {
                bindings::__list_lru_del(self.lru.get(), list, item.link().link.get(), place.nid)
            };
            if removed {
                // SAFETY: By the type invariants the list has owned this reference. It is not the
                // last, so nothing is dropped under the lock.
                drop(unsafe { Arc::from_raw(item.owner()) });
            }
            removed
        })
    }

    /// Calls `f` for each item with the list of its page locked, keeping the lock for as long as
    /// it is the right one. Returns how often `f` said yes; so many pages, times `sign`, are
    /// reclaimable in addition now.
    fn for_each_locked<'a>(
        &self,
        items: impl Iterator<Item = (&'a I, PageRef<'a>)>,
        sign: isize,
        mut f: impl FnMut(*mut bindings::list_lru_one, &I, &Place) -> bool,
    ) -> usize {
        let mut items = items.peekable();
        let mut total = 0;

        while let Some((item, page)) = items.next() {
            // Keeps the cgroup that is looked up in here.
            let guard = rcu::read_lock();
            let wanted = Place::of(page, &guard);
            let mut actual = wanted;
            // SAFETY: The list, the node of a page, and its cgroup are valid.
            let list =
                unsafe { bindings::list_lru_lock(self.lru.get(), wanted.nid, &mut actual.memcg) };
            let mut count = usize::from(f(list, item, &actual));
            while let Some((item, _)) =
                items.next_if(|&(_, page)| Place::of(page, &guard) == wanted)
            {
                count += usize::from(f(list, item, &actual));
            }
            // SAFETY: It was locked above.
            unsafe { bindings::list_lru_unlock(list) };
            if count > 0 {
                count_reclaimable(wanted.nid, sign * count as isize);
            }
            total += count;
        }
        total
    }

    /// The number of items in the list of `target`.
    pub fn count(&self, target: &ScanTarget<'_>) -> usize {
        // SAFETY: The list is valid, and so are the node and the cgroup.
        unsafe { bindings::list_lru_count_one(self.lru.get(), target.nid(), target.memcg()) }
    }
}

#[pinned_drop]
impl<I: LruItem> PinnedDrop for ListLru<I> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: The list was initialized, and nobody uses it any more.
        unsafe { bindings::list_lru_destroy(self.lru.get()) };
    }
}

/// Which list a page belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    nid: i32,
    memcg: *mut bindings::mem_cgroup,
}

impl Place {
    /// The cgroup is valid for as long as the guard.
    fn of(page: PageRef<'_>, _: &rcu::Guard) -> Self {
        Self {
            nid: page.nid(),
            // SAFETY: The page is valid, and this is an RCU critical section.
            memcg: unsafe { vmarea_page_memcg(page.as_ptr()) },
        }
    }
}

/// Notes that `pages` more pages of node `nid` are reclaimable, or fewer.
fn count_reclaimable(nid: i32, pages: isize) {
    // SAFETY: The node of a page exists.
    unsafe { vmarea_count_reclaimable(nid, pages) };
}
