// SPDX-License-Identifier: GPL-2.0

//! A visitor keeps a reference to the item while it isolates it.
//!
//! Rule: U1
//! Error: E0505, cannot move out of `visited` because it is borrowed

use vmarea::lru::{
    LruItem,
    Verdict,
    Visited, //
};

fn take<I: LruItem>(visited: Visited<'_, I>, look_at: fn(&I)) -> Verdict<'_> {
    let item = visited.item();
    #[cfg(fixed)]
    look_at(item);
    let (owner, verdict) = visited.isolate(); //~
    drop(owner);
    #[cfg(not(fixed))]
    look_at(item);
    verdict
}
