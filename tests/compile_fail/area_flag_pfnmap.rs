// SPDX-License-Identifier: GPL-2.0

//! An area is made for page frames without a reference.
//!
//! Rule: G2
//! Error: E0599, no method named `set_pfn_map` found

use vmarea::mmap::AreaFlags;

fn prepare(flags: &mut AreaFlags) {
    #[cfg(not(fixed))]
    flags.set_pfn_map(); //~
    #[cfg(fixed)]
    flags.set_mixed_map();
}
