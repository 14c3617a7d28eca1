// SPDX-License-Identifier: GPL-2.0

//! A driver's page is inserted into an area of another driver's type.
//!
//! Rule: L1
//! Error: E0308, mismatched types

use kernel::prelude::*;
use vmarea::{
    area::VmAreaMixedMap,
    ops::VmOperations,
    page::PageRef, //
};

fn show<T: VmOperations>(_owner: &T, area: &VmAreaMixedMap<T>, page: PageRef<'_>) -> Result {
    area.insert_page(area.start(), page)
}

fn show_both<Mine: VmOperations, Theirs: VmOperations>(
    (mine, my_area): (&Mine, &VmAreaMixedMap<Mine>),
    (theirs, their_area): (&Theirs, &VmAreaMixedMap<Theirs>),
    page: PageRef<'_>,
) -> Result {
    show(theirs, their_area, page)?;
    #[cfg(not(fixed))]
    show(mine, their_area, page)?; //~
    #[cfg(fixed)]
    show(mine, my_area, page)?;
    Ok(())
}
