// SPDX-License-Identifier: GPL-2.0

//! A flag is set when `mmap` has established the area.
//!
//! Rule: G1
//! Error: E0382, borrow of moved value: `area`

use kernel::{
    prelude::*,
    sync::Arc, //
};
use vmarea::{
    mmap::{
        Established,
        VmAreaNew, //
    },
    ops::VmOperations,
};

fn mmap<T: VmOperations>(mut area: VmAreaNew<'_>, owner: Arc<T>) -> Result<Established<'_>> {
    #[cfg(fixed)]
    area.flags().forbid_write()?;
    let established = area.establish(owner)?;
    #[cfg(not(fixed))]
    area.flags().forbid_write()?; //~
    Ok(established)
}
