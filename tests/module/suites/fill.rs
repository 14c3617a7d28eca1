// SPDX-License-Identifier: GPL-2.0

//! Tests of leases that begin with a copy of user memory: whatever the copy covers, and however it
//! ends, what others have left in pages is not seen.

use kernel::{
    macros::kunit_tests,
    page::PAGE_SIZE,
    prelude::*, //
};

use vmarea::page_range::Install;

use super::ranges::{
    is_message,
    is_zero,
    RangeBench, //
};

/// How many pages a range has.
const PAGES: usize = 6;
const SIZE: usize = PAGES * PAGE_SIZE;

#[kunit_tests(vmarea_fill)]
mod tests {
    use super::*;

    #[test]
    fn whole_pages() -> Result {
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(PAGES, 1)?;

        for _ in 0..3 {
            bench.leave_old_pages()?;
            let lease = bench.lease_filled(0, SIZE, from, SIZE)?;
            check_eq!(bench.counters.used.get(), PAGES as i64);
            check!(is_message(&bench.seen(0, SIZE)?, 1, 0));
            drop(lease);
            bench.reclaim()?;
        }
        Ok(())
    }

    /// Around the edges of pages, and of what is filled.
    #[test]
    fn parts_of_pages() -> Result {
        const EDGES: [usize; 9] = [
            0,
            1,
            8,
            PAGE_SIZE - 8,
            PAGE_SIZE,
            PAGE_SIZE + 3,
            2 * PAGE_SIZE - 1,
            2 * PAGE_SIZE,
            3 * PAGE_SIZE + 40,
        ];
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(PAGES, 1)?;

        for offset in EDGES.into_iter().take(6) {
            for filled in EDGES {
                for more in [0, 8, PAGE_SIZE] {
                    bench.leave_old_pages()?;
                    let len = filled + more;
                    let lease = bench.lease_filled(offset, len, from, filled)?;
                    let start = offset - offset % PAGE_SIZE;
                    let end = (offset + len).next_multiple_of(PAGE_SIZE);
                    let seen = bench.seen(start, end - start)?;
                    let (before, rest) = seen.split_at(offset - start);
                    let (message, after) = rest.split_at(filled);

                    check!(is_zero(before));
                    check!(is_message(message, 1, 0));
                    check!(is_zero(after));
                    drop(lease);
                    bench.reclaim()?;
                }
            }
        }
        Ok(())
    }

    /// The message is read at any address.
    #[test]
    fn from_any_offset() -> Result {
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(PAGES, 1)?;

        for skipped in [1, 8, PAGE_SIZE - 1] {
            bench.leave_old_pages()?;
            let from = from.wrapping_byte_add(skipped);
            let _lease = bench.lease_filled(PAGE_SIZE, 3 * PAGE_SIZE, from, 3 * PAGE_SIZE)?;
            check!(is_message(
                &bench.seen(PAGE_SIZE, 3 * PAGE_SIZE)?,
                1,
                skipped
            ));
        }
        Ok(())
    }

    /// A copy that fails: in its place there is what was sent so far, or nothing.
    #[test]
    fn a_message_that_ends_too_early() -> Result {
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(2, 1)?;

        for offset in [0, 8, PAGE_SIZE - 8] {
            for filled in [2 * PAGE_SIZE + 8, 3 * PAGE_SIZE, 4 * PAGE_SIZE] {
                bench.leave_old_pages()?;
                let failed = bench.lease_filled(offset, 4 * PAGE_SIZE, from, filled);
                check_eq!(failed.err(), Some(EFAULT));
                check_eq!(bench.counters.used.get(), 0);

                bench.leave_old_pages()?;
                let _lease = bench.lease(0, SIZE)?;
                // Nothing but what was sent, where it was to go.
                let seen = bench.seen(0, SIZE)?;
                let (before, rest) = seen.split_at(offset);
                let (message, after) = rest.split_at(2 * PAGE_SIZE);
                check!(is_zero(before));
                check!(message
                    .iter()
                    .enumerate()
                    .all(|(at, byte)| *byte == 0 || is_message(&[*byte], 1, at)));
                check!(is_zero(after));
                drop(_lease);
                bench.reclaim()?;
            }
        }
        Ok(())
    }

    #[test]
    fn nothing_of_the_message_is_there() -> Result {
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(1, 1)?.wrapping_byte_add(PAGE_SIZE);

        for len in [8, PAGE_SIZE, 3 * PAGE_SIZE + 8] {
            bench.leave_old_pages()?;
            let failed = bench.lease_filled(PAGE_SIZE, len, from, len);
            check_eq!(failed.err(), Some(EFAULT));
            let lease = bench.lease(0, SIZE)?;
            check!(is_zero(&bench.seen(0, SIZE)?));
            drop(lease);
            bench.reclaim()?;
        }
        Ok(())
    }

    /// Pages that are there are not replaced, whoever has leased them, and what is filled is.
    #[test]
    fn pages_that_are_there() -> Result {
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(PAGES, 1)?;
        let other = bench.message(PAGES, 2)?;
        let kept = bench.lease_filled(PAGE_SIZE + 8, 2 * PAGE_SIZE, other, 2 * PAGE_SIZE)?;
        let inserted = bench.counters.inserted.get();

        bench.leave_old_pages()?;
        let lease = bench.lease_filled(0, SIZE, from, SIZE - 16)?;
        let seen = bench.seen(0, SIZE)?;
        let (message, after) = seen.split_at(SIZE - 16);
        check!(is_message(message, 1, 0));
        check!(is_zero(after));
        check_eq!(bench.counters.inserted.get(), inserted + PAGES as i64 - 3);
        // The other lease is on the same pages.
        kept.write(0, &[0xff; 4])?;
        check_eq!(bench.seen(PAGE_SIZE + 8, 4)?.as_slice(), [0xff; 4]);

        // All are idle, and used again.
        drop((kept, lease));
        check_eq!(bench.counters.idle.get(), PAGES as i64);
        let _lease = bench.lease_filled(0, SIZE, other, SIZE)?;
        check!(is_message(&bench.seen(0, SIZE)?, 2, 0));
        check_eq!(bench.counters.inserted.get(), inserted + PAGES as i64 - 3);
        Ok(())
    }

    /// Every second page is there.
    #[test]
    fn pages_between_those_that_are_there() -> Result {
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(PAGES, 1)?;

        for first in [0, 1] {
            let mut kept = KVec::new();
            for page in (first..PAGES).step_by(2) {
                kept.push(bench.lease(page * PAGE_SIZE, PAGE_SIZE)?, GFP_KERNEL)?;
            }
            bench.leave_old_pages()?;
            for part in [3, SIZE - 3, SIZE] {
                let lease = bench.lease_filled(0, SIZE, from, part)?;
                check!(is_message(&bench.seen(0, part)?, 1, 0));
                drop(lease);
            }
            drop(kept);
            bench.reclaim()?;
        }
        Ok(())
    }

    #[test]
    fn what_makes_no_sense_is_refused() -> Result {
        let mut bench = RangeBench::new(PAGES, Install::Sender)?;
        let from = bench.message(PAGES, 1)?;

        check_eq!(bench.lease_filled(0, 8, from, 9).err(), Some(EINVAL));
        check_eq!(bench.lease_filled(8, SIZE, from, SIZE).err(), Some(EINVAL));
        check_eq!(
            bench.lease_filled(usize::MAX, 8, from, 8).err(),
            Some(EINVAL)
        );
        check_eq!(bench.lease_filled(0, 0, from, 0).err(), None);
        check_eq!(bench.counters.used.get(), 0);
        Ok(())
    }
}
