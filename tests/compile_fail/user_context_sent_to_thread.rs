// SPDX-License-Identifier: GPL-2.0

//! The context of a system call is given to a thread that is in none.
//!
//! Rule: M4
//! Error: E0277, cannot be sent between threads safely

use vmarea::{
    context::UserContext,
    mm::OwnerMm, //
};

fn give_to_thread<T: Send>(_: T) {}

fn ioctl(context: &mut UserContext) {
    #[cfg(fixed)]
    let context = OwnerMm::current(context);
    give_to_thread(context); //~
}
