// SPDX-License-Identifier: GPL-2.0

//! The operations of a driver's areas.
//!
//! A driver implements [`VmOperations`] for the type that owns its areas, and gets an area when one
//! of the hooks in [`mmap`](mod@crate::mmap) establishes it. Each VMA that refers to an owner holds a
//! reference to it, copies that fork or a split made included: the owner lives until the last of
//! them is closed, and drivers do not count anything.
//!
//! Each callback gets what its locking context allows and no more:
//!
//! | callback | called with | gets | so it can |
//! |---|---|---|---|
//! | [`mapped`](VmOperations::mapped) | mmap lock for write | [`Mapped`] | refuse the area |
//! | [`open`](VmOperations::open) | mmap lock for write | [`Mapped`] | look |
//! | [`close`](VmOperations::close) | mmap lock, for write or read, or the process is gone | [`Closed`] | look |
//! | [`may_split`](VmOperations::may_split), [`mremap`](VmOperations::mremap) | mmap lock for write | [`Mapped`] | refuse |
//! | [`fault`](VmOperations::fault) | VMA or mmap lock for read | [`Fault`] | insert and zap pages; sleep |
//! | [`map_pages`](VmOperations::map_pages) | and RCU | [`MapPages`] | insert pages; not sleep |
//! | [`page_mkwrite`](VmOperations::page_mkwrite) | VMA or mmap lock for read | [`PageMkwrite`] | refuse; sleep |
//! | [`access`](VmOperations::access) | mmap lock for read | [`VmArea`] | copy; sleep |
//! | [`name`](VmOperations::name) | VMA or mmap lock for read | nothing | answer |
//!
//! None of them gets a [`UserContext`](crate::context::UserContext): none may touch user memory.
//!
//! C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)

use core::{
    cell::UnsafeCell,
    marker::PhantomData,
    mem::ManuallyDrop, //
};

use kernel::{
    bindings,
    build_error,
    error::VTABLE_DEFAULT_ERROR,
    ffi::{
        c_char,
        c_int,
        c_ulong,
        c_void, //
    },
    page::{
        PAGE_MASK,
        PAGE_SIZE, //
    },
    prelude::*,
    str::CStrExt,
    sync::Arc, //
};

use crate::{
    area::{
        VmArea,
        VmAreaRef, //
    },
    file::Opened,
    mm::OwnerMm, //
};

mod any_owner;
mod arguments;

pub(crate) use any_owner::AnyOwner;
pub use arguments::{
    Access,
    Closed,
    Fault,
    FaultOutcome,
    MapPages,
    Mapped,
    MkwriteOutcome,
    PageMkwrite, //
};

