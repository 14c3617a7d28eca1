// SPDX-License-Identifier: GPL-2.0

//! Address spaces, and the ways to a locked area in them.
//!
//! A driver keeps an [`OwnerMm`] for each area that it owns. To do something with the area, it asks
//! for the address space's mappings to stay ([`UserMm`] in a system call, [`ReclaimMm`] in reclaim)
//! and then for the area to be locked. In reclaim that can only be tried.
//!
//! A locked area is an [`AreaGuard`], or comes from a [`MmapGuard`]; both give a [`VmAreaRef`], which
//! is anybody's area until it is proved to be the driver's.
//!
//! C headers: [`include/linux/mmap_lock.h`](srctree/include/linux/mmap_lock.h),
//! [`include/linux/sched/mm.h`](srctree/include/linux/sched/mm.h)

use core::{
    marker::PhantomData,
    ops::Deref,
    ptr, //
};

use kernel::{
    bindings,
    mm::{
        Mm,
        MmWithUser,
        MmWithUserAsync,
        MmapReadGuard,
        VmaReadGuard, //
    },
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    area::VmAreaRef,
    context::{
        ReclaimContext,
        UserContext, //
    },
};

/// The address space of an area's owner.
///
/// It keeps the `mm_struct` (by `mm_count`), not what is mapped in it: the process may be long gone.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{context::UserContext, mm::OwnerMm};
///
/// struct Client {
///     mm: OwnerMm,
/// }
///
/// fn open(context: &UserContext) -> Client {
///     Client { mm: OwnerMm::current(context) }
/// }
/// ```
pub struct OwnerMm {
    mm: ARef<Mm>,
}

impl OwnerMm {
    /// The current process's address space.
    pub fn current(context: &UserContext) -> Self {
        Self {
            mm: ARef::from(&**current(context)),
        }
    }

    /// Whether `mm` is this address space. It is compared, not accessed.
    pub(crate) fn is(&self, mm: *const bindings::mm_struct) -> bool {
        ptr::eq(self.mm.as_raw(), mm)
    }

    /// Whether this is the current process's address space.
    pub fn is_current(&self, context: &UserContext) -> bool {
        self.is(current(context).as_raw())
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::mm_struct {
        self.mm.as_raw()
    }

    /// Keeps the mappings while something is done with them, unless the process is exiting.
    pub fn get(&self, _: &UserContext) -> Option<UserMm<'_>> {
        Some(UserMm {
            mm: self.count()?,
            _owner: PhantomData,
        })
    }

    /// Like [`get`](Self::get), in reclaim.
    pub fn get_in_reclaim<'c>(&self, _: &'c ReclaimContext<'_>) -> Option<ReclaimMm<'c>> {
        Some(ReclaimMm {
            mm: self.count()?,
            _context: PhantomData,
        })
    }

    /// The last user of an address space waits for its AIO and its `close` callbacks, so for
    /// anything: the process that is told something here, or the locks that reclaim began under.
    /// Therefore the reference is put by a worker if it turns out to be the last.
    fn count(&self) -> Option<ARef<MmWithUserAsync>> {
        self.mm.mmget_not_zero().map(MmWithUser::into_mmput_async)
    }
}

/// The current process's address space.
fn current(_: &UserContext) -> &MmWithUser {
    // SAFETY: By the invariants of `UserContext` the current task has an address space, which it
    // uses for as long as it is in the system call, and the context exists no longer than that.
    unsafe { MmWithUser::from_raw((*bindings::get_current()).mm) }
}

/// An address space whose mappings stay (it holds `mm_users`), for use in a system call.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::{context::UserContext, mm::OwnerMm};
///
/// fn size_at(mm: &OwnerMm, context: &mut UserContext, address: usize) -> Result<usize> {
///     let mm = mm.get(context).ok_or(ESRCH)?;
///     let area = mm.lock_area(context, address)?.ok_or(EFAULT)?;
///
///     Ok(area.end() - area.start())
/// }
/// ```
pub struct UserMm<'o> {
    mm: ARef<MmWithUserAsync>,
    /// So that nobody keeps the mappings for good.
    _owner: PhantomData<&'o OwnerMm>,
}

impl UserMm<'_> {
    /// Tries to lock what is mapped at `address`.
    ///
    /// Fails if nothing is mapped there, or a writer has locked it, or is about to.
    ///
    /// # Context
    ///
    /// Never sleeps.
    pub fn try_lock_area<'a>(
        &'a self,
        _: &'a UserContext,
        address: usize,
    ) -> Option<AreaGuard<'a>> {
        try_lock(&self.mm, address)
    }

    /// Locks what is mapped at `address`, if there is anything.
    ///
    /// # Errors
    ///
    /// * `EINTR` if the current task was killed while it waited for a writer.
    /// * `EAGAIN` if the area has more readers than can be counted.
    ///
    /// # Context
    ///
    /// May sleep, until the writer is done. The mmap lock is taken while waiting, and not held any
    /// more on return. No other guard may exist, which the borrow of the context ensures.
    pub fn lock_area<'a>(
        &'a self,
        _: &'a mut UserContext,
        address: usize,
    ) -> Result<Option<AreaGuard<'a>>> {
        lock(&self.mm, address)
    }

    /// Locks the whole address space against changes of what is mapped in it.
    ///
    /// # Context
    ///
    /// May sleep. As for [`lock_area`](Self::lock_area) no other guard may exist.
    pub fn mmap_read_lock<'a>(&'a self, _: &'a mut UserContext) -> MmapGuard<'a> {
        MmapGuard {
            guard: self.mm.mmap_read_lock(),
        }
    }
}

