// SPDX-License-Identifier: GPL-2.0

//! A list is asked about a memory cgroup that may be gone.
//!
//! Rule: U8
//! Error: E0624, associated function `new` is private

use kernel::bindings::shrink_control;
use vmarea::{
    lru::{
        ListLru,
        LruItem, //
    },
    shrinker::ScanTarget,
};

fn count<I: LruItem>(list: &ListLru<I>, target: &ScanTarget<'_>, other: &shrink_control) -> usize {
    if other.nid != target.nid() {
        return 0;
    }
    // SAFETY: There is nothing to say that would make it safe.
    #[cfg(not(fixed))]
    let target = &unsafe { ScanTarget::new(other) }; //~
    list.count(target)
}
