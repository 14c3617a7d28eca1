// SPDX-License-Identifier: GPL-2.0

//! A page is inserted after it was given back.
//!
//! Rule: P1
//! Error: E0382, borrow of moved value: `page`

use kernel::prelude::*;
use vmarea::{
    area::VmAreaMixedMap,
    ops::VmOperations,
    page::OwnedPage, //
};

fn show<T: VmOperations>(area: &VmAreaMixedMap<T>, page: OwnedPage) -> Result {
    #[cfg(not(fixed))]
    drop(page);
    area.insert_page(area.start(), page.borrow()) //~
}
