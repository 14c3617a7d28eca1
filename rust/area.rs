// SPDX-License-Identifier: GPL-2.0

//! Areas: VMAs, and what is known about them.
//!
//! What can be done with a VMA depends on what was proved about it. There are three types, each of
//! which can do what the one before it can:
//!
//! | type | what is known | what it allows |
//! |---|---|---|
//! | [`VmAreaRef`] | it is read-locked | to look at it, and to ask whose it is |
//! | [`VmArea<T>`] | it belongs to driver type `T`, in the owner's address space | to take pages away |
//! | [`VmAreaMixedMap<T>`] | and it has `VM_MIXEDMAP` set | to insert pages |
//!
//! All of them are references that end with the lock. A VMA that was found by its address may be
//! anything at all, whatever was there before: there is no other way from the first to the second
//! than the proof.
//!
//! C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)

use core::{
    marker::PhantomData,
    ops::Deref,
    ptr, //
};

use kernel::{
    bindings,
    error::to_result,
    ffi::c_ulong,
    mm::virt::{
        flags,
        VmaRef, //
    },
    page::{
        PAGE_MASK,
        PAGE_SIZE, //
    },
    prelude::*, //
};

use crate::{
    ops::VmOperations,
    page::PageRef, //
};

/// Any VMA, which is read-locked.
///
/// # Examples
///
/// ```
/// use vmarea::area::VmAreaRef;
///
/// fn covers(area: &VmAreaRef, address: usize) -> bool {
///     (area.start()..area.end()).contains(&address)
/// }
/// ```
///
/// # Invariants
///
/// The VMA lock or the mmap lock is held, for reading at least, while a reference to this exists.
#[repr(transparent)]
pub struct VmAreaRef {
    vma: VmaRef,
}

impl VmAreaRef {
    /// The `kernel` crate's type has the same invariants. It can do more than should be done to
    /// an area of which nothing is known, so it is not given out again.
    pub(crate) fn from_kernel(vma: &VmaRef) -> &Self {
        // SAFETY: The type is transparent, and its invariants are those of `VmaRef`.
        unsafe { &*ptr::from_ref(vma).cast() }
    }

    /// # Safety
    ///
    /// `vma` must be valid, and its VMA lock or its mmap lock be held, for the duration of `'a`.
    pub(crate) unsafe fn from_raw<'a>(vma: *const bindings::vm_area_struct) -> &'a Self {
        // SAFETY: As the caller promises.
        Self::from_kernel(unsafe { VmaRef::from_raw(vma) })
    }

    /// The address of the first byte.
    pub fn start(&self) -> usize {
        self.vma.start()
    }

    /// The address after the last byte.
    pub fn end(&self) -> usize {
        self.vma.end()
    }

    /// Where the first byte is in the file, in pages. Splitting and moving keep what is mapped.
    pub fn offset(&self) -> usize {
        // SAFETY: By the type invariants the VMA is read-locked, and this changes only under the
        // write lock.
        unsafe { (*self.vma.as_ptr()).vm_pgoff }
    }

    /// Whether it may be written.
    pub fn is_writable(&self) -> bool {
        self.has(flags::WRITE)
    }

    /// Whether user space can ever make it writable by `mprotect`.
    pub fn may_be_writable(&self) -> bool {
        self.has(flags::MAYWRITE)
    }

    fn has(&self, flag: kernel::mm::virt::vm_flags_t) -> bool {
        self.vma.flags() & flag != 0
    }

    /// The proof that this is an area of `owner`, or `None` if it is not.
    ///
    /// It is one if it has the operations of `T`, refers to `owner`, and is in the owner's address
    /// space. A copy that fork has made fails the last.
    pub fn area_of<T: VmOperations>(&self, owner: &T) -> Option<&VmArea<T>> {
        self.area_if(|found| ptr::eq(found, owner))
    }

    /// The proof that this is an area of some owner of type `T`, which it tells.
    pub(crate) fn area_of_type<T: VmOperations>(&self) -> Option<&VmArea<T>> {
        self.area_if(|_| true)
    }

