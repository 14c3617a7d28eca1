// SPDX-License-Identifier: GPL-2.0

//! Tests of what can be proved about an area, and done to it then.

use kernel::{
    macros::kunit_tests,
    page::{
        PAGE_MASK,
        PAGE_SIZE, //
    },
    prelude::*,
    sync::{
        atomic::Relaxed,
        Arc, //
    }, //
};

use super::{
    bench::{
        mapped,
        shows,
        Bench,
        OpenFile,
        Process, //
    },
    helpers::{
        name_of,
        references_at, //
    },
    toy::{
        self,
        ToyOwner, //
    }, //
};

/// How many bytes a page table covers.
const TABLE_SIZE: usize = PAGE_SIZE / size_of::<u64>() * PAGE_SIZE;

/// Whether what is at `address` can be proved to be an area of `owner`.
fn is_area_of(process: &mut Process, address: usize, owner: &Arc<ToyOwner>) -> Result<bool> {
    let area = process.context().lock_area(address)?.ok_or(EFAULT)?;

    Ok(area.area_of(&**owner).is_some())
}

#[kunit_tests(vmarea_area)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_no_area_of_an_owner() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.process.map_memory(1)?;

        check!(!is_area_of(&mut bench.process, address, &bench.owner)?);
        Ok(())
    }

    #[test]
    fn an_area_is_its_owners_alone() -> Result {
        let mut bench = Bench::new()?;
        let (file, other) = bench.open_another()?;
        let own = bench.map(2)?;
        let theirs = bench.process.map(&file, 2, 0)?;

        check!(is_area_of(&mut bench.process, own, &bench.owner)?);
        check!(!is_area_of(&mut bench.process, own, &other)?);
        check!(is_area_of(&mut bench.process, theirs, &other)?);
        check!(!is_area_of(&mut bench.process, theirs, &bench.owner)?);
        Ok(())
    }

    #[test]
    fn what_comes_after_an_area_is_not_it() -> Result {
        let mut bench = Bench::new()?;
        let (file, _) = bench.open_another()?;
        let address = bench.map(2)?;
        check!(is_area_of(&mut bench.process, address, &bench.owner)?);

        bench.process.map_memory_at(address, 2)?;
        check!(!is_area_of(&mut bench.process, address, &bench.owner)?);
        bench.process.map_at(&file, address, 2)?;
        check!(!is_area_of(&mut bench.process, address, &bench.owner)?);
        bench.process.map_at(&bench.file, address, 2)?;
        check!(is_area_of(&mut bench.process, address, &bench.owner)?);
        Ok(())
    }

    #[test]
    fn an_area_tells_what_it_is() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.process.map(&bench.file, 4, 3)?;
        let owner = bench.owner.clone();

        bench.with_area(address + PAGE_SIZE, |area| {
            check_eq!(area.start(), address);
            check_eq!(area.end(), address + 4 * PAGE_SIZE);
            check_eq!(area.offset(), 3);
            check!(!area.is_writable());
            check!(area.may_be_writable());
            check!(core::ptr::eq(area.owner(), &*owner));
            Ok(())
        })?;
        // The part that is left knows where it is.
        bench.process.unmap(address, 1)?;
        bench.with_area(address + PAGE_SIZE, |area| {
            check_eq!(area.start(), address + PAGE_SIZE);
            check_eq!(area.offset(), 4);
            Ok(())
        })
    }

    #[test]
    fn an_area_is_called_what_its_owner_says() -> Result {
        let bench = Bench::new()?;
        let address = bench.map(1)?;

        check_eq!(name_of(&bench.process, address), None);
        bench.owner.is_named.store(true, Relaxed);
        check_eq!(name_of(&bench.process, address), Some(toy::NAME));
        Ok(())
    }

    #[test]
    fn an_area_without_the_flag_holds_no_pages() -> Result {
        let mut bench = Bench::new()?;
        bench.toy.without_pages.store(true, Relaxed);
        let address = bench.map(1)?;

        check!(is_area_of(&mut bench.process, address, &bench.owner)?);
        check_eq!(bench.with_area(address, |_| Ok(())).err(), Some(EACCES));
        Ok(())
    }

    #[test]
    fn an_inserted_page_has_a_reference_of_its_own() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(1)?;
        let owner = bench.owner.clone();
        let page = owner.page(0);

        // If one of them were not given up, the next count would be higher.
        for _ in 0..3 {
            check_eq!(references_at(address), 0);
            bench.with_area(address, |area| area.insert_page(address, page))?;
            check_eq!(references_at(address), 2);
            let again = bench.with_area(address, |area| Ok(area.insert_page(address, page)))?;
            check_eq!(again, Err(EBUSY));
            check_eq!(references_at(address), 2);
            bench.with_area(address, |area| {
                area.zap(address, 1);
                Ok(())
            })?;
        }
        bench.with_area(address, |area| area.insert_page(address, page))?;
        let second = bench.map(1)?;
        bench.with_area(second, |area| area.insert_page(second, page))?;
        check_eq!(references_at(second), 3);
        bench.process.unmap(address, 1)?;
        check_eq!(references_at(second), 2);
        Ok(())
    }

    #[test]
    fn all_pages_are_inserted_where_they_belong() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(toy::PAGES)?;
        let owner = bench.owner.clone();

        let result = bench.with_area(address, |area| {
            Ok(area.insert_pages(address, owner.pages_from(0, toy::PAGES)))
        })?;
        check_eq!(result, (toy::PAGES, Ok(())));
        for number in 0..toy::PAGES {
            let byte = bench.process.read(address + number * PAGE_SIZE)?;
            check_eq!(usize::from(byte), number);
        }
        check_eq!(owner.faults.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn pages_are_inserted_across_page_tables() -> Result {
        let mut bench = Bench::new()?;
        // There is a boundary in an area of two tables' size that has enough on both sides.
        let start = bench.map(2 * TABLE_SIZE / PAGE_SIZE)?;
        let boundary = (start + TABLE_SIZE) & !(TABLE_SIZE - 1);
        let owner = bench.owner.clone();

        for before in [1, 31, 32, 33, 40] {
            let address = boundary - before * PAGE_SIZE;
            if address < start {
                continue;
            }
            let count = 2 * before;
            let result = bench.with_area(start, |area| {
                Ok(area.insert_pages(address, owner.pages_from(0, count)))
            })?;
            check_eq!(result, (count, Ok(())));
            for number in [0, before - 1, before, count - 1] {
                let byte = bench.process.read(address + number * PAGE_SIZE)?;
                check_eq!(usize::from(byte), number);
            }
            bench.with_area(start, |area| {
                area.zap(address, count);
                Ok(())
            })?;
            check!(mapped(address, count).all(|mapped| !mapped));
        }
        Ok(())
    }

    #[test]
    fn a_busy_place_ends_the_insertion() -> Result {
        let mut bench = Bench::new()?;
        let count = 70;
        let address = bench.map(toy::PAGES)?;
        let owner = bench.owner.clone();
        let stranger = owner.page(count);

        // At the edges of the batches, and in the middle of them.
        for busy in [0, 1, 31, 32, 33, 63, 64, 69] {
            let (first, then) = bench.with_area(address, |area| {
                area.insert_page(address + busy * PAGE_SIZE, stranger)?;
                let first = area.insert_pages(address, owner.pages_from(0, count));
                let next = busy + 1;
                let then = area.insert_pages(
                    address + next * PAGE_SIZE,
                    owner.pages_from(next, count - next),
                );
                Ok((first, then))
            })?;
            check_eq!(first, (busy, Err(EBUSY)));
            check_eq!(then, (count - busy - 1, Ok(())));
            check!(mapped(address, count).all(|mapped| mapped));
            for number in 0..count {
                let byte = bench.process.read(address + number * PAGE_SIZE)?;
                let expected = if number == busy { count } else { number };
                check_eq!(usize::from(byte), expected);
            }
            bench.with_area(address, |area| {
                area.zap(address, toy::PAGES);
                Ok(())
            })?;
        }
        Ok(())
    }

    #[test]
    fn nothing_is_inserted_outside() -> Result {
        let mut bench = Bench::new()?;
        let pages = 4;
        let address = bench.map(pages)?;
        let end = address + pages * PAGE_SIZE;
        let owner = bench.owner.clone();

        let places = [
            address - PAGE_SIZE,
            end,
            end + 10 * PAGE_SIZE,
            address + 1,
            address + PAGE_SIZE - 1,
            0,
            usize::MAX & PAGE_MASK,
            usize::MAX,
        ];
        for place in places {
            let result = bench.with_area(address, |area| {
                Ok(area.insert_pages(place, owner.pages_from(0, 1)))
            })?;
            check_eq!(result, (0, Err(EFAULT)));
        }
        // The last one would be outside, and it is in the same batch.
        let result = bench.with_area(address, |area| {
            Ok(area.insert_pages(address, owner.pages_from(0, pages + 1)))
        })?;
        check_eq!(result, (0, Err(EFAULT)));
        check!(shows(address, "0000"));
        Ok(())
    }

    #[test]
    fn a_batch_that_is_outside_is_told() -> Result {
        let mut bench = Bench::new()?;
        let pages = 40;
        let address = bench.map(pages)?;
        let owner = bench.owner.clone();

        let (inserted, result) = bench.with_area(address, |area| {
            Ok(area.insert_pages(address, owner.pages_from(0, pages + 1)))
        })?;
        check_eq!(result, Err(EFAULT));
        // How many are in a batch is not promised, but that the number is right.
        check!(inserted < pages);
        check!(mapped(address, pages).eq((0..pages).map(|number| number < inserted)));
        Ok(())
    }

    #[test]
    fn no_pages_are_inserted_at_once() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(1)?;
        let owner = bench.owner.clone();

        let result = bench.with_area(address, |area| {
            Ok(area.insert_pages(address, owner.pages_from(0, 0)))
        })?;
        check_eq!(result, (0, Ok(())));
        Ok(())
    }

    #[test]
    fn zap_takes_what_it_is_told() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(8)?;
        let owner = bench.owner.clone();

        bench.with_area(address, |area| {
            check_eq!(
                area.insert_pages(address, owner.pages_from(0, 8)),
                (8, Ok(()))
            );
            area.zap(address + 2 * PAGE_SIZE, 3);
            Ok(())
        })?;
        check!(shows(address, "11000111"));
        // There is a place for others now.
        bench.with_area(address, |area| {
            area.insert_page(address + 3 * PAGE_SIZE, owner.page(20))?;
            area.zap(address + 7 * PAGE_SIZE, 1);
            area.zap(address, 1);
            Ok(())
        })?;
        check!(shows(address, "01010110"));
        check_eq!(bench.process.read(address + 3 * PAGE_SIZE), Ok(20));
        check_eq!(bench.process.read(address + 2 * PAGE_SIZE), Err(EFAULT));
        Ok(())
    }

    #[test]
    fn zap_does_nothing_outside() -> Result {
        let mut bench = Bench::new()?;
        let pages = 4;
        let address = bench.map(pages)?;
        let end = address + pages * PAGE_SIZE;
        let owner = bench.owner.clone();
        // A neighbour that must not notice.
        let (file, other) = bench.open_another()?;
        let next = bench.process.map_at(&file, end, pages)?;
        {
            let area = bench.process.context().lock_area(next)?.ok_or(EFAULT)?;
            let area = area.area_of(&*other).ok_or(EPERM)?;
            area.as_mixed_map()
                .ok_or(EACCES)?
                .insert_page(next, other.page(0))?;
        }

        bench.with_area(address, |area| {
            check_eq!(
                area.insert_pages(address, owner.pages_from(0, pages)),
                (pages, Ok(()))
            );
            area.zap(address, 0);
            area.zap(address, pages + 1);
            area.zap(end, 1);
            area.zap(end - PAGE_SIZE, 2);
            area.zap(address - PAGE_SIZE, 2);
            area.zap(address + 1, 1);
            area.zap(address, usize::MAX);
            area.zap(address, usize::MAX / PAGE_SIZE);
            area.zap(usize::MAX & PAGE_MASK, 1);
            Ok(())
        })?;
        check!(shows(address, "1111"));
        check!(shows(next, "1000"));
        Ok(())
    }

    #[test]
    fn a_hook_that_fails_leaves_nothing() -> Result {
        let bench = Bench::new()?;
        let address = bench.map(1)?;

        for _ in 0..3 {
            bench.toy.fail.store(true, Relaxed);
            check_eq!(bench.map(2), Err(ENODATA));
            bench.toy.fail.store(true, Relaxed);
            check_eq!(
                bench.process.map_at(&bench.file, address, 1),
                Err(ENODATA) //
            );
        }
        check!(bench.map(1).is_ok());

        // All references to the owner but ours are gone with the file and the area.
        let (file, owner, toy, process) = bench.close_door();
        drop(file);
        drop(process);
        check_eq!(toy.owners(), 1);
        drop(owner);
        check_eq!(toy.owners(), 0);
        Ok(())
    }

    #[test]
    fn an_area_keeps_its_owner_and_gives_it_up() -> Result {
        let bench = Bench::new()?;
        let address = bench.map(4)?;
        let (file, owner, toy, process) = bench.close_door();

        drop(owner);
        drop(file);
        check_eq!(toy.owners(), 1);
        // Three areas, now.
        process.unmap(address + PAGE_SIZE, 1)?;
        process.unmap(address, 1)?;
        check_eq!(toy.owners(), 1);
        process.unmap(address + 2 * PAGE_SIZE, 2)?;
        check_eq!(toy.owners(), 0);
        Ok(())
    }

    #[test]
    fn areas_end_with_their_process() -> Result {
        let bench = Bench::new()?;
        for _ in 0..10 {
            bench.map(4)?;
        }
        let (file, owner, toy, process) = bench.close_door();

        drop(owner);
        drop(file);
        check_eq!(toy.owners(), 1);
        drop(process);
        check_eq!(toy.owners(), 0);
        Ok(())
    }

    #[test]
    fn a_file_outlives_its_device() -> Result {
        let bench = Bench::new()?;
        let before = bench.map(1)?;
        let (file, owner, toy, mut process) = bench.close_door();

        check_eq!(
            OpenFile::open(super::super::bench::PATH, 0).err(),
            Some(ENOENT)
        );
        check_eq!(file.ioctl(toy::ECHO, 12), Ok(12));
        let after = process.map(&file, 1, 0)?;
        check!(is_area_of(&mut process, before, &owner)?);
        check!(is_area_of(&mut process, after, &owner)?);
        drop(owner);
        drop(file);
        check_eq!(toy.owners(), 1);
        drop(process);
        check_eq!(toy.owners(), 0);
        Ok(())
    }
}
