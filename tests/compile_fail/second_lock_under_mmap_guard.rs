// SPDX-License-Identifier: GPL-2.0

//! A VMA is waited for with an mmap lock held.
//!
//! Rule: L5
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::UserMm, //
};

fn are_there(context: &mut UserContext, mm: &UserMm<'_>, addresses: [usize; 2]) -> Result<bool> {
    let guard = mm.mmap_read_lock(context);
    let first = guard.area_at(addresses[0]).is_some();
    #[cfg(fixed)]
    drop(guard);
    let second = mm.lock_area(context, addresses[1])?.is_some(); //~
    Ok(first && second)
}