    /// The proof that this is an area of an owner of type `T` for which `is_wanted` is true. It is
    /// asked before the owner is.
    fn area_if<T: VmOperations>(
        &self,
        is_wanted: impl FnOnce(*const T) -> bool,
    ) -> Option<&VmArea<T>> {
        // SAFETY: By the type invariants the VMA is read-locked. These fields change under the write
        // lock, and when the VMA is detached and closed, which waits for readers to be gone.
        let (vm_ops, owner, mm) = unsafe {
            let raw = self.vma.as_ptr();
            ((*raw).vm_ops, (*raw).vm_private_data, (*raw).vm_mm)
        };
        let owner = owner.cast_const().cast::<T>();
        if !ptr::eq(vm_ops, T::vm_ops().as_raw()) || owner.is_null() || !is_wanted(owner) {
            return None;
        }
        // SAFETY: Areas with the operations of `T` have a null pointer or a reference to a `T`
        // there, which they own (see `VmOps`).
        let owner = unsafe { &*owner };

        if !owner.mm().is(mm) {
            return None;
        }
        // SAFETY: The type is transparent. INVARIANT: All that it says was just checked.
        Some(unsafe { &*ptr::from_ref(self).cast() })
    }
}

/// An area of an owner of type `T`, which is read-locked.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{area::VmArea, context::ReclaimContext, mm::OwnerMm, ops::VmOperations};
///
/// /// Takes `owner`'s first page away from user space, if that can be done without waiting.
/// fn hide_first_page<T: VmOperations>(
///     mm: &OwnerMm,
///     context: &ReclaimContext<'_>,
///     address: usize,
///     owner: &T,
/// ) -> Result {
///     let mm = mm.get_in_reclaim(context).ok_or(ESRCH)?;
///     let guard = mm.try_lock_area(address).ok_or(EAGAIN)?;
///     let area: &VmArea<T> = guard.area_of(owner).ok_or(ENOENT)?;
///
///     area.zap(area.start(), 1);
///     Ok(())
/// }
/// ```
///
/// # Invariants
///
/// The area has the operations of `T` and owns a reference to a `T`, whose [`VmOperations::mm`] it
/// is in.
#[repr(transparent)]
pub struct VmArea<T> {
    area: VmAreaRef,
    _owner: PhantomData<T>,
}

impl<T> Deref for VmArea<T> {
    type Target = VmAreaRef;

    fn deref(&self) -> &VmAreaRef {
        &self.area
    }
}

impl<T: VmOperations> VmArea<T> {
    /// Whose area it is.
    pub fn owner(&self) -> &T {
        // SAFETY: By the type invariants the area owns a reference, and keeps it while it is locked.
        unsafe { &*(*self.as_raw()).vm_private_data.cast_const().cast() }
    }

    fn as_raw(&self) -> *mut bindings::vm_area_struct {
        self.area.vma.as_ptr()
    }

    /// Removes what is mapped in the `pages` pages from `address` on.
    ///
    /// Does nothing if that is not all in the area, or across page boundaries.
    ///
    /// # Context
    ///
    /// May sleep, but waits neither for memory nor for any lock that is held while memory is
    /// allocated: reclaim may call it.
    pub fn zap(&self, address: usize, pages: usize) {
        if let Some(start) = self.place_for(address, 0, pages) {
            self.area.vma.zap_vma_range(start, pages * PAGE_SIZE);
        }
    }

    /// The same area, if pages can be inserted into it.
    pub fn as_mixed_map(&self) -> Option<&VmAreaMixedMap<T>> {
        if !self.has(flags::MIXEDMAP) {
            return None;
        }
        // INVARIANT: The flag was just checked, and changes only under the write lock.
        // SAFETY: The type is transparent.
        Some(unsafe { &*ptr::from_ref(self).cast() })
    }

    /// The address of the page that is `skipped` pages after `address`, if that and the `pages`
    /// pages from there on are in the area.
    fn place_for(&self, address: usize, skipped: usize, pages: usize) -> Option<usize> {
        let start = address.checked_add(skipped.checked_mul(PAGE_SIZE)?)?;
        let end = start.checked_add(pages.checked_mul(PAGE_SIZE)?)?;
        let inside = self.start() <= start && end <= self.end();

        (inside && start & !PAGE_MASK == 0).then_some(start)
    }
}

