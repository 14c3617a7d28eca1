// SPDX-License-Identifier: GPL-2.0

//! Page ranges: the pages behind an area, there while they are needed and reclaimable otherwise.
//!
//! A [`PageRange`] belongs to the process that created it, which may map it once. Any process may
//! then take a [`Lease`] on a part of it: as long as the lease is held the pages are there, can be
//! written, and are mapped into the owner. Pages without a lease stay, for the next one, until
//! memory reclaim takes them.
//!
//! Lock order, outermost first:
//!
//! 1. mmap lock, VMA lock
//! 2. the range's lock (`RangeInner::usage`), which is held while pages are inserted and zapped
//! 3. LRU list lock
//!
//! Reclaim comes from the inside, with the LRU list locked, and therefore only tries the others.
//! User memory is never touched with any of them held.

use core::ops::Range;

use kernel::{
    mm::{
        virt::VmaNew,
        Mm,
        MmWithUser,
        VmaReadGuard, //
    },
    page::{
        Page,
        PAGE_MASK,
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        aref::ARef,
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        new_mutex,
        Arc,
        Mutex,
        SetOnce, //
    }, //
};

use crate::{
    area::{
        self,
        AreaOwner,
        FaultOutcome,
        OwnArea,
        VmOps, //
    },
    counters::Counters,
    slot::{
        Slot,
        Usage, //
    },
};

mod lease;
mod reclaim;

pub use lease::Lease;
pub use reclaim::PageLru;

/// A range of pages that its process may map once.
///
/// When it is dropped, all pages without a lease are freed, and the others when their lease ends.
pub struct PageRange {
    inner: Arc<RangeInner>,
}

/// What areas, leases and reclaim share of a [`PageRange`].
#[pin_data]
pub(crate) struct RangeInner {
    mm: ARef<Mm>,
    lru: Arc<PageLru>,
    counters: Arc<Counters>,
    /// Set once, when the range is mapped.
    place: SetOnce<Place>,
    /// Whether the area exists. Nothing else decides whether there may be page table entries.
    mapped: Atomic<bool>,
    #[pin]
    usage: Mutex<RangeUsage>,
}

/// Where a range is or was mapped, and its slots.
struct Place {
    start: usize,
    slots: KVVec<Slot>,
}

struct RangeUsage {
    /// The usage of each slot, in their order.
    slots: KVVec<Usage>,
    /// The range is gone. Pages are freed as soon as they have no lease.
    closed: bool,
}

static VM_OPS: VmOps<RangeInner> = VmOps::new();

impl AreaOwner for RangeInner {
    fn vm_ops() -> &'static VmOps<Self> {
        &VM_OPS
    }

    fn mm(&self) -> &Mm {
        &self.mm
    }

    fn starts_at(&self, start: usize) -> bool {
        self.place
            .as_ref()
            .is_some_and(|place| place.start == start)
    }

    fn unmapped(&self) {
        self.mapped.store(false, Release);
    }

    fn fault(&self, area: &OwnArea<'_, Self>, address: usize) -> FaultOutcome {
        let Some(place) = self.place.as_ref() else {
            return FaultOutcome::NoPage;
        };
        let index = (address - place.start) >> PAGE_SHIFT;
        let mut usage = self.usage.lock();
        let (Some(slot), Some(state)) = (place.slots.get(index), usage.slots.get_mut(index)) else {
            return FaultOutcome::NoPage;
        };
        if state.leases == 0 {
            return FaultOutcome::NoPage;
        }
        // SAFETY: The range's lock is held.
        let Some(page) = (unsafe { slot.page() }) else {
            return FaultOutcome::NoPage;
        };

        let (_, result) = area.insert_pages(address, core::iter::once(page));
        match result {
            // Busy means that somebody else was faster.
            Ok(()) | Err(EBUSY) => {
                state.inserted = true;
                self.counters.faults.add(1);
                FaultOutcome::Mapped
            }
            Err(_) => FaultOutcome::NoMemory,
        }
    }
}

impl PageRange {
    /// Creates a range for the current process. Its idle pages will be in `lru`.
    ///
    /// # Errors
    ///
    /// * `ESRCH` in a thread without an address space.
    /// * `ENOMEM`.
    pub fn new(lru: Arc<PageLru>, counters: Arc<Counters>) -> Result<Self> {
        let mm = ARef::from(&**kernel::current!().mm().ok_or(ESRCH)?);
        let inner = Arc::pin_init(
            pin_init!(RangeInner {
                mm,
                lru,
                counters,
                place: SetOnce::new(),
                mapped: Atomic::new(false),
                usage <- new_mutex!(
                    RangeUsage { slots: KVVec::new(), closed: false },
                    "PageRange::usage"
                ),
            }),
            GFP_KERNEL,
        )?;

        Ok(Self { inner })
    }

