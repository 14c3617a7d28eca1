// SPDX-License-Identifier: GPL-2.0

//! A lease, which may wait for the owner's VMA, is taken with another VMA locked.
//!
//! Rule: L5
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    page_range::{
        Lease,
        PageRange, //
    },
};

fn take(context: &mut UserContext, range: &PageRange, address: usize) -> Result<Lease> {
    let area = context.lock_area(address)?.ok_or(EFAULT)?;
    let size = area.end() - area.start();
    #[cfg(fixed)]
    drop(area);
    range.lease(context, 0, size) //~
}
