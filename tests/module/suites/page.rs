// SPDX-License-Identifier: GPL-2.0

//! Tests of pages.
//!
//! The root cgroup, in which the tests' threads are, is not charged, so what is charged cannot be seen
//! here.

use kernel::{
    macros::kunit_tests,
    page::PAGE_SIZE,
    prelude::*,
    uaccess::UserPtr, //
};

use vmarea::{
    page::{
        charge_to,
        OwnedPage, //
    },
    user::UserWriter, //
};

use super::{
    bench::{
        Bench,
        Process, //
    },
    helpers::{
        in_thread,
        references_at, //
    },
};

/// A page on the process's account.
fn page_for(process: &Process) -> Result<OwnedPage> {
    charge_to(&process.mm(), |account| account.alloc_page())
}

/// The first and the last byte of a page.
fn ends(page: &OwnedPage) -> Result<[u8; 2]> {
    let mut ends = [0xff; 2];

    page.borrow().read(0, &mut ends[..1])?;
    page.borrow().read(PAGE_SIZE - 1, &mut ends[1..])?;
    Ok(ends)
}

#[kunit_tests(vmarea_page)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_zeroed() -> Result {
        let process = Process::new()?;

        // Those that come back are dirty.
        for _ in 0..50 {
            let page = page_for(&process)?;
            check_eq!(ends(&page)?, [0, 0]);
            page.borrow().write(0, &[0xa5; 100])?;
            page.borrow().write(PAGE_SIZE - 100, &[0x5a; 100])?;
            check_eq!(ends(&page)?, [0xa5, 0x5a]);
        }
        Ok(())
    }

    #[test]
    fn a_page_is_filled() -> Result {
        let mut process = Process::new()?;
        let from = UserPtr::from_addr(process.map_memory(2)?);
        for at in [3, PAGE_SIZE + 2] {
            let at = from.wrapping_byte_add(at);
            UserWriter::new(at, 1).write(process.context(), &[99])?;
        }

        for _ in 0..50 {
            let page = charge_to(&process.mm(), |account| account.alloc_uninit_page())?;
            let page = page.fill_from_user(process.context(), from.wrapping_byte_add(3))?;
            check_eq!(ends(&page)?, [99, 99]);
            let mut between = [0xff; PAGE_SIZE / 16];
            for part in 0..15 {
                page.borrow().read(1 + part * between.len(), &mut between)?;
                check!(between.iter().all(|&byte| byte == 0));
            }
            page.borrow().write(0, &[0xa5; 100])?;
        }
        Ok(())
    }

    #[test]
    fn a_page_that_cannot_be_filled_is_gone() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(2)?;
        process.unmap(address + PAGE_SIZE, 1)?;

        for offset in [1, PAGE_SIZE - 1, PAGE_SIZE] {
            let page = charge_to(&process.mm(), |account| account.alloc_uninit_page())?;
            let from = UserPtr::from_addr(address + offset);
            check_eq!(
                page.fill_from_user(process.context(), from).err(),
                Some(EFAULT)
            );
        }
        Ok(())
    }

    #[test]
    fn a_page_has_an_end() -> Result {
        let process = Process::new()?;
        let page = page_for(&process)?;
        let page = page.borrow();
        let mut bytes = [1; 8];

        for offset in [PAGE_SIZE - 7, PAGE_SIZE, PAGE_SIZE + 1, usize::MAX - 3] {
            check_eq!(page.write(offset, &bytes), Err(EINVAL));
            check_eq!(page.read(offset, &mut bytes), Err(EINVAL));
        }
        check_eq!(bytes, [1; 8]);
        check_eq!(page.write(PAGE_SIZE, &[]), Ok(()));
        check_eq!(page.write(PAGE_SIZE - 8, &bytes), Ok(()));
        check_eq!(page.read(PAGE_SIZE - 12, &mut bytes), Ok(()));
        check_eq!(bytes, [0, 0, 0, 0, 1, 1, 1, 1]);
        Ok(())
    }

    #[test]
    fn what_is_written_is_seen() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(1)?;
        let page = page_for(&bench.process)?;
        bench.with_area(address, |area| area.insert_page(address, page.borrow()))?;

        check_eq!(bench.process.read(address + 9), Ok(0));
        page.borrow().write(9, &[99])?;
        check_eq!(bench.process.read(address + 9), Ok(99));
        Ok(())
    }

    #[test]
    fn a_page_that_is_mapped_outlives_its_owner() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(1)?;
        let page = page_for(&bench.process)?;
        page.borrow().write(0, &[0x5a])?;
        bench.with_area(address, |area| area.insert_page(address, page.borrow()))?;
        check_eq!(references_at(address), 2);

        drop(page);
        check_eq!(references_at(address), 1);
        // Who asks for a page now does not get this one.
        for _ in 0..50 {
            check_eq!(ends(&page_for(&bench.process)?)?, [0, 0]);
        }
        check_eq!(bench.process.read(address), Ok(0x5a));
        Ok(())
    }

    #[test]
    fn accounts_can_be_nested() -> Result {
        let process = Process::new()?;
        let pages = charge_to(&process.mm(), |outer| -> Result<[OwnedPage; 3]> {
            let first = outer.alloc_page()?;
            let second = page_for(&process)?;

            Ok([first, second, outer.alloc_page()?])
        })?;

        for page in &pages {
            check_eq!(ends(page)?, [0, 0]);
        }
        Ok(())
    }

    #[test]
    fn the_dead_have_an_account() -> Result {
        let dead = in_thread(|| Process::new().map(|other| other.mm()))??;
        let page = charge_to(&dead, |account| account.alloc_page())?;

        check_eq!(ends(&page)?, [0, 0]);
        Ok(())
    }
}
