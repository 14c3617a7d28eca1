// SPDX-License-Identifier: GPL-2.0

//! A page is shown with what its last user has left in it.
//!
//! Rule: P5
//! Error: E0599, no method named `borrow` found

use kernel::{
    prelude::*,
    uaccess::UserPtr, //
};
use vmarea::{
    context::UserContext,
    page::{
        PageRef,
        UninitPage, //
    },
};

fn show(
    context: &mut UserContext,
    page: UninitPage,
    from: UserPtr,
    show: fn(PageRef<'_>) -> Result,
) -> Result {
    #[cfg(fixed)]
    let page = page.fill_from_user(context, from)?;
    let _ = (context, from);
    show(page.borrow()) //~
}
