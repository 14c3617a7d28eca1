// SPDX-License-Identifier: GPL-2.0

//! Attached buffers: memory of the sender that a message points to with `BINDER_TYPE_PTR` objects.
//!
//! They are put one after the other behind the message, and the pointers to them become those that
//! the receiver can follow: the one in the object, and one in another attached buffer, the parent, if
//! the object names one. A `BINDER_TYPE_FDA` object says that a parent contains file descriptors.
//!
//! What is changed in a parent has to come in order: an object may name the attached buffer before it
//! or an ancestor of that, and in each of them only what is behind the last change. So the ancestors
//! are a stack, and what was popped from it is not to be changed any more.
//!
//! Nothing is copied before all of it is known, because the receiver may look on: what the sender has
//! in places that are changed must not be seen.

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

use vmarea::context::UserContext;

use crate::buffer::Buffer;

/// The attached buffers of a message.
pub(crate) struct Attached {
    pieces: KVVec<Piece>,
    /// The last piece and its ancestors, the last one last.
    open: KVVec<Open>,
    changes: KVVec<Change>,
    /// The part of the message's buffer that is left for them.
    next: usize,
    end: usize,
}

/// An attached buffer.
struct Piece {
    /// Which of the message's objects it is.
    index: usize,
    from: UserPtr,
    /// Where in the message's buffer it is put.
    at: usize,
    length: usize,
    /// The changes in it, by their places in the list of all.
    first_change: Option<usize>,
    last_change: Option<usize>,
}

/// A piece that may be changed.
struct Open {
    piece: usize,
    /// From this byte on.
    from: usize,
}

/// Bytes of the message's buffer that the sender's are not copied to.
struct Change {
    at: usize,
    length: usize,
    /// What is written there now: a pointer, or nothing yet.
    pointer: Option<u64>,
    /// The next change in the same piece.
    next: Option<usize>,
}

/// Where descriptors are.
pub(crate) struct Descriptors {
    /// In the sender's memory.
    pub(crate) from: UserPtr,
    /// In the message's buffer.
    pub(crate) at: usize,
    pub(crate) count: usize,
}

const POINTER: usize = size_of::<u64>();

/// What is changed in a parent is at a multiple of this.
const ALIGNMENT: u64 = size_of::<u32>() as u64;

impl Attached {
    /// Nothing attached, with space from byte `start` of the message's buffer to `end`.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        Self {
            pieces: KVVec::new(),
            open: KVVec::new(),
            changes: KVVec::new(),
            next: start,
            end,
        }
    }

    /// Attaches `length` bytes at `from`, for the message's object with this `index`. `parent` is the
    /// index of another and the place in it where the pointer is. Returns where the receiver, who
    /// sees the message's buffer at `base`, will see the bytes.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if there is not enough space, the parent is not one that can be changed there, or
    ///   the place in it is not a multiple of four.
    /// * `ENOMEM`.
    pub(crate) fn add(
        &mut self,
        index: usize,
        from: u64,
        length: u64,
        parent: Option<(u64, u64)>,
        base: usize,
    ) -> Result<usize> {
        let length = usize::try_from(length)
            .ok()
            .filter(|&length| length <= self.end - self.next)
            .ok_or(EINVAL)?;
        let piece = Piece {
            index,
            from: UserPtr::from_addr(from as usize),
            at: self.next,
            length,
            first_change: None,
            last_change: None,
        };
        let address = base + piece.at;

        match parent {
            Some((_, offset)) if offset % ALIGNMENT != 0 => return Err(EINVAL),
            Some((parent, offset)) => {
                self.change(parent, offset, POINTER, Some(address as u64))?;
            }
            None => self.open.clear(),
        }
        let number = self.pieces.len();
        self.next = usize::min(piece.at + length.next_multiple_of(POINTER), self.end);
        self.pieces.push(piece, GFP_KERNEL)?;
        let open = Open {
            piece: number,
            from: 0,
        };
        self.open.push(open, GFP_KERNEL)?;
        Ok(address)
    }

    /// Finds `count` descriptors from byte `offset` on of the attached buffer that is the message's
    /// object with the index `parent`. They are not copied.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if they are not all in it, not aligned, or it cannot be changed there.
    /// * `ENOMEM`.
    pub(crate) fn descriptors(
        &mut self,
        parent: u64,
        offset: u64,
        count: u64,
    ) -> Result<Descriptors> {
        let count = usize::try_from(count).map_err(|_| EINVAL)?;
        let size = count.checked_mul(size_of::<u32>()).ok_or(EINVAL)?;
        let (from, at) = self.change(parent, offset, size, None)?;

        if (from.as_const_ptr() as usize | at) % size_of::<u32>() != 0 {
            return Err(EINVAL);
        }
        Ok(Descriptors { from, at, count })
    }

    /// Notes a change of `length` bytes in a piece. Returns where they are in the sender's memory and
    /// in the message's buffer.
    fn change(
        &mut self,
        index: u64,
        offset: u64,
        length: usize,
        pointer: Option<u64>,
    ) -> Result<(UserPtr, usize)> {
        let index = usize::try_from(index).map_err(|_| EINVAL)?;
        let offset = usize::try_from(offset).map_err(|_| EINVAL)?;
        let number = self
            .pieces
            .binary_search_by_key(&index, |piece| piece.index)
            .map_err(|_| EINVAL)?;
        while self.open.last().is_some_and(|open| open.piece != number) {
            self.open.pop();
        }

        let piece = self.pieces.get_mut(number).ok_or(EINVAL)?;
        let open = self.open.last_mut().ok_or(EINVAL)?;
        let end = offset.checked_add(length).ok_or(EINVAL)?;
        if offset < open.from || end > piece.length {
            return Err(EINVAL);
        }
        open.from = end;
        let place = (piece.from.wrapping_byte_add(offset), piece.at + offset);
        if length > 0 {
            let change = Change {
                at: place.1,
                length,
                pointer,
                next: None,
            };
            let number = self.changes.len();
            self.changes.push(change, GFP_KERNEL)?;
            match piece.last_change.replace(number) {
                Some(last) => self.changes[last].next = Some(number),
                None => piece.first_change = Some(number),
            }
        }
        Ok(place)
    }

    /// Copies what is attached into the message's buffer, with the changes.
    ///
    /// # Errors
    ///
    /// `EFAULT` if the sender's memory cannot be read.
    pub(crate) fn send(&self, context: &mut UserContext, buffer: &Buffer) -> Result {
        for piece in &self.pieces {
            let mut at = piece.at;
            let mut next = piece.first_change;

            while let Some(change) = next.and_then(|number| self.changes.get(number)) {
                let from = piece.from.wrapping_byte_add(at - piece.at);
                buffer.copy_in(context, at, from, change.at - at)?;
                if let Some(pointer) = change.pointer {
                    buffer.write(change.at, &pointer.to_ne_bytes())?;
                }
                at = change.at + change.length;
                next = change.next;
            }
            let from = piece.from.wrapping_byte_add(at - piece.at);
            buffer.copy_in(context, at, from, piece.at + piece.length - at)?;
        }
        Ok(())
    }
}
