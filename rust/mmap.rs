// SPDX-License-Identifier: GPL-2.0

//! The hooks by which a file is mapped.
//!
//! The kernel has two. A device of [`file`](mod@crate::file) implements one of them:
//!
//! * [`CharDevice::mmap`] gets the area while it is being made, as [`VmAreaNew`]. When the hook has
//!   succeeded nothing else can fail, so the area exists from then on as far as the driver is
//!   concerned; but nobody can find it yet.
//! * [`CharDevice::mmap_prepare`] gets a description of the area that is to be made, as
//!   [`VmAreaDesc`]. The area may still fail to come about, and the driver is not told. When it has
//!   come about, [`VmOperations::mapped`] is called, which is when a driver should believe in it.
//!
//! `docs/vma-rules.md` compares them. Page ranges use the second: whether an area is mapped is a fact
//! that they must know exactly, and the confirmation is that fact. The kernel's developers consider
//! the first to be deprecated.
//!
//! In both the flags of the area are an [`AreaFlags`], and this is the only time that they can be
//! set. Once the hook has established the area it has given it away.
//!
//! C headers: [`include/linux/mm.h`](srctree/include/linux/mm.h),
//! [`include/linux/mm_types.h`](srctree/include/linux/mm_types.h)
//!
//! [`CharDevice::mmap`]: crate::file::CharDevice::mmap
//! [`CharDevice::mmap_prepare`]: crate::file::CharDevice::mmap_prepare

use core::{
    marker::PhantomData,
    ptr, //
};

use kernel::{
    bindings,
    ffi::c_ulong,
    mm::virt::{
        flags,
        vm_flags_t, //
    },
    page::PAGE_SHIFT,
    prelude::*,
    sync::Arc, //
};

use crate::{
    file::FileMapping,
    mm::OwnerMm,
    ops::{
        AnyOwner,
        VmOperations, //
    }, //
};

/// The flags of an area that is being made.
///
/// What can be done is safe in any combination, and for any pages that are inserted later. There is
/// no `VM_PFNMAP`, which must not be combined with `VM_MIXEDMAP`; and nothing can give user space a
/// right to access that it did not ask for, or cannot ask for later. All areas have
/// `VM_DONTEXPAND`.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::mmap::AreaFlags;
///
/// fn for_reading_only(flags: &mut AreaFlags) -> Result {
///     flags.forbid_write()?;
///     flags.set_mixed_map();
///     flags.set_dont_copy();
///     Ok(())
/// }
/// ```
pub struct AreaFlags(vm_flags_t);

impl AreaFlags {
    /// Whether user space asks for an area that it can write.
    pub fn is_writable(&self) -> bool {
        self.0 & flags::WRITE != 0
    }

    /// Whether changes of the pages are to be seen by everybody who maps them.
    pub fn is_shared(&self) -> bool {
        self.0 & flags::SHARED != 0
    }

    /// Makes sure that the area is not writable, now or later.
    ///
    /// # Errors
    ///
    /// `EPERM` if user space asks for an area that it can write.
    pub fn forbid_write(&mut self) -> Result {
        self.forbid(flags::WRITE, flags::MAYWRITE)
    }

    /// Makes sure that the area is not executable, now or later.
    ///
    /// # Errors
    ///
    /// `EPERM` if user space asks for an area that it can execute.
    pub fn forbid_exec(&mut self) -> Result {
        self.forbid(flags::EXEC, flags::MAYEXEC)
    }

    fn forbid(&mut self, now: vm_flags_t, later: vm_flags_t) -> Result {
        if self.0 & now != 0 {
            return Err(EPERM);
        }
        self.0 &= !later;
        Ok(())
    }

    /// Lets the area hold pages that the driver inserts (`VM_MIXEDMAP`).
    pub fn set_mixed_map(&mut self) {
        self.0 |= flags::MIXEDMAP;
    }

    /// Lets fork leave the area out (`VM_DONTCOPY`).
    ///
    /// On some kernels user space can undo this with `MADV_DOFORK`. Nothing relies on it.
    pub fn set_dont_copy(&mut self) {
        self.0 |= flags::DONTCOPY;
    }

