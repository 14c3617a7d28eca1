// SPDX-License-Identifier: GPL-2.0

//! The lock of a VMA is given to another thread, which would release it.
//!
//! Rule: L7
//! Error: E0277, between threads safely

use vmarea::mm::{
    AreaGuard,
    OwnerMm, //
};

fn give_to_thread<T: Send>(_: T) {}

fn give(lock: AreaGuard<'_>, mm: OwnerMm) {
    #[cfg(not(fixed))]
    give_to_thread((lock, mm)); //~
    #[cfg(fixed)]
    (drop(lock), give_to_thread(mm));
}
