// SPDX-License-Identifier: GPL-2.0

//! A shrinker takes a lease, which allocates pages and waits for a VMA.
//!
//! Rule: R3
//! Error: E0308, mismatched types

use vmarea::{
    context::ReclaimContext,
    mm::OwnerMm,
    page_range::PageRange,
    shrinker::{
        Reclaimable,
        ScanTarget, //
    },
};

struct Cache {
    mm: OwnerMm,
    pages: PageRange,
}

impl Reclaimable for Cache {
    fn count(&self, _: &ScanTarget<'_>) -> usize {
        self.pages.size()
    }

    fn scan(&self, _: &ScanTarget<'_>, limit: usize, context: &ReclaimContext<'_>) -> usize {
        #[cfg(not(fixed))]
        let found = self.pages.lease(context, 0, limit).is_ok(); //~
        #[cfg(fixed)]
        let found = self.mm.get_in_reclaim(context).is_some();
        usize::from(found).min(limit)
    }
}
