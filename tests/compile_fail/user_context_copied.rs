// SPDX-License-Identifier: GPL-2.0

//! A second context is made of one that may be borrowed by a guard.
//!
//! Rule: L5
//! Error: E0599, no method named `clone` found

use kernel::prelude::*;
use vmarea::context::UserContext;

fn is_there(context: &mut UserContext, address: usize) -> Result<bool> {
    #[cfg(not(fixed))]
    let context = &mut context.clone(); //~
    Ok(context.lock_area(address)?.is_some())
}
