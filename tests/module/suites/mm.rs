// SPDX-License-Identifier: GPL-2.0

//! Tests of the ways to a locked area, in an address space that the test's thread has to itself.

use kernel::{
    macros::kunit_tests,
    page::PAGE_SIZE,
    prelude::*, //
};

use super::{
    bench::Process,
    helpers::{
        in_thread,
        Writer,
        WriterKind, //
    },
};

#[kunit_tests(vmarea_mm)]
mod tests {
    use super::*;

    #[test]
    fn try_lock_finds_what_is_mapped() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(4)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        for place in [address, address + 1, address + 4 * PAGE_SIZE - 1] {
            let area = mm.try_lock_area(process.context(), place).ok_or(EAGAIN)?;
            check!(area.start() <= address);
            check!(area.end() >= address + 4 * PAGE_SIZE);
            check!(!area.waited());
            check!(area.is_writable());
            check!(area.may_be_writable());
        }
        Ok(())
    }

    #[test]
    fn lock_finds_what_is_mapped() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        let area = mm.lock_area(process.context(), address)?.ok_or(EFAULT)?;
        check!((area.start()..area.end()).contains(&address));
        check!(!area.waited());
        drop(area);

        let area = process.context().lock_area(address)?.ok_or(EFAULT)?;
        check!((area.start()..area.end()).contains(&address));
        Ok(())
    }

    #[test]
    fn nothing_is_found_in_a_hole() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(3)?;
        let hole = address + PAGE_SIZE;
        process.unmap(hole, 1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        for place in [hole, hole + PAGE_SIZE - 1, 0, usize::MAX] {
            check!(mm.try_lock_area(process.context(), place).is_none());
            check!(mm.lock_area(process.context(), place)?.is_none());
            check!(process.context().lock_area(place)?.is_none());
            check!(mm
                .mmap_read_lock(process.context())
                .area_at(place)
                .is_none());
        }
        // The neighbours are still there.
        check!(mm.try_lock_area(process.context(), hole - 1).is_some());
        check!(mm
            .try_lock_area(process.context(), hole + PAGE_SIZE)
            .is_some());
        Ok(())
    }

    #[test]
    fn try_lock_can_be_repeated_under_a_guard() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;
        let context = &*process.context();

        let first = mm.try_lock_area(context, address).ok_or(EAGAIN)?;
        let second = mm.try_lock_area(context, address).ok_or(EAGAIN)?;
        check_eq!(first.start(), second.start());
        Ok(())
    }

    #[test]
    fn mmap_lock_shows_all_areas() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(3)?;
        process.unmap(address + PAGE_SIZE, 1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        let guard = mm.mmap_read_lock(process.context());
        let first = guard.area_at(address).ok_or(EFAULT)?;
        let last = guard.area_at(address + 2 * PAGE_SIZE).ok_or(EFAULT)?;
        check_eq!(first.end(), address + PAGE_SIZE);
        check_eq!(last.start(), address + 2 * PAGE_SIZE);
        Ok(())
    }

    #[test]
    fn try_lock_fails_under_a_writer() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        let writer = Writer::start(&process, address, WriterKind::Stays)?;
        check!(mm.try_lock_area(process.context(), address).is_none());
        writer.stop();
        check!(mm.try_lock_area(process.context(), address).is_some());
        Ok(())
    }

    #[test]
    fn lock_waits_for_a_writer() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        let writer = Writer::start(&process, address, WriterKind::GivesWay)?;
        let area = mm.lock_area(process.context(), address)?.ok_or(EFAULT)?;
        check!(area.waited());
        check!((area.start()..area.end()).contains(&address));
        drop(area);
        check!(writer.stop());

        let writer = Writer::start(&process, address, WriterKind::GivesWay)?;
        let area = process.context().lock_area(address)?.ok_or(EFAULT)?;
        check!(area.waited());
        drop(area);
        check!(writer.stop());
        // It does not stay with the area.
        check!(mm.try_lock_area(process.context(), address).is_some());
        Ok(())
    }

    #[test]
    fn mmap_lock_waits_for_a_writer() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        let writer = Writer::start(&process, address, WriterKind::GivesWay)?;
        check!(mm
            .mmap_read_lock(process.context())
            .area_at(address)
            .is_some());
        check!(writer.stop());
        Ok(())
    }

    #[test]
    fn a_fatal_signal_ends_the_wait() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(1)?;
        let owner = process.mm();
        let mm = owner.get(process.context()).ok_or(ESRCH)?;

        let writer = Writer::start(&process, address, WriterKind::Kills)?;
        let error = mm.lock_area(process.context(), address).err();
        check!(writer.stop());
        check_eq!(error, Some(EINTR));
        // The lock was not taken by the way.
        check!(mm.lock_area(process.context(), address)?.is_some());
        Ok(())
    }

    #[test]
    fn an_address_space_is_not_another() -> Result {
        let mut process = Process::new()?;
        let mm = process.mm();
        check!(mm.is_current(process.context()));

        let seen = in_thread(|| -> Result<(bool, bool)> {
            let mut other = Process::new()?;
            let is_current = mm.is_current(other.context());
            Ok((is_current, mm.get(other.context()).is_some()))
        })??;
        // It can be held by others, all the same.
        check_eq!(seen, (false, true));
        Ok(())
    }

    #[test]
    fn areas_of_another_process_can_be_locked() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(1)?;
        let mm = process.mm();

        let found = in_thread(|| -> Result<(bool, bool)> {
            let mut other = Process::new()?;
            let mm = mm.get(other.context()).ok_or(ESRCH)?;
            let theirs = mm.lock_area(other.context(), address)?.is_some();
            let own = other.context().lock_area(address)?.is_some();
            Ok((theirs, own))
        })??;
        check_eq!(found, (true, false));
        // The reference that they had is gone, or will be: the worker may still have it.
        check!(mm.get(process.context()).is_some());
        Ok(())
    }

    #[test]
    fn a_dead_address_space_cannot_be_held() -> Result {
        let mut process = Process::new()?;
        let dead = in_thread(|| Process::new().map(|other| other.mm()))??;

        check!(dead.get(process.context()).is_none());
        check!(!dead.is_current(process.context()));
        Ok(())
    }
}
