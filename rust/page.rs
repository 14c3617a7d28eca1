// SPDX-License-Identifier: GPL-2.0

//! Pages that are somebody's: charged to the memory cgroup of the process that they are for.
//!
//! A driver that keeps pages for a process keeps that process's memory, whoever asked for it. An
//! administrator finds it where everything else of the process is: in `memory.current`, and as
//! `kernel` in `memory.stat`; and the process's cgroup is what limits it.
//!
//! A page comes with what somebody else has left in it. Whether that is gone is a matter of types: an
//! [`UninitPage`] can be shown to nobody; all that can be done with it is to overwrite the whole of
//! it, which makes it an [`OwnedPage`].
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
    sync::barrier::{
        smp_mb,
        Write, //
    },
    types::NotThreadSafe,
    uaccess::UserPtr, //
};

use crate::{
    bindings::{
        vmarea_charge_begin,
        vmarea_charge_end,
        vmarea_copy_from_page,
        vmarea_copy_from_user,
        vmarea_copy_to_page,
        VMAREA_GFP_PAGE,
        VMAREA_GFP_ZERO, //
    },
    context::UserContext,
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
        let page = Self::alloc(VMAREA_GFP_PAGE | VMAREA_GFP_ZERO)?;

        // INVARIANT: It was zeroed.
        Ok(page.initialized())
    }

    /// Allocates a page that is to be overwritten, which it is cheaper not to zero before.
    ///
    /// # Errors
    ///
    /// As for [`alloc_page`](Self::alloc_page).
    ///
    /// # Context
    ///
    /// May sleep, and may enter memory reclaim.
    pub fn alloc_uninit_page(&self) -> Result<UninitPage> {
        Self::alloc(VMAREA_GFP_PAGE)
    }

    fn alloc(flags: bindings::gfp_t) -> Result<UninitPage> {
        // SAFETY: The flags and the order are valid.
        let page = unsafe { bindings::alloc_pages(flags, 0) };

        // INVARIANT: The reference that the allocator has returned, and nobody else has any.
        Ok(UninitPage(Reference(NonNull::new(page).ok_or(ENOMEM)?)))
    }
}

/// A reference to a page of order 0.
///
/// # Invariants
///
/// Points at a page of order 0 that this owns a reference to.
struct Reference(NonNull<bindings::page>);

// SAFETY: Pages are not bound to a thread.
unsafe impl Send for Reference {}
// SAFETY: All that can be done with a shared reference is to copy the pointer.
unsafe impl Sync for Reference {}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: By the type invariants this owns a reference, which the call drops: for a page
        // of order 0 that is all it does when there are others.
        unsafe { bindings::__free_pages(self.0.as_ptr(), 0) };
    }
}

/// A page of order 0 with what its last user has left in it, which nobody may see.
///
/// It can be neither mapped nor read. Once all of it was overwritten it is an [`OwnedPage`].
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, uaccess::UserPtr};
/// use vmarea::{
///     context::UserContext,
///     mm::OwnerMm,
///     page::{charge_to, OwnedPage},
/// };
///
/// /// A copy of a page of the current process's memory, for `owner`.
/// fn copy_for(owner: &OwnerMm, context: &mut UserContext, from: UserPtr) -> Result<OwnedPage> {
///     let page = charge_to(owner, |account| account.alloc_uninit_page())?;
///
///     page.fill_from_user(context, from)
/// }
/// ```
///
/// # Invariants
///
/// There are no other references to the page.
pub struct UninitPage(Reference);

impl UninitPage {
    /// Overwrites the page with the bytes of the current process's memory from `from` on.
    ///
    /// Not to be called with an account that is not the current process's: what it takes to read its
    /// memory is charged to it.
    ///
    /// # Errors
    ///
    /// `EFAULT` if not all of them can be read. Then the page is freed.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn fill_from_user(self, _: &mut UserContext, from: UserPtr) -> Result<OwnedPage> {
        let page = self.0 .0.as_ptr();

        // SAFETY: By the type invariants the page is valid, and nobody else accesses it.
        let left = unsafe { vmarea_copy_from_user(&page, 0, 0, from.as_const_ptr(), PAGE_SIZE) };
        if left > 0 {
            return Err(EFAULT);
        }
        // INVARIANT: All of it was overwritten.
        Ok(self.initialized())
    }

    /// To be called when all of the page was overwritten.
    fn initialized(self) -> OwnedPage {
        // What maps the page writes to page tables, perhaps with no lock released in between: nobody
        // may see that before what has just been written.
        smp_mb(Write);
        OwnedPage(self.0)
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
/// What the page contained when it was allocated was overwritten, all of it.
pub struct OwnedPage(Reference);

impl OwnedPage {
    /// The page, for as long as this reference exists.
    pub fn borrow(&self) -> PageRef<'_> {
        // SAFETY: The page is valid for as long as there is this reference.
        unsafe { PageRef::from_raw(self.0 .0) }
    }

    pub(crate) fn into_raw(self) -> NonNull<bindings::page> {
        ManuallyDrop::new(self.0).0
    }

    /// # Safety
    ///
    /// `page` must come from [`into_raw`](Self::into_raw), and be used once.
    pub(crate) unsafe fn from_raw(page: NonNull<bindings::page>) -> Self {
        // INVARIANT: It was an `OwnedPage`, whose reference this is now, as the caller promises.
        Self(Reference(page))
    }
}

/// A page that somebody owns. Pages of this kind can be shown to user space: what others had left in
/// them was overwritten, and no Rust code has references to what is in them.
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
#[repr(transparent)]
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
