// SPDX-License-Identifier: GPL-2.0

//! An area gets a flag after it was made.
//!
//! Rule: G1
//! Error: E0599, no method named `set_mixed_map` found

use vmarea::{
    area::VmArea,
    mmap::AreaFlags,
    ops::VmOperations, //
};

fn mmap(flags: &mut AreaFlags) {
    flags.set_mixed_map();
}

fn fault<T: VmOperations>(area: &VmArea<T>) -> bool {
    #[cfg(not(fixed))]
    area.set_mixed_map(); //~
    area.as_mixed_map().is_some()
}
