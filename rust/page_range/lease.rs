// SPDX-License-Identifier: GPL-2.0

//! What can be done with a leased part of a page range.

use kernel::{
    page::{
        Page,
        PAGE_MASK,
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use super::RangeInner;
use crate::bindings::{
    vmarea_clear,
    vmarea_copy_from_user, //
};

/// The right to write a part of a page range, whose pages stay where they are meanwhile.
///
/// The owner of the range sees the bytes change, and leases may overlap: no Rust code accesses them,
/// and the C code that does is not disturbed by others. When the lease is dropped, pages that no other lease covers become idle.
pub struct Lease {
    range: Arc<RangeInner>,
    offset: usize,
    len: usize,
}

impl Lease {
    /// The lease on slots that [`RangeInner::cover`] was called for.
    pub(super) fn new(range: Arc<RangeInner>, offset: usize, len: usize) -> Self {
        Self { range, offset, len }
    }

    /// Where the leased bytes start in the range.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// How many bytes are leased. May be zero.
    #[expect(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Copies `len` bytes of the current process's memory to the start of the lease.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if that is more than was leased.
    /// * `EFAULT` if it cannot be read. Then a part of it may have been copied.
    ///
    /// # Context
    ///
    /// May sleep, and touches the current process's memory: no lock may be held.
    pub fn copy_from_user(&self, from: UserPtr, len: usize) -> Result {
        let mut from = from;

        self.for_each_page(len, |page, offset, part| {
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

    /// Writes zeroes to all of the lease.
    pub fn clear(&self) {
        // It cannot fail: the range is the lease's own.
        let _ = self.for_each_page(self.len, |page, offset, part| {
            // SAFETY: As in `copy_from_user`.
            unsafe { vmarea_clear(page.as_ptr(), offset, part) };
            Ok(())
        });
    }

    /// Calls `f` for the part of each page in the first `len` bytes of the lease.
    fn for_each_page(
        &self,
        len: usize,
        mut f: impl FnMut(&Page, usize, usize) -> Result,
    ) -> Result {
        if len > self.len {
            return Err(EINVAL);
        }
        let place = self.range.place.as_ref().ok_or(ESRCH)?;
        let end = self.offset + len;
        let mut at = self.offset;

        while at < end {
            let offset = at & !PAGE_MASK;
            let part = usize::min(end - at, PAGE_SIZE - offset);
            // SAFETY: This lease covers the slot.
            let page = unsafe { place.slots[at >> PAGE_SHIFT].page() }.ok_or(EFAULT)?;
            f(&page, offset, part)?;
            at += part;
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(place) = self.range.place.as_ref() {
            let end = (self.offset + self.len).div_ceil(PAGE_SIZE);
            self.range.uncover(place, (self.offset >> PAGE_SHIFT)..end);
        }
    }
}
