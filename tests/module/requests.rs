// SPDX-License-Identifier: GPL-2.0

//! What a test has asked of a file's mappings.

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Full,
        Relaxed, //
    },
};

use vmarea::mmap::AreaFlags;

use crate::uapi;

/// The requests for one file.
pub(crate) struct Requests {
    modes: Atomic<usize>,
    fail_hook: Failure,
    fail_mapped: Failure,
}

impl Requests {
    pub(crate) const fn new() -> Self {
        Self {
            modes: Atomic::new(0),
            fail_hook: Failure(Atomic::new(0)),
            fail_mapped: Failure(Atomic::new(0)),
        }
    }

    /// Answers those `ioctl` commands that are requests.
    pub(crate) fn ioctl(&self, command: u32, argument: usize) -> Result<isize> {
        match command {
            uapi::SET_MODE => self.modes.store(argument, Relaxed),
            uapi::FAIL_HOOK => self.fail_hook.request(argument)?,
            uapi::FAIL_MAPPED => self.fail_mapped.request(argument)?,
            _ => return Err(ENOTTY),
        }
        Ok(0)
    }

    /// Whether a mode was asked for.
    pub(crate) fn has(&self, mode: usize) -> bool {
        self.modes.load(Relaxed) & mode != 0
    }

    /// Gives an area the flags that were asked for.
    pub(crate) fn apply_to(&self, flags: &mut AreaFlags) -> Result {
        if self.has(uapi::MODE_READ_ONLY) {
            flags.forbid_write()?;
        }
        if self.has(uapi::MODE_NO_EXEC) {
            flags.forbid_exec()?;
        }
        if self.has(uapi::MODE_DONT_COPY) {
            flags.set_dont_copy();
        }
        if self.has(uapi::MODE_DONT_DUMP) {
            flags.set_dont_dump();
        }
        if !self.has(uapi::MODE_NO_PAGES) {
            flags.set_mixed_map();
        }
        Ok(())
    }

    /// The end of a hook.
    pub(crate) fn end_hook(&self) -> Result {
        self.fail_hook.answer()
    }

    /// The end of `mapped`.
    pub(crate) fn end_mapped(&self) -> Result {
        self.fail_mapped.answer()
    }
}

/// An error that is to occur once.
struct Failure(Atomic<i32>);

impl Failure {
    fn request(&self, errno: usize) -> Result {
        self.0.store(i32::try_from(errno)?, Relaxed);
        Ok(())
    }

    fn answer(&self) -> Result {
        match self.0.xchg(0, Full) {
            0 => Ok(()),
            errno => Err(Error::from_errno(-errno)),
        }
    }
}
