// SPDX-License-Identifier: GPL-2.0

//! `map_pages`, which must not sleep, takes pages away.
//!
//! Rule: F4
//! Error: E0599, no method named `area` found

use vmarea::ops::{
    Fault,
    MapPages,
    VmOperations, //
};

fn fault<T: VmOperations>(fault: &Fault<'_, T>) {
    fault.area().zap(fault.address(), 1);
}

fn map_pages<T: VmOperations>(around: &mut MapPages<'_, T>) {
    #[cfg(not(fixed))]
    around.area().zap(around.address(), 1); //~
    around.insert(|_, _| None);
}
