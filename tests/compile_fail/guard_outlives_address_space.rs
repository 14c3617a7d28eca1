// SPDX-License-Identifier: GPL-2.0

//! A VMA stays locked when the address space that it is in may go.
//!
//! Rule: M1
//! Error: E0597, `mm` does not live long enough

use kernel::prelude::*;
use vmarea::{
    context::UserContext,
    mm::OwnerMm, //
};

fn start(owner: &OwnerMm, context: &mut UserContext, address: usize) -> Result<usize> {
    #[cfg(fixed)]
    let mm = owner.get(context).ok_or(ESRCH)?;
    let area = {
        #[cfg(not(fixed))]
        let mm = owner.get(context).ok_or(ESRCH)?;
        mm.lock_area(context, address)?.ok_or(EFAULT)? //~
    };
    Ok(area.start())
}
