// SPDX-License-Identifier: GPL-2.0

//! Layout: what is where in a buffer.
//!
//! The data comes first, then the offsets of the objects in it, then the buffers that are sent along
//! (`BINDER_TYPE_PTR`), then the sender's security context. Each starts at a multiple of eight.
//!
//! Nothing here needs a kernel.

/// The parts' sizes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    data: usize,
    offsets: usize,
    buffers: usize,
    context: usize,
}

const ALIGNMENT: usize = 8;

fn aligned(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(ALIGNMENT)
}

impl Layout {
    /// The layout of parts of these sizes, or nothing if they do not fit into memory.
    pub(crate) fn new(data: u64, offsets: u64, buffers: u64, context: usize) -> Option<Self> {
        let layout = Self {
            data: usize::try_from(data).ok()?,
            offsets: usize::try_from(offsets).ok()?,
            buffers: usize::try_from(buffers).ok()?,
            context,
        };

        aligned(layout.data)?
            .checked_add(aligned(layout.offsets)?)?
            .checked_add(aligned(layout.buffers)?)?
            .checked_add(aligned(layout.context)?)?;
        Some(layout)
    }

    pub(crate) fn data(&self) -> usize {
        self.data
    }

    pub(crate) fn offsets(&self) -> usize {
        self.offsets
    }

    /// Where the offsets are.
    pub(crate) fn offsets_at(&self) -> usize {
        self.data.next_multiple_of(ALIGNMENT)
    }

    /// Where the buffers are.
    pub(crate) fn buffers_at(&self) -> usize {
        self.offsets_at() + self.offsets.next_multiple_of(ALIGNMENT)
    }

    /// Where the buffers end.
    pub(crate) fn buffers_end(&self) -> usize {
        self.buffers_at() + self.buffers
    }

    /// Whether the sizes are those of whole offsets and whole buffers.
    pub(crate) fn is_aligned(&self) -> bool {
        self.offsets % size_of::<u64>() == 0 && self.buffers % ALIGNMENT == 0
    }

    /// Where the security context is, if there is one.
    pub(crate) fn context_at(&self) -> Option<usize> {
        (self.context > 0).then(|| self.buffers_at() + self.buffers.next_multiple_of(ALIGNMENT))
    }

    /// The size of all of it.
    pub(crate) fn total(&self) -> usize {
        self.buffers_at()
            + self.buffers.next_multiple_of(ALIGNMENT)
            + self.context.next_multiple_of(ALIGNMENT)
    }
}
