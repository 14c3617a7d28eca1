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
        vmarea_copy_from_user,
        vmarea_copy_to_page, //
    },
    context::UserContext,
    page::PageRef, //
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
        let mut from = from;

        self.for_each_page(at, len, |page, offset, part| {
            // SAFETY: The page is valid and the part is inside of it. The copy is made by C code,
            // for which it does not matter that the owner reads the page at the same time.
            let left =
                unsafe { vmarea_copy_from_user(page.as_ptr(), offset, from.as_const_ptr(), part) };
            from = from.wrapping_byte_add(part);
            if left > 0 {
                return Err(EFAULT);
            }
            Ok(())
        })
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

            // SAFETY: As in `copy_from_user`, and there are `part` bytes to be copied.
            unsafe { vmarea_copy_to_page(page.as_ptr(), offset, now.as_ptr().cast(), part) };
            rest = later;
            Ok(())
        })
    }

    /// Writes zeroes to all of the lease.
    pub fn clear(&self) {
        // It cannot fail: the range is the lease's own.
        let _ = self.for_each_page(0, self.len, |page, offset, part| {
            // SAFETY: As in `copy_from_user`.
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

    /// Calls `f` for the part of each page in `len` bytes of the lease, from its byte `at` on.
    fn for_each_page(
        &self,
        at: usize,
        len: usize,
        mut f: impl FnMut(PageRef<'_>, usize, usize) -> Result,
    ) -> Result {
        if at.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(EINVAL);
        }
        let place = self.range.place.as_ref().ok_or(ESRCH)?;
        let mut at = self.offset + at;
        let end = at + len;
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