    /// Lets the area be left out of core dumps (`VM_DONTDUMP`).
    pub fn set_dont_dump(&mut self) {
        self.0 |= flags::DONTDUMP;
    }

    /// What the area will have, if that is consistent.
    fn finish(mut self) -> Result<vm_flags_t> {
        // A private writable area gets copies of pages that are written, which do not belong to the
        // driver, and which it would zap with its own.
        let private = self.0 & flags::SHARED == 0 && self.0 & flags::MAYWRITE != 0;

        if private && self.0 & flags::MIXEDMAP != 0 {
            return Err(EINVAL);
        }
        // The area neither grows nor merges with a neighbour, of which the driver would not be told.
        self.0 |= flags::DONTEXPAND;
        Ok(self.0)
    }
}

/// What a hook has decided that the area will be.
///
/// It takes effect when the hook returns it. If it is dropped instead, nothing has happened.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, sync::Arc};
/// use vmarea::{
///     mmap::{Established, VmAreaDesc},
///     ops::VmOperations,
/// };
///
/// fn map_readable<T: VmOperations>(
///     mut area: VmAreaDesc<'_>,
///     owner: Arc<T>,
/// ) -> Result<Established<'_>> {
///     area.flags().forbid_write()?;
///     area.establish(owner)
/// }
/// ```
#[must_use]
pub struct Established<'a> {
    flags: vm_flags_t,
    offset: usize,
    owner: AnyOwner,
    _hook: PhantomData<&'a mut ()>,
}

impl Established<'_> {
    /// Gives a new area what was decided. It owns the reference to the owner then.
    pub(crate) fn apply(self, vma: &mut bindings::vm_area_struct) {
        vma.__bindgen_anon_2.vm_flags = self.flags;
        vma.vm_pgoff = self.offset;
        vma.vm_ops = self.owner.ops();
        // The reference is taken back in `VmOps::close`, which is called exactly once after the
        // hook has succeeded.
        vma.vm_private_data = self.owner.into_raw();
    }

    /// Asks for an area like that. Returns the owner, of which the area knows nothing yet: until
    /// `mapped` has been called, nothing has to be given back.
    pub(crate) fn describe(self, desc: &mut bindings::vm_area_desc) -> AnyOwner {
        desc.vma_flags.__vma_flags[0] = self.flags as c_ulong;
        desc.pgoff = self.offset;
        desc.vm_ops = self.owner.ops();
        desc.private_data = ptr::null_mut();
        self.owner
    }
}

/// The offset of an area of `size` bytes, in pages, if it can be represented in bytes.
fn check_offset(offset: usize, size: usize) -> Result<usize> {
    let limit = i64::MAX as usize >> PAGE_SHIFT;

    offset
        .checked_add(size >> PAGE_SHIFT)
        .filter(|&end| end <= limit)
        .map(|_| offset)
        .ok_or(EOVERFLOW)
}

/// An area that is being made, as [`CharDevice::mmap`](crate::file::CharDevice::mmap) gets it.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, sync::Arc};
/// use vmarea::{
///     mmap::{Established, VmAreaNew},
///     ops::VmOperations,
/// };
///
/// fn mmap<T: VmOperations>(mut area: VmAreaNew<'_>, owner: Arc<T>) -> Result<Established<'_>> {
///     area.flags().set_mixed_map();
///     area.establish(owner)
/// }
/// ```
pub struct VmAreaNew<'a> {
    request: Request<'a>,
}

/// The description of an area that is to be made, as
/// [`CharDevice::mmap_prepare`](crate::file::CharDevice::mmap_prepare) gets it.
///
/// See [`Established`] for an example.
pub struct VmAreaDesc<'a> {
    request: Request<'a>,
}

/// What both consist of.
struct Request<'a> {
    /// Only compared.
    mm: *const bindings::mm_struct,
    /// As well: in which the file's areas are found.
    mapping: *const bindings::address_space,
    start: usize,
    end: usize,
    offset: usize,
    flags: AreaFlags,
    _hook: PhantomData<&'a mut ()>,
}

