// SPDX-License-Identifier: GPL-2.0

//! A visitor gives two verdicts on one item.
//!
//! Rule: U1
//! Error: E0382, use of moved value: `visited`

use vmarea::lru::{
    LruItem,
    Verdict,
    Visited, //
};

fn visit<I: LruItem>(visited: Visited<'_, I>, busy: fn(&I) -> bool) -> Verdict<'_> {
    if busy(visited.item()) {
        #[cfg(not(fixed))]
        visited.isolate();
        #[cfg(fixed)]
        return visited.skip();
    }
    visited.rotate() //~
}
