// SPDX-License-Identifier: GPL-2.0

//! The area of a page fault is kept beyond the callback.
//!
//! Rule: L2
//! Error: E0521, borrowed data escapes outside of function

use vmarea::{
    area::VmArea,
    ops::{
        Fault,
        VmOperations, //
    },
};

struct Seen<T: 'static> {
    area: Option<&'static VmArea<T>>,
    address: usize,
}

fn fault<T: VmOperations>(seen: &mut Seen<T>, fault: &Fault<'_, T>) {
    seen.address = fault.address();
    #[cfg(not(fixed))]
    seen.area.replace(fault.area()); //~
}
