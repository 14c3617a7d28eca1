// SPDX-License-Identifier: GPL-2.0

//! Space: which bytes of a process's page range belong to which buffer.
//!
//! The range is divided into chunks without gaps, each free, allocated or set aside, and no two
//! neighbours free. All operations take time logarithmic in the number of chunks, and freeing never
//! needs memory.
//!
//! Who talks to the same partner again and again needs chunks of the same size each time. So the last
//! ones that were freed stay as they are, set aside, until there are too many or another size is asked
//! for.
//!
//! Nothing here needs a kernel: the trees come from whoever makes a space. `tests/host` builds this
//! very file with trees of its own.

use crate::{
    aside::Aside,
    ordered::{
        Error,
        Reservation,
        Tree,
        TreeKind, //
    },
};

/// Chunks start at multiples of this, as clients expect of buffers, and are at least as long.
const ALIGNMENT: usize = 8;

/// A free chunk's size and offset: the order in which the best fit is found.
type FreeKey = (usize, usize);

/// Divides a range of bytes. `T` is what the owner of an allocated chunk keeps with it, `M` makes
/// the trees.
pub(crate) struct Space<T, M: TreeKind> {
    /// All chunks, by offset.
    chunks: M::Tree<usize, Chunk<T, M>>,
    /// The free ones among them, by size.
    free: M::Tree<FreeKey, ()>,
    /// What one-way transactions may still use.
    oneway_left: usize,
    /// Chunks that are allocated for the trees only.
    aside: Aside,
    /// Nodes left over from the last chunks that were freed.
    spare: Spare<T, M>,
}

struct Chunk<T, M: TreeKind> {
    size: usize,
    /// The size of the chunk before this one, zero if there is none.
    before: usize,
    state: State<T, M>,
}

enum State<T, M: TreeKind> {
    Free,
    Allocated {
        /// It is set aside, and free for everybody else.
        aside: bool,
        oneway: bool,
        kept: Option<T>,
        /// With this the chunk will be made known as free.
        node: Reservation<M, FreeKey, ()>,
    },
}

impl<T, M: TreeKind> Chunk<T, M> {
    /// Whether it is allocated for one-way transactions, and what is kept with it; nothing if it is
    /// not allocated.
    fn allocated(&mut self) -> Option<(bool, &mut Option<T>)> {
        match &mut self.state {
            State::Allocated {
                aside: false,
                oneway,
                kept,
                ..
            } => Some((*oneway, kept)),
            _ => None,
        }
    }

    /// Sets it aside, or makes it an allocated one again.
    fn set_aside(&mut self, now: bool, now_oneway: bool) {
        if let State::Allocated { aside, oneway, .. } = &mut self.state {
            *aside = now;
            *oneway = now_oneway;
        }
    }
}

/// An allocated chunk, for those who look into the driver.
pub(crate) struct Allocated<'a, T> {
    pub(crate) offset: usize,
    pub(crate) size: usize,
    pub(crate) oneway: bool,
    /// What is kept with it.
    pub(crate) kept: Option<&'a T>,
}

/// Nodes for the two trees, allocated beforehand.
struct Spare<T, M: TreeKind> {
    chunk: Option<Reservation<M, usize, Chunk<T, M>>>,
    free: Option<Reservation<M, FreeKey, ()>>,
}

impl<T, M: TreeKind> Spare<T, M> {
    const fn new() -> Self {
        Self {
            chunk: None,
            free: None,
        }
    }

    fn take_chunk(&mut self) -> Result<Reservation<M, usize, Chunk<T, M>>, Error> {
        self.chunk.take().map_or_else(M::Tree::reserve, Ok)
    }

    fn take_free(&mut self) -> Result<Reservation<M, FreeKey, ()>, Error> {
        self.free.take().map_or_else(M::Tree::reserve, Ok)
    }
}

impl<T, M: TreeKind> Space<T, M> {
    /// A space without any bytes.
    pub(crate) fn new() -> Self {
        Self {
            chunks: M::Tree::new(),
            free: M::Tree::new(),
            oneway_left: 0,
            aside: Aside::new(),
            spare: Spare::new(),
        }
    }

