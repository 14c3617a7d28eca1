// SPDX-License-Identifier: GPL-2.0

//! A second VMA is waited for with one locked.
//!
//! Rule: L5
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::UserMm, //
};

fn size(context: &mut UserContext, mm: &UserMm<'_>, addresses: [usize; 2]) -> Result<usize> {
    let first = mm.lock_area(context, addresses[0])?.ok_or(EFAULT)?;
    let start = first.start();
    #[cfg(fixed)]
    drop(first);
    let second = mm.lock_area(context, addresses[1])?.ok_or(EFAULT)?; //~
    Ok(second.end() - start)
}
