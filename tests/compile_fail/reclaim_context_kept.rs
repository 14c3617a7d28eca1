// SPDX-License-Identifier: GPL-2.0

//! The context of reclaim is kept beyond the callback.
//!
//! Rule: L8
//! Error: E0521, borrowed data escapes outside of function

use vmarea::{
    context::ReclaimContext,
    mm::OwnerMm, //
};

struct Cache {
    mm: OwnerMm,
    context: Option<&'static ReclaimContext<'static>>,
}

fn scan(cache: &mut Cache, context: &ReclaimContext<'_>) -> bool {
    #[cfg(not(fixed))]
    cache.context.replace(context); //~
    cache.mm.get_in_reclaim(context).is_some()
}
