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
    mem::ManuallyDrop,
    ptr::{
        self,
        NonNull, //
    },
};

use kernel::{
    bindings,
    page::BorrowedPage,
    prelude::*,
    types::NotThreadSafe, //
};

use crate::{
    bindings::{
        vmarea_charge_begin,
        vmarea_charge_end,
        VMAREA_GFP_PAGE, //
    },
    mm::OwnerMm,
};

/// Allocates pages on somebody's account.
///
/// While it exists, all memory that this thread allocates with `__GFP_ACCOUNT` is charged to the
/// memory cgroup of the owner of an address space.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{
///     mm::OwnerMm,
///     page::{ChargeTo, OwnedPage},
/// };
///
/// fn page_for(owner: &OwnerMm) -> Result<OwnedPage> {
///     ChargeTo::owner_of(owner).alloc_page()
/// }
/// ```
///
/// # Invariants
///
/// `memcg` is what `vmarea_charge_begin` returned in this thread, `previous` what it has replaced.
pub struct ChargeTo {
    memcg: *mut bindings::mem_cgroup,
    previous: *mut bindings::mem_cgroup,
    _not_send: NotThreadSafe,
}

impl ChargeTo {
    /// Charges the memory cgroup of the process that uses `mm`.
    pub fn owner_of(mm: &OwnerMm) -> Self {
        let mut previous = ptr::null_mut();
        // SAFETY: The address space's struct is valid.
        let memcg = unsafe { vmarea_charge_begin(mm.as_raw(), &mut previous) };

        // INVARIANT: As was just done.
        Self {
            memcg,
            previous,
            _not_send: NotThreadSafe,
        }
    }

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

impl Drop for ChargeTo {
    fn drop(&mut self) {
        // SAFETY: By the type invariants these are what the call in this thread has returned.
        unsafe { vmarea_charge_end(self.memcg, self.previous) };
    }
}

/// A page of order 0, by one reference to it.
///
/// Dropping it is all that may be done with a page that user space has seen: others may have
/// references of their own (vmsplice, process_vm_readv, GUP), and keep it as it is.
///
/// See [`ChargeTo`] for an example.
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
    pub fn borrow(&self) -> BorrowedPage<'_> {
        // SAFETY: By the type invariants the page is valid.
        unsafe { BorrowedPage::from_raw(self.0) }
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
