// SPDX-License-Identifier: GPL-2.0

//! A page is inserted into the driver's own area, which was not seen to have `VM_MIXEDMAP`.
//!
//! Rule: I1
//! Error: E0599, no method named `insert_page` found

use kernel::{
    page::Page,
    prelude::*, //
};
use vmarea::{
    area::VmArea,
    ops::VmOperations, //
};

fn show<T: VmOperations>(area: &VmArea<T>, page: &Page) -> Result {
    #[cfg(fixed)]
    let area = area.as_mixed_map().ok_or(EFAULT)?;
    area.insert_page(area.start(), page) //~
}
