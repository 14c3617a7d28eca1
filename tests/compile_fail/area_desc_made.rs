// SPDX-License-Identifier: GPL-2.0

//! A driver describes an area that nobody has asked for.
//!
//! Rule: N3
//! Error: E0624, associated function `new` is private

use kernel::{
    bindings::vm_area_desc,
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

fn mmap_prepare<'a, T: VmOperations>(
    area: VmAreaDesc<'a>,
    other: &vm_area_desc,
    owner: Arc<T>,
) -> Result<Established<'a>> {
    if other.start != area.start() {
        return Err(EINVAL);
    }
    #[cfg(not(fixed))]
    let area = VmAreaDesc::new(other); //~
    area.establish(owner)
}
