// SPDX-License-Identifier: GPL-2.0

//! Buffers: where the data of a transaction is in the receiver's page range.
//!
//! A [`Buffer`] belongs to the transaction while that is under way. When the receiver gets the
//! transaction the buffer is handed to user space, which gives it back with `BC_FREE_BUFFER`;
//! [`Delivered`] is what the process keeps of it until then. Whoever frees it ends what the objects in
//! the message kept alive.

use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    page_range::Lease,
    task, //
};

use crate::{
    counts::{
        Counted,
        BUFFER, //
    },
    files::Carried,
    layout::Layout,
    node::Node,
    process::Process,
    senders::Senders,
    space::Space,
    trace,
    tree::RedBlack, //
};

/// Where the buffers in a process's page range are, and what of them user space has.
pub(crate) struct BufferSpace {
    pub(crate) space: Space<Delivered, RedBlack>,
    /// Who uses it for one-way transactions.
    senders: Senders<RedBlack>,
    pub(crate) size: usize,
}

/// A buffer of a transaction. It is freed when it is dropped, unless user space has it.
pub(crate) struct Buffer {
    pub(crate) process: Arc<Process>,
    pub(crate) layout: Layout,
    /// The sender sends too many one-way transactions.
    pub(crate) is_spam: bool,
    /// Not there while user space has the buffer.
    kept: Option<Delivered>,
}

/// What user space's right to use a buffer consists of.
pub(crate) struct Delivered {
    lease: Lease,
    /// The node that the transaction is for, of which the buffer holds a strong reference.
    pub(crate) target: Option<Arc<Node>>,
    /// The node's other one-way transactions wait until the buffer is freed.
    holds_oneway: bool,
    /// Who sent a one-way transaction.
    sender: Option<i32>,
    /// What comes with the objects in the message, if there are any.
    cargo: Option<KBox<Cargo>>,
    /// Whether the sender wants the data cleared when the buffer is freed.
    clear: bool,
    _counted: Counted<BUFFER>,
}

/// What comes with the objects in a message.
pub(crate) struct Cargo {
    /// What they keep alive.
    objects: KVVec<Kept>,
    /// Files that the receiver gets when it reads.
    pub(crate) files: KVVec<Carried>,
}

/// What an object in a message keeps alive.
pub(crate) enum Kept {
    /// A reference to one of the receiver's own objects.
    Node { node: Arc<Node>, strong: bool },
    /// One of the receiver's references to somebody else's.
    Handle { handle: u32, strong: bool },
    /// A file descriptor of the receiver that is closed with the buffer.
    Descriptor(u32),
}

/// What a buffer is for.
pub(crate) struct Purpose {
    /// The node that the transaction is for, of which the caller holds a strong reference; none for
    /// a reply. The reference becomes the buffer's, also if there is none in the end.
    pub(crate) target: Option<Arc<Node>>,
    /// The process that sends it, if it is one-way.
    pub(crate) oneway_from: Option<i32>,
    /// Whether the data is cleared when the buffer is freed.
    pub(crate) clear: bool,
}

impl BufferSpace {
    pub(crate) fn new() -> Self {
        Self {
            space: Space::new(),
            senders: Senders::new(),
            size: 0,
        }
    }

    /// A space of `size` bytes, which are all free.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn with_size(size: usize) -> Result<Self> {
        Ok(Self {
            space: Space::with_size(size)?,
            senders: Senders::new(),
            size,
        })
    }

    /// Takes all buffers out of the space. It has no bytes then.
    pub(crate) fn drain(&mut self) -> Space<Delivered, RedBlack> {
        self.space.drain()
    }

    /// Returns where the buffer is, how long it is, and whether the sender is suspected of sending
    /// too many.
    fn allocate(&mut self, len: usize, sender: Option<i32>) -> Result<(usize, usize, bool)> {
        let (offset, size) = self.space.allocate(len, sender.is_some())?;
        let Some(sender) = sender else {
            return Ok((offset, size, false));
        };

        match self
            .senders
            .add(sender, size, self.space.oneway_left(), self.size)
        {
            Ok(is_spam) => Ok((offset, size, is_spam)),
            Err(error) => {
                self.space.free(offset);
                Err(error.into())
            }
        }
    }

    fn free(&mut self, offset: usize, size: usize, sender: Option<i32>) {
        self.space.free(offset);
        self.forget_sender(size, sender);
    }

    #[inline]
    fn forget_sender(&mut self, size: usize, sender: Option<i32>) {
        if let Some(sender) = sender {
            self.senders.remove(sender, size);
        }
    }

    /// Moves what user space has at `offset` in `process` to `to`, if there is nothing yet, and makes the
    /// place free if nothing has to be done before. Returns whether it is.
    fn take(&mut self, process: &Process, offset: usize, to: &mut Option<Delivered>) -> bool {
        let free = self.space.take_kept(offset, to, |kept| {
            if !kept.clear {
                kept.note_free(process);
            }
            !kept.clear
        });

        if let Some(kept) = to.as_ref().filter(|_| free) {
            self.forget_sender(kept.lease.len(), kept.sender);
        }
        free
    }
}