    /// Maps the range: to be called from the `mmap` hook. Returns the size of the range in bytes,
    /// which is that of the VMA, but at most `limit`.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if the current process is not the range's owner, or `limit` is below one page.
    /// * `EPERM` if the mapping would be writable.
    /// * `EBUSY` if the range is or was mapped before.
    /// * `ENOMEM`.
    pub fn mmap(&self, vma: &VmaNew, limit: usize) -> Result<usize> {
        let inner = &self.inner;
        let size = usize::min(vma.end() - vma.start(), limit & PAGE_MASK);

        if size == 0 || !core::ptr::eq::<Mm>(&**vma.mm(), &*inner.mm) {
            return Err(EINVAL);
        }
        if area::wants_write(vma) {
            return Err(EPERM);
        }
        if inner.place.as_ref().is_some() {
            return Err(EBUSY);
        }

        let count = size >> PAGE_SHIFT;
        let mut slots = KVVec::with_capacity(count, GFP_KERNEL)?;
        for _ in 0..count {
            slots.push(Slot::new(Arc::as_ptr(inner)), GFP_KERNEL)?;
        }
        for slot in &slots {
            // SAFETY: The slots are in no list, only known here, and stay at their place: the
            // vector does not grow any more.
            unsafe { slot.link.init() };
        }
        let usage = KVVec::from_elem(Usage::default(), count, GFP_KERNEL)?;

        // All calls are made with the owner's mmap lock held for write, so there is one at a time.
        area::establish(vma, inner.clone())?;
        inner.usage.lock().slots = usage;
        inner.place.populate(Place {
            start: vma.start(),
            slots,
        });
        inner.mapped.store(true, Release);
        Ok(size)
    }

    /// Whether the range is mapped now. It can stop to be at any time, and never begins again.
    pub fn is_mapped(&self) -> bool {
        self.inner.mapped.load(Acquire)
    }

    /// Where the range is or was mapped.
    pub fn start(&self) -> Option<usize> {
        self.inner.place.as_ref().map(|place| place.start)
    }

    /// The size of the range in bytes; zero before it was mapped.
    pub fn size(&self) -> usize {
        self.inner
            .place
            .as_ref()
            .map_or(0, |place| place.slots.len() << PAGE_SHIFT)
    }

    /// Makes the bytes from `offset` on available for writing, and mapped in the owner.
    ///
    /// # Errors
    ///
    /// * `ESRCH` if the range is not mapped, or its owner is dying.
    /// * `EINVAL` if the bytes are not all in the range.
    /// * `EINTR` if the current thread was killed while it waited for the owner's mmap lock.
    /// * `ENOMEM`.
    ///
    /// # Context
    ///
    /// May sleep. May not be called with an mmap or VMA lock held, or in reclaim.
    pub fn lease(&self, offset: usize, len: usize) -> Result<Lease> {
        let end = offset.checked_add(len).ok_or(EINVAL)?;
        let place = self.inner.place.as_ref().ok_or(ESRCH)?;
        if end > place.slots.len() << PAGE_SHIFT {
            return Err(EINVAL);
        }

        let covered = (offset >> PAGE_SHIFT)..end.div_ceil(PAGE_SIZE);
        let missing = self.inner.cover(place, covered.clone())?;
        // From here on dropping the lease undoes what was done.
        let lease = Lease::new(self.inner.clone(), offset, len);
        if let Some(missing) = missing {
            self.inner.populate(place, covered, missing)?;
        }
        Ok(lease)
    }

    /// Frees all pages that have no lease; the others will be when their lease ends.
    ///
    /// After this there are no new leases. Does nothing the second time.
    pub fn close(&self) {
        self.inner.close();
    }
}

impl Drop for PageRange {
    fn drop(&mut self) {
        self.close();
    }
}

impl RangeInner {
    /// Counts a new lease for each of the `covered` slots.
    ///
    /// Returns `None` if all their pages are there and mapped, otherwise how many are not there.
    fn cover(&self, place: &Place, covered: Range<usize>) -> Result<Option<usize>> {
        let mut missing = 0;
        let mut complete = true;
        let mut reused = 0;
        let mut usage = self.usage.lock();
        if usage.closed || !self.mapped.load(Acquire) {
            return Err(ESRCH);
        }

        let states = &mut usage.slots[covered.clone()];
        for (slot, state) in place.slots[covered].iter().zip(states) {
            // SAFETY: The range's lock is held.
            match unsafe { slot.page() } {
                Some(page) if state.leases == 0 => {
                    // SAFETY: The link was initialized, and is in no other list.
                    unsafe { self.lru.list().remove(&slot.link, page.nid()) };
                    reused += 1;
                }
                Some(_) => {}
                None => missing += 1,
            }
            state.leases += 1;
            complete &= state.inserted;
        }
        self.counters.idle.sub(reused);
        self.counters.used.add(reused);
        Ok((!complete).then_some(missing))
    }

