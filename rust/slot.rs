// SPDX-License-Identifier: GPL-2.0

//! Slots: the places for pages in a page range.
//!
//! A slot is *empty*, or holds a page that is *used* (some lease covers it) or *idle* (kept for
//! reuse, and on the LRU list of its node). `docs/memory.md` has the whole life of a slot.
//!
//! What a slot consists of is split in two: [`Slot`] is what must stay at its address or is read
//! without a lock, [`Usage`] is what the range's lock protects.

use core::ptr::NonNull;

use kernel::{
    bindings,
    page::{
        BorrowedPage,
        Page, //
    },
    sync::atomic::{
        Acquire,
        Atomic,
        Release, //
    },
};

use crate::{
    lru::LruLink,
    page_range::RangeInner, //
};

/// The part of a slot that does not move.
///
/// # Invariants
///
/// * `page` is null, or points at a page that the slot owns a reference to.
/// * `page` changes only under the lock of the range, and is cleared only while no lease covers
///   the slot.
#[repr(C)]
pub(crate) struct Slot {
    /// First, so that the LRU list's items are the slots.
    pub(crate) link: LruLink,
    /// The range that the slot belongs to, as its `Arc` knows it.
    pub(crate) range: *const RangeInner,
    page: Atomic<usize>,
}

// SAFETY: The range is only followed by reclaim, which proves that it is alive; see
// `page_range::visit`. The page pointer is atomic and pages are not bound to a thread.
unsafe impl Send for Slot {}
// SAFETY: As for `Send`.
unsafe impl Sync for Slot {}

/// The part of a slot that the lock of its range protects.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    /// How many leases cover the slot. Memory for the leases runs out long before it overflows.
    pub(crate) leases: u32,
    /// Whether the page was inserted into the area since it is in the slot.
    pub(crate) inserted: bool,
}

impl Slot {
    /// An empty slot of `range`. Its link is not initialized.
    pub(crate) fn new(range: *const RangeInner) -> Self {
        // INVARIANT: There is no page.
        Self {
            link: LruLink::new(),
            range,
            page: Atomic::new(0),
        }
    }

    /// The page in the slot.
    ///
    /// # Safety
    ///
    /// The caller must hold the range's lock, or a lease that covers the slot, for as long as it
    /// uses the page.
    pub(crate) unsafe fn page(&self) -> Option<BorrowedPage<'_>> {
        let page = NonNull::new(self.page.load(Acquire) as *mut bindings::page)?;

        // SAFETY: By the type invariants the slot owns a reference to it, and keeps it while the
        // caller holds what the safety requirements ask for.
        Some(unsafe { BorrowedPage::from_raw(page) })
    }

    /// Puts `page` into the slot, which must be empty.
    ///
    /// # Safety
    ///
    /// The caller must hold the range's lock.
    pub(crate) unsafe fn put(&self, page: Page) {
        debug_assert!(self.page.load(Acquire) == 0);
        // INVARIANT: The slot takes over the reference that `page` is.
        self.page.store(
            core::mem::ManuallyDrop::new(page).as_ptr() as usize,
            Release,
        );
    }

    /// Empties the slot. The page may still be mapped, and user space may have references to it,
    /// so it must not be reused.
    ///
    /// # Safety
    ///
    /// The caller must hold the range's lock, and no lease may cover the slot.
    pub(crate) unsafe fn take(&self) -> Option<TakenPage> {
        // INVARIANT: No lease covers the slot, as the caller promises.
        let page = NonNull::new(self.page.xchg(0, kernel::sync::atomic::Full) as *mut _)?;

        Some(TakenPage(page))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: The slot is going away, so nobody else has access to it.
        drop(unsafe { self.take() });
    }
}

/// A page that was taken out of its slot, to be given back to the kernel.
///
/// # Invariants
///
/// Points at a page that this owns a reference to.
pub(crate) struct TakenPage(NonNull<bindings::page>);

impl Drop for TakenPage {
    fn drop(&mut self) {
        // SAFETY: By the type invariants this owns a reference, which the call drops: for a page
        // of order 0 that is all it does when there are others.
        unsafe { bindings::__free_pages(self.0.as_ptr(), 0) };
    }
}
