// SPDX-License-Identifier: GPL-2.0

//! Slots: the places for pages in a page range.
//!
//! A slot consists of two parts: [`Slot`] is what must stay at its address or is read without a
//! lock, [`SlotState`](crate::page_range::protocol::SlotState) is what the range's lock protects.

use core::{
    cell::UnsafeCell,
    ptr::NonNull, //
};

use kernel::bindings;

use crate::{
    lru::{
        LruItem,
        LruLink, //
    },
    page::{
        OwnedPage,
        PageRef, //
    },
    page_range::RangeInner, //
};

/// The part of a slot that does not move.
///
/// # Invariants
///
/// * If there is a `page`, the slot owns a reference to it.
/// * `page` changes only under the lock of the range, and once it is there only while no lease covers
///   the slot. So it is ordered with all changes to read it with that lock held, or when it has been
///   there since a lease on it began.
#[repr(C)]
pub(crate) struct Slot {
    link: LruLink,
    /// The range that the slot belongs to, as its `Arc` knows it.
    range: *const RangeInner,
    page: UnsafeCell<Option<NonNull<bindings::page>>>,
}

// SAFETY: The range is not accessed by way of the slot, except by the LRU list, which has a
// reference. By the type invariants nobody reads the page pointer while it changes, and pages are not
// bound to a thread.
unsafe impl Send for Slot {}
// SAFETY: As for `Send`.
unsafe impl Sync for Slot {}

// SAFETY: The link is the first field. The range keeps its slots, which are in an array that does not
// move, until it is dropped.
unsafe impl LruItem for Slot {
    type Owner = RangeInner;

    fn link(&self) -> &LruLink {
        &self.link
    }

    fn from_link(link: *const LruLink) -> *const Self {
        link.cast()
    }

    fn owner(&self) -> *const RangeInner {
        self.range
    }
}

impl Slot {
    /// Makes an empty slot of `range` at `place`.
    ///
    /// # Safety
    ///
    /// `place` must be valid for writing, and the slot must not move from now on. `range` must come
    /// from [`Arc::as_ptr`](kernel::sync::Arc::as_ptr), and what it points at must keep the slot.
    pub(crate) unsafe fn init(place: *mut Self, range: *const RangeInner) {
        // SAFETY: As the caller promises. INVARIANT: There is no page.
        unsafe {
            LruLink::init(&raw mut (*place).link);
            (&raw mut (*place).range).write(range);
            (&raw mut (*place).page).write(UnsafeCell::new(None));
        }
    }

    /// The page in the slot.
    ///
    /// # Safety
    ///
    /// The caller must hold the range's lock, or a lease that covers the slot and was
    /// [populated](crate::page_range::protocol::populate) if there was no page, for as long as it uses
    /// the page.
    #[inline]
    pub(crate) unsafe fn page(&self) -> Option<PageRef<'_>> {
        // SAFETY: By the type invariants it does not change now, as the caller promises.
        let page = unsafe { *self.page.get() }?;

        // SAFETY: By the type invariants the slot owns a reference to it, and keeps it while the
        // caller holds what the safety requirements ask for.
        Some(unsafe { PageRef::from_raw(page) })
    }

    /// Puts `page` into the slot, which must be empty.
    ///
    /// # Safety
    ///
    /// The caller must hold the range's lock.
    pub(crate) unsafe fn put(&self, page: OwnedPage) {
        // INVARIANT: The slot takes over the reference that `page` is.
        // SAFETY: By the type invariants nobody reads it without the lock: there is no page.
        let old = unsafe { self.page.get().replace(Some(page.into_raw())) };

        debug_assert!(old.is_none());
    }

    /// Empties the slot. The page may still be mapped, and user space may have references to it,
    /// so it must not be reused.
    ///
    /// # Safety
    ///
    /// The caller must hold the range's lock, and no lease may cover the slot.
    pub(crate) unsafe fn take(&self) -> Option<OwnedPage> {
        // INVARIANT: No lease covers the slot, as the caller promises.
        // SAFETY: By the type invariants nobody reads it without the lock.
        let page = unsafe { self.page.get().replace(None) }?;

        // SAFETY: By the type invariants the slot owned a reference, which was put into it.
        Some(unsafe { OwnedPage::from_raw(page) })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: The slot is going away, so nobody else has access to it.
        drop(unsafe { self.take() });
    }
}
