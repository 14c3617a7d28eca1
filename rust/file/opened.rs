// SPDX-License-Identifier: GPL-2.0

//! What this crate keeps with an opened file.

use core::ptr;

use kernel::{
    bindings,
    prelude::*,
    sync::{
        new_mutex,
        Arc,
        Mutex, //
    }, //
};

use crate::{
    file::mapping::FileMapping,
    ops::{
        AnyOwner,
        VmOperations, //
    }, //
};

/// What the private data of a file is that was opened by this crate, for data of type `O`.
#[repr(C)]
#[pin_data]
pub(crate) struct Opened<O = ()> {
    /// First, so that it is found without knowing `O`.
    #[pin]
    pending: Pending,
    /// What the file's `f_mapping` is, if not its inode's.
    _mapping: Option<Arc<FileMapping>>,
    pub(super) data: Arc<O>,
}

impl<O> Opened<O> {
    pub(super) fn new(data: Arc<O>, mapping: Option<Arc<FileMapping>>) -> Result<Pin<KBox<Self>>> {
        KBox::pin_init(
            pin_init!(Self {
                pending <- Pending::new(),
                _mapping: mapping,
                data,
            }),
            GFP_KERNEL,
        )
    }

    pub(super) fn pending(&self) -> &Pending {
        &self.pending
    }
}

impl Opened {
    /// Takes the owner of type `T` whose area the current process is just mapping from `file`.
    ///
    /// # Safety
    ///
    /// `file` must have been opened by this crate, and must be kept by the caller.
    pub(crate) unsafe fn take_pending<T: VmOperations>(
        file: *const bindings::file,
    ) -> Option<Arc<T>> {
        // SAFETY: The private data of such a file is an `Opened`, whose first field is the same for
        // all types of data.
        let pending = unsafe { &*(*file).private_data.cast_const().cast::<Pending>() };
        // SAFETY: The current task can be accessed by itself, and has an address space, because it
        // maps something into it.
        let mm = unsafe { (*bindings::get_current()).mm };

        pending.take(mm)
    }
}

/// The owners of areas that are being mapped: from the `mmap_prepare` hook until `mapped`.
///
/// Between the two the mm subsystem has the owner's address but cannot hold a reference, because it
/// tells nobody if the area does not come about. What is left here then goes with the next try, or
/// with the file.
#[pin_data]
pub(crate) struct Pending {
    #[pin]
    owners: Mutex<KVec<PendingOwner>>,
}

/// An owner of an area that is being mapped into `mm`, by that address space's mmap lock's holder.
struct PendingOwner {
    /// Only compared.
    mm: *const bindings::mm_struct,
    owner: AnyOwner,
}

// SAFETY: The address space is not accessed.
unsafe impl Send for PendingOwner {}

impl Pending {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            owners <- new_mutex!(KVec::new(), "Opened::pending"),
        })
    }

    /// Keeps `owner` for the area that is being mapped into `mm`, in place of one that is left over.
    pub(super) fn put(&self, mm: *const bindings::mm_struct, owner: AnyOwner) -> Result {
        let new = PendingOwner { mm, owner };
        let mut owners = self.owners.lock();
        let old = match owners.iter_mut().find(|old| ptr::eq(old.mm, mm)) {
            Some(old) => Some(core::mem::replace(old, new)),
            None => {
                owners.push(new, GFP_KERNEL)?;
                None
            }
        };

        drop(owners);
        drop(old);
        Ok(())
    }

    fn take<T: VmOperations>(&self, mm: *const bindings::mm_struct) -> Option<Arc<T>> {
        let mut owners = self.owners.lock();
        let index = owners.iter().position(|pending| ptr::eq(pending.mm, mm))?;
        let pending = owners.remove(index).ok()?;

        drop(owners);
        pending.owner.into_arc()
    }
}