/// An area of an owner of type `T` that may hold pages of the driver, and is read-locked.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{context::UserContext, ops::VmOperations, page::PageRef};
///
/// /// Shows a page to the process that has mapped `owner` at `address`.
/// fn show<T: VmOperations>(
///     context: &mut UserContext,
///     owner: &T,
///     address: usize,
///     page: PageRef<'_>,
/// ) -> Result {
///     let mm = owner.mm().get(context).ok_or(ESRCH)?;
///     let guard = mm.lock_area(context, address)?.ok_or(EFAULT)?;
///     let area = guard.area_of(owner).and_then(|area| area.as_mixed_map());
///
///     area.ok_or(EFAULT)?.insert_page(address, page)
/// }
/// ```
///
/// # Invariants
///
/// `VM_MIXEDMAP` is set.
#[repr(transparent)]
pub struct VmAreaMixedMap<T> {
    area: VmArea<T>,
}

impl<T> Deref for VmAreaMixedMap<T> {
    type Target = VmArea<T>;

    fn deref(&self) -> &VmArea<T> {
        &self.area
    }
}

impl<T: VmOperations> VmAreaMixedMap<T> {
    /// Inserts a page at `address`. The area takes a reference of its own to it.
    ///
    /// # Errors
    ///
    /// As [`insert_pages`](Self::insert_pages).
    ///
    /// # Context
    ///
    /// As [`insert_pages`](Self::insert_pages).
    pub fn insert_page(&self, address: usize, page: PageRef<'_>) -> Result {
        self.insert_pages(address, core::iter::once(page)).1
    }

    /// Inserts consecutive pages, the first of them at `address`.
    ///
    /// Returns how many were inserted, and what stopped the rest. The area takes a reference of its
    /// own to each page that it maps.
    ///
    /// # Errors
    ///
    /// * `EBUSY` if something is mapped there already.
    /// * `EFAULT` if a page would be outside of the area, or across page boundaries.
    /// * `ENOMEM` if there is no memory for page tables, or user space gives them up faster than
    ///   they can be made (`MADV_DONTNEED`).
    ///
    /// # Context
    ///
    /// May sleep, and may enter memory reclaim.
    pub fn insert_pages<'p>(
        &self,
        address: usize,
        pages: impl Iterator<Item = PageRef<'p>>,
    ) -> (usize, Result) {
        const BATCH: usize = 32;
        const TRIES: usize = 8;
        let mut batch = [ptr::null_mut(); BATCH];
        let mut pages = pages.fuse();
        let mut inserted = 0;

        loop {
            let mut borrowed = 0;
            for (place, page) in batch.iter_mut().zip(&mut pages) {
                *place = page.as_ptr();
                borrowed += 1;
            }
            if borrowed == 0 {
                return (inserted, Ok(()));
            }
            let Some(start) = self.place_for(address, inserted, borrowed) else {
                return (inserted, Err(EFAULT));
            };
            let mut left: c_ulong = borrowed;
            let mut tries = TRIES;
            let result = loop {
                let done = borrowed - left;
                // SAFETY: By the type invariants the VMA is read-locked and `VM_MIXEDMAP` is set, as
                // `vm_insert_pages` needs it. The first `borrowed` pointers in `batch` are pages
                // that are borrowed for `'p`, which is longer than this call; `left` of them are
                // still to be inserted. The place for all of them is in the VMA.
                let result = to_result(unsafe {
                    bindings::vm_insert_pages(
                        self.as_raw(),
                        start + done * PAGE_SIZE,
                        batch.as_mut_ptr().add(done),
                        &mut left,
                    )
                });
                // The place is right, so it is about page tables: either there is no memory for
                // one of the upper levels, or the lowest has been freed after it was found.
                if result != Err(EFAULT) {
                    break result;
                }
                tries -= 1;
                if tries == 0 {
                    break Err(ENOMEM);
                }
            };
            inserted += borrowed - left as usize;
            if result.is_err() {
                return (inserted, result);
            }
        }
    }
}
