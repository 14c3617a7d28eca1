// SPDX-License-Identifier: GPL-2.0

//! Tests of files that have mappings of their own.

use kernel::{
    c_str,
    macros::kunit_tests,
    page::PAGE_SHIFT,
    prelude::*, //
};

use vmarea::file::FileMapping;

use super::{
    bench::{
        shows,
        Bench, //
    },
    helpers::FileSystem, //
};

/// A bench with the first pages of its file mapped, and all of them there.
fn bench_with(pages: usize) -> Result<(Bench, usize)> {
    let mut bench = Bench::new()?;
    let address = bench.map(pages)?;
    let owner = bench.owner.clone();

    let (inserted, result) = bench.with_area(address, |area| {
        Ok(area.insert_pages(address, owner.pages_from(0, pages)))
    })?;
    check_eq!((inserted, result), (pages, Ok(())));
    Ok((bench, address))
}

#[kunit_tests(vmarea_mapping)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_is_there_while_it_is_used() -> Result {
        let bench = Bench::new()?;
        let fs = FileSystem::of(&bench.file);
        check!(fs.is_called(c_str!("vmarea")));
        check!(fs.is_mounted());

        let other = FileMapping::new()?;
        drop(bench);
        check!(fs.is_mounted());
        drop(other);
        check!(!fs.is_mounted());

        // And again.
        let last = FileMapping::new()?;
        check!(fs.is_mounted());
        drop(last);
        check!(!fs.is_mounted());
        Ok(())
    }

    #[test]
    fn many_mappings_come_and_go() -> Result {
        let fs = FileSystem::of(&Bench::new()?.file);

        for _ in 0..3 {
            let mut mappings = KVVec::new();
            for _ in 0..500 {
                mappings.push(FileMapping::new()?, GFP_KERNEL)?;
            }
            // Not in the order in which they came.
            while mappings.len() > 1 {
                let middle = mappings.len() / 2;
                drop(mappings.remove(middle).map_err(|_| EINVAL)?);
            }
            check!(fs.is_mounted());
            drop(mappings);
            check!(!fs.is_mounted());
        }
        Ok(())
    }

    #[test]
    fn pages_are_unmapped_by_their_place() -> Result {
        let (bench, address) = bench_with(8)?;

        bench.owner.mapping.unmap_pages(2, 3);
        check!(shows(address, "11000111"));
        bench.owner.mapping.unmap_pages(7, 1);
        check!(shows(address, "11000110"));
        // More than there are.
        bench.owner.mapping.unmap_pages(1, 1000);
        check!(shows(address, "10000000"));
        Ok(())
    }

    #[test]
    fn nothing_is_nothing() -> Result {
        let (bench, address) = bench_with(4)?;
        let mapping = &bench.owner.mapping;
        let limit = usize::MAX >> PAGE_SHIFT;

        // To the kernel's function no pages are all that follow.
        mapping.unmap_pages(0, 0);
        mapping.unmap_pages(2, 0);
        mapping.unmap_pages(4, 10);
        mapping.unmap_pages(limit, 1);
        mapping.unmap_pages(usize::MAX, 1);
        mapping.unmap_pages(0, usize::MAX);
        mapping.unmap_pages(1, usize::MAX);
        mapping.unmap_pages(1, limit);
        check!(shows(address, "1111"));
        // The most that there can be.
        mapping.unmap_pages(0, limit);
        check!(shows(address, "0000"));
        Ok(())
    }

    #[test]
    fn all_areas_of_a_file_are_reached() -> Result {
        let (mut bench, first) = bench_with(8)?;
        let owner = bench.owner.clone();
        // Another part of it, which begins elsewhere.
        let second = bench.process.map(&bench.file, 4, 3)?;
        let result = bench.with_area(second, |area| {
            Ok(area.insert_pages(second, owner.pages_from(3, 4)))
        })?;
        check_eq!(result, (4, Ok(())));
        check!(shows(first, "11111111") && shows(second, "1111"));

        owner.mapping.unmap_pages(2, 3);
        check!(shows(first, "11000111"));
        check!(shows(second, "0011"));
        Ok(())
    }

    #[test]
    fn other_files_are_not_touched() -> Result {
        let (mut bench, own) = bench_with(2)?;
        let (file, other) = bench.open_another()?;
        let address = bench.process.map(&file, 1, 0)?;
        {
            let area = bench.process.context().lock_area(address)?;
            let area = area.ok_or(EFAULT)?;
            let area = area.area_of(&*other).ok_or(EPERM)?;
            area.as_mixed_map()
                .ok_or(EACCES)?
                .insert_page(address, other.page(0))?;
        }

        bench.owner.mapping.unmap_pages(0, 100);
        check!(shows(own, "00"));
        check!(shows(address, "1"));
        Ok(())
    }

    #[test]
    fn a_mapping_outlives_its_file() -> Result {
        let (bench, _) = bench_with(2)?;
        let (file, owner, toy, process) = bench.close_door();
        let mapping = owner.mapping.clone();
        let fs = FileSystem::of(&file);

        drop(owner);
        drop(file);
        drop(process);
        check_eq!(toy.owners(), 0);
        mapping.unmap_pages(0, 10);
        check!(fs.is_mounted());
        drop(mapping);
        check!(!fs.is_mounted());
        Ok(())
    }
}
