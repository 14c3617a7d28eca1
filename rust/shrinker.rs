// SPDX-License-Identifier: GPL-2.0

//! Shrinkers: called by memory reclaim to count and to free what a driver can do without.
//!
//! C header: [`include/linux/shrinker.h`](srctree/include/linux/shrinker.h)

use core::{
    marker::PhantomData,
    ptr::NonNull, //
};

use kernel::{
    bindings,
    ffi::c_ulong,
    prelude::*,
    str::CStrExt,
    sync::Arc, //
};

use crate::context::ReclaimContext;

/// The kernel's macro of that name; `helpers.c` makes sure of it.
const SHRINK_EMPTY: usize = usize::MAX - 1;

/// From where memory is wanted: a memory node and, unless it is wanted by everybody, a memory cgroup.
///
/// # Examples
///
/// ```
/// use vmarea::{
///     lru::{ListLru, LruItem},
///     shrinker::ScanTarget,
/// };
///
/// fn has_any<I: LruItem>(list: &ListLru<I>, target: &ScanTarget<'_>) -> bool {
///     list.count(target) > 0
/// }
/// ```
///
/// # Invariants
///
/// The node exists, and the cgroup is null or exists for `'c`: only memory reclaim names them.
pub struct ScanTarget<'c> {
    nid: i32,
    memcg: *mut bindings::mem_cgroup,
    _call: PhantomData<&'c ()>,
}

impl ScanTarget<'_> {
    /// # Safety
    ///
    /// `control` must be what memory reclaim has called a shrinker with; the target must be dropped
    /// before that returns.
    unsafe fn new(control: *const bindings::shrink_control) -> Self {
        // INVARIANT: As the caller promises.
        // SAFETY: As the caller promises.
        unsafe {
            Self {
                nid: (*control).nid,
                memcg: (*control).memcg,
                _call: PhantomData,
            }
        }
    }

    /// The number of the node.
    pub fn nid(&self) -> i32 {
        self.nid
    }

    pub(crate) fn memcg(&self) -> *mut bindings::mem_cgroup {
        self.memcg
    }
}

/// What a shrinker can free.
///
/// Both functions are called from memory reclaim, that is, from any thread that allocates memory,
/// whatever locks it holds. They must not wait for a lock that may be held while memory is
/// allocated, and must not allocate. Of an address space they can only try to lock what is in it:
/// that is all that a [`ReclaimContext`] is good for.
///
/// # Examples
///
/// ```
/// use vmarea::{
///     context::ReclaimContext,
///     lru::{ListLru, LruItem, Visited},
///     shrinker::{Reclaimable, ScanTarget},
/// };
///
/// struct Cache<I: LruItem>(ListLru<I>);
///
/// impl<I: LruItem> Reclaimable for Cache<I> {
///     fn count(&self, target: &ScanTarget<'_>) -> usize {
///         self.0.count(target)
///     }
///
///     fn scan(&self, target: &ScanTarget<'_>, limit: usize, _: &ReclaimContext<'_>) -> usize {
///         self.0.walk(target, limit, |visited: Visited<'_, I>| {
///             let (owner, verdict) = visited.isolate();
///             drop(owner);
///             verdict
///         })
///     }
/// }
/// ```
pub trait Reclaimable: Send + Sync + 'static {
    /// How many objects could be freed there. A quick guess is good enough.
    fn count(&self, target: &ScanTarget<'_>) -> usize;

    /// Frees up to `limit` objects there; returns how many were freed.
    fn scan(&self, target: &ScanTarget<'_>, limit: usize, context: &ReclaimContext<'_>) -> usize;
}

/// A shrinker that memory reclaim does not know yet.
///
/// See [`Shrinker`] for an example.
///
/// # Invariants
///
/// `shrinker` is valid, not registered, and belongs to this.
pub struct UnregisteredShrinker {
    shrinker: NonNull<bindings::shrinker>,
}

impl UnregisteredShrinker {
    /// Allocates a shrinker that will be known under `name` in debugfs.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn new(name: &CStr) -> Result<Self> {
        let flags = crate::bindings::VMAREA_SHRINKER_NUMA_AWARE
            | crate::bindings::VMAREA_SHRINKER_MEMCG_AWARE;
        // SAFETY: Both are valid strings, and the one argument of `%s` is passed.
        let shrinker =
            unsafe { bindings::shrinker_alloc(flags, c"%s".as_char_ptr(), name.as_char_ptr()) };

