// SPDX-License-Identifier: GPL-2.0

//! What one thread allocates is charged, and another thread ends that.
//!
//! Rule: P7
//! Error: E0277, cannot be sent between threads safely

use vmarea::page::{
    ChargeTo,
    OwnedPage, //
};

fn give_to_thread<T: Send>(_: T) {}

fn give(charge: ChargeTo, page: OwnedPage) {
    #[cfg(not(fixed))]
    give_to_thread((charge, page)); //~
    #[cfg(fixed)]
    (drop(charge), give_to_thread(page));
}
