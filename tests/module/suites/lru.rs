// SPDX-License-Identifier: GPL-2.0

//! Tests of the lists through which a shrinker walks.
//!
//! Where an item is looked for is something that only reclaim knows, so the lists are looked at in a
//! shrinker. All pages here are on the root cgroup's account, which means on nobody's: lists of other
//! cgroups are in the sight of `tests/reclaim_test.c`.

use core::mem::offset_of;

use kernel::{
    c_str,
    macros::kunit_tests,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        new_spinlock,
        Arc,
        SpinLock, //
    },
};

use vmarea::{
    context::ReclaimContext,
    lru::{
        ListLru,
        LruItem,
        LruLink,
        Verdict,
        Visited, //
    },
    page::{
        charge_to,
        OwnedPage, //
    },
    shrinker::{
        Reclaimable,
        ScanTarget,
        Shrinker,
        UnregisteredShrinker, //
    }, //
};

use super::{
    bench::Process,
    helpers::reclaimable,
    reclaim::{
        drop_slab,
        thread, //
    }, //
};

/// A page that is kept for later.
#[pin_data(PinnedDrop)]
struct Spare {
    #[pin]
    link: LruLink,
    page: OwnedPage,
    number: usize,
    dropped: Arc<Atomic<usize>>,
}

#[pinned_drop]
impl PinnedDrop for Spare {
    fn drop(self: Pin<&mut Self>) {
        self.dropped.add(1, Relaxed);
    }
}

// SAFETY: There is one item for each owner, which is the item itself, always in an `Arc`.
unsafe impl LruItem for Spare {
    type Owner = Spare;

    fn link(&self) -> &LruLink {
        &self.link
    }

    fn from_link(link: *const LruLink) -> *const Self {
        link.wrapping_byte_sub(offset_of!(Spare, link)).cast()
    }

    fn owner(&self) -> *const Spare {
        self
    }
}

/// What is done with an item that is visited.
type Visit = for<'v> fn(Visited<'v, Spare>) -> Verdict<'v>;

/// How many visits are noted.
const SEEN: usize = 100;

/// What a walk is to do, and what it did.
struct Walk {
    visit: Option<Visit>,
    limit: usize,
    /// The items that were visited, as far as there is room.
    seen: KVec<usize>,
    isolated: usize,
}

/// A list, as the data of a shrinker.
#[pin_data]
struct Cache {
    thread: i32,
    #[pin]
    list: ListLru<Spare>,
    counted: Atomic<usize>,
    #[pin]
    walk: SpinLock<Walk>,
}

impl Reclaimable for Cache {
    fn count(&self, target: &ScanTarget<'_>) -> usize {
        if self.thread != thread() {
            return 0;
        }
        self.counted.store(self.list.count(target), Relaxed);
        // In any case, to be asked to scan.
        1
    }

    fn scan(&self, target: &ScanTarget<'_>, _: usize, _: &ReclaimContext<'_>) -> usize {
        if self.thread != thread() {
            return 0;
        }
        let (visit, limit, mut seen) = {
            let mut walk = self.walk.lock();
            let seen = core::mem::replace(&mut walk.seen, KVec::new());
            (walk.visit.take(), walk.limit, seen)
        };
        let mut isolated = 0;
        if let Some(visit) = visit {
            isolated = self
                .list
                .walk(target, limit, |visited: Visited<'_, Spare>| {
                    let _ = seen.push_within_capacity(visited.item().number);
                    visit(visited)
                });
        }
        let mut walk = self.walk.lock();
        walk.seen = seen;
        walk.isolated += isolated;
        0
    }
}

/// A list and some spares, none of which is in the list.
struct Fixture {
    _shrinker: Shrinker<Cache>,
    cache: Arc<Cache>,
    spares: KVec<Arc<Spare>>,
    dropped: Arc<Atomic<usize>>,
}

impl Fixture {
    fn new(spares: usize) -> Result<Self> {
        let mm = Process::new()?.mm();
        let shrinker = UnregisteredShrinker::new(c_str!("vmarea_spares"))?;
        let unregistered = &shrinker;
        let cache = Arc::pin_init(
            try_pin_init!(Cache {
                thread: thread(),
                list <- ListLru::new(unregistered),
                counted: Atomic::new(0),
                walk <- new_spinlock!(Walk {
                    visit: None,
                    limit: 0,
                    seen: KVec::new(),
                    isolated: 0,
                }),
            }? Error),
            GFP_KERNEL,
        )?;
        let mut fixture = Self {
            _shrinker: shrinker.register(cache.clone()),
            cache,
            spares: KVec::new(),
            dropped: Arc::new(Atomic::new(0), GFP_KERNEL)?,
        };

        for number in 0..spares {
            let page = charge_to(&mm, |account| account.alloc_page())?;
            fixture.cache.list.prepare_for(page.borrow())?;
            let dropped = fixture.dropped.clone();
            let spare = Arc::pin_init(
                pin_init!(Spare {
                    link <- LruLink::new(),
                    page,
                    number,
                    dropped,
                }),
                GFP_KERNEL,
            )?;
            fixture.spares.push(spare, GFP_KERNEL)?;
        }
        Ok(fixture)
    }

