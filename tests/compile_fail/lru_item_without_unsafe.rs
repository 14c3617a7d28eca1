// SPDX-License-Identifier: GPL-2.0

//! A type says that it keeps its items, and does not promise it.
//!
//! Rule: U3
//! Error: E0200, the trait `LruItem` requires an `unsafe impl` declaration

use vmarea::lru::{
    LruItem,
    LruLink, //
};

struct Item {
    link: LruLink,
}

macro_rules! methods {
    () => {
        type Owner = Item;

        fn link(&self) -> &LruLink {
            &self.link
        }

        fn from_link(link: *const LruLink) -> *const Self {
            link.cast()
        }

        fn owner(&self) -> *const Item {
            self
        }
    };
}

#[cfg(not(fixed))]
//~
impl LruItem for Item {
    methods!();
}
// SAFETY: The link is the only field, and an item is its own owner.
#[cfg(fixed)]
unsafe impl LruItem for Item {
    methods!();
}
