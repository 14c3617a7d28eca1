// SPDX-License-Identifier: GPL-2.0

//! User memory is read with a VMA locked.
//!
//! Rule: L4
//! Error: E0499, cannot borrow `*context` as mutable more than once

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    user::UserReader, //
};

fn address(context: &mut UserContext, place: usize, from: &mut UserReader) -> Result<usize> {
    let area = context.lock_area(place)?.ok_or(EFAULT)?;
    let start = area.start();
    #[cfg(fixed)]
    drop(area);
    let offset: usize = from.read(context)?; //~
    start.checked_add(offset).ok_or(EINVAL)
}