    /// Ends a lease on each of the `covered` slots.
    fn uncover(&self, place: &Place, covered: Range<usize>) {
        let mut idle = 0;
        let mut freed = 0;
        let mut usage = self.usage.lock();
        let closed = usage.closed;

        let states = &mut usage.slots[covered.clone()];
        for (slot, state) in place.slots[covered].iter().zip(states) {
            state.leases -= 1;
            if state.leases > 0 {
                continue;
            }
            // SAFETY: The range's lock is held.
            let Some(page) = (unsafe { slot.page() }) else {
                continue;
            };
            if closed {
                // SAFETY: The range's lock is held, and this was the last lease.
                drop(unsafe { slot.take() });
                freed += 1;
            } else {
                // SAFETY: The link was initialized. It is removed before the slot is freed: by
                // `cover`, by reclaim, or by `close`.
                unsafe { self.lru.list().add(&slot.link, page.nid()) };
                idle += 1;
            }
        }
        self.counters.used.sub(idle + freed);
        self.counters.idle.add(idle);
    }

    /// Fills the empty ones of the `covered` slots, of which `missing` were seen, and maps what is
    /// not mapped. The slots must be covered by a lease already.
    #[cold]
    fn populate(&self, place: &Place, covered: Range<usize>, missing: usize) -> Result {
        let mut fresh = KVec::with_capacity(missing, GFP_KERNEL)?;
        for _ in 0..missing {
            fresh.push(
                Page::alloc_page(GFP_KERNEL | __GFP_HIGHMEM | __GFP_ZERO)?,
                GFP_KERNEL,
            )?;
        }

        // The owner may be exiting, and wait for this very thread to go on. The last reference
        // must therefore not be dropped here.
        let mm = MmWithUser::into_mmput_async(self.mm.mmget_not_zero().ok_or(ESRCH)?);
        let vma = self.lock_vma(&mm, place)?;
        let area = OwnArea::prove(&vma, self).ok_or(ESRCH)?;

        let mut usage = self.usage.lock();
        for slot in &place.slots[covered.clone()] {
            // SAFETY: The range's lock is held.
            if unsafe { slot.page() }.is_some() {
                continue;
            }
            // Slots do not become empty while they are covered, so there are enough.
            let page = fresh.pop().ok_or(ENOMEM)?;
            // SAFETY: The range's lock is held, and the slot is empty.
            unsafe { slot.put(page) };
            self.counters.used.add(1);
        }

        let mut next = covered.start;
        while next < covered.end {
            let run = usage.slots[next..covered.end]
                .iter()
                .take_while(|state| !state.inserted)
                .count();
            if run == 0 {
                next += 1;
                continue;
            }
            let pages = place.slots[next..next + run].iter().filter_map(|slot| {
                // SAFETY: The range's lock is held, for as long as the pages are used.
                unsafe { slot.page() }
            });
            let (inserted, result) = area.insert_pages(place.start + (next << PAGE_SHIFT), pages);
            for state in &mut usage.slots[next..next + inserted] {
                state.inserted = true;
            }
            self.counters.inserted.add(inserted);
            self.counters.batches.add(1);
            result?;
            next += run;
        }
        Ok(())
    }

    /// Read-locks the VMA that is where the area should be.
    fn lock_vma<'mm>(&self, mm: &'mm MmWithUser, place: &Place) -> Result<VmaReadGuard<'mm>> {
        if let Some(vma) = mm.lock_vma_under_rcu(place.start) {
            self.counters.vma_lock_fast.add(1);
            return Ok(vma);
        }
        self.counters.vma_lock_waited.add(1);
        mm.vma_start_read_unlocked_killable(place.start)?
            .ok_or(ESRCH)
    }

    fn close(&self) {
        let Some(place) = self.place.as_ref() else {
            return;
        };
        let mut freed = 0;
        let mut usage = self.usage.lock();
        usage.closed = true;

        for (slot, state) in place.slots.iter().zip(&usage.slots) {
            if state.leases > 0 {
                continue;
            }
            // SAFETY: The range's lock is held.
            if let Some(page) = unsafe { slot.page() } {
                // SAFETY: The link was initialized, and is in no other list.
                unsafe { self.lru.list().remove(&slot.link, page.nid()) };
                // SAFETY: The range's lock is held, and no lease covers the slot.
                drop(unsafe { slot.take() });
                freed += 1;
            }
        }
        self.counters.idle.sub(freed);
    }
}
