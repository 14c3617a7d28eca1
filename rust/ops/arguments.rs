// SPDX-License-Identifier: GPL-2.0

//! What the callbacks of [`VmOperations`] get, and how they answer.

use core::{
    marker::PhantomData,
    ops::Range,
    ptr,
    slice, //
};

use kernel::{
    bindings,
    page::{
        PAGE_MASK,
        PAGE_SHIFT, //
    },
    prelude::*, //
};

use crate::{
    area::{
        VmArea,
        VmAreaRef, //
    },
    bindings::vmarea_lock_page,
    page::PageRef, //
};

use super::VmOperations;

/// Where an area is mapped.
///
/// # Examples
///
/// ```
/// use vmarea::ops::Mapped;
///
/// fn pages(area: &Mapped) -> usize {
///     (area.end() - area.start()) >> kernel::page::PAGE_SHIFT
/// }
/// ```
pub struct Mapped {
    start: usize,
    end: usize,
    offset: usize,
}

impl Mapped {
    pub(super) fn new(start: usize, end: usize, offset: usize) -> Self {
        Self { start, end, offset }
    }

    /// # Safety
    ///
    /// `vma` must be valid, and the mmap lock be held for write.
    pub(super) unsafe fn of(vma: *const bindings::vm_area_struct) -> Self {
        // SAFETY: As the caller promises.
        unsafe {
            let place = (*vma).__bindgen_anon_1.__bindgen_anon_1;
            Self::new(place.vm_start, place.vm_end, (*vma).vm_pgoff)
        }
    }

    /// The address of the first byte.
    pub fn start(&self) -> usize {
        self.start
    }

    /// The address after the last byte.
    pub fn end(&self) -> usize {
        self.end
    }

    /// The offset in the file, in pages.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

/// An area that is gone.
///
/// # Examples
///
/// ```
/// use vmarea::ops::{Closed, VmOperations};
///
/// fn was_first_page_of<T: VmOperations>(area: &Closed<'_, T>, start: usize) -> bool {
///     area.is_own() && area.start() == start
/// }
/// ```
pub struct Closed<'a, T> {
    start: usize,
    end: usize,
    own: bool,
    _area: PhantomData<&'a T>,
}

impl<'a, T: VmOperations> Closed<'a, T> {
    /// # Safety
    ///
    /// `vma` must be valid, and not change during the call.
    pub(super) unsafe fn new(vma: *const bindings::vm_area_struct, owner: &'a T) -> Self {
        // SAFETY: As the caller promises.
        let (mm, place) = unsafe { ((*vma).vm_mm, (*vma).__bindgen_anon_1.__bindgen_anon_1) };

        Self {
            start: place.vm_start,
            end: place.vm_end,
            own: owner.mm().is(mm),
            _area: PhantomData,
        }
    }

    /// The address of what was the first byte.
    pub fn start(&self) -> usize {
        self.start
    }

    /// The address after what was the last byte.
    pub fn end(&self) -> usize {
        self.end
    }

    /// Whether it was in the owner's address space. If not, it was a copy.
    pub fn is_own(&self) -> bool {
        self.own
    }
}

/// A page fault in an area of an owner of type `T`.
///
/// See [`VmOperations`] for an example.
///
/// # Invariants
///
/// `vmf` is valid, and its VMA, which is `area`, read-locked, for `'a`.
pub struct Fault<'a, T> {
    vmf: *mut bindings::vm_fault,
    area: &'a VmArea<T>,
}

impl<'a, T: VmOperations> Fault<'a, T> {
    /// Fails for an area that is not in its owner's address space.
    ///
    /// # Safety
    ///
    /// `vmf` must be valid, and its VMA read-locked, for `'a`.
    pub(super) unsafe fn new(vmf: *mut bindings::vm_fault) -> Option<Self> {
        // SAFETY: As the caller promises.
        let area = unsafe { VmAreaRef::from_raw((*vmf).__bindgen_anon_1.vma) };

        // INVARIANT: As the caller promises.
        Some(Self {
            vmf,
            area: area.area_of_type()?,
        })
    }

    /// The area that was touched.
    pub fn area(&self) -> &VmArea<T> {
        self.area
    }

    /// The address of the page that was touched.
    pub fn address(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { (*self.vmf).__bindgen_anon_1.address & PAGE_MASK }
    }

    /// The offset of that page in the file, in pages.
    pub fn offset(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { (*self.vmf).__bindgen_anon_1.pgoff }
    }

    /// Whether it was written to.
    pub fn is_write(&self) -> bool {
        // SAFETY: By the type invariants.
        unsafe { (*self.vmf).flags & bindings::fault_flag_FAULT_FLAG_WRITE != 0 }
    }
}

