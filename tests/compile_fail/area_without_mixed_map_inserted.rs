// SPDX-License-Identifier: GPL-2.0

//! A page is inserted into the driver's own area, which was not seen to have `VM_MIXEDMAP`.
//!
//! Rule: I1
//! Error: E0599, no method named `insert_page` found

use kernel::prelude::*;
use vmarea::{
    area::VmArea,
    ops::VmOperations,
    page::PageRef, //
};

fn show<T: VmOperations>(area: &VmArea<T>, page: PageRef<'_>) -> Result {
    #[cfg(fixed)]
    let area = area.as_mixed_map().ok_or(EFAULT)?;
    area.insert_page(area.start(), page) //~
}
