// SPDX-License-Identifier: GPL-2.0

//! Slots: the places for pages in a page range.
//!
//! A slot consists of two parts: [`Slot`] is what must stay at its address or is read without a
//! lock, [`SlotState`](crate::page_range::state::SlotState) is what the range's lock protects.
//!
//! Slots come in groups, which are what is allocated. What the slots of a group have in common is in
//! the group, where a slot finds it by its own address.

use core::{
    cell::UnsafeCell,
    mem::offset_of,
    ptr::{
        self,
        NonNull, //
    }, //
};

use kernel::{
    bindings,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use crate::{
    bindings::vmarea_copy_from_user,
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
/// * The slot is in the `slots` of a [`SlotGroup`].
/// * If there is a `page`, the slot owns a reference to it.
/// * `page` changes only under the lock of the range, and once it is there only while no lease covers
///   the slot. So it is ordered with all changes to read it with that lock held, or when it has been
///   there since a lease on it began.
#[repr(C)]
pub(crate) struct Slot {
    link: LruLink,
    page: UnsafeCell<Option<NonNull<bindings::page>>>,
}

// SAFETY: By the type invariants nobody reads the page pointer while it changes, and pages are not
// bound to a thread.
unsafe impl Send for Slot {}
// SAFETY: As for `Send`.
unsafe impl Sync for Slot {}

/// How many slots there are in a group. There is room for some more, but a slot is looked up for each
/// message, and with a power of two that takes no multiplication.
const GROUP_LEN: usize = 16;

/// The size of a group, which is its alignment as well.
const GROUP_SIZE: usize = 512;

/// Slots of a range that follow each other. The part of them that does not move.
///
/// # Invariants
///
/// * `range` is as its `Arc` knows it.
/// * `first` is a multiple of `LEN`.
#[repr(C, align(512))]
pub(crate) struct SlotGroup {
    /// The range that the slots belong to.
    range: *const RangeInner,
    /// Which of the range's slots the first one is.
    first: usize,
    slots: [Slot; GROUP_LEN],
}

const _: () = {
    assert!(size_of::<SlotGroup>() == GROUP_SIZE);
    assert!(align_of::<SlotGroup>() == GROUP_SIZE);
    // The place after the last slot is in the group.
    assert!(offset_of!(SlotGroup, slots) + size_of::<[Slot; GROUP_LEN]>() < GROUP_SIZE);
};

// SAFETY: The range is not accessed by way of the group, except by the LRU list, which has a reference.
// Slots are not bound to a thread.
unsafe impl Send for SlotGroup {}
// SAFETY: As for `Send`.
unsafe impl Sync for SlotGroup {}

impl SlotGroup {
    /// How many slots there are in each.
    pub(crate) const LEN: usize = GROUP_LEN;

    /// Makes a group of empty slots of `range`, after `before` groups.
    ///
    /// # Safety
    ///
    /// Before any of its slots gets a page, the group must become a part of `range` that stays until
    /// that is dropped.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) unsafe fn new(range: &Arc<RangeInner>, before: usize) -> Result<KBox<Self>> {
        let mut group = KBox::<Self>::new_uninit(GFP_KERNEL)?;
        let this = group.as_mut_ptr();

        // SAFETY: The memory is a group's, and what a box has stays where it is. INVARIANT: The range
        // is as its `Arc` knows it, and the slots are in a group.
        unsafe {
            (&raw mut (*this).range).write(Arc::as_ptr(range));
            (&raw mut (*this).first).write(before * GROUP_LEN);
            for index in 0..GROUP_LEN {
                Slot::init(&raw mut (*this).slots[index]);
            }
        }
        // SAFETY: These are all of the fields.
        Ok(unsafe { group.assume_init() })
    }

    #[inline]
    pub(crate) fn slots(&self) -> &[Slot; GROUP_LEN] {
        &self.slots
    }
}

// SAFETY: The link is the first field. The range keeps the groups of all slots that have a page, which
// do not move, until it is dropped.
unsafe impl LruItem for Slot {
    type Owner = RangeInner;

    fn link(&self) -> &LruLink {
        &self.link
    }

    fn from_link(link: *const LruLink) -> *const Self {
        link.cast()
    }

    fn owner(&self) -> *const RangeInner {
        self.group().range
    }
}

impl Slot {
    /// Makes an empty slot at `place`.
    ///
    /// # Safety
    ///
    /// `place` must be valid for writing, and in the `slots` of a group that does not move any more.
    unsafe fn init(place: *mut Self) {
        // SAFETY: As the caller promises. INVARIANT: There is no page.
        unsafe {
            LruLink::init(&raw mut (*place).link);
            (&raw mut (*place).page).write(UnsafeCell::new(None));
        }
    }

    /// The group that the slot is in.
    fn group(&self) -> &SlotGroup {
        let group = ptr::from_ref(self).map_addr(|address| address & !(GROUP_SIZE - 1));

        // SAFETY: By the type invariants the slot is in a group, which begins at the multiple of its
        // size before the slot. It exists for as long as the slot.
        unsafe { &*group.cast() }
    }

    /// Which of its range's slots it is.
    pub(crate) fn index(&self) -> usize {
        let group = self.group();
        let offset = ptr::from_ref(self).addr() - group.slots.as_ptr().addr();

        group.first + offset / size_of::<Self>()
    }

    /// The slot after this one, if it is in the same group.
    #[inline]
    pub(crate) fn after(&self) -> Option<&Self> {
        const END: usize = offset_of!(SlotGroup, slots) + size_of::<[Slot; GROUP_LEN]>();
        let next = ptr::from_ref(self).wrapping_add(1);

        // SAFETY: By the type invariants the slot is in a group, which begins at a multiple of its
        // size. The place is not the one after that group's slots, so it is one of them.
        (next.addr() % GROUP_SIZE != END).then(|| unsafe { &*next })
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

    /// Copies `len` bytes of user memory to the pages in `slots`, from `offset` in the first on.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if there are no slots or fewer bytes in so many pages, or `offset` is not in a page.
    /// * `EFAULT` if not all of them can be read, or there is no page. A part of them may have been
    ///   copied.
    ///
    /// # Safety
    ///
    /// For the slots that the bytes go to as for [`page`](Self::page), but with a lease: this may
    /// sleep.
    #[inline]
    pub(crate) unsafe fn copy_from_user(
        slots: &[Self],
        offset: usize,
        from: UserPtr,
        len: usize,
    ) -> Result {
        if slots.is_empty() || offset >= PAGE_SIZE {
            return Err(EINVAL);
        }
        if len > (slots.len() << PAGE_SHIFT) - offset {
            return Err(EINVAL);
        }
        let pages = slots.as_ptr().wrapping_byte_add(offset_of!(Self, page));

        // SAFETY: There is a page pointer at each multiple of a slot's size. Those are read that bytes
        // go to, and do not change now, as the caller promises. Each is null, where the copy ends, or
        // that of a page that the slot has a reference to. The copy is made by C code, for which it
        // does not matter that the owner reads the page at the same time.
        let left = unsafe {
            vmarea_copy_from_user(
                pages.cast(),
                size_of::<Self>(),
                offset,
                from.as_const_ptr(),
                len,
            )
        };
        if left > 0 {
            return Err(EFAULT);
        }
        Ok(())
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
