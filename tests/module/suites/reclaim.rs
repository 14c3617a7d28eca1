// SPDX-License-Identifier: GPL-2.0

//! Tests of what can be done in memory reclaim.
//!
//! Reclaim is begun by the thread of the test, which asks for all slab caches to be dropped. That
//! calls shrinkers as lack of memory does; but lockdep does not take it for reclaim, so what it has to
//! say is for `tests/pressure_test.c`.

use kernel::{
    bindings,
    c_str,
    macros::kunit_tests,
    page::PAGE_SIZE,
    prelude::*,
    sync::{
        new_spinlock,
        Arc,
        SpinLock, //
    }, //
};

use vmarea::{
    context::ReclaimContext,
    shrinker::{
        Reclaimable,
        ScanTarget,
        UnregisteredShrinker, //
    }, //
};

use super::{
    bench::{
        shows,
        Bench,
        OpenFile,
        Process, //
    },
    helpers::{
        in_thread,
        Writer,
        WriterKind, //
    },
};

/// Calls all shrinkers, in this thread.
pub(super) fn drop_slab() -> Result {
    OpenFile::open(c_str!("/proc/sys/vm/drop_caches"), bindings::O_WRONLY)?.write(b"2")
}

/// The id of the current thread: others may be in reclaim as well.
pub(super) fn thread() -> i32 {
    kernel::current!().pid()
}

/// Something that is done in reclaim, and what came of it.
#[pin_data]
struct Errand<F, R> {
    thread: i32,
    f: F,
    #[pin]
    result: SpinLock<Option<R>>,
}

impl<F, R> Reclaimable for Errand<F, R>
where
    F: Fn(&ReclaimContext<'_>) -> R + Send + Sync + 'static,
    R: Send + Unpin + 'static,
{
    fn count(&self, _: &ScanTarget<'_>) -> usize {
        usize::from(self.thread == thread())
    }

    fn scan(&self, _: &ScanTarget<'_>, _: usize, context: &ReclaimContext<'_>) -> usize {
        if self.thread == thread() {
            let result = (self.f)(context);
            *self.result.lock() = Some(result);
        }
        0
    }
}

/// What `f` returns in reclaim.
fn in_reclaim<F, R>(f: F) -> Result<R>
where
    F: Fn(&ReclaimContext<'_>) -> R + Send + Sync + 'static,
    R: Send + Unpin + 'static,
{
    let errand = Arc::pin_init(
        pin_init!(Errand {
            thread: thread(),
            f,
            result <- new_spinlock!(None),
        }),
        GFP_KERNEL,
    )?;
    let shrinker = UnregisteredShrinker::new(c_str!("vmarea_errand"))?.register(errand.clone());

    drop_slab()?;
    drop(shrinker);
    let result = errand.result.lock().take();
    result.ok_or(ENODATA)
}

#[kunit_tests(vmarea_reclaim)]
mod tests {
    use super::*;

    #[test]
    fn an_address_space_can_be_held() -> Result {
        let process = Process::new()?;
        let mm = process.mm();
        let dead = in_thread(|| Process::new().map(|other| other.mm()))??;

        check!(in_reclaim(move |context| mm
            .get_in_reclaim(context)
            .is_some())?);
        check!(in_reclaim(move |context| dead
            .get_in_reclaim(context)
            .is_none())?);
        Ok(())
    }

    #[test]
    fn what_is_mapped_can_be_locked() -> Result {
        let process = Process::new()?;
        let mm = process.mm();
        let address = process.map_memory(2)?;
        let hole = address + PAGE_SIZE;
        process.unmap(hole, 1)?;

        let found = in_reclaim(move |context| {
            let mm = mm.get_in_reclaim(context)?;
            let end = mm.try_lock_area(address)?.end();
            let is_hole = mm.try_lock_area(hole).is_none();
            // The same, but the lock keeps the address space.
            let area = mm.try_into_area(address)?;
            Some((end == hole, is_hole, area.end() == hole))
        })?;
        check_eq!(found, Some((true, true, true)));
        // All was unlocked.
        Writer::start(&process, address, WriterKind::Stays)?.stop();
        Ok(())
    }

    #[test]
    fn a_hole_cannot_be_locked() -> Result {
        let process = Process::new()?;
        let mm = process.mm();
        let address = process.map_memory(1)?;
        process.unmap(address, 1)?;

        check!(in_reclaim(move |context| {
            mm.get_in_reclaim(context)
                .is_some_and(|mm| mm.try_into_area(address).is_none())
        })?);
        Ok(())
    }

    #[test]
    fn nobody_waits_for_a_writer() -> Result {
        let process = Process::new()?;
        let mm = process.mm();
        let address = process.map_memory(1)?;

        let writer = Writer::start(&process, address, WriterKind::Stays)?;
        let found = in_reclaim(move |context| {
            let mm = mm.get_in_reclaim(context)?;
            let free = mm.try_lock_area(address).is_some();
            Some((free, mm.try_into_area(address).is_some()))
        })?;
        writer.stop();
        check_eq!(found, Some((false, false)));
        Ok(())
    }

    #[test]
    fn pages_of_an_area_can_be_taken() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(4)?;
        let owner = bench.owner.clone();
        bench.with_area(address, |area| {
            check_eq!(
                area.insert_pages(address, owner.pages_from(0, 4)),
                (4, Ok(()))
            );
            Ok(())
        })?;

        let mm = bench.process.mm();
        let taken = in_reclaim(move |context| {
            let area = mm.get_in_reclaim(context)?.try_into_area(address)?;
            area.area_of(&*owner)?.zap(address + PAGE_SIZE, 2);
            // At once, not when the lock is dropped.
            Some(shows(address, "1001"))
        })?;
        check_eq!(taken, Some(true));
        Ok(())
    }

    #[test]
    fn pages_of_a_file_can_be_taken() -> Result {
        let mut bench = Bench::new()?;
        let address = bench.map(4)?;
        let owner = bench.owner.clone();
        bench.with_area(address, |area| {
            check_eq!(
                area.insert_pages(address, owner.pages_from(0, 4)),
                (4, Ok(()))
            );
            Ok(())
        })?;

        // Whoever has locked the area, and the address space.
        let writer = Writer::start(&bench.process, address, WriterKind::Stays)?;
        let result = in_reclaim(move |_| owner.mapping.unmap_pages(1, 2));
        writer.stop();
        result?;
        check!(shows(address, "1001"));
        Ok(())
    }
}
