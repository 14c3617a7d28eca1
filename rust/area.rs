// SPDX-License-Identifier: GPL-2.0

//! Areas: VMAs that belong to a driver.
//!
//! An area has one owner, an object of the driver that [`AreaOwner`] is implemented for. It is set
//! up by [`establish`] from the driver's `mmap` hook, and is *atomic*: it can neither be split nor
//! moved nor grown, so it is mapped as a whole or not at all.
//!
//! A VMA that was found by its address may be anything. [`OwnArea::prove`] turns it into the area
//! it is expected to be, or shows that it is something else.
//!
//! C header: [`include/linux/mm.h`](srctree/include/linux/mm.h)

use core::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr, //
};

use kernel::{
    bindings,
    error::to_result,
    ffi::{
        c_int,
        c_ulong, //
    },
    mm::{
        virt::{
            flags,
            VmaMixedMap,
            VmaNew,
            VmaRef, //
        },
        Mm, //
    },
    page::{
        BorrowedPage,
        PAGE_MASK,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::Arc, //
};

/// How a page fault in an area ended.
pub enum FaultOutcome {
    /// The page is mapped now; the access is repeated.
    Mapped,
    /// There is nothing to be seen there: SIGBUS.
    NoPage,
    /// There was no memory to map the page with.
    NoMemory,
}

/// The owner of an area.
pub trait AreaOwner: Sized + Send + Sync + 'static {
    /// The operations of this owner's areas.
    ///
    /// Must return the same static each time: its address is part of what identifies an area.
    fn vm_ops() -> &'static VmOps<Self>;

    /// The only address space that the area may be in.
    fn mm(&self) -> &Mm;

    /// Whether the area starts at `start`. Tells the area from a copy of it.
    fn starts_at(&self, start: usize) -> bool;

    /// The area is gone and nothing of it is mapped any more.
    ///
    /// Called once, with the mmap lock held for write or the address space about to be destroyed.
    /// May sleep.
    fn unmapped(&self);

    /// User space has touched `address`, which is a page boundary in `area`.
    ///
    /// Called with the VMA or the mmap lock held for read. May sleep, but not touch user memory.
    fn fault(&self, area: &OwnArea<'_, Self>, address: usize) -> FaultOutcome;
}

/// Makes the VMA that a file's `mmap` hook got an area of `owner`.
///
/// It can be read, and can never be made writable. It is not copied by fork, does not grow, and may
/// hold pages that the driver inserts. The area keeps `owner` alive until it is gone.
///
/// # Errors
///
/// * `EINVAL` if the VMA is not in the owner's address space.
/// * `EPERM` if the VMA is writable.
///
/// After an error the VMA is as it was, and does not refer to `owner`.
pub fn establish<T: AreaOwner>(vma: &VmaNew, owner: Arc<T>) -> Result {
    if !ptr::eq::<Mm>(&**vma.mm(), owner.mm()) {
        return Err(EINVAL);
    }
    vma.try_clear_maywrite().map_err(|_| EPERM)?;
    vma.set_mixedmap();
    vma.set_dontcopy();
    vma.set_dontexpand();

    // SAFETY: `VmaNew` is a VMA that is being set up, so nobody else accesses these fields, and
    // none of its methods relies on them. The table is a static. The reference to the owner that
    // is given to the VMA here is taken back in `close`, which is called exactly once after the
    // `mmap` hook has succeeded; what follows cannot fail.
    unsafe {
        (*vma.as_ptr()).vm_ops = &T::vm_ops().table;
        (*vma.as_ptr()).vm_private_data = Arc::into_raw(owner).cast_mut().cast();
    }
    Ok(())
}

/// An area of `owner` that is locked against writers.
///
/// # Invariants
///
/// `vma` is read-locked for `'a`, has `VM_MIXEDMAP` set, is in `owner`'s address space, and was set
/// up by [`establish`] for `owner`.
pub struct OwnArea<'a, T> {
    vma: &'a VmaMixedMap,
    _owner: PhantomData<&'a T>,
}

