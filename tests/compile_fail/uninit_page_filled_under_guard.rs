// SPDX-License-Identifier: GPL-2.0

//! A page is filled from user memory, which may fault, with a VMA locked.
//!
//! Rule: L5
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};
use vmarea::{
    context::UserContext,
    page::{
        OwnedPage,
        UninitPage, //
    },
};

fn fill(
    context: &mut UserContext,
    page: UninitPage,
    from: UserPtr,
    address: usize,
) -> Result<(OwnedPage, bool)> {
    let area = context.lock_area(address)?.ok_or(EFAULT)?;
    #[cfg(fixed)]
    let is_writable = area.is_writable();
    #[cfg(fixed)]
    drop(area);
    let page = page.fill_from_user(context, from)?; //~
    #[cfg(not(fixed))]
    let is_writable = area.is_writable();
    Ok((page, is_writable))
}
