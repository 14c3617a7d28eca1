// SPDX-License-Identifier: GPL-2.0

//! Tests of shrinkers, by way of dropping all slab caches. See [`reclaim`](super::reclaim).

use kernel::{
    c_str,
    macros::kunit_tests,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

use vmarea::{
    context::ReclaimContext,
    shrinker::{
        Reclaimable,
        ScanTarget,
        Shrinker,
        UnregisteredShrinker, //
    }, //
};

use super::{
    helpers::in_thread,
    reclaim::{
        drop_slab,
        thread, //
    }, //
};

/// A number of things that can be freed, and what reclaim has asked for.
struct Stock {
    thread: i32,
    things: Atomic<usize>,
    counts: Atomic<usize>,
    scans: Atomic<usize>,
    /// The sum of all limits, and the largest.
    asked: Atomic<usize>,
    largest: Atomic<usize>,
    other_nodes: Atomic<usize>,
}

impl Stock {
    fn new(things: usize) -> Result<Arc<Self>> {
        let stock = Self {
            thread: thread(),
            things: Atomic::new(things),
            counts: Atomic::new(0),
            scans: Atomic::new(0),
            asked: Atomic::new(0),
            largest: Atomic::new(0),
            other_nodes: Atomic::new(0),
        };

        Ok(Arc::new(stock, GFP_KERNEL)?)
    }

    fn register(self: &Arc<Self>) -> Result<Shrinker<Self>> {
        Ok(UnregisteredShrinker::new(c_str!("vmarea_stock"))?.register(self.clone()))
    }
}

impl Reclaimable for Stock {
    fn count(&self, target: &ScanTarget<'_>) -> usize {
        if self.thread != thread() {
            return 0;
        }
        self.counts.add(1, Relaxed);
        self.other_nodes
            .add(usize::from(target.nid() != 0), Relaxed);
        self.things.load(Relaxed)
    }

    fn scan(&self, _: &ScanTarget<'_>, limit: usize, _: &ReclaimContext<'_>) -> usize {
        if self.thread != thread() {
            return 0;
        }
        let things = self.things.load(Relaxed);
        let freed = things.min(limit);
        self.scans.add(1, Relaxed);
        self.asked.add(limit, Relaxed);
        self.largest
            .store(self.largest.load(Relaxed).max(limit), Relaxed);
        self.things.store(things - freed, Relaxed);
        freed
    }
}

#[kunit_tests(vmarea_shrinker)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_freed() -> Result {
        let stock = Stock::new(10)?;
        let shrinker = stock.register()?;

        drop_slab()?;
        check!(stock.counts.load(Relaxed) > 0);
        check!(stock.scans.load(Relaxed) > 0);
        check!(stock.asked.load(Relaxed) >= 10);
        check_eq!(stock.things.load(Relaxed), 0);
        check_eq!(stock.other_nodes.load(Relaxed), 0);
        drop(shrinker);
        Ok(())
    }

    #[test]
    fn much_is_freed_bit_by_bit() -> Result {
        let stock = Stock::new(5000)?;
        let shrinker = stock.register()?;

        drop_slab()?;
        check_eq!(stock.things.load(Relaxed), 0);
        check!(stock.scans.load(Relaxed) > 1);
        check!(stock.largest.load(Relaxed) < 5000);
        drop(shrinker);
        Ok(())
    }

    #[test]
    fn nothing_is_freed_where_nothing_is() -> Result {
        let stock = Stock::new(0)?;
        let shrinker = stock.register()?;

        drop_slab()?;
        check!(stock.counts.load(Relaxed) > 0);
        check_eq!(stock.scans.load(Relaxed), 0);
        // That there was nothing is not remembered for ever.
        stock.things.store(1, Relaxed);
        drop_slab()?;
        check_eq!(stock.things.load(Relaxed), 0);
        drop(shrinker);
        Ok(())
    }

    #[test]
    fn nothing_is_called_after_the_end() -> Result {
        let stock = Stock::new(10)?;
        let shrinker = stock.register()?;

        drop(shrinker);
        drop_slab()?;
        check_eq!(stock.counts.load(Relaxed), 0);
        check_eq!(stock.scans.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn nothing_is_called_before_the_beginning() -> Result {
        let shrinker = UnregisteredShrinker::new(c_str!("vmarea_stock"))?;
        drop_slab()?;
        drop(shrinker);

        let shrinker = UnregisteredShrinker::new(c_str!("vmarea_stock"))?;
        drop_slab()?;
        let stock = Stock::new(1)?;
        let shrinker = shrinker.register(stock.clone());
        check_eq!(stock.counts.load(Relaxed), 0);
        drop_slab()?;
        check_eq!(stock.things.load(Relaxed), 0);
        drop(shrinker);
        Ok(())
    }

    #[test]
    fn shrinkers_of_one_name_are_apart() -> Result {
        let (one, other) = (Stock::new(3)?, Stock::new(4)?);
        let first = one.register()?;
        let second = other.register()?;

        drop(first);
        drop_slab()?;
        check_eq!(one.things.load(Relaxed), 3);
        check_eq!(other.things.load(Relaxed), 0);
        drop(second);
        Ok(())
    }

    #[test]
    fn a_shrinker_has_a_reference_of_its_own() -> Result {
        let dropped = Arc::new(Atomic::new(0), GFP_KERNEL)?;
        let shrinker = UnregisteredShrinker::new(c_str!("vmarea_stock"))?
            .register(Arc::new(Dropped(dropped.clone()), GFP_KERNEL)?);

        drop_slab()?;
        check_eq!(dropped.load(Relaxed), 0);
        // In another thread, because that is allowed.
        in_thread(move || drop(shrinker))?;
        check_eq!(dropped.load(Relaxed), 1);
        Ok(())
    }
}

/// Counts how often it is dropped.
struct Dropped(Arc<Atomic<usize>>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.add(1, Relaxed);
    }
}

impl Reclaimable for Dropped {
    fn count(&self, _: &ScanTarget<'_>) -> usize {
        1
    }

    fn scan(&self, _: &ScanTarget<'_>, _: usize, _: &ReclaimContext<'_>) -> usize {
        0
    }
}
