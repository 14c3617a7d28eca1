// SPDX-License-Identifier: GPL-2.0

//! A verdict on one item is given for another, in whose list the lock is in another state.
//!
//! Rule: U1
//! Error: E0521, borrowed data escapes outside of closure

use vmarea::{
    lru::{
        ListLru,
        LruItem,
        Verdict,
        Visited, //
    },
    shrinker::ScanTarget, //
};

fn keep<I: LruItem>(list: &ListLru<I>, target: &ScanTarget<'_>) -> bool {
    let mut kept: Option<Verdict<'_>> = None;
    list.walk(target, 1, |visited: Visited<'_, I>| {
        #[cfg(not(fixed))]
        {
            kept = Some(visited.skip()); //~
            panic!()
        }
        #[cfg(fixed)]
        visited.skip()
    });
    kept.take().is_some()
}
