// SPDX-License-Identifier: GPL-2.0

//! A page fault is answered with what is read from user memory, under the lock of the VMA.
//!
//! Rule: L4
//! Error: E0061, this method takes 1 argument but 0 arguments were supplied

use vmarea::{
    ops::{
        Fault,
        FaultOutcome,
        VmOperations, //
    },
    user::UserReader,
};

fn fault<T: VmOperations>(fault: &Fault<'_, T>, limit: &mut UserReader) -> FaultOutcome {
    #[cfg(not(fixed))]
    let limit: usize = limit.read().unwrap_or(0); //~
    #[cfg(fixed)]
    let limit = limit.len();
    if fault.offset() < limit {
        FaultOutcome::Mapped
    } else {
        FaultOutcome::NoPage
    }
}