    /// A space of `size` bytes, which are all free. Half of them can be used by one-way
    /// transactions, so that those cannot keep the others out.
    ///
    /// # Errors
    ///
    /// [`Error::NoMemory`].
    pub(crate) fn with_size(size: usize) -> Result<Self, Error> {
        let mut space = Self::new();
        let chunk = Chunk {
            size,
            before: 0,
            state: State::Free,
        };

        space.chunks.insert(M::Tree::reserve()?, 0, chunk);
        space.free.insert(M::Tree::reserve()?, (size, 0), ());
        space.oneway_left = size / 2;
        Ok(space)
    }

    /// Allocates the smallest free chunk that is large enough for `len` bytes, which may be zero.
    /// Returns its offset and its size.
    ///
    /// # Errors
    ///
    /// * [`Error::NoSpace`] if there is none, or one-way transactions have used up their half.
    /// * [`Error::NoMemory`].
    pub(crate) fn allocate(&mut self, len: usize, oneway: bool) -> Result<(usize, usize), Error> {
        let size = usize::max(len, 1)
            .checked_next_multiple_of(ALIGNMENT)
            .ok_or(Error::NoSpace)?;
        if oneway && size > self.oneway_left {
            return Err(Error::NoSpace);
        }
        if let Some(offset) = self.take_aside(size, oneway) {
            return Ok((offset, size));
        }
        while let Some(oldest) = self.aside.take_oldest() {
            self.release(oldest);
        }
        let (found, offset) = self.free.lower_bound(&(size, 0)).ok_or(Error::NoSpace)?;

        // All memory first, so that nothing needs to be undone.
        let rest = if found > size {
            Some((self.spare.take_chunk()?, self.spare.take_free()?))
        } else {
            None
        };
        let node = self.free.remove(&(found, offset)).ok_or(Error::NoSpace)?;
        if let Some((chunk_node, free_node)) = rest {
            let rest_at = offset + size;
            let rest_size = found - size;
            let rest = Chunk {
                size: rest_size,
                before: size,
                state: State::Free,
            };
            self.chunks.insert(chunk_node, rest_at, rest);
            self.free.insert(free_node, (rest_size, rest_at), ());
            self.set_before(rest_at + rest_size, rest_size);
        }
        let chunk = self.chunks.get_mut(&offset).ok_or(Error::NoSpace)?;
        chunk.size = size;
        chunk.state = State::Allocated {
            aside: false,
            oneway,
            kept: None,
            node,
        };
        if oneway {
            self.oneway_left -= size;
        }
        Ok((offset, size))
    }

    /// What one-way transactions may still use.
    pub(crate) fn oneway_left(&self) -> usize {
        self.oneway_left
    }

