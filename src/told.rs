// SPDX-License-Identifier: GPL-2.0

//! What a read tells: return commands, collected before they are written to user memory.
//!
//! Nothing here needs a kernel, except the vector in which the unread is kept, and the place where
//! what is told is collected.

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    user::Staged, //
};

use crate::uapi::BR_ERROR;

/// The most that one read tells. It has room for several of each command.
pub(crate) const LIMIT: usize = 512;

const WORD: usize = size_of::<u32>();

/// The commands that a read tells.
pub(crate) struct Told {
    staged: Staged<LIMIT>,
    /// The numbers of the commands, which are what is counted.
    numbers: Staged<{ LIMIT / WORD }>,
    /// How many bytes there may be.
    space: usize,
}

impl Told {
    /// Nothing, and room for `space` bytes or as much as one read tells.
    pub(crate) fn new(space: usize) -> Self {
        Self {
            staged: Staged::new(),
            numbers: Staged::new(),
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

    /// The numbers of the commands, see [`number_of`].
    pub(crate) fn numbers(&self) -> &[u8] {
        self.numbers.bytes()
    }

    /// The commands, without their parameters.
    pub(crate) fn commands(&self) -> impl Iterator<Item = u32> + '_ {
        let mut left = self.bytes();

        core::iter::from_fn(move || {
            let command = *left.first_chunk::<WORD>()?;
            left = left.get(first_command_size(left)?..).unwrap_or(&[]);
            Some(u32::from_ne_bytes(command))
        })
    }

    /// Adds bytes to the parameter of the last command, if there is room for them.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Option<()> {
        if bytes.len() > self.room() {
            return None;
        }
        self.staged.add(bytes)
    }

    /// Adds a command without parameters, if there is room for it.
    pub(crate) fn word(&mut self, command: u32) -> Option<()> {
        self.add(&command.to_ne_bytes())?;
        self.numbers.add(&[number_of(command)])
    }

    /// Adds a command with a parameter, if there is room for both.
    pub(crate) fn command(&mut self, command: u32, parameter: &[u8]) -> Option<()> {
        if self.room() < WORD + parameter.len() {
            return None;
        }
        self.word(command)?;
        self.add(parameter)
    }

    /// Puts another command into the place of the first, which has no parameters either.
    pub(crate) fn replace_first(&mut self, command: u32) {
        self.staged.bytes_mut()[..WORD].copy_from_slice(&command.to_ne_bytes());
        self.numbers.bytes_mut()[0] = number_of(command);
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
            let Some(&word) = command.first_chunk::<WORD>() else {
                break;
            };
            if self
                .command(u32::from_ne_bytes(word), &command[WORD..])
                .is_none()
            {
                break;
            }
            taken += size;
        }
        let left = unread.len() - taken;
        unread.copy_within(taken.., 0);
        unread.truncate(left);
    }
}

/// What tells a command from others.
fn number_of(command: u32) -> u8 {
    kernel::ioctl::_IOC_NR(command) as u8
}

/// The size of the first of these commands with its parameter, which its number tells. `BR_ERROR` is
/// always told without the one that it should have.
fn first_command_size(bytes: &[u8]) -> Option<usize> {
    match u32::from_ne_bytes(*bytes.first_chunk::<WORD>()?) {
        BR_ERROR => Some(WORD),
        command => Some(WORD + kernel::ioctl::_IOC_SIZE(command)),
    }
}
