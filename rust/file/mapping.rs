// SPDX-License-Identifier: GPL-2.0

//! File mappings: taking pages away by where they are in the file, wherever it is mapped.
//!
//! C headers: [`include/linux/mm.h`](srctree/include/linux/mm.h),
//! [`include/linux/fs.h`](srctree/include/linux/fs.h)

use core::ptr::{
    self,
    NonNull, //
};

use kernel::{
    bindings,
    error::from_err_ptr,
    ffi::c_int,
    page::PAGE_SHIFT,
    prelude::*,
    sync::Arc, //
};

use crate::bindings::{
    init_pseudo,
    VMAREA_FS_MAGIC, //
};

/// The address space of one opened file: which areas map which part of it.
///
/// All files that are opened by one device node share the node's `address_space`, in which areas of
/// all of them are found. A file that [uses](crate::file::Opening::use_mapping) one of these has its
/// own.
///
/// The other way to take pages away is to lock the area and to [zap](crate::area::VmArea::zap) it.
/// This one needs neither the area nor a reference to its owner's address space, and reaches copies
/// in other address spaces too; but it may wait for `i_mmap_rwsem`. That lock is never held while
/// memory is allocated, so it can be taken in reclaim.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, sync::Arc};
/// use vmarea::file::{FileMapping, Opening};
///
/// fn open(opening: &mut Opening<'_>) -> Result<Arc<FileMapping>> {
///     let mapping = FileMapping::new()?;
///
///     opening.use_mapping(mapping.clone());
///     Ok(mapping)
/// }
/// ```
///
/// # Invariants
///
/// `inode` is a reference to an inode without pages of its own. One pin of the file system belongs to
/// it.
pub struct FileMapping {
    inode: NonNull<bindings::inode>,
}

// SAFETY: An inode is not bound to a thread.
unsafe impl Send for FileMapping {}
// SAFETY: The functions that are called with the mapping have their own locks.
unsafe impl Sync for FileMapping {}

impl FileMapping {
    /// Makes a mapping for one file.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn new() -> Result<Arc<Self>> {
        let pin = FsPin::new()?;
        // SAFETY: The file system is mounted, and stays so while it is pinned.
        let inode = from_err_ptr(unsafe { bindings::alloc_anon_inode(pin.superblock()) })?;
        // INVARIANT: The inode was just made, with a reference for us.
        let mapping = Self {
            inode: NonNull::new(inode).ok_or(ENOMEM)?,
        };

        // The pin is given back when the mapping is dropped.
        core::mem::forget(pin);
        Ok(Arc::new(mapping, GFP_KERNEL)?)
    }

    /// For a file's `f_mapping`. Valid for as long as `self`.
    pub(crate) fn as_raw(&self) -> *mut bindings::address_space {
        // SAFETY: By the type invariants the inode is valid.
        unsafe { (*self.inode.as_ptr()).i_mapping }
    }

    /// Removes what is mapped of the `count` pages of the file from page `first` on, in all areas
    /// that map it. Does nothing if `count` is zero, or there are no such pages.
    ///
    /// # Context
    ///
    /// May sleep, but does not wait for memory, nor for any lock that is held while memory is
    /// allocated: reclaim may call it. No page table lock may be held.
    pub fn unmap_pages(&self, first: usize, count: usize) {
        // To the C side a count of zero means everything that follows.
        if count == 0
            || first
                .checked_add(count)
                .is_none_or(|end| end > usize::MAX >> PAGE_SHIFT)
        {
            return;
        }
        // SAFETY: By the type invariants the mapping is valid.
        unsafe { bindings::unmap_mapping_pages(self.as_raw(), first, count, true) };
    }
}

impl Drop for FileMapping {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the reference is ours.
        unsafe { bindings::iput(self.inode.as_ptr()) };
        // INVARIANT: The pin that belongs to the inode.
        drop(FsPin(()));
    }
}

extern "C" {
    /// The module that this crate is part of. Only its address is used.
    static __this_module: u8;
}

/// The file system that the inodes are in. Nobody but this can mount it.
static mut FS_TYPE: bindings::file_system_type = {
    let mut fs: bindings::file_system_type = pin_init::zeroed();

    // The module stays as long as there is a mapping, whoever has it.
    fs.owner = (&raw const __this_module).cast_mut().cast();
    fs.name = c"vmarea".to_bytes_with_nul().as_ptr();
    fs.init_fs_context = Some(init_fs_context);
    fs.kill_sb = Some(bindings::kill_anon_super);
    fs
};

/// Where it is mounted, and how many pins there are: protected by a lock of the C side.
static mut FS_MOUNT: *mut bindings::vfsmount = ptr::null_mut();
static mut FS_PINS: c_int = 0;

/// # Safety
///
/// Called by the C side with a valid context.
unsafe extern "C" fn init_fs_context(context: *mut bindings::fs_context) -> c_int {
    // SAFETY: As the caller promises.
    if unsafe { init_pseudo(context.cast(), VMAREA_FS_MAGIC) }.is_null() {
        return ENOMEM.to_errno();
    }
    0
}

/// Keeps the file system mounted.
///
/// # Invariants
///
/// One of the pins that were counted belongs to this.
struct FsPin(());

impl FsPin {
    fn new() -> Result<Self> {
        // SAFETY: The statics are used by these two functions only, under their lock.
        kernel::error::to_result(unsafe {
            bindings::simple_pin_fs(&raw mut FS_TYPE, &raw mut FS_MOUNT, &raw mut FS_PINS)
        })?;
        // INVARIANT: It was just pinned.
        Ok(Self(()))
    }

    fn superblock(&self) -> *mut bindings::super_block {
        // SAFETY: By the type invariants it is mounted, and does not change before it is unpinned.
        unsafe { (*FS_MOUNT).mnt_sb }
    }
}

impl Drop for FsPin {
    fn drop(&mut self) {
        // SAFETY: As in `new`; the pin is ours by the type invariants.
        unsafe { bindings::simple_release_fs(&raw mut FS_MOUNT, &raw mut FS_PINS) };
    }
}
