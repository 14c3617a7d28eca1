// SPDX-License-Identifier: GPL-2.0

//! Page ranges: the pages behind an area, there while they are needed and reclaimable otherwise.
//!
//! A [`PageRange`] belongs to the process that created it, which may map it once. Any process may
//! then take a [`Lease`] on a part of it: as long as the lease is held the pages are there and can be
//! written. Pages without a lease stay, for the next one, until memory reclaim takes them.
//!
//! When the pages are mapped into the owner depends on [`Install`]. In any case the fault handler maps
//! what is touched and not mapped, if there is a lease on it.
//!
//! What happens to the pages, and in which order, is in [`protocol`]; here is what that is built on.
//!
//! What a range needs for each of its pages is allocated as far as leases have come (`slots.rs`,
//! `growth.rs`): most of what processes map is never used. It is made known with the range's lock
//! held, allocated and freed without.
//!
//! Lock order, outermost first:
//!
//! 1. mmap lock, VMA lock
//! 2. the range's lock (`RangeInner::usage`), which is held while pages are inserted and zapped
//! 3. `RangeInner::mapping`, `i_mmap_rwsem`
//! 4. LRU list lock
//!
//! Reclaim comes from the inside, with the LRU list locked, and therefore only tries the others,
//! except `i_mmap_rwsem`, which it takes when the list is not locked any more. User memory is never
//! touched with any of them held: the functions that may wait for the first ask for a
//! [`UserContext`].

use core::ops::Range;

use kernel::{
    page::{
        PAGE_MASK,
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        atomic::{
            Acquire,
            Atomic, //
        },
        new_mutex,
        Arc,
        Mutex,
        SetOnce, //
    },
    uaccess::UserPtr, //
};

use crate::{
    area::{
        VmAreaMixedMap,
        VmAreaRef, //
    },
    context::UserContext,
    counters::Counters,
    file::{
        FileMapping,
        Opening, //
    },
    mm::{
        AreaGuard,
        OwnerMm, //
    },
    mmap::{
        Established,
        VmAreaDesc, //
    },
    page::{
        charge_to,
        OwnedPage, //
    },
    trace::{
        self,
        LockHow, //
    }, //
};

mod backing;
mod fill;
mod growth;
mod lease;
mod operations;
// Public where tests/host builds it.
#[expect(unreachable_pub)]
pub(crate) mod protocol;
mod reclaim;
mod slots;
// As `protocol`.
#[expect(unreachable_pub)]
pub(crate) mod state;

use backing::RangeArea;
pub use lease::Lease;
use protocol::{
    Needs,
    Usage, //
};
pub use reclaim::PageLru;
use slots::Slots;
use state::SlotState;

/// When pages are mapped into the owner of a range.
///
/// # Examples
///
/// ```
/// use vmarea::page_range::Install;
///
/// assert!(matches!(Install::from_name(b"fault"), Some(Install::Fault)));
/// assert!(Install::from_name(b"never").is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Install {
    /// By whoever takes a lease on them, before it gets it.
    Sender,
    /// By the owner, when it [asks](Lease::map) for it.
    Receiver,
    /// By the owner's page faults only. The range has a [`FileMapping`] of its own, by which pages
    /// are unmapped again.
    Fault,
}

impl Install {
    /// The names, as users know them.
    pub const NAMES: [(&'static str, Self); 3] = [
        ("sender", Self::Sender),
        ("receiver", Self::Receiver),
        ("fault", Self::Fault),
    ];

    /// What is known under `name`.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| known.as_bytes() == name)
            .map(|&(_, install)| install)
    }
}

/// A range of pages that its process may map once.
///
/// When it is dropped, all pages without a lease are freed, and the others when their lease ends.
///
/// # Examples
///
/// The range of an opened file:
///
/// ```
/// # use kernel::{prelude::*, sync::Arc};
/// use vmarea::{
///     counters::Counters,
///     file::Opening,
///     page_range::{Install, PageLru, PageRange},
/// };
///
/// fn open(opening: &mut Opening<'_>, lru: Arc<PageLru>) -> Result<PageRange> {
///     let counters = Arc::new(Counters::new(), GFP_KERNEL)?;
///
///     PageRange::new(opening, 1 << 20, Install::Sender, lru, counters)
/// }
/// ```
pub struct PageRange {
    inner: Arc<RangeInner>,
}

