// SPDX-License-Identifier: GPL-2.0

//! A visitor looks at the item that it has isolated, which nobody keeps any more.
//!
//! Rule: U1
//! Error: E0382, borrow of moved value: `visited`

use vmarea::lru::{
    LruItem,
    Verdict,
    Visited, //
};

fn take<I: LruItem>(visited: Visited<'_, I>, look_at: fn(&I)) -> Verdict<'_> {
    #[cfg(fixed)]
    look_at(visited.item());
    let (owner, verdict) = visited.isolate();
    drop(owner);
    #[cfg(not(fixed))]
    look_at(visited.item()); //~
    verdict
}
