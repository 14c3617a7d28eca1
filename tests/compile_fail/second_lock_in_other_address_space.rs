// SPDX-License-Identifier: GPL-2.0

//! A VMA of the current process is waited for with one of another process locked.
//!
//! Rule: L5
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::UserMm, //
};

fn difference(context: &mut UserContext, other: &UserMm<'_>, address: usize) -> Result<usize> {
    let theirs = other.lock_area(context, address)?.ok_or(EFAULT)?;
    let end = theirs.end();
    #[cfg(fixed)]
    drop(theirs);
    let ours = context.lock_area(address)?.ok_or(EFAULT)?; //~
    Ok(ours.end().abs_diff(end))
}