    /// The first allocated chunk whose offset is not below this one.
    pub(crate) fn allocated_at_least(&self, mut offset: usize) -> Option<Allocated<'_, T>> {
        loop {
            let at = self.chunks.lower_bound(&offset)?;
            let chunk = self.chunks.get(&at)?;
            match &chunk.state {
                State::Allocated {
                    aside: false,
                    oneway,
                    kept,
                    ..
                } => {
                    return Some(Allocated {
                        offset: at,
                        size: chunk.size,
                        oneway: *oneway,
                        kept: kept.as_ref(),
                    });
                }
                // There are not many of these in a row: few are set aside, and free ones are never next
                // to each other.
                _ => offset = at.checked_add(chunk.size)?,
            }
        }
    }

    /// Keeps `value` with the allocated chunk at `offset`. Leaves it where it is if there is none, or
    /// something is kept with it.
    pub(crate) fn keep(&mut self, offset: usize, value: &mut Option<T>) {
        if let Some((_, kept)) = self.chunks.get_mut(&offset).and_then(Chunk::allocated) {
            if kept.is_none() {
                core::mem::swap(kept, value);
            }
        }
    }

    /// Moves what is kept with the chunk at `offset` to `value`, if there is nothing yet. If it is `done`
    /// with, the chunk is freed, which is what is returned. Otherwise it stays allocated.
    pub(crate) fn take_kept(
        &mut self,
        offset: usize,
        value: &mut Option<T>,
        done: impl FnOnce(&T) -> bool,
    ) -> bool {
        let Some(chunk) = self.chunks.get_mut(&offset) else {
            return false;
        };
        let Some((oneway, kept)) = chunk.allocated().filter(|_| value.is_none()) else {
            return false;
        };
        core::mem::swap(kept, value);
        let done = value.as_ref().is_some_and(done);

        if done {
            chunk.set_aside(true, false);
            let size = chunk.size;
            self.put_aside(offset, size, oneway);
        }
        done
    }

    /// Frees the allocated chunk at `offset`, if there is one.
    pub(crate) fn free(&mut self, offset: usize) {
        let Some(chunk) = self.chunks.get_mut(&offset) else {
            return;
        };
        let Some((oneway, kept)) = chunk.allocated() else {
            return;
        };
        *kept = None;
        chunk.set_aside(true, false);
        let size = chunk.size;
        self.put_aside(offset, size, oneway);
    }

    /// Notes that a chunk was set aside, which was allocated for one-way transactions or not.
    fn put_aside(&mut self, offset: usize, size: usize, oneway: bool) {
        if oneway {
            self.oneway_left += size;
        }
        if let Some(oldest) = self.aside.put(offset, size) {
            self.release(oldest);
        }
    }

    /// Makes a chunk of this size that is set aside an allocated one again. Returns its offset.
    fn take_aside(&mut self, size: usize, oneway: bool) -> Option<usize> {
        let offset = self.aside.take(size)?;

        self.chunks.get_mut(&offset)?.set_aside(false, oneway);
        if oneway {
            self.oneway_left -= size;
        }
        Some(offset)
    }

    /// Makes the chunk at `offset`, which nobody uses any more, a part of the free ones.
    fn release(&mut self, offset: usize) {
        let Some(chunk) = self.chunks.get_mut(&offset) else {
            return;
        };
        let State::Allocated { node, .. } = core::mem::replace(&mut chunk.state, State::Free)
        else {
            return;
        };
        let (mut start, mut size) = (offset, chunk.size);
        let before = chunk.before;

        if let Some(next) = self.absorb_if_free(offset + size) {
            size += next;
        }
        if before > 0 && self.is_free(offset - before) {
            self.remove_chunk(offset);
            self.remove_free((before, offset - before));
            start -= before;
            size += before;
        }
        if let Some(chunk) = self.chunks.get_mut(&start) {
            chunk.size = size;
        }
        self.set_before(start + size, size);
        self.free.insert(node, (size, start), ());
    }

    /// Takes all chunks, and what is kept with them, out of the space. It has no bytes then.
    pub(crate) fn drain(&mut self) -> Self {
        core::mem::replace(self, Self::new())
    }

    fn is_free(&self, offset: usize) -> bool {
        self.chunks
            .get(&offset)
            .is_some_and(|chunk| matches!(chunk.state, State::Free))
    }

    /// Removes the chunk at `offset` from both trees if it is free. Returns its size.
    fn absorb_if_free(&mut self, offset: usize) -> Option<usize> {
        if !self.is_free(offset) {
            return None;
        }
        let size = self.remove_chunk(offset)?;

        self.remove_free((size, offset));
        Some(size)
    }

    fn remove_chunk(&mut self, offset: usize) -> Option<usize> {
        let size = self.chunks.get(&offset)?.size;

        self.spare.chunk = Some(self.chunks.remove(&offset)?);
        Some(size)
    }

    fn remove_free(&mut self, key: FreeKey) {
        if let Some(node) = self.free.remove(&key) {
            self.spare.free = Some(node);
        }
    }

    /// Tells the chunk at `offset`, if there is one, the size of the one before it.
    fn set_before(&mut self, offset: usize, size: usize) {
        if let Some(chunk) = self.chunks.get_mut(&offset) {
            chunk.before = size;
        }
    }
}
