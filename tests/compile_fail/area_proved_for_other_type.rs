// SPDX-License-Identifier: GPL-2.0

//! The proof that an area belongs to another driver's type is taken for the proof that it is mine.
//!
//! Rule: L1
//! Error: E0308, mismatched types

use vmarea::{
    area::{
        VmArea,
        VmAreaRef, //
    },
    ops::VmOperations, //
};

fn own_area<'a, Mine: VmOperations, Theirs: VmOperations>(
    area: &'a VmAreaRef,
    mine: &Mine,
    theirs: &Theirs,
) -> Option<&'a VmArea<Mine>> {
    match area.area_of(theirs) {
        #[cfg(not(fixed))]
        Some(area) => Some(area), //~
        #[cfg(fixed)]
        Some(_) => None,
        None => area.area_of(mine),
    }
}