/// What areas, leases and reclaim share of a [`PageRange`].
#[pin_data]
pub(crate) struct RangeInner {
    mm: OwnerMm,
    install: Install,
    /// The most that can be mapped, in bytes.
    limit: usize,
    lru: Arc<PageLru>,
    counters: Arc<Counters>,
    /// Set once, when the range is mapped.
    place: SetOnce<Place>,
    /// Whether the area exists. Nothing else decides whether there may be page table entries.
    mapped: Atomic<bool>,
    /// Where pages are unmapped by their place in the file, if that is how it is done. Not in
    /// reclaim's hands, which could be left with the last reference: gone once the range is closed.
    #[pin]
    mapping: Mutex<Option<Arc<FileMapping>>>,
    #[pin]
    usage: Mutex<Usage<KVVec<SlotState>>>,
}

/// Where a range is or was mapped, and its slots, as far as they are there.
struct Place {
    start: usize,
    slots: Slots,
}

impl PageRange {
    /// Creates a range of at most `limit` bytes for the current process and a file that it opens.
    /// Its idle pages will be in `lru`.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if `limit` is below one page.
    /// * `ENOMEM`.
    pub fn new(
        opening: &mut Opening<'_>,
        limit: usize,
        install: Install,
        lru: Arc<PageLru>,
        counters: Arc<Counters>,
    ) -> Result<Self> {
        if limit < PAGE_SIZE {
            return Err(EINVAL);
        }
        let mapping = match install {
            Install::Fault => Some(FileMapping::new()?),
            Install::Sender | Install::Receiver => None,
        };
        if let Some(mapping) = &mapping {
            opening.use_mapping(mapping.clone());
        }
        let inner = Arc::pin_init(
            pin_init!(RangeInner {
                mm: OwnerMm::current(opening.context()),
                install,
                limit: limit & PAGE_MASK,
                lru,
                counters,
                place: SetOnce::new(),
                mapped: Atomic::new(false),
                mapping <- new_mutex!(mapping, "PageRange::mapping"),
                usage <- new_mutex!(
                    Usage { states: KVVec::new(), closed: false },
                    "PageRange::usage"
                ),
            }),
            GFP_KERNEL,
        )?;

        Ok(Self { inner })
    }

    /// Asks for the range to be mapped: to be called from the `mmap_prepare` hook.
    ///
    /// The area will be readable, can never be made writable, is not copied by fork, and is atomic:
    /// it can neither be split nor moved nor grown. What it has beyond the range's limit is never
    /// used.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if the current process is not the range's owner, or the file is not the range's.
    /// * `EPERM` if the mapping would be writable.
    /// * `EBUSY` if the range is or was mapped before.
    /// * `ENOMEM`.
    pub fn mmap_prepare<'a>(&self, mut area: VmAreaDesc<'a>) -> Result<Established<'a>> {
        if !area.is_for(&self.inner.mm) {
            return Err(EINVAL);
        }
        if let Some(mapping) = &*self.inner.mapping.lock() {
            if !area.is_in(mapping) {
                return Err(EINVAL);
            }
        }
        area.flags().forbid_write()?;
        if self.inner.place.as_ref().is_some() {
            return Err(EBUSY);
        }
        area.flags().set_mixed_map();
        area.flags().set_dont_copy();
        // The offset means nothing to user space; in the range's own mapping it is a slot's index.
        area.set_offset(0);
        area.establish(self.inner.clone())
    }

    /// Whether the range is mapped now. It can stop to be at any time, and never begins again.
    #[inline]
    pub fn is_mapped(&self) -> bool {
        self.inner.mapped.load(Acquire)
    }

    /// Where the range is or was mapped.
    #[inline]
    pub fn start(&self) -> Option<usize> {
        self.inner.place.as_ref().map(|place| place.start)
    }

    /// The size of the range in bytes; zero before it was mapped.
    pub fn size(&self) -> usize {
        self.inner
            .place
            .as_ref()
            .map_or(0, |place| place.slots.limit() << PAGE_SHIFT)
    }

    /// Makes the bytes from `offset` on available for writing, and mapped in the owner if that is
    /// to be done [now](Install::Sender).
    ///
    /// # Errors
    ///
    /// * `ESRCH` if the range is not mapped, or its owner is dying.
    /// * `EINVAL` if the bytes are not all in the range.
    /// * `EINTR` if the current thread was killed while it waited for the owner's mmap lock.
    /// * `ENOMEM`, also if the owner's memory cgroup has reached its limit.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn lease(&self, context: &mut UserContext, offset: usize, len: usize) -> Result<Lease> {
        self.lease_filled(context, offset, len, UserPtr::from_addr(0), 0)
    }

    /// Returns a lease with what has to be done before it can be used: which pages are missing, and
    /// whether what is not mapped has to be. Dropping the lease undoes all of it.
    #[inline]
    fn begin_lease(&self, offset: usize, len: usize) -> Result<(Lease, Needs)> {
        let inner = &self.inner;
        let end = offset.checked_add(len).ok_or(EINVAL)?;
        let place = inner.place.as_ref().ok_or(ESRCH)?;
        let covered = (offset >> PAGE_SHIFT)..end.div_ceil(PAGE_SIZE);
        if covered.end > place.slots.ready() {
            RangeInner::grow(inner, place, covered.end)?;
        }

        let mut needs = protocol::cover(&**inner, covered).map_err(|_| ESRCH)?;
        let lease = Lease::new(inner.clone(), offset, len, needs.mappings);
        if inner.install != Install::Sender {
            needs.mappings = 0;
        }
        Ok((lease, needs))
    }

    /// Frees all pages that have no lease; the others will be when their lease ends.
    ///
    /// After this there are no new leases. Does nothing the second time.
    ///
    /// Nothing is unmapped: if the range is still mapped, its owner goes on seeing the pages that it
    /// has mapped, as they were, until it unmaps the range. Each is kept by its entry in the page
    /// tables, where reclaim does not find it. So the place to call this is where the file is
    /// released, when there is no area any more. It may be called earlier: no other page ever comes to
    /// the place of one that is mapped.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn close(&self) {
        protocol::close(&*self.inner);
        // Nobody in reclaim uses it any more, nor will.
        let mapping = self.inner.mapping.lock().take();
        drop(mapping);
    }
}

