// SPDX-License-Identifier: GPL-2.0

//! An item is removed from a list that it may not be in, under the lock of that list.
//!
//! Rule: U3
//! Error: E0133, is unsafe and requires unsafe

use kernel::sync::Arc;
use vmarea::{
    lru::{
        ListLru,
        LruItem, //
    },
    page::PageRef, //
};

fn remove<I: LruItem>(list: &ListLru<I>, owner: &Arc<I::Owner>, item: &I, page: PageRef<'_>) {
    let items = [(item, page)].into_iter();
    #[cfg(not(fixed))]
    list.remove(owner, items); //~
    #[cfg(fixed)]
    // SAFETY: Not shown here.
    unsafe {
        list.remove(owner, items)
    };
}