impl Buffer {
    /// Allocates a buffer in `process`, whose first `filled` bytes are a copy of the current process's
    /// memory from `from` on.
    ///
    /// # Errors
    ///
    /// * `EFAULT` if they cannot be read.
    /// * `ESRCH` if the process has no area mapped.
    /// * `ENOSPC` if its area is full.
    /// * `EINVAL` if the sizes make no sense.
    /// * `ENOMEM`, `EINTR`.
    pub(crate) fn allocate(
        context: &mut UserContext,
        process: Arc<Process>,
        layout: Layout,
        purpose: Purpose,
        from: UserPtr,
        filled: usize,
    ) -> Result<Self> {
        let Purpose {
            target,
            oneway_from,
            clear,
        } = purpose;

        match Self::find_place(context, &process, &layout, oneway_from, from, filled) {
            Ok((lease, is_spam)) => Ok(Self {
                process,
                layout,
                is_spam,
                kept: Some(Delivered {
                    sender: oneway_from,
                    lease,
                    target,
                    holds_oneway: false,
                    cargo: None,
                    clear,
                    _counted: Counted::new(),
                }),
            }),
            Err(error) => {
                if let Some(node) = target {
                    node.remove_local(true);
                }
                Err(error)
            }
        }
    }

    fn find_place(
        context: &mut UserContext,
        process: &Process,
        layout: &Layout,
        oneway_from: Option<i32>,
        from: UserPtr,
        filled: usize,
    ) -> Result<(Lease, bool)> {
        if !process.pages().is_mapped() {
            return Err(ESRCH);
        }
        let (offset, size, is_spam) = process.space().allocate(layout.total(), oneway_from)?;

        match process
            .pages()
            .lease_filled(context, offset, size, from, filled)
        {
            Ok(lease) => {
                trace::buffer_alloc(process, offset, size, layout.total());
                Ok((lease, is_spam))
            }
            Err(error) => {
                process.space().free(offset, size, oneway_from);
                Err(error)
            }
        }
    }

    fn lease(&self) -> Result<&Lease> {
        Ok(&self.kept.as_ref().ok_or(EINVAL)?.lease)
    }

    /// Copies `len` bytes of the current process's memory at `from` into the buffer, to its byte
    /// `at` and those after it.
    ///
    /// # Errors
    ///
    /// * `EFAULT` if they cannot be read.
    /// * `EINVAL` if they do not fit.
    pub(crate) fn copy_in(
        &self,
        context: &mut UserContext,
        at: usize,
        from: UserPtr,
        len: usize,
    ) -> Result {
        self.lease()?.copy_from_user(context, at, from, len)
    }

    /// Writes `bytes` into the buffer, to its byte `at` and those after it.
    ///
    /// # Errors
    ///
    /// `EINVAL` if they do not fit.
    pub(crate) fn write(&self, at: usize, bytes: &[u8]) -> Result {
        self.lease()?.write(at, bytes)
    }

    /// Lets the buffer keep something alive until it is freed. It must be kept with
    /// [`reserve`](Self::reserve) before it is made.
    pub(crate) fn keep(&mut self, object: Kept) {
        if let Some(cargo) = self.kept.as_mut().and_then(|kept| kept.cargo.as_mut()) {
            // There is room for it.
            let _ = cargo.objects.push_within_capacity(object);
        }
    }

    /// Makes room for something to [`keep`](Self::keep).
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn reserve(&mut self, count: usize) -> Result {
        Ok(self.cargo()?.objects.reserve(count, GFP_KERNEL)?)
    }

    /// What comes with the objects in the message, to be added to.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn cargo(&mut self) -> Result<&mut Cargo> {
        let cargo = &mut self.kept.as_mut().ok_or(EINVAL)?.cargo;

