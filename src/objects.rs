// SPDX-License-Identifier: GPL-2.0

//! Objects in messages: how a message gets from its sender's memory into the receiver's buffer, and
//! what it refers to becomes what the receiver knows it as.
//!
//! The sender may change its memory meanwhile: what was checked, and nothing that is read again, is
//! what is sent. The bytes of an object are only ever written as the receiver is to see them.
//!
//! Objects are in order and do not overlap. What the buffers that are sent along have to do with each
//! other is in `attached.rs`.

use kernel::{
    prelude::*,
    security,
    sync::Arc,
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    user::UserReader, //
};

use crate::{
    attached::Attached,
    buffer::{
        Buffer,
        Kept, //
    },
    process::Process,
    thread::Thread,
    uapi::{
        as_first_half,
        BufferObject,
        FdArrayObject,
        FlatObject,
        TransactionData,
        BUFFER_HAS_PARENT,
        TYPE_BINDER,
        TYPE_FD,
        TYPE_FDA,
        TYPE_HANDLE,
        TYPE_PTR,
        TYPE_WEAK_BINDER,
        TYPE_WEAK_HANDLE, //
    },
};

/// A message on its way into a buffer.
pub(crate) struct Message<'m> {
    context: &'m mut UserContext,
    sender: &'m Arc<Thread>,
    receiver: &'m Arc<Process>,
    buffer: &'m mut Buffer,
    /// Whether the receiver takes files.
    accepts_fds: bool,
    /// Where the data and the offsets are in the sender's memory.
    data: UserPtr,
    offsets: UserPtr,
    /// So much of the data was dealt with.
    done: usize,
    /// What is attached, if anything is.
    attached: Option<Attached>,
}

/// The size of an object of a kind.
fn size_of_kind(kind: u32) -> Option<usize> {
    match kind {
        TYPE_BINDER | TYPE_WEAK_BINDER | TYPE_HANDLE | TYPE_WEAK_HANDLE | TYPE_FD => {
            Some(size_of::<FlatObject>())
        }
        TYPE_FDA => Some(size_of::<FdArrayObject>()),
        TYPE_PTR => Some(size_of::<BufferObject>()),
        _ => None,
    }
}

impl<'m> Message<'m> {
    /// A message that `sender`, the current thread, sends to `receiver`, into whose `buffer` it goes.
    pub(crate) fn new(
        context: &'m mut UserContext,
        sender: &'m Arc<Thread>,
        receiver: &'m Arc<Process>,
        buffer: &'m mut Buffer,
        accepts_fds: bool,
        data: &TransactionData,
    ) -> Self {
        Self {
            context,
            sender,
            receiver,
            buffer,
            accepts_fds,
            data: UserPtr::from_addr(data.buffer as usize),
            offsets: UserPtr::from_addr(data.offsets as usize),
            done: 0,
            attached: None,
        }
    }

    /// Copies and translates all of it.
    ///
    /// # Errors
    ///
    /// * `EFAULT` if the sender's memory cannot be read.
    /// * `EINVAL` if an object is not what it should be, not where it should be, or refers to
    ///   something that is not there.
    /// * `EBADF` for a file that is not open; `EPERM` if the receiver does not take files, or a
    ///   security module says so.
    /// * `ENOMEM`, `ENOSPC`, `ESRCH`.
    ///
    /// What the message keeps alive so far ends with the buffer.
    #[inline(never)]
    pub(crate) fn send(mut self) -> Result {
        let layout = self.buffer.layout;
        if !layout.is_aligned() {
            return Err(EINVAL);
        }

        let count = layout.offsets() / size_of::<u64>();
        for index in 0..count {
            let at = index * size_of::<u64>();
            let offset: u64 = UserReader::new(self.offsets.wrapping_byte_add(at), size_of::<u64>())
                .read(self.context)?;

            self.buffer
                .write(layout.offsets_at() + at, &offset.to_ne_bytes())?;
            self.send_object(index, usize::try_from(offset).map_err(|_| EINVAL)?)?;
        }
        self.copy_data(layout.data())?;
        match &self.attached {
            Some(attached) => attached.send(self.context, self.buffer),
            None => Ok(()),
        }
    }

    /// Copies the data up to `end`, in which there are no objects.
    fn copy_data(&mut self, end: usize) -> Result {
        let len = end.checked_sub(self.done).ok_or(EINVAL)?;

        self.buffer.copy_in(
            self.context,
            self.done,
            self.data.wrapping_byte_add(self.done),
            len,
        )?;
        self.done = end;
        Ok(())
    }

