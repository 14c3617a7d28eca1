// SPDX-License-Identifier: GPL-2.0

//! Pages that are somebody's: charged to the memory cgroup of the process that they are for.
//!
//! A driver that keeps pages for a process keeps that process's memory, whoever asked for it. An
//! administrator finds it where everything else of the process is: in `memory.current`, and as
//! `kernel` in `memory.stat`; and the process's cgroup is what limits it.
//!
//! C headers: [`include/linux/memcontrol.h`](srctree/include/linux/memcontrol.h),
//! [`include/linux/sched/mm.h`](srctree/include/linux/sched/mm.h)

use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::{
        self,
        NonNull, //
    },
};

use kernel::{
    bindings,
    page::PAGE_SIZE,
    prelude::*,
    types::NotThreadSafe, //
};

use crate::{
    bindings::{
        vmarea_charge_begin,
        vmarea_charge_end,
        vmarea_copy_from_page,
        vmarea_copy_to_page,
        VMAREA_GFP_PAGE, //
    },
    mm::OwnerMm,
};

/// Calls `f` with the account of the process that uses `mm`: all memory that it allocates with
/// `__GFP_ACCOUNT` is charged to that process's memory cgroup.
///
/// See [`OwnedPage`] for an example.
///
/// # Context
///
/// Process context.
pub fn charge_to<R>(mm: &OwnerMm, f: impl FnOnce(&Account) -> R) -> R {
    let mut previous = ptr::null_mut();
    // SAFETY: The address space's struct is valid.
    let memcg = unsafe { vmarea_charge_begin(mm.as_raw(), &mut previous) };

    // INVARIANT: Until `f` returns.
    let result = f(&Account {
        _not_send: NotThreadSafe,
    });
    // SAFETY: These are what the call in this thread has returned. What `f` has begun it has ended.
    unsafe { vmarea_charge_end(memcg, previous) };
    result
}

/// An account that memory is charged to.
///
/// See [`OwnedPage`] for an example.
///
/// # Invariants
///
/// What this thread allocates with `__GFP_ACCOUNT` is charged to it.
pub struct Account {
    _not_send: NotThreadSafe,
}

impl Account {
    /// Allocates a page, which is zeroed.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, also if the cgroup has reached its limit and nothing in it can be reclaimed. Nobody
    /// is killed because of that: the cgroup need not be that of the current process.
    ///
    /// # Context
    ///
    /// May sleep, and may enter memory reclaim.
    pub fn alloc_page(&self) -> Result<OwnedPage> {
        // SAFETY: The flags and the order are valid.
        let page = unsafe { bindings::alloc_pages(VMAREA_GFP_PAGE, 0) };

        // INVARIANT: The reference that the allocator has returned.
        Ok(OwnedPage(NonNull::new(page).ok_or(ENOMEM)?))
    }
}

/// A page of order 0, by one reference to it.
///
/// Dropping it is all that may be done with a page that user space has seen: others may have
/// references of their own (vmsplice, process_vm_readv, GUP), and keep it as it is.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{
///     mm::OwnerMm,
///     page::{charge_to, Account, OwnedPage},
/// };
///
/// fn page_for(owner: &OwnerMm) -> Result<OwnedPage> {
///     charge_to(owner, |account: &Account| account.alloc_page())
/// }
/// ```
///
/// # Invariants
///
/// Points at a page of order 0 that this owns a reference to.
pub struct OwnedPage(NonNull<bindings::page>);

// SAFETY: Pages are not bound to a thread.
unsafe impl Send for OwnedPage {}
// SAFETY: All that can be done with a shared reference is to borrow the page.
unsafe impl Sync for OwnedPage {}

impl OwnedPage {
    /// The page, for as long as this reference exists.
    pub fn borrow(&self) -> PageRef<'_> {
        // SAFETY: By the type invariants the page is valid.
        unsafe { PageRef::from_raw(self.0) }
    }

    pub(crate) fn into_raw(self) -> NonNull<bindings::page> {
        ManuallyDrop::new(self).0
    }

    /// # Safety
    ///
    /// `page` must come from [`into_raw`](Self::into_raw), and be used once.
    pub(crate) unsafe fn from_raw(page: NonNull<bindings::page>) -> Self {
        // INVARIANT: As the caller promises.
        Self(page)
    }
}

impl Drop for OwnedPage {
    fn drop(&mut self) {
        // SAFETY: By the type invariants this owns a reference, which the call drops: for a page
        // of order 0 that is all it does when there are others.
        unsafe { bindings::__free_pages(self.0.as_ptr(), 0) };
    }
}

/// A page that somebody owns. Pages of this kind can be shown to user space: they were zeroed, and no
/// Rust code has references to what is in them.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{area::VmAreaMixedMap, ops::VmOperations, page::PageRef};
///
/// fn show<T: VmOperations>(area: &VmAreaMixedMap<T>, page: PageRef<'_>, text: &[u8]) -> Result {
///     page.write(0, text)?;
///     area.insert_page(area.start(), page)
/// }
/// ```
///
/// # Invariants
///
/// Points at a page of order 0 that comes from an [`OwnedPage`], and is valid for `'a`.
#[derive(Clone, Copy)]
pub struct PageRef<'a> {
    page: NonNull<bindings::page>,
    _owner: PhantomData<&'a OwnedPage>,
}

impl PageRef<'_> {
    /// # Safety
    ///
    /// `page` must come from an [`OwnedPage`], and must be kept for the lifetime of this.
    pub(crate) unsafe fn from_raw(page: NonNull<bindings::page>) -> Self {
        // INVARIANT: As the caller promises.
        Self {
            page,
            _owner: PhantomData,
        }
    }

    pub(crate) fn as_ptr(self) -> *mut bindings::page {
        self.page.as_ptr()
    }

    /// Copies `bytes` to the page, from `offset` on. Whoever has mapped the page sees them change, and
    /// may change them, meanwhile.
    ///
    /// # Errors
    ///
    /// `EINVAL` if that is not all in the page.
    pub fn write(self, offset: usize, bytes: &[u8]) -> Result {
        check_part(offset, bytes.len())?;
        // SAFETY: By the type invariants the page is valid, and the part was just checked. The copy
        // is made by C code, for which it does not matter that others access the page.
        unsafe { vmarea_copy_to_page(self.as_ptr(), offset, bytes.as_ptr().cast(), bytes.len()) };
        Ok(())
    }

    /// Fills `bytes` with what is in the page, from `offset` on. If somebody writes to the page
    /// meanwhile, it may be neither what was there before nor what is there after that.
    ///
    /// # Errors
    ///
    /// `EINVAL` if that is not all in the page.
    pub fn read(self, offset: usize, bytes: &mut [u8]) -> Result {
        check_part(offset, bytes.len())?;
        // SAFETY: As in `write`.
        unsafe {
            vmarea_copy_from_page(
                bytes.as_mut_ptr().cast(),
                self.as_ptr(),
                offset,
                bytes.len(),
            )
        };
        Ok(())
    }

    /// The number of the memory node that the page is on.
    pub fn nid(self) -> i32 {
        // SAFETY: By the type invariants the page is valid.
        unsafe { bindings::page_to_nid(self.as_ptr()) }
    }
}

fn check_part(offset: usize, len: usize) -> Result {
    match offset.checked_add(len) {
        Some(end) if end <= PAGE_SIZE => Ok(()),
        _ => Err(EINVAL),
    }
}
