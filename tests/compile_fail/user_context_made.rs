// SPDX-License-Identifier: GPL-2.0

//! Safe code says that it is in a system call and holds no lock.
//!
//! Rule: L4
//! Error: E0133, call to unsafe function

use vmarea::{
    context::UserContext,
    mm::OwnerMm, //
};

fn current(context: &UserContext) -> OwnerMm {
    #[cfg(not(fixed))]
    let context = &UserContext::new(); //~
    OwnerMm::current(context)
}
