// SPDX-License-Identifier: GPL-2.0

//! A reference to an owner of areas whose type is not known at compile time.

use core::{
    ffi::c_void,
    mem::ManuallyDrop,
    ptr::{
        self,
        NonNull, //
    },
};

use kernel::{
    bindings,
    sync::Arc, //
};

use super::VmOperations;

/// A reference to an owner of areas.
///
/// # Invariants
///
/// `owner` is a reference to a `T` that this owns, `ops` points at the operations of `T`, and `drop`
/// drops such a reference.
pub(crate) struct AnyOwner {
    ops: *const bindings::vm_operations_struct,
    owner: NonNull<c_void>,
    drop: unsafe fn(NonNull<c_void>),
}

// SAFETY: Owners are `Send` and `Sync`, so references to them are `Send`.
unsafe impl Send for AnyOwner {}

impl AnyOwner {
    pub(crate) fn new<T: VmOperations>(owner: Arc<T>) -> Self {
        /// # Safety
        ///
        /// `owner` must be a reference to a `T`, which is given up.
        unsafe fn drop<T>(owner: NonNull<c_void>) {
            // SAFETY: As the caller promises.
            core::mem::drop(unsafe { Arc::from_raw(owner.as_ptr().cast::<T>()) });
        }

        // INVARIANT: All for the same `T`.
        Self {
            ops: T::vm_ops().as_raw(),
            // SAFETY: A reference is not null.
            owner: unsafe { NonNull::new_unchecked(Arc::into_raw(owner).cast_mut().cast()) },
            drop: drop::<T>,
        }
    }

    /// The operations of the owner's areas.
    pub(crate) fn ops(&self) -> *const bindings::vm_operations_struct {
        self.ops
    }

    /// Gives the reference to an area with those operations.
    pub(crate) fn into_raw(self) -> *mut c_void {
        ManuallyDrop::new(self).owner.as_ptr()
    }

    /// The reference, if it is to a `T`.
    pub(crate) fn into_arc<T: VmOperations>(self) -> Option<Arc<T>> {
        if !ptr::eq(self.ops, T::vm_ops().as_raw()) {
            return None;
        }
        // SAFETY: By the type invariants it is a reference to the type that has these operations,
        // which no other type has.
        Some(unsafe { Arc::from_raw(self.into_raw().cast_const().cast::<T>()) })
    }
}

impl Drop for AnyOwner {
    fn drop(&mut self) {
        // SAFETY: By the type invariants.
        unsafe { (self.drop)(self.owner) };
    }
}
