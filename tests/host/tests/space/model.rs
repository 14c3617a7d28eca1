// SPDX-License-Identifier: GPL-2.0

//! What a space does, in the most obvious way: a list that is searched from one end to the other.

/// So many chunks can be set aside.
const ASIDE: usize = 16;

/// A naive space.
pub struct Model {
    size: usize,
    /// All chunks, in order.
    chunks: Vec<Chunk>,
    /// Where the chunks are that were freed and not merged with others yet, the last at the end.
    aside: Vec<usize>,
}

struct Chunk {
    offset: usize,
    size: usize,
    /// Not there if the chunk is free.
    allocated: Option<Allocated>,
}

struct Allocated {
    oneway: bool,
    kept: Option<u32>,
}

impl Model {
    pub fn new(size: usize) -> Self {
        Self {
            size,
            chunks: vec![Chunk {
                offset: 0,
                size,
                allocated: None,
            }],
            aside: Vec::new(),
        }
    }

    pub fn allocate(&mut self, len: usize, oneway: bool) -> Option<(usize, usize)> {
        let size = usize::max(len, 1).div_ceil(8).checked_mul(8)?;
        if oneway && size > self.oneway_left() {
            return None;
        }
        let again = self.aside.iter().rposition(|&aside| {
            self.chunks
                .iter()
                .any(|it| (it.offset, it.size) == (aside, size))
        });
        if let Some(index) = again {
            let offset = self.aside.remove(index);
            self.chunk_at(offset)?.allocated = Some(Allocated { oneway, kept: None });
            return Some((offset, size));
        }
        let best = self.best_fit(size)?;
        let chunk = &mut self.chunks[best];
        let (offset, rest) = (chunk.offset, chunk.size - size);

        chunk.size = size;
        chunk.allocated = Some(Allocated { oneway, kept: None });
        if rest > 0 {
            self.chunks.insert(
                best + 1,
                Chunk {
                    offset: offset + size,
                    size: rest,
                    allocated: None,
                },
            );
        }
        Some((offset, size))
    }

    pub fn free(&mut self, offset: usize) {
        if self.allocated_at(offset).is_none() {
            return;
        }
        if self.aside.len() == ASIDE {
            self.aside.remove(0);
            self.merge();
        }
        if let Some(chunk) = self.chunk_at(offset) {
            chunk.allocated = None;
            self.aside.push(offset);
        }
    }

    fn best_fit(&mut self, size: usize) -> Option<usize> {
        self.settle();
        (0..self.chunks.len())
            .filter(|&index| self.chunks[index].allocated.is_none())
            .filter(|&index| self.chunks[index].size >= size)
            .min_by_key(|&index| self.chunks[index].size)
    }

    /// Sets nothing aside any more.
    pub fn settle(&mut self) {
        self.aside.clear();
        self.merge();
    }

    /// Merges free chunks with their free neighbours, but for those that are set aside.
    fn merge(&mut self) {
        let aside = &self.aside;
        let is_free = |chunk: &Chunk| chunk.allocated.is_none() && !aside.contains(&chunk.offset);

        self.chunks.dedup_by(|chunk, before| {
            let merge = is_free(before) && is_free(chunk);
            if merge {
                before.size += chunk.size;
            }
            merge
        });
    }

    pub fn keep(&mut self, offset: usize, value: u32) -> bool {
        match self.allocated_at(offset) {
            Some(allocated) if allocated.kept.is_none() => {
                allocated.kept = Some(value);
                true
            }
            _ => false,
        }
    }

    pub fn take_kept(&mut self, offset: usize) -> Option<u32> {
        self.allocated_at(offset)?.kept.take()
    }

    fn chunk_at(&mut self, offset: usize) -> Option<&mut Chunk> {
        self.chunks.iter_mut().find(|chunk| chunk.offset == offset)
    }

    fn allocated_at(&mut self, offset: usize) -> Option<&mut Allocated> {
        self.chunk_at(offset)?.allocated.as_mut()
    }

    /// What one-way transactions may still use.
    pub fn oneway_left(&self) -> usize {
        let is_oneway = |chunk: &&Chunk| chunk.allocated.as_ref().is_some_and(|it| it.oneway);
        let used: usize = self
            .chunks
            .iter()
            .filter(is_oneway)
            .map(|chunk| chunk.size)
            .sum();

        self.size / 2 - used
    }

    /// The offsets of the allocated chunks.
    pub fn allocated(&self) -> Vec<usize> {
        self.chunks
            .iter()
            .filter(|chunk| chunk.allocated.is_some())
            .map(|chunk| chunk.offset)
            .collect()
    }

    /// The free chunks, as offset and size, the smallest first.
    pub fn free_chunks(&self) -> Vec<(usize, usize)> {
        let mut chunks: Vec<_> = self
            .chunks
            .iter()
            .filter(|chunk| chunk.allocated.is_none())
            .map(|chunk| (chunk.offset, chunk.size))
            .collect();

        chunks.sort_by_key(|&(_, size)| size);
        chunks
    }

    /// How many chunks there are.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// How many values are kept.
    pub fn kept(&self) -> usize {
        self.chunks
            .iter()
            .filter_map(|chunk| chunk.allocated.as_ref()?.kept)
            .count()
    }
}
