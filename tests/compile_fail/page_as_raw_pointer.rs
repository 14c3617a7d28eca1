// SPDX-License-Identifier: GPL-2.0

//! A driver takes a page out of its owner, to do with it what it likes.
//!
//! Rule: P1
//! Error: E0624, method `into_raw` is private

use vmarea::page::OwnedPage;

fn node(page: OwnedPage) -> i32 {
    let nid = page.borrow().nid();
    #[cfg(not(fixed))]
    page.into_raw(); //~
    nid
}
