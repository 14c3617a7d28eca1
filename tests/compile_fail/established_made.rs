// SPDX-License-Identifier: GPL-2.0

//! A hook says that an area is established, and has not asked whether its flags are consistent.
//!
//! Rule: G3
//! Error: E0451, of struct `Established` is private

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

fn mmap_prepare<T: VmOperations>(area: VmAreaDesc<'_>, owner: Arc<T>) -> Result<Established<'_>> {
    let known = area.establish(owner)?;
    #[cfg(not(fixed))]
    let known = Established { flags: 0, ..known }; //~
    Ok(known)
}
