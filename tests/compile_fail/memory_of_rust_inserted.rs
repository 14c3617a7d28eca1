// SPDX-License-Identifier: GPL-2.0

//! Memory that Rust code has references to is shown to user space, which may write it.
//!
//! Rule: P2
//! Error: E0308, mismatched types

use kernel::{
    page::{
        BorrowedPage,
        Page, //
    },
    prelude::*, //
};
use vmarea::{
    area::VmAreaMixedMap,
    ops::VmOperations,
    page::OwnedPage, //
};

fn show<T: VmOperations>(
    area: &VmAreaMixedMap<T>,
    memory: BorrowedPage<'_>,
    page: &OwnedPage,
) -> Result {
    let _: &Page = &memory;
    #[cfg(not(fixed))]
    return area.insert_page(area.start(), memory); //~
    #[cfg(fixed)]
    area.insert_page(area.start(), page.borrow())
}
