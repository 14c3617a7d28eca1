// SPDX-License-Identifier: GPL-2.0

//! Pages are taken away from an area that may be anybody's.
//!
//! Rule: L1
//! Error: E0599, no method named `zap` found

use kernel::prelude::*;
use vmarea::{
    area::VmAreaRef,
    ops::VmOperations, //
};

fn hide<T: VmOperations>(area: &VmAreaRef, owner: &T) -> Result {
    #[cfg(fixed)]
    let area = area.area_of(owner).ok_or(EFAULT)?;
    area.zap(area.start(), 1); //~
    Ok(())
}
