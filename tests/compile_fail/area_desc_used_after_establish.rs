// SPDX-License-Identifier: GPL-2.0

//! The offset is set when `mmap_prepare` has established the area.
//!
//! Rule: N9
//! Error: E0382, borrow of moved value: `area`

use kernel::{
    prelude::*,
    sync::Arc, //
};
use vmarea::{
    mmap::{
        Established,
        VmAreaDesc, //
    },
    ops::VmOperations,
};

fn mmap_prepare<T: VmOperations>(
    mut area: VmAreaDesc<'_>,
    owner: Arc<T>,
) -> Result<Established<'_>> {
    #[cfg(fixed)]
    area.set_offset(0);
    let established = area.establish(owner)?;
    #[cfg(not(fixed))]
    area.set_offset(0); //~
    Ok(established)
}
