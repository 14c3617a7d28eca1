// SPDX-License-Identifier: GPL-2.0

//! What a driver does to the current task on behalf of its user: its nice value, and its files.
//!
//! C headers: [`include/linux/sched.h`](srctree/include/linux/sched.h),
//! [`include/linux/file.h`](srctree/include/linux/file.h)

use kernel::{
    error::to_result,
    fs::{
        file::{
            BadFdError,
            LocalFile, //
        },
        File, //
    },
    prelude::*,
    sync::aref::ARef, //
};

use crate::{
    bindings::{
        vmarea_close_on_return,
        vmarea_nice,
        vmarea_set_nice, //
    },
    context::UserContext, //
};

/// The nice value of the current task, from -20 to 19.
#[inline]
pub fn nice() -> i32 {
    // SAFETY: It may be called at any time.
    unsafe { vmarea_nice() }
}

/// Gives the current task a nice value, from -20 to 19, or the lowest that it may have if that is
/// more (`RLIMIT_NICE`, `CAP_SYS_NICE`).
///
/// # Context
///
/// Not with a spinlock held.
#[inline]
pub fn set_nice(nice: i32) {
    // SAFETY: It may be called in process context. A value out of range is ignored.
    unsafe { vmarea_set_nice(nice) }
}

/// The file that is open as `fd` in the current task.
///
/// # Errors
///
/// `EBADF` if there is none.
pub fn file(_: &UserContext, fd: u32) -> Result<ARef<File>, BadFdError> {
    let file = LocalFile::fget(fd)?;

    // SAFETY: A `UserContext` exists in the calls of a device that has no `read`, `write`, `llseek`
    // or `iterate`, so this thread is in no system call that uses `fdget_pos`.
    Ok(unsafe { LocalFile::assume_no_fdget_pos(file) })
}

/// Closes the descriptor `fd` of the current task when its system call has ended: the call itself
/// may be using it without a reference.
///
/// # Errors
///
/// * `ENOMEM`.
/// * `ESRCH` if the task is exiting, which will close it.
pub fn close_on_return(_: &UserContext, fd: u32) -> Result {
    // SAFETY: The task is in a system call, as the context shows.
    to_result(unsafe { vmarea_close_on_return(fd) })
}
