// SPDX-License-Identifier: GPL-2.0

//! Tests of page faults, which the test's thread takes in a system call's manner.

use kernel::{
    macros::kunit_tests,
    page::PAGE_SIZE,
    prelude::*,
    sync::atomic::Relaxed, //
};

use vmarea::ops::FaultOutcome;

use super::{
    bench::{
        mapped,
        Bench, //
    },
    toy, //
};

#[kunit_tests(vmarea_fault)]
mod tests {
    use super::*;

    #[test]
    fn a_place_without_a_page_cannot_be_read() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(4)?;

        check_eq!(bench.process.read(address), Err(EFAULT));
        // How often the copy is tried depends on the machine.
        let faults = bench.owner.faults.load(Relaxed);
        check!(faults > 0);
        check_eq!(bench.process.read(address + 3 * PAGE_SIZE), Err(EFAULT));
        check!(bench.owner.faults.load(Relaxed) > faults);
        check!(mapped(address, 4).all(|mapped| !mapped));
        Ok(())
    }

    #[test]
    fn pages_around_are_mapped_too() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(toy::PAGES)?;
        bench.owner.faults_insert.store(true, Relaxed);
        let touched = 40;

        let byte = bench.process.read(address + touched * PAGE_SIZE)?;
        check_eq!(usize::from(byte), touched);
        check_eq!(bench.owner.faults.load(Relaxed), 0);

        let around = &bench.owner.around;
        let (first, end) = (around.first.load(Relaxed), around.end.load(Relaxed));
        check!((first..end).contains(&touched));
        check!(end <= toy::PAGES);
        check_eq!(around.start.load(Relaxed), address + first * PAGE_SIZE);
        check!(around.is_done.load(Relaxed));
        // Every second page is offered; these and no others are mapped.
        let offered = |number: usize| (first..end).contains(&number) && number % 2 == 0;
        check_eq!(
            around.offered.load(Relaxed),
            (first..end).filter(|&number| offered(number)).count()
        );
        for (number, mapped) in mapped(address, toy::PAGES).enumerate() {
            check_eq!(mapped, offered(number));
        }
        Ok(())
    }

    #[test]
    fn a_page_that_is_not_offered_is_asked_for() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(toy::PAGES)?;
        bench.owner.faults_insert.store(true, Relaxed);
        let touched = 41;

        let byte = bench.process.read(address + touched * PAGE_SIZE)?;
        check_eq!(usize::from(byte), touched);
        check_eq!(bench.owner.faults.load(Relaxed), 1);
        check!(!bench.owner.around.is_done.load(Relaxed));
        Ok(())
    }

    #[test]
    fn what_is_mapped_is_left_alone_by_faults_around() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(toy::PAGES)?;
        bench.owner.faults_insert.store(true, Relaxed);
        let owner = bench.owner.clone();
        let place = address + 42 * PAGE_SIZE;
        bench.with_area(address, |area| area.insert_page(place, owner.page(70)))?;

        check_eq!(bench.process.read(address + 40 * PAGE_SIZE), Ok(40));
        check_eq!(bench.process.read(place), Ok(70));
        Ok(())
    }

    #[test]
    fn an_area_in_the_middle_of_a_file_shows_that() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.process.map(&bench.file, 10, 30)?;
        bench.owner.faults_insert.store(true, Relaxed);

        for number in [0, 1, 8, 9] {
            let byte = bench.process.read(address + number * PAGE_SIZE)?;
            check_eq!(usize::from(byte), 30 + number);
        }
        // The places beyond the file's pages are empty.
        let address = bench.process.map(&bench.file, 10, toy::PAGES - 1)?;
        check_eq!(
            bench.process.read(address),
            Ok((toy::PAGES - 1) as u8) //
        );
        check_eq!(bench.process.read(address + PAGE_SIZE), Err(EFAULT));
        Ok(())
    }

    #[test]
    fn outcomes_follow_from_insertions() -> Result {
        let outcome = FaultOutcome::of_insertion;

        check!(outcome(Ok(())) == FaultOutcome::Mapped);
        check!(outcome(Err(EBUSY)) == FaultOutcome::Mapped);
        check!(outcome(Err(ENOMEM)) == FaultOutcome::NoMemory);
        check!(outcome(Err(EFAULT)) == FaultOutcome::NoPage);
        check!(outcome(Err(EINVAL)) == FaultOutcome::NoPage);
        Ok(())
    }
}
