// SPDX-License-Identifier: GPL-2.0

//! Buffers: where the data of a transaction is in the receiver's page range.
//!
//! A [`Buffer`] belongs to the transaction while that is under way. When the receiver gets the
//! transaction the buffer is handed to user space, which gives it back with `BC_FREE_BUFFER`;
//! [`Delivered`] is what the process keeps of it until then.

use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    page_range::Lease, //
};

use crate::{
    node::Node,
    process::Process,
    space::Space,
    tree::RedBlack, //
};

/// Where the buffers in a process's page range are, and what of them user space has.
pub(crate) type BufferSpace = Space<Delivered, RedBlack>;

/// A buffer of a transaction. It is freed when it is dropped, unless user space has it.
pub(crate) struct Buffer {
    process: Arc<Process>,
    /// Where the buffer is in the process's space.
    offset: usize,
    /// How many bytes of data it has.
    data_size: usize,
    /// Tells the buffer from those that were or will be at the same place.
    number: u64,
    /// Not there while user space has the buffer.
    kept: Option<Delivered>,
}

/// What user space's right to use a buffer consists of.
pub(crate) struct Delivered {
    lease: Lease,
    /// That of the buffer.
    number: u64,
    /// The node whose one-way transactions wait until the buffer is freed.
    oneway: Option<Arc<Node>>,
    /// Whether the sender wants the data cleared when the buffer is freed.
    clear: bool,
}

impl Buffer {
    /// Allocates a buffer for `data_size` bytes in `process`.
    ///
    /// # Errors
    ///
    /// * `ESRCH` if the process has no area mapped.
    /// * `ENOSPC` if its area is full.
    /// * `ENOMEM`, `EINTR`.
    pub(crate) fn allocate(
        context: &mut UserContext,
        process: Arc<Process>,
        data_size: usize,
        oneway: bool,
        clear: bool,
    ) -> Result<Self> {
        if !process.pages().is_mapped() {
            return Err(ESRCH);
        }
        let (offset, size) = process.space().allocate(data_size, oneway)?;
        let lease = process.pages().lease(context, offset, size);
        let number = process.next_buffer();

        match lease {
            Ok(lease) => Ok(Self {
                process,
                offset,
                data_size,
                number,
                kept: Some(Delivered {
                    lease,
                    number,
                    oneway: None,
                    clear,
                }),
            }),
            Err(error) => {
                process.space().free(offset);
                Err(error)
            }
        }
    }

    /// Fills the buffer with the current process's memory at `from`.
    ///
    /// # Errors
    ///
    /// `EFAULT` if that cannot be read.
    pub(crate) fn fill(&self, context: &mut UserContext, from: UserPtr) -> Result {
        let kept = self.kept.as_ref().ok_or(EINVAL)?;

        kept.lease.copy_from_user(context, from, self.data_size)
    }

    /// Maps the buffer into the current process, if that is the receiver and this is when it is done.
    pub(crate) fn map(&self, context: &mut UserContext) {
        if let Some(kept) = &self.kept {
            // What is not mapped now is mapped when it is touched.
            let _ = kept.lease.map(context);
        }
    }

    /// Makes the other one-way transactions to `node` wait until the buffer is freed.
    pub(crate) fn hold_oneway(&mut self, node: Arc<Node>) {
        if let Some(kept) = &mut self.kept {
            kept.oneway = Some(node);
        }
    }

    /// How many bytes of data the buffer has.
    pub(crate) fn data_size(&self) -> usize {
        self.data_size
    }

    /// Where user space sees the buffer.
    pub(crate) fn address(&self) -> usize {
        self.process.pages().start().unwrap_or(0) + self.offset
    }

    /// Gives the buffer to user space, which may free it from now on.
    pub(crate) fn deliver(&mut self) {
        if let Some(kept) = self.kept.take() {
            // A dying process has no space any more. Then the buffer goes with the transaction.
            self.kept = self.process.space().keep(self.offset, kept).err();
        }
    }

    /// Takes a buffer back that user space was not told of after all. It may have guessed, and
    /// freed it: then somebody else's buffer may be there now.
    pub(crate) fn take_back(&mut self) {
        if self.kept.is_some() {
            return;
        }
        let mut space = self.process.space();
        if space
            .kept(self.offset)
            .is_some_and(|kept| kept.number == self.number)
        {
            self.kept = space.take_kept(self.offset);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.free(&self.process, self.offset);
        }
    }
}

impl Delivered {
    /// Frees the buffer at `offset` in `process`, and lets the next one-way transaction through.
    fn free(self, process: &Process, offset: usize) {
        let Self {
            lease,
            oneway,
            clear,
            ..
        } = self;

        if clear {
            lease.clear();
        }
        drop(lease);
        process.space().free(offset);
        if let Some(node) = oneway {
            node.oneway_done();
        }
    }
}

/// Frees the buffer at `address` in `process`, as user space asks for.
///
/// Does nothing if user space has no such buffer.
pub(crate) fn free(process: &Process, address: usize) {
    let Some(offset) = process
        .pages()
        .start()
        .and_then(|start| address.checked_sub(start))
    else {
        return;
    };
    let kept = process.space().take_kept(offset);

    if let Some(kept) = kept {
        kept.free(process, offset);
    }
}
