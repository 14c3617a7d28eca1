// SPDX-License-Identifier: GPL-2.0

//! `close` takes pages away from an area whose lock nobody holds.
//!
//! Rule: C1
//! Error: E0599, no method named `zap` found

use vmarea::ops::{
    Closed,
    Fault,
    VmOperations, //
};

fn fault<T: VmOperations>(fault: &Fault<'_, T>) {
    fault.area().zap(fault.address(), 1);
}

fn close<T: VmOperations>(area: &Closed<'_, T>) -> bool {
    #[cfg(not(fixed))]
    area.zap(area.start(), 1); //~
    area.is_own()
}
