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

/// A memory node.
///
/// # Invariants
///
/// The node exists: only memory reclaim names nodes.
#[derive(Clone, Copy)]
pub struct Node(i32);

impl Node {
    /// The node's number.
    pub fn id(self) -> i32 {
        self.0
    }
}

/// What a shrinker can free.
///
/// Both functions are called from memory reclaim, that is, from any thread that allocates memory,
/// whatever locks it holds. They must not wait for a lock that may be held while memory is
/// allocated, and must not allocate.
pub trait Reclaimable: Send + Sync + 'static {
    /// How many objects of `node` could be freed. A quick guess is good enough.
    fn count(&self, node: Node) -> usize;

    /// Frees up to `limit` objects of `node`; returns how many were freed.
    fn scan(&self, node: Node, limit: usize) -> usize;
}

/// A registered shrinker. It is unregistered when this is dropped.
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
    /// Lets memory reclaim use `data`, under `name` in debugfs.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn register(name: &CStr, data: Arc<T>) -> Result<Self> {
        // SAFETY: Both are valid strings, and the one argument of `%s` is passed.
        let shrinker = unsafe {
            bindings::shrinker_alloc(
                crate::bindings::VMAREA_SHRINKER_NUMA_AWARE,
                c"%s".as_char_ptr(),
                name.as_char_ptr(),
            )
        };
        let shrinker = NonNull::new(shrinker).ok_or(ENOMEM)?;

        // SAFETY: Until it is registered the shrinker is ours alone.
        unsafe {
            let raw = shrinker.as_ptr();
            (*raw).count_objects = Some(Self::count_objects);
            (*raw).scan_objects = Some(Self::scan_objects);
            (*raw).private_data = Arc::into_raw(data).cast_mut().cast();
            bindings::shrinker_register(raw);
        }
        // INVARIANT: It was just registered, with the reference that it was given.
        Ok(Self {
            shrinker,
            _data: PhantomData,
        })
    }

    /// # Safety
    ///
    /// Called by memory reclaim with a shrinker that [`register`](Self::register) has registered.
    unsafe extern "C" fn count_objects(
        shrinker: *mut bindings::shrinker,
        control: *mut bindings::shrink_control,
    ) -> c_ulong {
        // SAFETY: By the type invariants the private data is valid while the shrinker is.
        let (data, nid) = unsafe { (&*(*shrinker).private_data.cast::<T>(), (*control).nid) };

        // INVARIANT: Reclaim calls with nodes that exist.
        data.count(Node(nid))
    }

    /// # Safety
    ///
    /// Called by memory reclaim with a shrinker that [`register`](Self::register) has registered.
    unsafe extern "C" fn scan_objects(
        shrinker: *mut bindings::shrinker,
        control: *mut bindings::shrink_control,
    ) -> c_ulong {
        // SAFETY: By the type invariants the private data is valid while the shrinker is.
        let (data, nid, limit) = unsafe {
            (
                &*(*shrinker).private_data.cast::<T>(),
                (*control).nid,
                (*control).nr_to_scan,
            )
        };

        // INVARIANT: Reclaim calls with nodes that exist.
        data.scan(Node(nid), limit)
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
