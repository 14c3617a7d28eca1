// SPDX-License-Identifier: GPL-2.0

//! A VMA that reclaim has locked stays locked when the callback is over.
//!
//! Rule: L6
//! Error: E0521, borrowed data escapes outside of function

use vmarea::{
    context::ReclaimContext,
    mm::{
        OwnerMm,
        ReclaimArea, //
    },
};

struct Cache {
    owner: OwnerMm,
    locked: Option<ReclaimArea<'static>>,
}

fn scan(cache: &mut Cache, context: &ReclaimContext<'_>, address: usize) -> Option<usize> {
    let mm = cache.owner.get_in_reclaim(context)?; //~
    let area = mm.try_into_area(address)?;
    #[cfg(not(fixed))]
    let area = cache.locked.insert(area);
    Some(area.end())
}