/// The owner of areas.
///
/// Callbacks that are not implemented are not there for the mm subsystem either, with what that
/// means: an area without `may_split` can be split, one without `fault` has no pages but those that
/// were inserted, and so on.
///
/// # Examples
///
/// Areas that show one page, whose owner never changes:
///
/// ```
/// use kernel::prelude::*;
/// use vmarea::{
///     mm::OwnerMm,
///     ops::{Fault, FaultOutcome, VmOperations, VmOps},
///     page::OwnedPage,
/// };
///
/// struct OnePage {
///     mm: OwnerMm,
///     page: OwnedPage,
/// }
///
/// static VM_OPS: VmOps<OnePage> = VmOps::new();
///
/// #[vtable]
/// impl VmOperations for OnePage {
///     fn vm_ops() -> &'static VmOps<Self> {
///         &VM_OPS
///     }
///
///     fn mm(&self) -> &OwnerMm {
///         &self.mm
///     }
///
///     fn fault(&self, fault: &Fault<'_, Self>) -> FaultOutcome {
///         let Some(area) = fault.area().as_mixed_map() else {
///             return FaultOutcome::NoPage;
///         };
///         FaultOutcome::of_insertion(area.insert_page(fault.address(), self.page.borrow()))
///     }
/// }
/// ```
#[vtable]
pub trait VmOperations: Sized + Send + Sync + 'static {
    /// Filled in by [`#[vtable]`](vtable).
    type OwnerModule;

    /// The operations of this owner's areas.
    ///
    /// Must return the same static each time: its address is what tells the areas of this type.
    /// (To return different ones is safe: then areas are not recognized.)
    fn vm_ops() -> &'static VmOps<Self>;

    /// The only address space in which this owner has areas. What fork copies into another one is
    /// no area of the owner's: nothing can be inserted there, and faults there are SIGBUS.
    fn mm(&self) -> &OwnerMm;

    /// The area that [`VmAreaDesc::establish`](crate::mmap::VmAreaDesc::establish) has asked for
    /// exists. Types whose areas are established like that must implement this, others must not.
    ///
    /// # Errors
    ///
    /// If this fails, the area is unmapped again (without `close`), and `mmap` fails with the error.
    /// What was mapped at its place before is gone all the same.
    fn mapped(_this: &Arc<Self>, _area: &Mapped) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A copy of an area has appeared, or a part of one that was split off.
    fn open(&self, _copy: &Mapped) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// An area is gone, and nothing of it is mapped any more. Called once for each area that
    /// `mapped` has confirmed, that `mmap` has established, or that `open` was told of.
    fn close(&self, _area: &Closed<'_, Self>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Whether an area may be split at `address`, for munmap, mprotect, mremap, madvise of a part.
    fn may_split(&self, _area: &Mapped, _address: usize) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// Whether an area may be moved to where `area` is. Its pages are there already, and are moved
    /// back if this fails.
    fn mremap(&self, _area: &Mapped) -> Result {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// User space has touched a page that is not mapped.
    fn fault(&self, _fault: &Fault<'_, Self>) -> FaultOutcome {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// User space has read a page that is not mapped: now is the time to map it, and those around
    /// it, if that can be done without sleeping. If the page is not mapped then, `fault` is called.
    fn map_pages(&self, _around: &mut MapPages<'_, Self>) {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// User space has written to a page that is mapped read-only in a writable, shared area.
    fn page_mkwrite(&self, _page: &PageMkwrite<'_, Self>) -> MkwriteOutcome {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// What `/proc/<pid>/maps` shows of an area without a file. One with a name is always in core
    /// dumps, whatever its flags are.
    fn name(&self) -> Option<&CStr> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// A debugger accesses memory at `address`, of which the mm subsystem knows no page. Returns
    /// how many bytes were copied. It is asked for the bytes of one page at a time.
    fn access(&self, _area: &VmArea<Self>, _address: usize, _access: Access<'_>) -> Result<usize> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// The `vm_operations_struct` of all areas with owners of type `T`.
///
/// To be made a static, which [`VmOperations::vm_ops`] then returns.
///
/// See [`VmOperations`] for an example.
pub struct VmOps<T> {
    table: bindings::vm_operations_struct,
    /// Keeps the compiler from merging equal tables, and from taking a constant for a static.
    _identity: UnsafeCell<()>,
    /// A table is for exactly one type: no subtype may pass off another's as its own.
    _owner: PhantomData<fn(T) -> T>,
}

// SAFETY: The table is never written, and holds function pointers only.
unsafe impl<T> Sync for VmOps<T> {}

impl<T: VmOperations> VmOps<T> {
    /// Makes the table.
    #[expect(clippy::new_without_default)]
    pub const fn new() -> Self {
        let mut table: bindings::vm_operations_struct = pin_init::zeroed();

        // These two count the references.
        table.open = Some(Self::open);
        table.close = Some(Self::close);
        if T::HAS_MAPPED {
            table.mapped = Some(Self::mapped);
        }
        if T::HAS_MAY_SPLIT {
            table.may_split = Some(Self::may_split);
        }
        if T::HAS_MREMAP {
            table.mremap = Some(Self::mremap);
        }
        if T::HAS_FAULT {
            table.fault = Some(Self::fault);
        }
        if T::HAS_MAP_PAGES {
            table.map_pages = Some(Self::map_pages);
        }
        if T::HAS_PAGE_MKWRITE {
            table.page_mkwrite = Some(Self::page_mkwrite);
        }
        if T::HAS_NAME {
            table.name = Some(Self::name);
        }
        if T::HAS_ACCESS {
            table.access = Some(Self::access);
        }
        Self {
            table,
            _identity: UnsafeCell::new(()),
            _owner: PhantomData,
        }
    }

    pub(crate) fn as_raw(&'static self) -> *const bindings::vm_operations_struct {
        &self.table
    }

    /// The owner of an area.
    ///
    /// # Safety
    ///
    /// `vma` must have these operations, must be confirmed if it needs to be, and must not be closed
    /// during `'a`.
    unsafe fn owner<'a>(vma: *const bindings::vm_area_struct) -> &'a T {
        // SAFETY: The VMA owns a reference.
        unsafe { &*(*vma).vm_private_data.cast_const().cast::<T>() }
    }

    /// # Safety
    ///
    /// Called by the mm subsystem, once for a VMA that `VmAreaDesc::establish` has asked for, whose
    /// `private` is still null, with the mmap lock held for write.
    unsafe extern "C" fn mapped(
        start: c_ulong,
        end: c_ulong,
        pgoff: c_ulong,
        file: *const bindings::file,
        private: *mut *mut c_void,
    ) -> c_int {
        // SAFETY: `Registration::mmap_prepare`, which alone makes a `VmAreaDesc`, has checked that
        // the file is the one whose hook was called. So it was opened by this crate, and is kept by
        // the mmap system call.
        let owner = unsafe { Opened::take_pending::<T>(file) };
        let Some(owner) = owner else {
            return EINVAL.to_errno();
        };

        match T::mapped(&owner, &Mapped::new(start, end, pgoff)) {
            Ok(()) => {
                // SAFETY: The pointer is valid. The reference is taken back in `close`.
                unsafe { *private = Arc::into_raw(owner).cast_mut().cast() };
                0
            }
            Err(error) => error.to_errno(),
        }
    }

    /// # Safety
    ///
    /// Called by the mm subsystem, for a VMA that is a copy of one with these operations.
    unsafe extern "C" fn open(vma: *mut bindings::vm_area_struct) {
        // SAFETY: The original owns a reference.
        let owner = unsafe { ManuallyDrop::new(Arc::from_raw((*vma).vm_private_data.cast::<T>())) };

        // The copy gets one of its own, which its `close` drops.
        let _ = ManuallyDrop::new(Arc::clone(&owner));
        if T::HAS_OPEN {
            // SAFETY: The mmap lock is held for write.
            owner.open(&unsafe { Mapped::of(vma) });
        }
    }

    /// # Safety
    ///
    /// Called by the mm subsystem, once per VMA with these operations, when its page tables are
    /// empty and it can be found no more.
    unsafe extern "C" fn close(vma: *mut bindings::vm_area_struct) {
        // SAFETY: Nobody else accesses the VMA any more.
        let private =
            unsafe { core::mem::replace(&mut (*vma).vm_private_data, core::ptr::null_mut()) };
        // One that `mapped` has refused.
        if private.is_null() {
            return;
        }
        // SAFETY: The VMA owned a reference, and this is the last call for it.
        let owner = unsafe { Arc::from_raw(private.cast::<T>()) };

        if T::HAS_CLOSE {
            // SAFETY: The VMA is valid during the call, and nobody can change it.
            owner.close(&unsafe { Closed::new(vma, &owner) });
        }
    }

    /// # Safety
    ///
    /// Called by the mm subsystem, for a VMA with these operations, with the mmap lock held for
    /// write.
    unsafe extern "C" fn may_split(vma: *mut bindings::vm_area_struct, address: c_ulong) -> c_int {
        // SAFETY: As the caller promises.
        let (owner, area) = unsafe { (Self::owner(vma), Mapped::of(vma)) };

        errno(owner.may_split(&area, address))
    }

    /// # Safety
    ///
    /// As for `may_split`.
    unsafe extern "C" fn mremap(vma: *mut bindings::vm_area_struct) -> c_int {
        // SAFETY: As the caller promises.
        let (owner, area) = unsafe { (Self::owner(vma), Mapped::of(vma)) };

        errno(owner.mremap(&area))
    }

    /// # Safety
    ///
    /// Called by the mm subsystem with a valid fault in a VMA with these operations, which is
    /// read-locked.
    unsafe extern "C" fn fault(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
        // SAFETY: As the caller promises, for the duration of the call.
        match unsafe { Fault::<T>::new(vmf) } {
            Some(fault) => fault.area().owner().fault(&fault).into_raw(),
            // A copy of the area in another address space.
            None => FaultOutcome::NoPage.into_raw(),
        }
    }

    /// # Safety
    ///
    /// As for `fault`, and in an RCU critical section.
    unsafe extern "C" fn map_pages(
        vmf: *mut bindings::vm_fault,
        first: c_ulong,
        last: c_ulong,
    ) -> bindings::vm_fault_t {
        // SAFETY: As the caller promises, for the duration of the call.
        let Some(mut around) = (unsafe { MapPages::<T>::new(vmf, first, last) }) else {
            // `fault` says why.
            return 0;
        };

        around.owner().map_pages(&mut around);
        around.into_raw()
    }

    /// # Safety
    ///
    /// As for `fault`, with the page that is to become writable.
    unsafe extern "C" fn page_mkwrite(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
        // SAFETY: As the caller promises, for the duration of the call.
        match unsafe { PageMkwrite::<T>::new(vmf) } {
            Some(page) => {
                let outcome = page.area().owner().page_mkwrite(&page);
                page.finish(outcome)
            }
            None => FaultOutcome::NoPage.into_raw(),
        }
    }

    /// # Safety
    ///
    /// Called by the mm subsystem for a VMA with these operations, which is read-locked for as long
    /// as the name is used.
    unsafe extern "C" fn name(vma: *mut bindings::vm_area_struct) -> *const c_char {
        // SAFETY: As the caller promises.
        let owner = unsafe { Self::owner(vma) };

        owner.name().map_or(core::ptr::null(), CStrExt::as_char_ptr)
    }

    /// # Safety
    ///
    /// Called by the mm subsystem for a VMA with these operations, which is read-locked, with a
    /// kernel buffer of `len` bytes.
    unsafe extern "C" fn access(
        vma: *mut bindings::vm_area_struct,
        address: c_ulong,
        buffer: *mut c_void,
        len: c_int,
        write: c_int,
    ) -> c_int {
        // SAFETY: As the caller promises.
        let area = unsafe { VmAreaRef::from_raw(vma) };
        let (Some(area), Ok(size)) = (area.area_of_type::<T>(), usize::try_from(len)) else {
            return EINVAL.to_errno();
        };
        // The debugger may want more than there is of the area. The pages that follow are asked for
        // by themselves, if they cannot be seen otherwise.
        let size = size.min(PAGE_SIZE - (address & !PAGE_MASK));
        // SAFETY: As the caller promises.
        let access = unsafe { Access::new(buffer.cast(), size, write != 0) };

        match area.owner().access(area, address, access) {
            Ok(copied) => c_int::try_from(copied.min(size)).unwrap_or(len),
            Err(error) => error.to_errno(),
        }
    }
}

fn errno(result: Result) -> c_int {
    result.map_or_else(|error| error.to_errno(), |()| 0)
}