        // INVARIANT: It was just allocated.
        Ok(Self {
            shrinker: NonNull::new(shrinker).ok_or(ENOMEM)?,
        })
    }

    pub(crate) fn as_raw(&self) -> *mut bindings::shrinker {
        self.shrinker.as_ptr()
    }

    /// Lets memory reclaim use `data`.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn register<T: Reclaimable>(self, data: Arc<T>) -> Shrinker<T> {
        let shrinker = core::mem::ManuallyDrop::new(self).shrinker;

        // SAFETY: Until it is registered the shrinker is ours alone.
        unsafe {
            let raw = shrinker.as_ptr();
            (*raw).count_objects = Some(Shrinker::<T>::count_objects);
            (*raw).scan_objects = Some(Shrinker::<T>::scan_objects);
            (*raw).private_data = Arc::into_raw(data).cast_mut().cast();
            bindings::shrinker_register(raw);
        }
        // INVARIANT: It was just registered, with the reference that it was given.
        Shrinker {
            shrinker,
            _data: PhantomData,
        }
    }
}

impl Drop for UnregisteredShrinker {
    fn drop(&mut self) {
        // SAFETY: By the type invariants it is ours.
        unsafe { bindings::shrinker_free(self.shrinker.as_ptr()) };
    }
}

/// A registered shrinker. It is unregistered when this is dropped.
///
/// # Examples
///
/// ```
/// # use kernel::{c_str, prelude::*, sync::Arc};
/// use vmarea::{
///     page_range::PageLru,
///     shrinker::{Shrinker, UnregisteredShrinker},
/// };
///
/// fn init() -> Result<(Arc<PageLru>, Shrinker<PageLru>)> {
///     let shrinker = UnregisteredShrinker::new(c_str!("example"))?;
///     let lru = PageLru::new(&shrinker)?;
///
///     Ok((lru.clone(), shrinker.register(lru)))
/// }
/// ```
///
/// # Invariants
///
/// `shrinker` is registered. Its private data is a reference to a `T` that this owns.
pub struct Shrinker<T: Reclaimable> {
    shrinker: NonNull<bindings::shrinker>,
    _data: PhantomData<Arc<T>>,
}

// SAFETY: The registration can be ended by any thread.
unsafe impl<T: Reclaimable> Send for Shrinker<T> {}
// SAFETY: There is nothing that can be done with a shared reference.
unsafe impl<T: Reclaimable> Sync for Shrinker<T> {}

impl<T: Reclaimable> Shrinker<T> {
    /// # Safety
    ///
    /// Called by memory reclaim with a registered shrinker.
    unsafe extern "C" fn count_objects(
        shrinker: *mut bindings::shrinker,
        control: *mut bindings::shrink_control,
    ) -> c_ulong {
        // SAFETY: By the type invariants the private data is valid while the shrinker is.
        let data = unsafe { &*(*shrinker).private_data.cast::<T>() };
        // SAFETY: As the caller promises.
        let target = unsafe { ScanTarget::new(control) };

        match data.count(&target) {
            // Do not ask again before something was added.
            0 => SHRINK_EMPTY,
            count => count,
        }
    }

    /// # Safety
    ///
    /// Called by memory reclaim with a registered shrinker.
    unsafe extern "C" fn scan_objects(
        shrinker: *mut bindings::shrinker,
        control: *mut bindings::shrink_control,
    ) -> c_ulong {
        // SAFETY: By the type invariants the private data is valid while the shrinker is.
        let (data, limit) = unsafe {
            (
                &*(*shrinker).private_data.cast::<T>(),
                (*control).nr_to_scan,
            )
        };
        // SAFETY: As the caller promises.
        let (target, context) = unsafe { (ScanTarget::new(control), ReclaimContext::new()) };

        data.scan(&target, limit, &context)
    }
}

impl<T: Reclaimable> Drop for Shrinker<T> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the shrinker is registered.
        let data = unsafe { (*self.shrinker.as_ptr()).private_data };

        // SAFETY: As above. This waits until no callback runs.
        unsafe { bindings::shrinker_free(self.shrinker.as_ptr()) };
        // SAFETY: The reference is owned by `self`, and the callbacks that used it have ended.
        drop(unsafe { Arc::from_raw(data.cast::<T>()) });
    }
}