/// How a page fault ended.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::ops::FaultOutcome;
///
/// // Somebody else was faster.
/// assert!(matches!(FaultOutcome::of_insertion(Err(EBUSY)), FaultOutcome::Mapped));
/// assert!(matches!(FaultOutcome::of_insertion(Err(ENOMEM)), FaultOutcome::NoMemory));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FaultOutcome {
    /// The page is mapped now; the access is repeated.
    Mapped,
    /// There is nothing to be seen there: SIGBUS.
    NoPage,
    /// There was no memory to map the page with.
    NoMemory,
}

impl FaultOutcome {
    /// How a fault ends that was answered by inserting the page.
    pub fn of_insertion(result: Result) -> Self {
        match result {
            Ok(()) => Self::Mapped,
            Err(error) if error == EBUSY => Self::Mapped,
            Err(error) if error == ENOMEM => Self::NoMemory,
            Err(_) => Self::NoPage,
        }
    }

    pub(super) fn into_raw(self) -> bindings::vm_fault_t {
        match self {
            Self::Mapped => bindings::vm_fault_reason_VM_FAULT_NOPAGE,
            Self::NoPage => bindings::vm_fault_reason_VM_FAULT_SIGBUS,
            Self::NoMemory => bindings::vm_fault_reason_VM_FAULT_OOM,
        }
    }
}

/// The pages around one that was read, which may be mapped too.
///
/// # Examples
///
/// ```
/// use vmarea::{
///     ops::{MapPages, VmOperations},
///     page::PageRef,
/// };
///
/// /// Maps the pages that `page_at` knows.
/// fn map_known<'p, T: VmOperations>(
///     around: &mut MapPages<'_, T>,
///     page_at: impl Fn(usize) -> Option<PageRef<'p>>,
/// ) {
///     around.insert(|_, offset| page_at(offset));
/// }
/// ```
///
/// # Invariants
///
/// `vmf` is valid, and its VMA an area of an owner of type `T`, in the owner's address space and
/// read-locked, for `'a`. This is a call of `map_pages` for that fault, for `offsets`.
pub struct MapPages<'a, T> {
    vmf: *mut bindings::vm_fault,
    area: &'a VmArea<T>,
    offsets: Range<usize>,
    result: bindings::vm_fault_t,
    offered: usize,
}

impl<'a, T: VmOperations> MapPages<'a, T> {
    /// Fails for an area that is not in its owner's address space, or cannot have pages.
    ///
    /// # Safety
    ///
    /// `map_pages` must have been called with these.
    pub(super) unsafe fn new(
        vmf: *mut bindings::vm_fault,
        first: usize,
        last: usize,
    ) -> Option<Self> {
        // SAFETY: As the caller promises.
        let area = unsafe { VmAreaRef::from_raw((*vmf).__bindgen_anon_1.vma) };
        let area = area.area_of_type::<T>()?;

        area.as_mixed_map()?;
        // INVARIANT: As the caller promises, and as was just checked.
        Some(Self {
            vmf,
            area,
            offsets: first..last.checked_add(1)?,
            result: 0,
            offered: 0,
        })
    }

    /// Whose area it is. (What can be done to the area itself may sleep, so it is not given out.)
    pub fn owner(&self) -> &'a T {
        self.area.owner()
    }

    /// The pages that may be mapped, as offsets in the file, in pages.
    pub fn offsets(&self) -> Range<usize> {
        self.offsets.clone()
    }

    /// The address of the page at `offset`, which is one of [`offsets`](Self::offsets).
    pub fn address_of(&self, offset: usize) -> usize {
        // SAFETY: By the type invariants.
        let (address, touched) = unsafe {
            let fault = (*self.vmf).__bindgen_anon_1;
            (fault.address & PAGE_MASK, fault.pgoff)
        };

        address.wrapping_add(offset.wrapping_sub(touched) << PAGE_SHIFT)
    }

    /// Maps the pages that `page_at` has for the offsets, except where something is mapped already.
    /// The area takes a reference of its own to each.
    ///
    /// # Context
    ///
    /// Does not sleep.
    pub fn insert<'p>(&mut self, page_at: impl Fn(&Self, usize) -> Option<PageRef<'p>>) {
        const BATCH: usize = 32;
        let mut next = self.offsets.start;

        while next < self.offsets.end {
            let count = usize::min(BATCH, self.offsets.end - next);
            let mut pages = [ptr::null_mut(); BATCH];
            let mut found = 0;
            for (i, page) in pages[..count].iter_mut().enumerate() {
                if let Some(known) = page_at(self, next + i) {
                    *page = known.as_ptr();
                    found += 1;
                }
            }
            self.offered += found;
            if found > 0 {
                // SAFETY: By the type invariants this is a call of `map_pages` for the fault, for
                // these offsets. The first `count` pointers are null or pages that are borrowed for
                // `'p`, which is longer than this call.
                self.result |= unsafe {
                    bindings::vmf_insert_pages(self.vmf, next, pages.as_mut_ptr(), count as u32)
                };
            }
            next += count;
        }
    }

    pub(super) fn into_raw(self) -> bindings::vm_fault_t {
        self.result
    }

    /// The address of the page that was read.
    pub fn address(&self) -> usize {
        // SAFETY: By the type invariants.
        unsafe { (*self.vmf).__bindgen_anon_1.address & PAGE_MASK }
    }

    /// How many pages were offered to be mapped. Those that were mapped already are among them.
    pub fn offered(&self) -> usize {
        self.offered
    }

    /// Whether the page that was read is mapped now.
    pub fn is_done(&self) -> bool {
        self.result & bindings::vm_fault_reason_VM_FAULT_NOPAGE != 0
    }
}

