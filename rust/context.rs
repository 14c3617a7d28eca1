// SPDX-License-Identifier: GPL-2.0

//! Contexts: what the code that is running may do, as values.
//!
//! Whether code may sleep, touch user memory or wait for a lock depends on how it was called. Here
//! that is a value which the callbacks of this crate get, and which the functions that need it ask
//! for:
//!
//! * A system call has a [`UserContext`]. Functions that copy from or to user memory, or that may
//!   wait for an address space's locks, borrow it exclusively; guards of such locks borrow it for as
//!   long as they live. So user memory is never touched under a VMA lock, and no lock is waited for
//!   while another VMA lock is held: the borrow checker refuses it.
//! * Memory reclaim has a [`ReclaimContext`], with which locks can be tried, not waited for.
//!
//! Neither can be sent to another thread, stored beyond the call, or made by safe code.
//!
//! What the types cannot see: functions of other crates (`kernel::uaccess`, `kernel::mm`, a
//! `Mutex`) and C code do not ask for a context. Nor does `Drop`, which may wait for a driver's own
//! lock (that of a [`Lease`](crate::page_range::Lease) does). A guard that is forgotten
//! (`mem::forget`) gives the context back, and keeps the lock. All of that is checked by
//! `might_fault()` and lockdep only.

use core::marker::PhantomData;

use kernel::types::NotThreadSafe;

use crate::bindings::vmarea_account_reclaimed;

/// The context of a system call, with no lock of any address space held.
///
/// While it is borrowed the lender may hold such locks.
///
/// # Examples
///
/// A guard borrows the context, so that user memory cannot be touched before it is dropped:
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{context::UserContext, mm::UserMm, user::UserReader};
///
/// fn flags_and_word(
///     mm: &UserMm<'_>,
///     address: usize,
///     reader: &mut UserReader,
///     context: &mut UserContext,
/// ) -> Result<(bool, u32)> {
///     let area = mm.lock_area(context, address)?.ok_or(EFAULT)?;
///     let writable = area.is_writable();
///
///     drop(area);
///     Ok((writable, reader.read(context)?))
/// }
/// ```
///
/// # Invariants
///
/// The current thread is in a system call of a task with an address space, may sleep, is not in
/// memory reclaim, and holds no mmap lock and no VMA lock except by guards that borrow this.
pub struct UserContext {
    _not_send: NotThreadSafe,
}

impl UserContext {
    /// Makes the context of a system call.
    ///
    /// The devices of [`file`](mod@crate::file) do this for their drivers.
    ///
    /// # Safety
    ///
    /// The caller must be at the entry of a system call and must ensure all that the type's
    /// invariants say, for as long as the context exists. There may be only one.
    pub unsafe fn new() -> Self {
        // INVARIANT: As the caller promises.
        Self {
            _not_send: NotThreadSafe,
        }
    }
}

/// The context of memory reclaim, which may have begun under any lock that is held while memory is
/// allocated. Nothing may be waited for that could itself wait for memory.
///
/// # Examples
///
/// ```
/// use vmarea::{context::ReclaimContext, mm::OwnerMm};
///
/// fn is_free_to_lock(mm: &OwnerMm, address: usize, context: &ReclaimContext<'_>) -> bool {
///     mm.get_in_reclaim(context)
///         .is_some_and(|mm| mm.try_lock_area(address).is_some())
/// }
/// ```
///
/// # Invariants
///
/// The current thread is in memory reclaim for `'c`.
pub struct ReclaimContext<'c> {
    _not_send: NotThreadSafe,
    _call: PhantomData<&'c ()>,
}

impl ReclaimContext<'_> {
    /// Makes the context of a callback of memory reclaim.
    ///
    /// # Safety
    ///
    /// The caller must be called by memory reclaim, and must drop the context before it returns.
    pub(crate) unsafe fn new() -> Self {
        // INVARIANT: As the caller promises.
        Self {
            _not_send: NotThreadSafe,
            _call: PhantomData,
        }
    }

    /// Lets reclaim know that `pages` pages were freed: what a shrinker returns is a number of
    /// objects, which tells it nothing of memory. (Reclaim for a cgroup does not ask.)
    pub fn account_reclaimed(&self, pages: usize) {
        // SAFETY: A thread may do this at any time, for itself.
        unsafe { vmarea_account_reclaimed(pages) };
    }
}
