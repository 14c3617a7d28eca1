// SPDX-License-Identifier: GPL-2.0

//! A page of which not all could be filled is used all the same.
//!
//! Rule: P5
//! Error: E0382, use of moved value: `page`

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

fn fill(context: &mut UserContext, page: UninitPage, from: [UserPtr; 2]) -> Result<OwnedPage> {
    let first = page.fill_from_user(context, from[0]);
    #[cfg(not(fixed))]
    return first.or_else(|_| page.fill_from_user(context, from[1])); //~
    #[cfg(fixed)]
    first
}