/// A page that user space wants to write.
///
/// # Examples
///
/// ```
/// use vmarea::ops::{MkwriteOutcome, PageMkwrite, VmOperations};
///
/// fn only_the_first_page<T: VmOperations>(page: &PageMkwrite<'_, T>) -> MkwriteOutcome {
///     if page.address() == page.area().start() {
///         MkwriteOutcome::Allowed
///     } else {
///         MkwriteOutcome::Refused
///     }
/// }
/// ```
///
/// # Invariants
///
/// The fault's page is valid, and is not locked by this thread.
pub struct PageMkwrite<'a, T> {
    fault: Fault<'a, T>,
}

/// Whether a page may be written.
///
/// See [`PageMkwrite`] for an example.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum MkwriteOutcome {
    /// It becomes writable.
    Allowed,
    /// It does not: SIGBUS.
    Refused,
    /// It is not mapped any more; the access is repeated.
    Gone,
}

impl<T: VmOperations> PageMkwrite<'_, T> {
    /// # Safety
    ///
    /// As for [`Fault::new`], and `page_mkwrite` must have been called with `vmf`.
    pub(super) unsafe fn new(vmf: *mut bindings::vm_fault) -> Option<Self> {
        // INVARIANT: As the caller promises.
        Some(Self {
            // SAFETY: As the caller promises.
            fault: unsafe { Fault::new(vmf)? },
        })
    }

    /// The area that was written to.
    pub fn area(&self) -> &VmArea<T> {
        self.fault.area()
    }

    /// The address of the page.
    pub fn address(&self) -> usize {
        self.fault.address()
    }

    /// The offset of the page in the file, in pages.
    pub fn offset(&self) -> usize {
        self.fault.offset()
    }

    pub(super) fn finish(self, outcome: MkwriteOutcome) -> bindings::vm_fault_t {
        match outcome {
            MkwriteOutcome::Allowed => {
                // A page of a driver has no mapping, by which the mm subsystem would tell that it
                // was not truncated while it was not locked. So it is returned locked.
                // SAFETY: By the type invariants.
                unsafe { vmarea_lock_page((*self.fault.vmf).page) };
                bindings::vm_fault_reason_VM_FAULT_LOCKED
            }
            MkwriteOutcome::Refused => bindings::vm_fault_reason_VM_FAULT_SIGBUS,
            MkwriteOutcome::Gone => bindings::vm_fault_reason_VM_FAULT_NOPAGE,
        }
    }
}

/// What a debugger wants: bytes of kernel memory to be filled, or to be copied from.
///
/// # Examples
///
/// ```
/// # use kernel::prelude::*;
/// use vmarea::ops::Access;
///
/// /// Lets debuggers see zeroes, and write nothing.
/// fn zeroes(access: Access<'_>) -> Result<usize> {
///     match access {
///         Access::Read(buffer) => {
///             buffer.fill(0);
///             Ok(buffer.len())
///         }
///         Access::Write(_) => Err(EPERM),
///     }
/// }
/// ```
pub enum Access<'a> {
    /// To be filled.
    Read(&'a mut [u8]),
    /// To be copied from.
    Write(&'a [u8]),
}

impl Access<'_> {
    /// # Safety
    ///
    /// `buffer` must be valid for `len` bytes, initialized if `write` is set, and not accessed by
    /// others meanwhile.
    pub(super) unsafe fn new(buffer: *mut u8, len: usize, write: bool) -> Self {
        if write {
            // SAFETY: As the caller promises.
            return Self::Write(unsafe { slice::from_raw_parts(buffer, len) });
        }
        // What is in there is not for the debugger, should the driver not fill it.
        // SAFETY: As the caller promises. It is initialized first.
        Self::Read(unsafe {
            buffer.write_bytes(0, len);
            slice::from_raw_parts_mut(buffer, len)
        })
    }
}
