// SPDX-License-Identifier: GPL-2.0

//! Chunks that are set aside: they are free, but stay as they are for who asks for the same size again.
//!
//! Nothing here needs a kernel.

/// The most that are set aside at once. What is sent one-way comes in queues, so one is not enough;
/// but who asks for another size has to wait until all are made one with their neighbours.
const PLACES: usize = 16;

/// A chunk's offset and size.
type Place = (u32, u32);

/// Chunks that are set aside, in the order in which they were freed.
pub(crate) struct Aside {
    places: [Place; PLACES],
    count: usize,
}

impl Aside {
    pub(crate) const fn new() -> Self {
        Self {
            places: [(0, 0); PLACES],
            count: 0,
        }
    }

    /// Adds a chunk. Returns the offset of one that has to make room for it, or of this one if its
    /// numbers are too large.
    pub(crate) fn put(&mut self, offset: usize, size: usize) -> Option<usize> {
        let (Ok(at), Ok(size)) = (u32::try_from(offset), u32::try_from(size)) else {
            return Some(offset);
        };
        let oldest = if self.count == PLACES {
            self.take_oldest()
        } else {
            None
        };

        if let Some(place) = self.places.get_mut(self.count) {
            *place = (at, size);
            self.count += 1;
        }
        oldest
    }

    /// Takes the last chunk of just this size.
    pub(crate) fn take(&mut self, size: usize) -> Option<usize> {
        let size = u32::try_from(size).ok()?;
        let index = self
            .places
            .get(..self.count)?
            .iter()
            .rposition(|&(_, found)| found == size)?;

        self.remove(index)
    }

    /// Takes the chunk that was freed first.
    pub(crate) fn take_oldest(&mut self) -> Option<usize> {
        if self.count == 0 {
            return None;
        }
        self.remove(0)
    }

    fn remove(&mut self, index: usize) -> Option<usize> {
        let (offset, _) = *self.places.get(index)?;

        // Most often it is the last.
        if index + 1 < self.count {
            self.places.copy_within(index + 1..self.count, index);
        }
        self.count -= 1;
        Some(offset as usize)
    }
}
