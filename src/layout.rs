// SPDX-License-Identifier: GPL-2.0

//! Layout: what is where in a buffer.
//!
//! The data comes first, then the offsets of the objects in it, then the buffers that are sent along
//! (`BINDER_TYPE_PTR`), then the sender's security context. Each starts at a multiple of eight.
//!
//! Nothing here needs a kernel.

/// The parts' sizes, in bytes. No area is as large as the largest of these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    data: u32,
    offsets: u32,
    buffers: u32,
    context: u32,
}

const ALIGNMENT: usize = 8;

fn aligned(size: usize) -> Option<usize> {
    size.checked_next_multiple_of(ALIGNMENT)
}

/// The first multiple of the alignment that is not below `size`, which is one of a part.
fn align(size: u32) -> usize {
    (size as usize + (ALIGNMENT - 1)) & !(ALIGNMENT - 1)
}

/// A size that is as good as this one: there is no place for what is larger.
fn bounded(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl Layout {
    /// The layout of parts of these sizes, or nothing if they do not fit into memory.
    pub(crate) fn new(data: u64, offsets: u64, buffers: u64, context: usize) -> Option<Self> {
        let data = usize::try_from(data).ok()?;
        let offsets = usize::try_from(offsets).ok()?;
        let buffers = usize::try_from(buffers).ok()?;

        aligned(data)?
            .checked_add(aligned(offsets)?)?
            .checked_add(aligned(buffers)?)?
            .checked_add(aligned(context)?)?;
        Some(Self {
            data: bounded(data),
            offsets: bounded(offsets),
            buffers: bounded(buffers),
            context: bounded(context),
        })
    }

    pub(crate) fn data(&self) -> usize {
        self.data as usize
    }

    pub(crate) fn offsets(&self) -> usize {
        self.offsets as usize
    }

    /// Where the offsets are.
    pub(crate) fn offsets_at(&self) -> usize {
        align(self.data)
    }

    /// Where the buffers are.
    pub(crate) fn buffers_at(&self) -> usize {
        self.offsets_at() + align(self.offsets)
    }

    /// Where the buffers end.
    pub(crate) fn buffers_end(&self) -> usize {
        self.buffers_at() + self.buffers as usize
    }

    /// Whether the sizes are those of whole offsets and whole buffers.
    pub(crate) fn is_aligned(&self) -> bool {
        self.offsets() % size_of::<u64>() == 0 && self.buffers as usize % ALIGNMENT == 0
    }

    /// Where the security context is, if there is one.
    pub(crate) fn context_at(&self) -> Option<usize> {
        (self.context > 0).then(|| self.context_start())
    }

    fn context_start(&self) -> usize {
        self.buffers_at() + align(self.buffers)
    }

    /// The size of all of it.
    pub(crate) fn total(&self) -> usize {
        self.context_start() + align(self.context)
    }
}