impl<'a, T: AreaOwner> OwnArea<'a, T> {
    /// Returns the proof that `vma` is the area of `owner`, or `None` if it is not.
    pub fn prove(vma: &'a VmaRef, owner: &'a T) -> Option<Self> {
        // SAFETY: The existence of a `VmaRef` means that the VMA is read-locked, and these fields
        // change only under the write lock. The owner pointer is compared, not followed.
        let (vm_ops, private) = unsafe {
            let raw = vma.as_ptr();
            ((*raw).vm_ops, (*raw).vm_private_data)
        };

        if !ptr::eq(vm_ops, &T::vm_ops().table)
            || !ptr::eq(private.cast_const().cast(), owner)
            || !ptr::eq::<Mm>(&**vma.mm(), owner.mm())
            || !owner.starts_at(vma.start())
        {
            return None;
        }
        // INVARIANT: All that is claimed was just checked, except the lock, which is `VmaRef`'s
        // own invariant. `owner` cannot be gone and its address in use by another owner, because
        // the VMA holds a reference to it.
        Some(Self {
            vma: vma.as_mixedmap_vma()?,
            _owner: PhantomData,
        })
    }

    /// Inserts consecutive pages, the first of them at `address`.
    ///
    /// Returns how many were inserted, and what stopped the rest. The area takes a reference of its
    /// own to each page that it maps.
    ///
    /// # Errors
    ///
    /// * `EBUSY` if something is mapped there already.
    /// * `EFAULT` if a page would be outside of the area, or across page boundaries.
    /// * `ENOMEM` if there is no memory for page tables.
    ///
    /// # Context
    ///
    /// May sleep, and may enter memory reclaim.
    pub fn insert_pages<'p>(
        &self,
        address: usize,
        pages: impl Iterator<Item = BorrowedPage<'p>>,
    ) -> (usize, Result) {
        const BATCH: usize = 32;
        let mut batch = [ptr::null_mut(); BATCH];
        let mut pages = pages.fuse();
        let mut inserted = 0;

        loop {
            let mut borrowed = 0;
            for (place, page) in batch.iter_mut().zip(&mut pages) {
                *place = page.as_ptr();
                borrowed += 1;
            }
            if borrowed == 0 {
                return (inserted, Ok(()));
            }
            let Some(start) = self.place_for(address, inserted, borrowed) else {
                return (inserted, Err(EFAULT));
            };
            let mut left: c_ulong = borrowed;
            // SAFETY: By the type invariants the VMA is read-locked and `VM_MIXEDMAP` is set, as
            // `vm_insert_pages` needs it. The first `borrowed` pointers in `batch` are pages that
            // are borrowed for `'p`, which is longer than this call. The place for all of them is
            // in the VMA.
            let result = to_result(unsafe {
                bindings::vm_insert_pages(self.vma.as_ptr(), start, batch.as_mut_ptr(), &mut left)
            });
            inserted += (borrowed - left) as usize;
            if result.is_err() {
                return (inserted, result);
            }
        }
    }

    /// Removes the mappings of `pages` pages from `address` on.
    ///
    /// Does nothing if that is not all in the area, or across page boundaries.
    ///
    /// # Context
    ///
    /// May sleep, but never waits for memory: reclaim may call it.
    pub fn zap(&self, address: usize, pages: usize) {
        if let Some(start) = self.place_for(address, 0, pages) {
            self.vma.zap_vma_range(start, pages * PAGE_SIZE);
        }
    }

    /// The address of the page that is `skipped` pages after `address`, if that and the `pages`
    /// pages from there on are in the area.
    fn place_for(&self, address: usize, skipped: usize, pages: usize) -> Option<usize> {
        let start = address.checked_add(skipped.checked_mul(PAGE_SIZE)?)?;
        let end = start.checked_add(pages.checked_mul(PAGE_SIZE)?)?;
        let inside = self.vma.start() <= start && end <= self.vma.end();

        (inside && start & !PAGE_MASK == 0).then_some(start)
    }
}

/// The `vm_operations_struct` of all areas with owners of type `T`.
///
/// To be made a static, which [`AreaOwner::vm_ops`] then returns.
pub struct VmOps<T> {
    table: bindings::vm_operations_struct,
    _owner: PhantomData<fn(T)>,
}

