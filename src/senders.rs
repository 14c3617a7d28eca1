// SPDX-License-Identifier: GPL-2.0

//! Senders: how much of a process's area the one-way transactions of each other process take up, so
//! that one that sends too many can be told from those that suffer from it.
//!
//! Nothing here needs a kernel: the trees come from whoever makes the counts. `tests/host` builds this
//! very file with trees of its own.

use crate::ordered::{
    Error,
    Tree,
    TreeKind, //
};

/// So many buffers of one sender are suspicious when there is little space left.
const BUFFER_LIMIT: usize = 50;

/// What the buffers of a sender are.
#[derive(Clone, Copy)]
struct Usage {
    buffers: usize,
    bytes: usize,
}

/// The one-way buffers of an area, by sender.
pub(crate) struct Senders<M: TreeKind> {
    usages: M::Tree<i32, Usage>,
    /// Somebody was found out since there was enough space.
    detected: bool,
}

impl<M: TreeKind> Senders<M> {
    pub(crate) fn new() -> Self {
        Self {
            usages: M::Tree::new(),
            detected: false,
        }
    }

    /// Counts a buffer of `bytes` bytes by `sender`. `left` is what one-way transactions may still
    /// use after it, of an area of `size` bytes. Returns whether the sender is suspected of sending
    /// too many, because there is little space left and much of it was used by this sender before.
    /// That is found once each time that the space gets short.
    ///
    /// # Errors
    ///
    /// [`Error::NoMemory`]; then nothing is counted.
    pub(crate) fn add(
        &mut self,
        sender: i32,
        bytes: usize,
        left: usize,
        size: usize,
    ) -> Result<bool, Error> {
        let mut before = Usage {
            buffers: 0,
            bytes: 0,
        };

        match self.usages.get_mut(&sender) {
            Some(usage) => {
                before = *usage;
                usage.buffers += 1;
                usage.bytes += bytes;
            }
            None => {
                let usage = Usage { buffers: 1, bytes };
                self.usages.insert(M::Tree::reserve()?, sender, usage);
            }
        }
        if left >= size / 10 {
            self.detected = false;
            return Ok(false);
        }
        let too_many = before.buffers > BUFFER_LIMIT || before.bytes > size / 4;
        if !too_many || self.detected {
            return Ok(false);
        }
        self.detected = true;
        Ok(true)
    }

    /// Ends the counting of a buffer.
    #[inline(never)]
    pub(crate) fn remove(&mut self, sender: i32, bytes: usize) {
        let Some(usage) = self.usages.get_mut(&sender) else {
            return;
        };

        usage.buffers = usage.buffers.saturating_sub(1);
        usage.bytes = usage.bytes.saturating_sub(bytes);
        if usage.buffers == 0 {
            self.usages.remove(&sender);
        }
    }
}
