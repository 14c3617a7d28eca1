// SPDX-License-Identifier: GPL-2.0

//! A second owner of a page is made, who would put it again.
//!
//! Rule: P1
//! Error: E0599, no method named `clone` found

use vmarea::page::OwnedPage;

fn give(page: OwnedPage, to: fn(OwnedPage)) {
    #[cfg(not(fixed))]
    to(page.clone()); //~
    to(page);
}