impl UserContext {
    /// Locks what is mapped at `address` in the current process, if there is anything.
    ///
    /// See [`UserMm::lock_area`]. The current process's address space needs no reference.
    ///
    /// # Errors
    ///
    /// As [`UserMm::lock_area`].
    pub fn lock_area(&mut self, address: usize) -> Result<Option<AreaGuard<'_>>> {
        lock(current(self), address)
    }
}

/// An address space whose mappings stay, for use in memory reclaim. Locks can only be tried.
///
/// # Examples
///
/// ```
/// use vmarea::{context::ReclaimContext, mm::OwnerMm};
///
/// fn is_locked_by_writer(mm: &OwnerMm, context: &ReclaimContext<'_>, address: usize) -> bool {
///     match mm.get_in_reclaim(context) {
///         Some(mm) => mm.try_lock_area(address).is_none(),
///         None => false,
///     }
/// }
/// ```
pub struct ReclaimMm<'c> {
    mm: ARef<MmWithUserAsync>,
    _context: PhantomData<&'c ()>,
}

impl ReclaimMm<'_> {
    /// Tries to lock what is mapped at `address`.
    ///
    /// Fails if nothing is mapped there, or a writer has locked it, or is about to.
    ///
    /// # Context
    ///
    /// Never sleeps.
    pub fn try_lock_area(&self, address: usize) -> Option<AreaGuard<'_>> {
        try_lock(&self.mm, address)
    }
}

impl<'c> ReclaimMm<'c> {
    /// Like [`try_lock_area`](Self::try_lock_area), for a guard that keeps the address space itself.
    pub fn try_into_area(self, address: usize) -> Option<ReclaimArea<'c>> {
        // SAFETY: The reference is kept with the guard, and is dropped after it.
        let mm: &'static MmWithUser = unsafe { &*ptr::from_ref::<MmWithUser>(&self.mm) };

        Some(ReclaimArea {
            guard: try_lock(mm, address)?,
            _mm: self,
        })
    }
}

/// A VMA that is read-locked, in an address space that stays, until this is dropped.
///
/// # Examples
///
/// ```
/// use vmarea::{context::ReclaimContext, mm::{OwnerMm, ReclaimArea}};
///
/// fn lock<'c>(
///     mm: &OwnerMm,
///     context: &'c ReclaimContext<'_>,
///     address: usize,
/// ) -> Option<ReclaimArea<'c>> {
///     mm.get_in_reclaim(context)?.try_into_area(address)
/// }
/// ```
pub struct ReclaimArea<'c> {
    /// Borrows the address space that comes next. Fields are dropped in their order.
    guard: AreaGuard<'static>,
    _mm: ReclaimMm<'c>,
}

impl Deref for ReclaimArea<'_> {
    type Target = VmAreaRef;

    fn deref(&self) -> &VmAreaRef {
        &self.guard
    }
}

fn try_lock(mm: &MmWithUser, address: usize) -> Option<AreaGuard<'_>> {
    Some(AreaGuard {
        guard: mm.lock_vma_under_rcu(address)?,
        waited: false,
    })
}

fn lock(mm: &MmWithUser, address: usize) -> Result<Option<AreaGuard<'_>>> {
    if let Some(guard) = try_lock(mm, address) {
        return Ok(Some(guard));
    }
    let guard = mm.vma_start_read_unlocked_killable(address)?;

    Ok(guard.map(|guard| AreaGuard {
        guard,
        waited: true,
    }))
}

/// A VMA that is read-locked until this is dropped.
///
/// It stays where it is and what it is, and so do its flags. It borrows its address space, and
/// cannot be given to another thread, because the lock has to be released by the one that took it.
///
/// # Examples
///
/// ```
/// use vmarea::mm::AreaGuard;
///
/// fn pages(area: &AreaGuard<'_>) -> usize {
///     (area.end() - area.start()) >> kernel::page::PAGE_SHIFT
/// }
/// ```
pub struct AreaGuard<'a> {
    guard: VmaReadGuard<'a>,
    waited: bool,
}

impl AreaGuard<'_> {
    /// Whether the mmap lock had to be taken to get the lock.
    pub fn waited(&self) -> bool {
        self.waited
    }
}

impl Deref for AreaGuard<'_> {
    type Target = VmAreaRef;

    fn deref(&self) -> &VmAreaRef {
        VmAreaRef::from_kernel(&self.guard)
    }
}

/// An address space that is read-locked until this is dropped: no mapping in it can change.
///
/// # Examples
///
/// ```
/// use vmarea::mm::MmapGuard;
///
/// fn is_mapped(guard: &MmapGuard<'_>, address: usize) -> bool {
///     guard.area_at(address).is_some()
/// }
/// ```
pub struct MmapGuard<'a> {
    guard: MmapReadGuard<'a>,
}

impl MmapGuard<'_> {
    /// What is mapped at `address`.
    pub fn area_at(&self, address: usize) -> Option<&VmAreaRef> {
        self.guard.vma_lookup(address).map(VmAreaRef::from_kernel)
    }
}
