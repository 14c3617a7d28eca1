// SPDX-License-Identifier: GPL-2.0

//! Tests of page ranges whose slots come to be there as they are needed.
//!
//! A driver takes leases from the start of a range on; here they begin anywhere. What there is between
//! a range and several processes is in the sight of the programs that send messages.

use kernel::{
    macros::kunit_tests,
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    },
    prelude::*, //
};

use vmarea::page_range::{
    Install,
    Lease, //
};

use super::{
    ranges::RangeBench,
    reclaim::drop_slab, //
};

/// How many pages are mapped: many groups of slots, the last of them not whole.
const PAGES: usize = 250;

/// Leases so many pages from `first` on.
fn lease(it: &mut RangeBench, first: usize, pages: usize) -> Result<Lease> {
    it.lease(first << PAGE_SHIFT, pages << PAGE_SHIFT)
}

/// Leases so many pages from `first` on, and writes its number into each.
fn lease_numbered(it: &mut RangeBench, first: usize, pages: usize) -> Result<Lease> {
    let lease = lease(it, first, pages)?;

    for page in 0..pages {
        lease.write(page << PAGE_SHIFT, &[number(first + page)])?;
    }
    Ok(lease)
}

/// What is written into a page.
fn number(page: usize) -> u8 {
    (page % 255) as u8 + 1
}

/// Calls `f` with a range that is mapped in each of the ways there are.
fn in_each_mode(f: fn(&mut RangeBench) -> Result) -> Result {
    for (_, install) in Install::NAMES {
        f(&mut RangeBench::new(PAGES, install)?)?;
    }
    Ok(())
}

#[kunit_tests(vmarea_range)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lease_may_be_the_last_page() -> Result {
        in_each_mode(|it| {
            check_eq!(it.read(PAGES - 1), Err(EFAULT));
            let lease = lease_numbered(it, PAGES - 1, 1)?;

            check_eq!(it.read(PAGES - 1), Ok(number(PAGES - 1)));
            for page in [0, 1, PAGES - 2] {
                check_eq!(it.read(page), Err(EFAULT));
            }
            check_eq!(it.counters.used.get(), 1);
            drop(lease);
            check_eq!(it.counters.idle.get(), 1);
            Ok(())
        })
    }

    #[test]
    fn what_is_not_there_is_empty() -> Result {
        in_each_mode(|it| {
            check_eq!(it.read(0), Err(EFAULT));
            let _lease = lease_numbered(it, 0, 1)?;

            check_eq!(it.read(0), Ok(number(0)));
            // Next to it, and as far away as can be.
            check_eq!(it.read(1), Err(EFAULT));
            check_eq!(it.read(PAGES - 1), Err(EFAULT));
            Ok(())
        })
    }

    #[test]
    fn all_of_the_range_can_be_leased() -> Result {
        let mut it = RangeBench::new(PAGES, Install::Sender)?;
        let size = PAGES << PAGE_SHIFT;
        check_eq!(it.range.size(), size);

        // Before anything is there.
        check_eq!(it.lease(size, 1).err(), Some(EINVAL));
        check_eq!(it.lease(size - 1, 2).err(), Some(EINVAL));
        check_eq!(it.lease(usize::MAX, 2).err(), Some(EINVAL));
        check_eq!(it.lease(size + PAGE_SIZE, 0).err(), Some(EINVAL));
        check_eq!(it.lease(size, 0)?.len(), 0);

        let lease = lease_numbered(&mut it, 0, PAGES)?;
        for page in 0..PAGES {
            check_eq!(it.read(page), Ok(number(page)));
        }
        check_eq!(it.counters.used.get(), PAGES as i64);
        // When all is there.
        check_eq!(it.lease(size - 1, 2).err(), Some(EINVAL));
        check_eq!(it.lease(size + PAGE_SIZE, 0).err(), Some(EINVAL));
        check_eq!(it.lease(size - 1, 1)?.len(), 1);
        drop(lease);
        check_eq!(it.counters.used.get(), 0);
        Ok(())
    }

    #[test]
    fn what_was_there_stays() -> Result {
        in_each_mode(|it| {
            let mut leases = KVec::new();
            // Idle pages in the list, and used ones, while slots are added after them.
            drop(lease_numbered(it, 3, 2)?);
            for first in [0, 14, 15, 47, 48, 130, PAGES - 3] {
                leases.push(lease_numbered(it, first, 3)?, GFP_KERNEL)?;
            }

            let again = lease(it, 3, 2)?;
            for page in [0, 2, 3, 4, 14, 17, 47, 50, 130, 132, PAGES - 1] {
                check_eq!(it.read(page), Ok(number(page)));
            }
            for page in [5, 13, 18, 46, 51, 129, 133, PAGES - 4] {
                check_eq!(it.read(page), Err(EFAULT));
            }
            check_eq!(it.counters.used.get(), 19);
            drop(again);
            drop(leases);
            check_eq!((it.counters.used.get(), it.counters.idle.get()), (0, 19));
            Ok(())
        })
    }

    #[test]
    fn reclaim_finds_each_page() -> Result {
        in_each_mode(|it| {
            let used = lease_numbered(it, 40, 1)?;
            drop(lease_numbered(it, 10, 90)?);
            drop(lease_numbered(it, PAGES - 20, 20)?);
            check_eq!(it.counters.idle.get(), 109);

            // What was leased lately is spared at first.
            for _ in 0..3 {
                drop_slab()?;
            }
            check_eq!((it.counters.used.get(), it.counters.idle.get()), (1, 0));
            check_eq!(it.read(40), Ok(number(40)));
            drop(used);

            // Those that come have nothing of those that went.
            let lease = lease(it, 0, PAGES)?;
            for page in [10, 39, 41, 99, PAGES - 20, PAGES - 1] {
                check_eq!(it.read(page), Ok(0));
            }
            drop(lease);
            Ok(())
        })
    }

    #[test]
    fn it_can_be_closed_with_any_part_there() -> Result {
        for pages in [0, 1, 16, 17, PAGES] {
            let mut it = RangeBench::new(PAGES, Install::Sender)?;
            drop(lease_numbered(&mut it, 0, pages)?);

            it.range.close();
            check_eq!((it.counters.used.get(), it.counters.idle.get()), (0, 0));
            // Also what would have to be added first.
            check_eq!(lease(&mut it, 0, 1).err(), Some(ESRCH));
            check_eq!(lease(&mut it, PAGES - 1, 1).err(), Some(ESRCH));
        }
        Ok(())
    }
}