    /// Adds a spare. Returns whether it was not in the list.
    fn add(&self, number: usize) -> bool {
        let spare = &self.spares[number];
        let item = (&**spare, spare.page.borrow());

        // SAFETY: Spares are in no other list than that of their fixture, which removes them before
        // it is dropped, and go with their own page. None is visited.
        unsafe { self.cache.list.add(spare, [item].into_iter()) == 1 }
    }

    fn add_all(&self) -> usize {
        (0..self.spares.len())
            .filter(|&number| self.add(number))
            .count()
    }

    /// Removes a spare. Returns whether it was in the list.
    fn remove(&self, number: usize) -> bool {
        let spare = &self.spares[number];
        let item = (&**spare, spare.page.borrow());

        // SAFETY: As in `add`.
        unsafe { self.cache.list.remove(spare, [item].into_iter()) == 1 }
    }

    /// How many are in the list.
    fn count(&self) -> Result<usize> {
        self.cache.counted.store(usize::MAX, Relaxed);
        drop_slab()?;
        Ok(self.cache.counted.load(Relaxed))
    }

    /// Shows up to `limit` items to `visit`. Returns which, and how many were isolated.
    fn walk(&self, limit: usize, visit: Visit) -> Result<(KVec<usize>, usize)> {
        let room = KVec::with_capacity(SEEN, GFP_KERNEL)?;
        *self.cache.walk.lock() = Walk {
            visit: Some(visit),
            limit,
            seen: room,
            isolated: 0,
        };
        drop_slab()?;
        let mut walk = self.cache.walk.lock();
        let seen = core::mem::replace(&mut walk.seen, KVec::new());
        Ok((seen, walk.isolated))
    }

    /// What is in the list, in that order.
    fn order(&self) -> Result<KVec<usize>> {
        Ok(self.walk(SEEN, skip)?.0)
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Relaxed)
    }
}

/// Nothing of a test may be left in the list, which has references.
impl Drop for Fixture {
    fn drop(&mut self) {
        for number in 0..self.spares.len() {
            self.remove(number);
        }
    }
}

