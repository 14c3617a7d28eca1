// SPDX-License-Identifier: GPL-2.0

//! A locked VMA is kept in the data of an opened file, for as long as user space likes.
//!
//! Rule: L6
//! Error: E0521, borrowed data escapes outside of function

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::AreaGuard, //
};

struct Client {
    locked: Option<AreaGuard<'static>>,
    start: usize,
}

fn ioctl(client: &mut Client, context: &mut UserContext, address: usize) -> Result {
    let area = context.lock_area(address)?.ok_or(EFAULT)?; //~
    client.start = area.start();
    #[cfg(not(fixed))]
    client.locked.replace(area);
    Ok(())
}
