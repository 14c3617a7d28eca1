// SPDX-License-Identifier: GPL-2.0

//! A fault handler says that it has released the lock.
//!
//! Rule: F2
//! Error: E0599, no variant or associated item named `Retry` found

use vmarea::ops::{
    Fault,
    FaultOutcome,
    VmOperations, //
};

fn fault<T: VmOperations>(fault: &Fault<'_, T>) -> FaultOutcome {
    if fault.is_write() {
        return FaultOutcome::NoPage;
    }
    #[cfg(not(fixed))]
    let outcome = FaultOutcome::Retry; //~
    #[cfg(fixed)]
    let outcome = FaultOutcome::Mapped;
    outcome
}
