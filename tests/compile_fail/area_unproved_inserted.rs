// SPDX-License-Identifier: GPL-2.0

//! A page is inserted into an area that may be anybody's.
//!
//! Rule: L1
//! Error: E0599, no method named `insert_page` found

use kernel::prelude::*;
use vmarea::{
    area::VmAreaRef,
    ops::VmOperations,
    page::PageRef, //
};

fn show<T: VmOperations>(area: &VmAreaRef, owner: &T, page: PageRef<'_>) -> Result {
    #[cfg(fixed)]
    let area = area
        .area_of(owner)
        .and_then(|area| area.as_mixed_map())
        .ok_or(EFAULT)?;
    area.insert_page(area.start(), page) //~
}
