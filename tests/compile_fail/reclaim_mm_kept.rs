// SPDX-License-Identifier: GPL-2.0

//! An address space that reclaim holds is kept beyond the callback.
//!
//! Rule: M1
//! Error: E0521, borrowed data escapes outside of function

use vmarea::{
    context::ReclaimContext,
    mm::{
        OwnerMm,
        ReclaimMm, //
    },
};

struct Cache {
    owner: OwnerMm,
    held: Option<ReclaimMm<'static>>,
}

fn scan(cache: &mut Cache, context: &ReclaimContext<'_>) -> Option<bool> {
    let mm = cache.owner.get_in_reclaim(context)?; //~
    #[cfg(not(fixed))]
    let mm = cache.held.insert(mm);
    let locked = mm.try_lock_area(0).is_some();
    Some(locked)
}
