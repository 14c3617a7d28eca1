// SPDX-License-Identifier: GPL-2.0

//! A driver asks for the pointer to a VMA, which would outlive the lock.
//!
//! Rule: L2
//! Error: E0624, method `as_raw` is private

use vmarea::{
    area::VmArea,
    ops::VmOperations, //
};

fn place<T: VmOperations>(area: &VmArea<T>) -> usize {
    #[cfg(not(fixed))]
    let place = area.as_raw().addr(); //~
    #[cfg(fixed)]
    let place = area.start();
    place
}
