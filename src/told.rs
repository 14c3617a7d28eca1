// SPDX-License-Identifier: GPL-2.0

//! What a read tells: return commands, collected before they are written to user memory.
//!
//! A command is counted when it is collected. What could not be written, and is told by the next read,
//! is not counted again.

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    user::Staged, //
};

use crate::{
    process::Process,
    trace,
    uapi::BR_ERROR, //
};

/// The most that one read tells. It has room for several of each command.
pub(crate) const LIMIT: usize = 512;

const WORD: usize = size_of::<u32>();

/// The commands that a read tells.
pub(crate) struct Told<'p> {
    process: &'p Process,
    staged: Staged<LIMIT>,
    /// How many bytes there may be.
    space: usize,
}

impl<'p> Told<'p> {
    /// Nothing, and room for `space` bytes or as much as one read tells to a thread of `process`.
    pub(crate) fn new(process: &'p Process, space: usize) -> Self {
        Self {
            process,
            staged: Staged::new(),
            space: usize::min(space, LIMIT),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes().len()
    }

    /// How many bytes more there may be.
    pub(crate) fn room(&self) -> usize {
        self.space - self.len()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.staged.bytes()
    }

    /// Writes all that is told to user memory at `to`.
    pub(crate) fn write_to(&self, context: &mut UserContext, to: UserPtr) -> Result {
        self.staged.write_to(context, to)
    }

    /// Adds bytes, if there is room for them.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Option<()> {
        if bytes.len() > self.room() {
            return None;
        }
        self.staged.add(bytes)
    }

    /// Adds a command without parameters, if there is room for it.
    pub(crate) fn word(&mut self, command: u32) -> Option<()> {
        self.add(&command.to_ne_bytes())?;
        self.count(command);
        Some(())
    }

    /// Adds a command with a parameter, if there is room for both.
    pub(crate) fn command(&mut self, command: u32, parameter: &[u8]) -> Option<()> {
        if self.room() < WORD + parameter.len() {
            return None;
        }
        self.word(command)?;
        self.add(parameter)
    }

    /// Leaves a place for a command without parameters, if there is room for it.
    pub(crate) fn begin(&mut self) -> Option<()> {
        self.add(&[0; WORD])
    }

    /// Puts `command` into the place that was left.
    pub(crate) fn set_first(&mut self, command: u32) {
        self.staged.bytes_mut()[..WORD].copy_from_slice(&command.to_ne_bytes());
        self.count(command);
    }

    fn count(&self, command: u32) {
        self.process.commands.told(command);
        trace::told(self.process, command);
    }

    /// Moves the commands in `unread` here, as many as there is room for.
    pub(crate) fn add_unread(&mut self, unread: &mut KVec<u8>) {
        if unread.is_empty() {
            return;
        }
        let mut taken = 0;

        while let Some(size) = first_command_size(&unread[taken..]) {
            let Some(command) = unread.get(taken..taken + size) else {
                break;
            };
            if self.add(command).is_none() {
                break;
            }
            taken += size;
        }
        let left = unread.len() - taken;
        unread.copy_within(taken.., 0);
        unread.truncate(left);
    }
}

/// The size of the first of these commands with its parameter, which its number tells. `BR_ERROR` is
/// always told without the one that it should have.
fn first_command_size(bytes: &[u8]) -> Option<usize> {
    match u32::from_ne_bytes(*bytes.first_chunk::<WORD>()?) {
        BR_ERROR => Some(WORD),
        command => Some(WORD + kernel::ioctl::_IOC_SIZE(command)),
    }
}