// SAFETY: The table is never written, and holds function pointers only.
unsafe impl<T> Sync for VmOps<T> {}

impl<T: AreaOwner> VmOps<T> {
    /// Makes the table.
    #[expect(clippy::new_without_default)]
    pub const fn new() -> Self {
        let mut table: bindings::vm_operations_struct = pin_init::zeroed();

        table.open = Some(Self::open);
        table.close = Some(Self::close);
        table.may_split = Some(Self::may_split);
        table.mremap = Some(Self::mremap);
        table.fault = Some(Self::fault);
        Self {
            table,
            _owner: PhantomData,
        }
    }

    /// A copy of the area has appeared. It does nothing but share the reference.
    ///
    /// # Safety
    ///
    /// Called by the mm subsystem, for a VMA that is a copy of one that [`establish`] has set up.
    unsafe extern "C" fn open(vma: *mut bindings::vm_area_struct) {
        // SAFETY: `establish` has put a reference there, which the original still owns.
        let owner = unsafe { ManuallyDrop::new(Arc::from_raw((*vma).vm_private_data.cast::<T>())) };

        // The copy gets a reference of its own, which its `close` drops.
        let _ = ManuallyDrop::new(Arc::clone(&owner));
    }

    /// # Safety
    ///
    /// Called by the mm subsystem, once per VMA that [`establish`] or `open` was called for, when
    /// its page tables are empty.
    unsafe extern "C" fn close(vma: *mut bindings::vm_area_struct) {
        // SAFETY: The VMA owns a reference, and this is the last call for it.
        let owner = unsafe { Arc::from_raw((*vma).vm_private_data.cast::<T>()) };
        // SAFETY: Nobody can change a VMA that is being removed.
        let (mm, start) = unsafe {
            (
                (*vma).vm_mm,
                (*vma).__bindgen_anon_1.__bindgen_anon_1.vm_start,
            )
        };

        // A copy that goes away says nothing about the area.
        if ptr::eq(mm, owner.mm().as_raw()) && owner.starts_at(start) {
            owner.unmapped();
        }
    }

    /// # Safety
    ///
    /// Called by the mm subsystem. Safe in itself.
    unsafe extern "C" fn may_split(_: *mut bindings::vm_area_struct, _: c_ulong) -> c_int {
        EINVAL.to_errno()
    }

    /// # Safety
    ///
    /// Called by the mm subsystem. Safe in itself.
    unsafe extern "C" fn mremap(_: *mut bindings::vm_area_struct) -> c_int {
        EINVAL.to_errno()
    }

    /// # Safety
    ///
    /// Called by the mm subsystem with a valid fault in a VMA of this table, read-locked.
    unsafe extern "C" fn fault(vmf: *mut bindings::vm_fault) -> bindings::vm_fault_t {
        // SAFETY: The fault is valid for the duration of the call, and so are these fields.
        let (vma, address) =
            unsafe { ((*vmf).__bindgen_anon_1.vma, (*vmf).__bindgen_anon_1.address) };
        // SAFETY: The VMA stays read-locked during the call, and keeps its owner alive.
        let (vma, owner) = unsafe {
            (
                VmaRef::from_raw(vma),
                &*(*vma).vm_private_data.cast_const().cast::<T>(),
            )
        };

        let outcome = match OwnArea::prove(vma, owner) {
            Some(area) => owner.fault(&area, address & PAGE_MASK),
            // A copy of the area in another address space.
            None => FaultOutcome::NoPage,
        };
        match outcome {
            FaultOutcome::Mapped => bindings::vm_fault_reason_VM_FAULT_NOPAGE,
            FaultOutcome::NoPage => bindings::vm_fault_reason_VM_FAULT_SIGBUS,
            FaultOutcome::NoMemory => bindings::vm_fault_reason_VM_FAULT_OOM,
        }
    }
}

/// Whether a request for a VMA asks for write access.
pub fn wants_write(vma: &VmaNew) -> bool {
    vma.flags() & flags::WRITE != 0
}
