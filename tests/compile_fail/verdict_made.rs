// SPDX-License-Identifier: GPL-2.0

//! A visitor says that it has isolated an item, which it has not.
//!
//! Rule: U1
//! Error: E0423, found struct `Verdict`

use kernel::bindings::lru_status;
use vmarea::lru::{
    LruItem,
    Verdict,
    Visited, //
};

fn visit<I: LruItem>(visited: Visited<'_, I>) -> (lru_status, Verdict<'_>) {
    let wanted = lru_status::LRU_REMOVED;
    #[cfg(not(fixed))]
    let verdict = Verdict(wanted); //~
    #[cfg(fixed)]
    let verdict = visited.skip();
    (wanted, verdict)
}
