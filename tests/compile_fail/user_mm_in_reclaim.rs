// SPDX-License-Identifier: GPL-2.0

//! A shrinker asks for an address space as a system call does, to wait for its locks.
//!
//! Rule: L8
//! Error: E0308, mismatched types

use vmarea::{
    context::ReclaimContext,
    mm::OwnerMm,
    shrinker::{
        Reclaimable,
        ScanTarget, //
    },
};

struct Cache {
    mm: OwnerMm,
}

impl Reclaimable for Cache {
    fn count(&self, _: &ScanTarget<'_>) -> usize {
        1
    }

    fn scan(&self, _: &ScanTarget<'_>, _: usize, context: &ReclaimContext<'_>) -> usize {
        #[cfg(not(fixed))]
        let mm = self.mm.get(context); //~
        #[cfg(fixed)]
        let mm = self.mm.get_in_reclaim(context);
        usize::from(mm.is_none())
    }
}
