// SPDX-License-Identifier: GPL-2.0

//! What can be done with a leased part of a page range.

use core::ops::Range;

use kernel::{
    page::{
        PAGE_MASK,
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use crate::{
    bindings::{
        vmarea_clear,
        vmarea_copy_to_page, //
    },
    context::UserContext,
    page::PageRef,
    slot::Slot, //
};

use super::{
    protocol,
    Install,
    RangeInner, //
};

/// The right to write a part of a page range, whose pages stay where they are meanwhile.
///
/// The owner of the range sees the bytes change, and leases may overlap: no Rust code accesses them,
/// and the C code that does is not disturbed by others. When the lease is dropped, pages that no
/// other lease covers become idle.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, uaccess::UserPtr};
/// use vmarea::{
///     context::UserContext,
///     page_range::{Lease, PageRange},
/// };
///
/// /// Copies a message of the current process's to the start of another process's range.
/// fn send(context: &mut UserContext, to: &PageRange, from: UserPtr, len: usize) -> Result<Lease> {
///     let lease = to.lease(context, 0, len)?;
///
///     lease.copy_from_user(context, 0, from, len)?;
///     Ok(lease)
/// }
/// ```
pub struct Lease {
    range: Arc<RangeInner>,
    offset: usize,
    len: usize,
    /// How many of the pages were not mapped when the lease began. If none, all have been since.
    unmapped: usize,
}

impl Lease {
    /// The lease on slots that [`protocol::cover`] was called for, with what that has returned.
    pub(super) fn new(range: Arc<RangeInner>, offset: usize, len: usize, unmapped: usize) -> Self {
        Self {
            range,
            offset,
            len,
            unmapped,
        }
    }

    /// Where the leased bytes start in the range.
    #[inline]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes are leased. May be zero.
    #[expect(clippy::len_without_is_empty)]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Copies `len` bytes of the current process's memory into the lease, from its byte `at` on.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if that is more than was leased.
    /// * `EFAULT` if it cannot be read. Then a part of it may have been copied.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn copy_from_user(
        &self,
        _: &mut UserContext,
        at: usize,
        from: UserPtr,
        len: usize,
    ) -> Result {
        let mut at = self.offset + self.check_part(at, len)?.start;
        let slots = &self.range.place.as_ref().ok_or(ESRCH)?.slots;
        let (mut from, mut left) = (from, len);

        while left > 0 {
            let slots = slots.part_from(at >> PAGE_SHIFT).ok_or(EFAULT)?;
            let offset = at & !PAGE_MASK;
            let now = usize::min(left, (slots.len() << PAGE_SHIFT) - offset);
            // SAFETY: This lease covers the slots, and was populated before it was handed out.
            unsafe { Slot::copy_from_user(slots, offset, from, now) }?;
            at += now;
            from = from.wrapping_byte_add(now);
            left -= now;
        }
        Ok(())
    }

    /// Writes `bytes` into the lease, from its byte `at` on.
    ///
    /// # Errors
    ///
    /// `EINVAL` if that is more than was leased.
    pub fn write(&self, at: usize, bytes: &[u8]) -> Result {
        let mut rest = bytes;

        self.for_each_page(at, bytes.len(), |page, offset, part| {
            let (now, later) = rest.split_at_checked(part).ok_or(EINVAL)?;

            // SAFETY: The page is valid and has so many bytes from there on, and there are `part` bytes
            // to be copied. That the owner reads the page at the same time does not matter to C code.
            unsafe { vmarea_copy_to_page(page.as_ptr(), offset, now.as_ptr().cast(), part) };
            rest = later;
            Ok(())
        })
    }

    /// Writes zeroes to all of the lease.
    pub fn clear(&self) {
        // It cannot fail: the range is the lease's own.
        let _ = self.for_each_page(0, self.len, |page, offset, part| {
            // SAFETY: As in `write`, except that nothing is copied.
            unsafe { vmarea_clear(page.as_ptr(), offset, part) };
            Ok(())
        });
    }

    /// Maps the leased pages into the owner, as far as they are not, if the current process is the
    /// owner and this is when it is to be done ([`Install::Receiver`]).
    ///
    /// # Errors
    ///
    /// What [`PageRange::lease`](super::PageRange::lease) can fail with when it maps pages. The lease
    /// is as good as before; pages that are not mapped will be when they are touched.
    ///
    /// # Context
    ///
    /// May sleep.
    #[inline]
    pub fn map(&self, context: &mut UserContext) -> Result {
        if self.range.install != Install::Receiver || self.unmapped == 0 {
            return Ok(());
        }
        self.range.map(context, self.covered())
    }

    /// The slots that the lease covers.
    pub(super) fn covered(&self) -> Range<usize> {
        (self.offset >> PAGE_SHIFT)..(self.offset + self.len).div_ceil(PAGE_SIZE)
    }

    /// Which part of the lease has `len` bytes from its byte `at` on.
    fn check_part(&self, at: usize, len: usize) -> Result<Range<usize>> {
        match at.checked_add(len) {
            Some(end) if end <= self.len => Ok(at..end),
            _ => Err(EINVAL),
        }
    }

    /// Calls `f` for the part of each page in `len` bytes of the lease, from its byte `at` on.
    fn for_each_page(
        &self,
        at: usize,
        len: usize,
        mut f: impl FnMut(PageRef<'_>, usize, usize) -> Result,
    ) -> Result {
        let part = self.check_part(at, len)?;
        let place = self.range.place.as_ref().ok_or(ESRCH)?;
        let mut at = self.offset + part.start;
        let end = self.offset + part.end;
        if at == end {
            return Ok(());
        }
        let mut slot = place.slots.get(at >> PAGE_SHIFT).ok_or(EFAULT)?;

        loop {
            let offset = at & !PAGE_MASK;
            let part = usize::min(end - at, PAGE_SIZE - offset);
            // SAFETY: This lease covers the slot, and was populated before it was handed out.
            let page = unsafe { slot.page() }.ok_or(EFAULT)?;
            f(page, offset, part)?;
            at += part;
            if at == end {
                return Ok(());
            }
            slot = place.slots.after(slot).ok_or(EFAULT)?;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        protocol::uncover(&*self.range, self.covered());
    }
}
