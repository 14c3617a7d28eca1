// SPDX-License-Identifier: GPL-2.0

//! Leases that begin with a copy of user memory.
//!
//! A page that is not there yet, and that the copy covers whole, is not zeroed. It is filled before it
//! gets into its slot, because there it can be seen; and with no lock held, because that touches user
//! memory. What belongs into the other pages is copied when all are there: into those that were there
//! before or that others have brought meanwhile, and into the first and the last one, of which the
//! copy may cover a part.

use core::ops::Range;

use kernel::{
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    uaccess::UserPtr, //
};

use crate::{
    context::UserContext,
    page::{
        charge_to,
        Account,
        OwnedPage,
        UninitPage, //
    },
};

use super::{
    protocol::{
        self,
        Needs, //
    },
    Lease,
    PageRange,
    RangeInner, //
};

impl PageRange {
    /// Takes a [lease](Self::lease) whose first `filled` bytes are a copy of the current process's
    /// memory from `from` on. There may be anything in the rest of it that was there before.
    ///
    /// # Errors
    ///
    /// As for [`lease`](Self::lease), and
    ///
    /// * `EFAULT` if the memory cannot be read. There is no lease then, but a part of the bytes may be
    ///   in pages of the range.
    /// * `EINVAL` if there is less in the lease than is to be filled.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn lease_filled(
        &self,
        context: &mut UserContext,
        offset: usize,
        len: usize,
        from: UserPtr,
        filled: usize,
    ) -> Result<Lease> {
        if filled > len {
            return Err(EINVAL);
        }
        let source = Source { from, len: filled };
        let (lease, needs) = self.begin_lease(offset, len)?;

        if needs.pages > 0 && filled > 0 {
            self.inner.populate_filled(context, &lease, needs, source)?;
            return Ok(lease);
        }
        if needs.pages > 0 || needs.mappings > 0 {
            self.inner.populate(context, lease.covered(), needs)?;
        }
        source.copy(context, &lease, 0..filled)?;
        Ok(lease)
    }
}

/// What is to be copied into a lease, from its start on.
#[derive(Clone, Copy)]
struct Source {
    from: UserPtr,
    len: usize,
}

impl Source {
    /// The slots of which all bytes are to be copied.
    fn whole_slots(self, lease: &Lease) -> Range<usize> {
        let end = lease.offset() + self.len;

        lease.offset().div_ceil(PAGE_SIZE)..end >> PAGE_SHIFT
    }

    /// Where the bytes for a place in the lease are.
    fn at(self, place: usize) -> UserPtr {
        self.from.wrapping_byte_add(place)
    }

    /// Copies a part of the bytes into the pages that are there.
    #[inline]
    fn copy(self, context: &mut UserContext, lease: &Lease, part: Range<usize>) -> Result {
        if part.is_empty() {
            return Ok(());
        }
        lease.copy_from_user(context, part.start, self.at(part.start), part.len())
    }
}

/// A page for a slot that was seen empty.
struct Fresh {
    slot: usize,
    page: State,
}

enum State {
    Nothing,
    /// To be filled.
    Uninit(UninitPage),
    /// To be put into the slot.
    Ready(OwnedPage),
}

impl Fresh {
    /// Allocates the page; `filled` if it will be.
    fn allocate(&mut self, account: &Account, filled: bool) -> Result {
        self.page = if filled {
            State::Uninit(account.alloc_uninit_page()?)
        } else {
            State::Ready(account.alloc_page()?)
        };
        Ok(())
    }

    /// Fills the page, if it is to be.
    fn fill(&mut self, context: &mut UserContext, from: UserPtr) -> Result {
        match core::mem::replace(&mut self.page, State::Nothing) {
            State::Uninit(page) => self.page = State::Ready(page.fill_from_user(context, from)?),
            other => self.page = other,
        }
        Ok(())
    }

    fn take(&mut self) -> Option<OwnedPage> {
        match core::mem::replace(&mut self.page, State::Nothing) {
            State::Ready(page) => Some(page),
            _ => None,
        }
    }

    fn is_taken(&self) -> bool {
        matches!(self.page, State::Nothing)
    }
}

/// Where in a lease its slot begins, if that is not before the lease.
fn place_of(slot: usize, lease: &Lease) -> usize {
    (slot << PAGE_SHIFT).saturating_sub(lease.offset())
}

impl RangeInner {
    /// Fills the empty ones of the slots that the lease covers, maps what is not mapped if that is
    /// needed, and copies the source.
    #[cold]
    fn populate_filled(
        &self,
        context: &mut UserContext,
        lease: &Lease,
        needs: Needs,
        source: Source,
    ) -> Result {
        let covered = lease.covered();
        let whole = source.whole_slots(lease);
        let mut fresh = KVVec::with_capacity(needs.pages, GFP_KERNEL)?;
        protocol::populate(self, None, covered.clone(), |slot| {
            let page = State::Nothing;
            // None becomes empty any more, so there is room for all that are.
            let _ = fresh.push_within_capacity(Fresh { slot, page });
            None
        })?;

        charge_to(&self.mm, |account| {
            fresh
                .iter_mut()
                .try_for_each(|fresh| fresh.allocate(account, whole.contains(&fresh.slot)))
        })?;
        for fresh in &mut fresh {
            fresh.fill(context, source.at(place_of(fresh.slot, lease)))?;
        }
        if let Some(State::Ready(page)) = fresh.first().map(|fresh| &fresh.page) {
            self.lru.list().prepare_for(page.borrow())?;
        }
        let mut left = fresh.iter_mut();
        self.put_pages(context, covered, needs.mappings > 0, |slot| {
            left.find(|fresh| fresh.slot == slot)?.take()
        })?;

        // Those that were not taken are not needed: somebody else was faster.
        let mut at = 0;
        for filled in fresh.iter().filter(|fresh| fresh.is_taken()) {
            if whole.contains(&filled.slot) {
                let place = place_of(filled.slot, lease);
                source.copy(context, lease, at..place)?;
                at = place + PAGE_SIZE;
            }
        }
        source.copy(context, lease, at..source.len)
    }
}
