// SPDX-License-Identifier: GPL-2.0

//! User memory is written with the mmap lock held.
//!
//! Rule: L4
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::UserMm,
    user::UserWriter, //
};

fn tell(context: &mut UserContext, mm: &UserMm<'_>, address: usize, to: &mut UserWriter) -> Result {
    let guard = mm.mmap_read_lock(context);
    let mapped = [u8::from(guard.area_at(address).is_some())];
    #[cfg(fixed)]
    drop(guard);
    to.write(context, &mapped) //~
}
