// SPDX-License-Identifier: GPL-2.0

//! Code that is not called by reclaim says that it is.
//!
//! Rule: L8
//! Error: E0624, associated function `new` is private

use vmarea::{
    context::ReclaimContext,
    mm::OwnerMm, //
};

fn is_alive(mm: &OwnerMm, context: &ReclaimContext<'_>) -> bool {
    // SAFETY: There is none that would do.
    #[cfg(not(fixed))]
    let context = &unsafe { ReclaimContext::new() }; //~
    mm.get_in_reclaim(context).is_some()
}
