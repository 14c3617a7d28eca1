// SPDX-License-Identifier: GPL-2.0

//! The mmap lock is waited for with a VMA locked.
//!
//! Rule: L5
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::UserMm, //
};

fn has_next(context: &mut UserContext, mm: &UserMm<'_>, address: usize) -> Result<bool> {
    let area = mm.lock_area(context, address)?.ok_or(EFAULT)?;
    let end = area.end();
    #[cfg(fixed)]
    drop(area);
    let mappings = mm.mmap_read_lock(context); //~
    Ok(mappings.area_at(end).is_some())
}
