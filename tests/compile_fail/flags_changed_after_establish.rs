// SPDX-License-Identifier: GPL-2.0

//! Flags are set by a reference that was taken before the area was established.
//!
//! Rule: G1
//! Error: E0505, cannot move out of `area` because it is borrowed

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
    let flags = area.flags();
    #[cfg(fixed)]
    flags.set_mixed_map();
    let established = area.establish(owner)?; //~
    #[cfg(not(fixed))]
    flags.set_mixed_map();
    Ok(established)
}