impl<'a> Request<'a> {
    fn establish<T: VmOperations>(self, owner: Arc<T>) -> Result<Established<'a>> {
        if !owner.mm().is(self.mm) {
            return Err(EINVAL);
        }
        Ok(Established {
            flags: self.flags.finish()?,
            offset: check_offset(self.offset, self.end - self.start)?,
            owner: AnyOwner::new(owner),
            _hook: PhantomData,
        })
    }
}

macro_rules! request_methods {
    () => {
        /// The address of what will be the first byte.
        pub fn start(&self) -> usize {
            self.request.start
        }

        /// The address after what will be the last byte.
        pub fn end(&self) -> usize {
            self.request.end
        }

        /// Whether it will be in this address space.
        pub fn is_for(&self, mm: &OwnerMm) -> bool {
            mm.is(self.request.mm)
        }

        /// Whether it will be found by this mapping, because the file uses it.
        pub fn is_in(&self, mapping: &FileMapping) -> bool {
            ptr::eq(self.request.mapping, mapping.as_raw())
        }

        /// The offset in the file, in pages.
        pub fn offset(&self) -> usize {
            self.request.offset
        }

        /// Maps another part of the file than user space has asked for. For files whose offsets
        /// mean nothing to user space.
        pub fn set_offset(&mut self, offset: usize) {
            self.request.offset = offset;
        }

        /// The flags that the area will have.
        pub fn flags(&mut self) -> &mut AreaFlags {
            &mut self.request.flags
        }
    };
}

impl<'a> VmAreaNew<'a> {
    /// The area must be one that is being made.
    pub(crate) fn new(vma: &bindings::vm_area_struct) -> Self {
        // SAFETY: A VMA that is not freed has this member, and all members of the other union are
        // the same flags.
        let (place, flags) = unsafe {
            (
                vma.__bindgen_anon_1.__bindgen_anon_1,
                AreaFlags(vma.__bindgen_anon_2.vm_flags),
            )
        };

        Self {
            request: Request {
                mm: vma.vm_mm,
                // SAFETY: The VMA has a file, whose hook was called.
                mapping: unsafe { (*vma.vm_file).f_mapping },
                start: place.vm_start,
                end: place.vm_end,
                offset: vma.vm_pgoff,
                flags,
                _hook: PhantomData,
            },
        }
    }

    request_methods!();

    /// Makes it an area of `owner`, whose operations must be without `mapped`.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if it is not in the owner's address space, or is private, could be written and is
    ///   to hold pages of the driver.
    /// * `EOVERFLOW` if its offset is too large.
    pub fn establish<T: VmOperations>(self, owner: Arc<T>) -> Result<Established<'a>> {
        const { assert!(!T::HAS_MAPPED, "the mmap hook has no `mapped` callback") };

        self.request.establish(owner)
    }
}

impl<'a> VmAreaDesc<'a> {
    pub(crate) fn new(desc: &bindings::vm_area_desc) -> Self {
        Self {
            request: Request {
                mm: desc.mm,
                // SAFETY: The area will have a file, whose hook was called.
                mapping: unsafe { (*desc.file).f_mapping },
                start: desc.start,
                end: desc.end,
                offset: desc.pgoff,
                flags: AreaFlags(desc.vma_flags.__vma_flags[0] as vm_flags_t),
                _hook: PhantomData,
            },
        }
    }

    request_methods!();

    /// Asks for an area of `owner`. If that comes about, [`VmOperations::mapped`] is called.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if it will not be in the owner's address space, or is private, could be written
    ///   and is to hold pages of the driver.
    /// * `EOVERFLOW` if its offset is too large.
    pub fn establish<T: VmOperations>(self, owner: Arc<T>) -> Result<Established<'a>> {
        const {
            assert!(
                T::HAS_MAPPED,
                "needs a `mapped` callback that confirms the area"
            )
        };

        self.request.establish(owner)
    }
}