    /// Sends the data up to the object at `offset`, and the object.
    fn send_object(&mut self, index: usize, offset: usize) -> Result {
        let left = self
            .buffer
            .layout
            .data()
            .checked_sub(offset)
            .ok_or(EINVAL)?;
        if offset < self.done || offset % size_of::<u32>() != 0 || left < size_of::<u32>() {
            return Err(EINVAL);
        }
        self.copy_data(offset)?;

        let at = self.data.wrapping_byte_add(offset);
        let kind: u32 = UserReader::new(at, size_of::<u32>()).read(self.context)?;
        let size = size_of_kind(kind)
            .filter(|&size| size <= left)
            .ok_or(EINVAL)?;
        let mut reader = UserReader::new(at, size);
        match kind {
            TYPE_FDA => {
                let object: FdArrayObject = reader.read(self.context)?;
                self.send_descriptors(&object)?;
                self.put(offset, kind, object.as_bytes())?;
            }
            TYPE_PTR => {
                let mut object: BufferObject = reader.read(self.context)?;
                self.attach(index, &mut object)?;
                self.put(offset, kind, object.as_bytes())?;
            }
            TYPE_FD => {
                let object: FlatObject = reader.read(self.context)?;
                self.carry(
                    object.handle(),
                    offset + core::mem::offset_of!(FlatObject, binder),
                    false,
                )?;
                // The descriptor is written when there is one.
                let object = FlatObject {
                    binder: 0,
                    ..object
                };
                self.put(offset, kind, object.as_bytes())?;
            }
            _ => {
                let mut object: FlatObject = reader.read(self.context)?;
                // What the size was looked up for may be something else by now.
                object.kind = kind;
                self.translate(&mut object)?;
                self.put(offset, object.kind, object.as_bytes())?;
            }
        }
        self.done = offset + size;
        Ok(())
    }

    /// Writes an object into the buffer. Its kind was read before the rest of it was.
    fn put(&mut self, offset: usize, kind: u32, object: &[u8]) -> Result {
        self.buffer.write(offset, object)?;
        self.buffer.write(offset, &kind.to_ne_bytes())
    }

    fn carry(&mut self, fd: u32, at: usize, close: bool) -> Result {
        if !self.accepts_fds {
            return Err(EPERM);
        }
        let from = &self.sender.process;

        self.buffer
            .carry(self.context, from, self.receiver, fd, at, close)
    }

    /// Makes a buffer object point to what is attached to the message, as the receiver sees it.
    fn attach(&mut self, index: usize, object: &mut BufferObject) -> Result {
        let parent = (object.flags & BUFFER_HAS_PARENT != 0)
            .then_some((object.parent, object.parent_offset));
        let base = self.buffer.address();
        let layout = self.buffer.layout;
        let attached = self
            .attached
            .get_or_insert_with(|| Attached::new(layout.buffers_at(), layout.buffers_end()));
        let at = attached.add(index, object.buffer, object.length, parent, base)?;

        object.buffer = at as u64;
        Ok(())
    }

    /// Takes along the files whose descriptors are in an attached buffer.
    fn send_descriptors(&mut self, array: &FdArrayObject) -> Result {
        let place = self.attached.as_mut().ok_or(EINVAL)?.descriptors(
            array.parent,
            array.parent_offset,
            array.count,
        )?;

        for index in 0..place.count {
            let at = index * size_of::<u32>();
            let fd: u32 = UserReader::new(place.from.wrapping_byte_add(at), size_of::<u32>())
                .read(self.context)?;
            self.carry(fd, place.at + at, true)?;
        }
        Ok(())
    }

    /// Turns an object into what the receiver knows it as.
    fn translate(&mut self, object: &mut FlatObject) -> Result {
        let from = &self.sender.process;
        let strong = matches!(object.kind, TYPE_BINDER | TYPE_HANDLE);

        self.buffer.reserve(1)?;
        if matches!(object.kind, TYPE_BINDER | TYPE_WEAK_BINDER) {
            let node = from.hold_node(object)?;
            let handle = if node.name.cookie == object.cookie {
                self.may_transfer()
                    .and_then(|()| self.receiver.refer_to(&node, strong, Some(self.sender)))
            } else {
                Err(EINVAL)
            };
            node.unhold();
            self.become_handle(object, handle?, strong);
            return Ok(());
        }

        let (node, lives) = from.take_node(object.handle(), strong)?;
        let is_own = lives && Arc::ptr_eq(&node.owner, self.receiver);
        let handle = match self.may_transfer() {
            Ok(()) if is_own => None,
            Ok(()) => Some(self.receiver.refer_to(&node, strong, None)),
            Err(error) => Some(Err(error)),
        };
        if let Some(handle) = handle {
            node.remove_local(strong);
            self.become_handle(object, handle?, strong);
            return Ok(());
        }
        object.kind = if strong {
            TYPE_BINDER
        } else {
            TYPE_WEAK_BINDER
        };
        object.binder = node.name.ptr;
        object.cookie = node.name.cookie;
        self.buffer.keep(Kept::Node { node, strong });
        Ok(())
    }

    fn may_transfer(&self) -> Result {
        let from = &self.sender.process;

        security::binder_transfer_binder(from.credential(), self.receiver.credential())
            .map_err(|_| EPERM)
    }

    fn become_handle(&mut self, object: &mut FlatObject, handle: u32, strong: bool) {
        object.kind = if strong {
            TYPE_HANDLE
        } else {
            TYPE_WEAK_HANDLE
        };
        object.binder = as_first_half(handle);
        object.cookie = 0;
        self.buffer.keep(Kept::Handle { handle, strong });
    }
}
