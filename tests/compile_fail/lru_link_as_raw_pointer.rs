// SPDX-License-Identifier: GPL-2.0

//! A driver asks for the link of an item, to change the list by itself.
//!
//! Rule: U3
//! Error: E0616, field `link` of struct `LruLink` is private

use vmarea::lru::LruItem;

fn address<I: LruItem>(item: &I) -> usize {
    let link = item.link();
    #[cfg(not(fixed))]
    link.link.get(); //~
    core::ptr::from_ref(link).addr()
}
