// SPDX-License-Identifier: GPL-2.0

//! A second lease is made of one, and would end twice.
//!
//! Rule: P1
//! Error: E0599, no method named `clone` found

use vmarea::page_range::Lease;

fn give(lease: Lease, to: fn(Lease)) {
    #[cfg(not(fixed))]
    to(lease.clone()); //~
    to(lease);
}
