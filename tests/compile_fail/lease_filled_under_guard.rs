// SPDX-License-Identifier: GPL-2.0

//! A message is copied from user memory with a VMA locked.
//!
//! Rule: L4
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};
use vmarea::{
    context::UserContext,
    page_range::Lease, //
};

fn fill(context: &mut UserContext, lease: &Lease, from: UserPtr, address: usize) -> Result {
    let area = context.lock_area(address)?.ok_or(EFAULT)?;
    let size = area.end() - area.start();
    #[cfg(fixed)]
    drop(area);
    lease.copy_from_user(context, 0, from, size) //~
}
