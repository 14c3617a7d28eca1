// SPDX-License-Identifier: GPL-2.0

//! A VMA is waited for with another one locked, which had only been tried.
//!
//! Rule: L5
//! Error: E0502, cannot borrow `*context` as mutable because it is also borrowed as immutable

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::UserMm, //
};

fn are_there(context: &mut UserContext, mm: &UserMm<'_>, addresses: [usize; 2]) -> Result<bool> {
    let first = mm.try_lock_area(context, addresses[0]).ok_or(EAGAIN)?;
    #[cfg(not(fixed))]
    let second = mm.lock_area(context, addresses[1])?; //~
    #[cfg(fixed)]
    let second = mm.try_lock_area(context, addresses[1]);
    Ok(second.is_some_and(|second| second.end() > first.end()))
}