        if cargo.is_none() {
            let empty = Cargo {
                objects: KVVec::new(),
                files: KVVec::new(),
            };
            *cargo = Some(KBox::new(empty, GFP_KERNEL)?);
        }
        Ok(cargo.as_mut().ok_or(EINVAL)?)
    }

    /// Takes the files that the receiver gets out of the message, if there are any.
    pub(crate) fn take_files(&mut self) -> Option<KVVec<Carried>> {
        let files = &mut self.kept.as_mut()?.cargo.as_mut()?.files;

        (!files.is_empty()).then(|| core::mem::replace(files, KVVec::new()))
    }

    /// Maps the buffer into the current process, if that is the receiver and this is when it is done.
    pub(crate) fn map(&self, context: &mut UserContext) {
        if let Some(kept) = &self.kept {
            // What is not mapped now is mapped when it is touched.
            let _ = kept.lease.map(context);
        }
    }

    /// Makes the other one-way transactions to the target wait until the buffer is freed.
    pub(crate) fn hold_oneway(&mut self) {
        if let Some(kept) = &mut self.kept {
            kept.holds_oneway = true;
        }
    }

    /// Where user space sees the buffer.
    pub(crate) fn address(&self) -> usize {
        self.process.pages().start().unwrap_or(0) + self.offset()
    }

    /// Where the buffer is in the process's space.
    pub(crate) fn offset(&self) -> usize {
        self.lease().map_or(0, Lease::offset)
    }

    /// Gives the buffer to user space, which may free it from now on.
    pub(crate) fn deliver(&mut self) {
        let offset = self.offset();

        // A dying process has no space any more. Then the buffer goes with the transaction.
        self.process.space().space.keep(offset, &mut self.kept);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(kept) = self.kept.take() {
            kept.free(&self.process);
        }
    }
}

impl Delivered {
    /// Frees the buffer in `process`, and lets the next one-way transaction through.
    #[cold]
    fn free(self, process: &Process) {
        self.free_place(process);
        self.end(process);
    }

    /// Makes the place of the buffer, which it has not left, free.
    fn free_place(&self, process: &Process) {
        if self.clear {
            self.lease.clear();
        }
        let mut space = process.space();

        self.note_free(process);
        space.free(self.lease.offset(), self.lease.len(), self.sender);
    }

    /// To be called before the place can be allocated again.
    fn note_free(&self, process: &Process) {
        trace::buffer_free(process, self.lease.offset(), self.lease.len());
    }

    /// Ends what the buffer kept alive, after its place is free, and lets the next one-way transaction
    /// through. The pages may have another lease by now.
    #[inline(always)]
    fn end(self, process: &Process) {
        let Self {
            lease,
            target,
            mut holds_oneway,
            cargo,
            ..
        } = self;

        drop(lease);
        if let Some(cargo) = cargo {
            // The owner gets the next transaction before it is told what ends with the objects.
            if let Some(node) = target.as_ref().filter(|_| holds_oneway) {
                node.oneway_done();
                holds_oneway = false;
            }
            Cargo::end(cargo, process);
        }
        if let Some(node) = target {
            node.end_buffer(holds_oneway);
        }
    }
}

impl Cargo {
    /// Ends what the objects in a buffer of `process` kept alive.
    #[inline(never)]
    fn end(this: KBox<Self>, process: &Process) {
        for object in KBox::into_inner(this).objects {
            match object {
                Kept::Node { node, strong } => node.remove_local(strong),
                Kept::Handle { handle, strong } => {
                    // User space may have ended it already.
                    let _ = process.remove_reference(handle, strong);
                }
                Kept::Descriptor(_) => {}
            }
        }
    }

    /// Closes the file descriptors that are to be closed with the buffer.
    fn close_descriptors(&self, context: &UserContext) {
        for object in &self.objects {
            if let Kept::Descriptor(fd) = object {
                // If it cannot be closed, it is left to whoever exits.
                let _ = task::close_on_return(context, *fd);
            }
        }
    }
}

/// Frees the buffer at `address` in `process`, as user space asks for.
///
/// Does nothing if user space has no such buffer.
pub(crate) fn free(process: &Process, context: &UserContext, address: usize) {
    let Some(offset) = process
        .pages()
        .start()
        .and_then(|start| address.checked_sub(start))
    else {
        return;
    };
    let mut kept = None;
    let is_free = process.space().take(process, offset, &mut kept);
    let Some(kept) = kept else {
        return;
    };
    if !is_free {
        kept.free_place(process);
    }

    if let Some(cargo) = kept.cargo.as_ref().filter(|_| process.is_current()) {
        cargo.close_descriptors(context);
    }
    kept.end(process);
}
