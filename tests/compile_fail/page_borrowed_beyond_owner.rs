// SPDX-License-Identifier: GPL-2.0

//! A page is borrowed for longer than its owner keeps it.
//!
//! Rule: P1
//! Error: E0505, cannot move out of `page` because it is borrowed

use kernel::prelude::*;
use vmarea::{
    area::VmAreaMixedMap,
    ops::VmOperations,
    page::OwnedPage, //
};

fn show<T: VmOperations>(area: &VmAreaMixedMap<T>, page: OwnedPage) -> Result {
    let borrowed = page.borrow();
    #[cfg(not(fixed))]
    drop(page); //~
    area.insert_page(area.start(), borrowed)
}
