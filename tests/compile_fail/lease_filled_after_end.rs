// SPDX-License-Identifier: GPL-2.0

//! A message is written to pages that are not leased any more.
//!
//! Rule: P1
//! Error: E0382, borrow of moved value: `lease`

use vmarea::page_range::Lease;

fn clear(lease: Lease) -> usize {
    let len = lease.len();
    #[cfg(not(fixed))]
    drop(lease);
    lease.clear(); //~
    len
}
