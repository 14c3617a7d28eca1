// SPDX-License-Identifier: GPL-2.0

//! An account is kept for allocations that are made when it is not in charge any more.
//!
//! Rule: P7
//! Error: E0521, borrowed data escapes outside of closure

use vmarea::{
    mm::OwnerMm,
    page::{
        charge_to,
        Account, //
    }, //
};

fn charge(mm: &OwnerMm, keep: fn(&'static Account), allocate: fn(&Account)) {
    charge_to(mm, |account| {
        #[cfg(not(fixed))]
        keep(account); //~
        #[cfg(fixed)]
        let _ = keep;
        allocate(account);
    });
}
