// SPDX-License-Identifier: GPL-2.0

//! A locked VMA is given to the caller, who does not hold the address space that it is in.
//!
//! Rule: M1
//! Error: E0515, cannot return value referencing local variable `mm`

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::{
        AreaGuard,
        OwnerMm,
        UserMm, //
    },
};

struct Held<'a> {
    area: AreaGuard<'a>,
}

fn lock<'a>(
    owner: &'a OwnerMm,
    mm: &'a mut Option<UserMm<'a>>,
    context: &'a mut UserContext,
    address: usize,
) -> Result<Held<'a>> {
    #[cfg(not(fixed))]
    let mm = mm.take().or(owner.get(context)).ok_or(ESRCH)?;
    #[cfg(fixed)]
    let mm = mm.insert(owner.get(context).ok_or(ESRCH)?);
    let area = mm.lock_area(context, address)?.ok_or(EFAULT)?;
    Ok(Held { area }) //~
}
