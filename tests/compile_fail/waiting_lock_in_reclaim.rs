// SPDX-License-Identifier: GPL-2.0

//! Reclaim waits for a VMA, whose writer may wait for memory.
//!
//! Rule: L8
//! Error: E0599, no method named `lock_area` found

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::{
        ReclaimMm,
        UserMm, //
    },
};

fn ioctl(mm: &UserMm<'_>, context: &mut UserContext, address: usize) -> Result<bool> {
    Ok(mm.lock_area(context, address)?.is_some())
}

fn scan(mm: &ReclaimMm<'_>, address: usize) -> Result<bool> {
    #[cfg(not(fixed))]
    let area = mm.lock_area(address)?; //~
    #[cfg(fixed)]
    let area = mm.try_lock_area(address);
    Ok(area.is_some())
}