impl Drop for PageRange {
    fn drop(&mut self) {
        self.close();
    }
}

impl RangeInner {
    /// Fills the empty ones of the `covered` slots with zeroed pages, and maps what is not mapped if
    /// that is needed.
    #[cold]
    fn populate(&self, context: &mut UserContext, covered: Range<usize>, needs: Needs) -> Result {
        let mut fresh = KVec::with_capacity(needs.pages, GFP_KERNEL)?;
        if needs.pages > 0 {
            charge_to(&self.mm, |account| -> Result {
                for _ in 0..needs.pages {
                    fresh.push(account.alloc_page()?, GFP_KERNEL)?;
                }
                Ok(())
            })?;
        }
        if let Some(page) = fresh.first() {
            self.lru.list().prepare_for(page.borrow())?;
        }
        let mut fresh = fresh.into_iter();

        self.put_pages(context, covered, needs.mappings > 0, |_| fresh.next())
    }

    /// Puts what `fresh` returns into the empty ones of the `covered` slots, and maps what is not
    /// mapped if `map` is set.
    fn put_pages(
        &self,
        context: &mut UserContext,
        covered: Range<usize>,
        map: bool,
        fresh: impl FnMut(usize) -> Option<OwnedPage>,
    ) -> Result {
        let place = self.place.as_ref().ok_or(ESRCH)?;

        if !map {
            return protocol::populate(self, None, covered, fresh);
        }
        let mm = self.mm.get(context).ok_or(ESRCH)?;
        let guard = self.noting_lock(place.start, mm.lock_area(context, place.start))?;
        let area = RangeArea::Vma(self.own_area(&guard).ok_or(ESRCH)?);
        protocol::populate(self, Some(&area), covered, fresh)
    }

    /// Maps the pages in slots that are covered by a lease and not mapped, if the current process is
    /// the owner.
    fn map(&self, context: &mut UserContext, covered: Range<usize>) -> Result {
        let place = self.place.as_ref().ok_or(ESRCH)?;
        if !self.mm.is_current(context) || !protocol::needs_mapping(self, covered.clone()) {
            return Ok(());
        }
        let guard = self.noting_lock(place.start, context.lock_area(place.start))?;
        let area = RangeArea::Vma(self.own_area(&guard).ok_or(ESRCH)?);
        protocol::populate(self, Some(&area), covered, |_| None)
    }

    /// The proof that a locked area is the one in which the range is mapped.
    fn own_area<'a>(&self, area: &'a VmAreaRef) -> Option<&'a VmAreaMixedMap<Self>> {
        let place = self.place.as_ref()?;

        area.area_of(self)
            .filter(|area| area.start() == place.start)?
            .as_mixed_map()
    }

    /// Notes how the area at `address` was locked, or why it was not.
    fn noting_lock<'a>(
        &self,
        address: usize,
        result: Result<Option<AreaGuard<'a>>>,
    ) -> Result<AreaGuard<'a>> {
        let result = result.and_then(|guard| guard.ok_or(ESRCH));

        match &result {
            Ok(guard) if guard.waited() => {
                self.counters.vma_lock_waited.add(1);
                trace::lock(self.id(), address, LockHow::Waited, Ok(()));
            }
            Ok(_) => {
                self.counters.vma_lock_fast.add(1);
                trace::lock(self.id(), address, LockHow::Fast, Ok(()));
            }
            Err(error) => trace::lock(self.id(), address, LockHow::Failed, Err(*error)),
        }
        result
    }
}