fn skip(visited: Visited<'_, Spare>) -> Verdict<'_> {
    visited.skip()
}

fn isolate(visited: Visited<'_, Spare>) -> Verdict<'_> {
    let (owner, verdict) = visited.isolate();

    drop(owner);
    verdict
}

fn isolate_even(visited: Visited<'_, Spare>) -> Verdict<'_> {
    if visited.item().number % 2 == 0 {
        isolate(visited)
    } else {
        visited.skip()
    }
}

fn rotate_even(visited: Visited<'_, Spare>) -> Verdict<'_> {
    if visited.item().number % 2 == 0 {
        visited.rotate()
    } else {
        visited.skip()
    }
}

#[kunit_tests(vmarea_lru)]
mod tests {
    use super::*;

    #[test]
    fn items_are_counted() -> Result {
        let fixture = Fixture::new(5)?;
        check_eq!(fixture.count()?, 0);
        check_eq!(fixture.add_all(), 5);
        check_eq!(fixture.count()?, 5);
        check!(fixture.remove(0));
        check!(fixture.remove(3));
        check_eq!(fixture.count()?, 3);
        check!(fixture.add(3));
        check_eq!(fixture.count()?, 4);
        Ok(())
    }

    #[test]
    fn an_item_is_in_the_list_once() -> Result {
        let fixture = Fixture::new(2)?;
        check!(!fixture.remove(0));
        check!(fixture.add(0));
        check!(!fixture.add(0));
        check_eq!(fixture.count()?, 1);
        check!(fixture.remove(0));
        check!(!fixture.remove(0));
        check_eq!(fixture.count()?, 0);
        Ok(())
    }

    #[test]
    fn what_belongs_to_another_owner_is_ignored() -> Result {
        let fixture = Fixture::new(2)?;
        let [one, other] = &fixture.spares[..] else {
            return Err(ENOENT);
        };
        let item = || [(&**other, other.page.borrow())].into_iter();
        let list = &fixture.cache.list;

        // SAFETY: As in `Fixture::add`, and below.
        check_eq!(unsafe { list.add(one, item()) }, 0);
        check_eq!(fixture.count()?, 0);
        // SAFETY: As above.
        check_eq!(unsafe { list.add(other, item()) }, 1);
        // SAFETY: As above.
        check_eq!(unsafe { list.remove(one, item()) }, 0);
        check_eq!(fixture.count()?, 1);
        Ok(())
    }

    #[test]
    fn the_first_that_came_is_seen_first() -> Result {
        let fixture = Fixture::new(4)?;
        for number in [2, 0, 3, 1] {
            check!(fixture.add(number));
        }
        check_eq!(fixture.order()?[..], [2, 0, 3, 1]);
        // Skipping changes nothing.
        check_eq!(fixture.order()?[..], [2, 0, 3, 1]);
        check!(fixture.remove(0) && fixture.add(0));
        check_eq!(fixture.order()?[..], [2, 3, 1, 0]);
        Ok(())
    }

    #[test]
    fn rotated_items_go_to_the_end() -> Result {
        let fixture = Fixture::new(4)?;
        check_eq!(fixture.add_all(), 4);

        let (seen, isolated) = fixture.walk(4, rotate_even)?;
        check_eq!(seen[..], [0, 1, 2, 3]);
        check_eq!(isolated, 0);
        check_eq!(fixture.order()?[..], [1, 3, 0, 2]);
        check_eq!(fixture.count()?, 4);
        Ok(())
    }

    #[test]
    fn a_walk_ends_at_its_limit() -> Result {
        let fixture = Fixture::new(6)?;
        check_eq!(fixture.add_all(), 6);

        check_eq!(fixture.walk(2, skip)?.0[..], [0, 1]);
        check_eq!(fixture.walk(0, skip)?.0.len(), 0);
        check_eq!(fixture.walk(3, isolate)?.1, 3);
        check_eq!(fixture.order()?[..], [3, 4, 5]);
        Ok(())
    }

    #[test]
    fn isolated_items_are_gone() -> Result {
        let fixture = Fixture::new(5)?;
        check_eq!(fixture.add_all(), 5);

        check_eq!(fixture.walk(100, isolate)?.1, 5);
        check_eq!(fixture.count()?, 0);
        check!(!fixture.remove(0));
        // They can come back.
        check_eq!(fixture.add_all(), 5);
        check_eq!(fixture.order()?[..], [0, 1, 2, 3, 4]);
        Ok(())
    }

    #[test]
    fn what_is_not_isolated_stays() -> Result {
        let fixture = Fixture::new(7)?;
        check_eq!(fixture.add_all(), 7);

        // Each time the walk starts over, what was skipped is seen again.
        let (seen, isolated) = fixture.walk(100, isolate_even)?;
        check_eq!(isolated, 4);
        check!(seen.len() >= 7);
        check_eq!(fixture.order()?[..], [1, 3, 5]);
        Ok(())
    }

    #[test]
    fn a_list_keeps_owners() -> Result {
        let mut fixture = Fixture::new(3)?;
        check_eq!(fixture.add_all(), 3);
        fixture.spares.clear();
        check_eq!(fixture.dropped(), 0);
        check_eq!(fixture.order()?[..], [0, 1, 2]);

        check_eq!(fixture.walk(2, isolate)?.1, 2);
        check_eq!(fixture.dropped(), 2);
        check_eq!(fixture.walk(100, isolate)?.1, 1);
        check_eq!(fixture.dropped(), 3);
        Ok(())
    }

    #[test]
    fn an_owner_that_was_removed_is_not_kept() -> Result {
        let mut fixture = Fixture::new(2)?;
        check_eq!(fixture.add_all(), 2);
        check!(fixture.remove(0) && fixture.remove(1));
        check_eq!(fixture.dropped(), 0);
        fixture.spares.clear();
        check_eq!(fixture.dropped(), 2);
        Ok(())
    }

    #[test]
    fn pages_in_a_list_count_as_reclaimable() -> Result {
        // More than a CPU may keep to itself, and so would not be missed.
        let fixture = Fixture::new(600)?;
        let before = reclaimable()?;

        check_eq!(fixture.add_all(), 600);
        check_eq!(reclaimable()? - before, 600);
        check_eq!(fixture.add_all(), 0);
        check_eq!(reclaimable()? - before, 600);
        for number in 0..200 {
            check!(fixture.remove(number));
        }
        check_eq!(reclaimable()? - before, 400);
        check!(!fixture.remove(0));
        check_eq!(reclaimable()? - before, 400);
        check_eq!(fixture.walk(150, isolate)?.1, 150);
        check_eq!(reclaimable()? - before, 250);
        check_eq!(fixture.walk(100, rotate_even)?.1, 0);
        check_eq!(reclaimable()? - before, 250);
        check_eq!(fixture.walk(1000, isolate)?.1, 250);
        check_eq!(reclaimable()? - before, 0);
        Ok(())
    }

    #[test]
    fn a_list_ends_with_its_shrinker() -> Result {
        let fixture = Fixture::new(3)?;
        check_eq!(fixture.add_all(), 3);
        for number in 0..3 {
            check!(fixture.remove(number));
        }
        let cache = fixture.cache.clone();
        check!(cache.counted.load(Relaxed) == 0);
        drop(fixture);
        drop_slab()?;
        check_eq!(cache.counted.load(Relaxed), 0);
        Ok(())
    }
}
