// SPDX-License-Identifier: GPL-2.0

//! Properties of the protocol of page ranges, `rust/page_range/protocol.rs` with `state.rs`, as far as
//! one thread can tell. All that several threads can do to each other is in `loom.rs`.

use std::ops::Range as Slots;

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::FileFailurePersistence, //
};

use model::Model;
use protocol::{
    Backing,
    Gone,
    Met,
    Needs,
    Skipped, //
};
use range::{
    Page,
    Range, //
};

#[path = "protocol/model.rs"]
mod model;
#[path = "../../../rust/page_range/protocol.rs"]
mod protocol;
#[path = "protocol/range.rs"]
mod range;
#[path = "../../../rust/page_range/state.rs"]
mod state;

/// The most pages that reclaim takes at once.
const MOST: usize = 32;

#[derive(Clone, Debug)]
enum Operation {
    /// Takes a lease, for whose pages there is `room` in the page tables.
    Lease {
        from: Index,
        to: Index,
        room: Room,
    },
    /// Takes a lease that maps nothing.
    LeaseOnly {
        from: Index,
        to: Index,
    },
    /// Maps what a lease covers.
    Map {
        lease: Index,
        room: Room,
    },
    /// Ends a lease.
    Release(Index),
    /// Reclaims a page of the list, if it is not spared.
    Reclaim {
        listed: Index,
        limit: usize,
        second_chance: bool,
    },
    /// Finds that the range's lock, or the area's, is not to be had.
    Skip {
        listed: Index,
        skipped: Skipped,
    },
    /// Touches what is not mapped.
    Fault {
        slot: usize,
        room: Room,
    },
    /// Touches something near these.
    FaultAround {
        from: Index,
        to: Index,
    },
    /// `MADV_DONTNEED`.
    Discard {
        from: Index,
        to: Index,
    },
    /// `munmap`.
    Unmap,
    /// Unmaps as well, but later.
    Exit,
    Close,
}

/// How many pages can be mapped.
type Room = usize;

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let index = any::<Index>;
    let room = || prop_oneof![4 => Just(usize::MAX), 1 => 0..4usize];
    let limit = prop_oneof![3 => 0..5usize, 1 => MOST - 2..MOST + 2];
    let skipped = prop_oneof![
        Just(Skipped::SlotLock),
        Just(Skipped::VmaLock),
        Just(Skipped::Mm)
    ];
    let operation = prop_oneof![
        20 => (index(), index(), room())
            .prop_map(|(from, to, room)| Operation::Lease { from, to, room }),
        5 => (index(), index()).prop_map(|(from, to)| Operation::LeaseOnly { from, to }),
        5 => (index(), room()).prop_map(|(lease, room)| Operation::Map { lease, room }),
        20 => index().prop_map(Operation::Release),
        10 => (index(), limit, any::<bool>()).prop_map(|(listed, limit, second_chance)| {
            Operation::Reclaim { listed, limit, second_chance }
        }),
        2 => (index(), skipped).prop_map(|(listed, skipped)| Operation::Skip { listed, skipped }),
        10 => (0..12usize, room()).prop_map(|(slot, room)| Operation::Fault { slot, room }),
        5 => (index(), index()).prop_map(|(from, to)| Operation::FaultAround { from, to }),
        10 => (index(), index()).prop_map(|(from, to)| Operation::Discard { from, to }),
        1 => Just(Operation::Unmap),
        1 => Just(Operation::Exit),
        1 => Just(Operation::Close),
    ];

    vec(operation, 1..100)
}

fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 1..10usize, 1 => MOST - 2..MOST + 8]
}

/// A range and its model, which are told the same.
struct Pair {
    range: Range,
    model: Model,
    leases: Vec<Slots<usize>>,
    /// The address space is there.
    alive: bool,
    pages: usize,
}

impl Pair {
    fn new(slots: usize) -> Self {
        Self {
            range: Range::new(slots),
            model: Model::new(slots),
            leases: Vec::new(),
            alive: true,
            pages: 0,
        }
    }

    /// The slots from one index to the other, possibly none.
    fn between(&self, from: &Index, to: &Index) -> Slots<usize> {
        let count = self.model.slots.len() + 1;
        let (from, to) = (from.index(count), to.index(count));

        usize::min(from, to)..usize::max(from, to)
    }

    /// Whether the area can be locked.
    fn has_area(&self) -> bool {
        self.alive && self.model.mapped
    }

    fn run(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        match operation {
            Operation::Lease { from, to, room } => {
                let room = self.has_area().then_some(*room);
                self.lease(self.between(from, to), room)
            }
            Operation::LeaseOnly { from, to } => self.lease(self.between(from, to), None),
            Operation::Map { lease, room } if self.has_area() && !self.leases.is_empty() => {
                self.map(lease.get(&self.leases).clone(), *room)
            }
            Operation::Release(lease) if !self.leases.is_empty() => {
                self.release(lease.index(self.leases.len()));
                Ok(())
            }
            Operation::Reclaim {
                listed,
                limit,
                second_chance,
            } => match self.listed(listed) {
                Some(slot) => self.reclaim(slot, *limit, *second_chance),
                None => Ok(()),
            },
            Operation::Skip { listed, skipped } => match self.listed(listed) {
                // What is used is not asked for its area.
                Some(slot)
                    if *skipped == Skipped::SlotLock
                        || self.model.mapped && self.model.slots[slot].is_idle() =>
                {
                    self.skip(slot, *skipped)
                }
                _ => Ok(()),
            },
            Operation::Fault { slot, room } if self.has_area() => {
                self.range.room.set(*room);
                let faulted = protocol::fault(&self.range, &(), *slot);
                prop_assert_eq!(faulted, self.model.fault(*slot, *room));
                Ok(())
            }
            Operation::FaultAround { from, to } if self.has_area() => {
                self.fault_around(self.between(from, to))
            }
            Operation::Discard { from, to } if self.has_area() => {
                self.discard(self.between(from, to));
                Ok(())
            }
            Operation::Unmap if self.has_area() => {
                self.unmap();
                Ok(())
            }
            Operation::Exit => {
                self.alive = false;
                self.range.owner.careless.set(true);
                Ok(())
            }
            Operation::Close => {
                self.close();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes a lease, and maps it if there is room given.
    fn lease(&mut self, covered: Slots<usize>, room: Option<Room>) -> Result<(), TestCaseError> {
        let needs = protocol::cover(&self.range, covered.clone());
        let expected = self.model.cover(covered.clone());
        let expected = expected.map(|(pages, mappings)| Needs { pages, mappings });

        prop_assert_eq!(needs, expected.ok_or(Gone));
        let Ok(needs) = needs else {
            return Ok(());
        };
        self.leases.push(covered.clone());
        // To ask what is missing changes nothing.
        let mut empty = Vec::new();
        let asked = protocol::populate(&self.range, None, covered.clone(), |slot| {
            empty.push(slot);
            None
        });
        prop_assert_eq!(asked, Ok(()));
        prop_assert_eq!(empty.len(), needs.pages);
        self.compare()?;

        let first = self.pages;
        self.pages += needs.pages;
        let pages = (first..self.pages).map(|id| Page::new(id, &self.range.owner));
        let fresh = empty.into_iter().zip(pages).collect();
        self.model.fill(covered.clone());
        self.populate(covered, fresh, room)
    }

    fn map(&mut self, covered: Slots<usize>, room: Room) -> Result<(), TestCaseError> {
        let needed = protocol::needs_mapping(&self.range, covered.clone());
        let slots = &self.model.slots[covered.clone()];

        prop_assert_eq!(needed, slots.iter().any(|slot| !slot.was_mapped));
        self.populate(covered, Vec::new(), Some(room))
    }

    fn populate(
        &mut self,
        covered: Slots<usize>,
        fresh: Vec<(usize, Page)>,
        room: Option<Room>,
    ) -> Result<(), TestCaseError> {
        let area = room.is_some().then_some(&());
        self.range.room.set(room.unwrap_or(0));
        self.range.insertions.set(0);
        let mut fresh = fresh.into_iter();
        let populated = protocol::populate(&self.range, area, covered.clone(), |slot| {
            let (wanted, page) = fresh.next()?;

            assert_eq!(slot, wanted);
            Some(page)
        });

        let expected = match room {
            Some(room) => self.model.map(covered, room),
            None => (0, Ok(())),
        };
        prop_assert_eq!((self.range.insertions.get(), populated), expected);
        Ok(())
    }

    fn release(&mut self, lease: usize) {
        let covered = self.leases.swap_remove(lease);

        protocol::uncover(&self.range, covered.clone());
        self.model.uncover(covered);
    }

    /// A slot of the list.
    fn listed(&self, index: &Index) -> Option<usize> {
        (!self.model.list.is_empty()).then(|| *index.get(&self.model.list))
    }

    fn reclaim(
        &mut self,
        slot: usize,
        limit: usize,
        second_chance: bool,
    ) -> Result<(), TestCaseError> {
        let isolate = |list: &str| {
            assert_eq!(list, "locked");
            self.range
                .list
                .borrow_mut()
                .retain(|&listed| listed != slot);
            slot
        };
        let mapped = self.model.mapped;
        let lock_area = || {
            assert!(mapped, "an area is looked up that is not there");
            Ok(self.alive.then_some(()))
        };
        let met = protocol::reclaim(
            &self.range,
            slot,
            limit,
            second_chance,
            "locked",
            lock_area,
            isolate,
        );
        let expected = self.model.meet(slot, second_chance);
        let reclaimed = match met {
            Met::Idle(reclaimed) => reclaimed,
            Met::Used(isolated) => {
                prop_assert_eq!((isolated, model::Met::Used), (slot, expected));
                return Ok(());
            }
            Met::Touched(list) => {
                prop_assert_eq!((list, model::Met::Touched), ("locked", expected));
                self.range.rotate(slot);
                return Ok(());
            }
            Met::Skipped(..) => return Err(TestCaseError::fail("nothing is reclaimed")),
        };

        prop_assert_eq!(model::Met::Idle, expected);
        let slots = reclaimed.slots;
        let most = usize::min(limit.clamp(1, MOST), self.model.idle_around(slot));
        prop_assert_eq!((slots.len(), reclaimed.isolated), (most, slot));
        prop_assert!(slots.contains(&slot));
        prop_assert!(slots.clone().all(|slot| self.model.slots[slot].is_idle()));
        prop_assert_eq!(reclaimed.unmapped, self.has_area());
        self.model.reclaim(slots, self.has_area());
        Ok(())
    }

    /// Reclaims all that is idle, each page at its second chance at the latest. What is used leaves
    /// the list.
    fn reclaim_all(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..2 * self.model.list.len() {
            if let Some(&slot) = self.model.list.first() {
                self.reclaim(slot, 1, true)?;
                self.compare()?;
            }
        }
        prop_assert!(self.range.list.borrow().is_empty(), "some are not met");
        prop_assert_eq!(self.range.idle.get(), 0);
        Ok(())
    }

    /// Nothing but a second chance may be gone after this.
    fn skip(&mut self, slot: usize, skipped: Skipped) -> Result<(), TestCaseError> {
        let lock_area = || match skipped {
            Skipped::SlotLock => panic!("the area is locked for nothing"),
            _ => Err(skipped),
        };
        let isolate = |_| panic!("the page is isolated for nothing");
        self.range.locked.set(skipped == Skipped::SlotLock);
        let met = protocol::reclaim(&self.range, slot, MOST, false, "locked", lock_area, isolate);

        self.range.locked.set(false);
        if skipped != Skipped::SlotLock {
            prop_assert_eq!(self.model.meet(slot, false), model::Met::Idle);
        }
        let Met::Skipped(list, reason) = met else {
            return Err(TestCaseError::fail("a page is not skipped"));
        };
        prop_assert_eq!((list, reason), ("locked", skipped));
        Ok(())
    }

    fn fault_around(&mut self, slots: Slots<usize>) -> Result<(), TestCaseError> {
        let mut shown = Vec::new();
        protocol::fault_around(&self.range, |may_be_mapped| {
            assert!(!may_be_mapped(self.model.slots.len()));
            shown.extend(slots.clone().filter(|&slot| may_be_mapped(slot)));
        });
        let is_used = |slot: &usize| self.model.slots[*slot].is_used();
        prop_assert_eq!(&shown, &slots.clone().filter(is_used).collect::<Vec<_>>());

        for slot in shown {
            self.range.owner.shown.borrow_mut()[slot] = self.range.page(slot);
            self.model.slots[slot].shown = self.model.slots[slot].page;
        }
        self.range.locked.set(true);
        protocol::fault_around(&self.range, |_| panic!("the lock is taken"));
        self.range.locked.set(false);
        Ok(())
    }

    fn discard(&mut self, slots: Slots<usize>) {
        self.range.zap(&(), slots.clone());
        self.model.discard(slots);
    }

    fn unmap(&mut self) {
        self.discard(0..self.model.slots.len());
        self.range.mapped.set(false);
        self.model.mapped = false;
    }

    fn close(&mut self) {
        // What is mapped stays mapped until it is unmapped.
        self.range.owner.careless.set(true);
        protocol::close(&self.range);
        self.model.close();
    }

    /// Whether range and model are in the same state. Leaves both as they are.
    fn compare(&self) -> Result<(), TestCaseError> {
        let (range, model) = (&self.range, &self.model);
        let mut live = Vec::new();

        for (index, slot) in model.slots.iter().enumerate() {
            let mut is_used = false;
            protocol::fault_around(range, |may_be_mapped| is_used = may_be_mapped(index));
            let was_mapped = !protocol::needs_mapping(range, index..index + 1);

            prop_assert_eq!(range.page(index), slot.page);
            prop_assert_eq!(range.owner.shown.borrow()[index], slot.shown);
            prop_assert_eq!(is_used, slot.is_used());
            prop_assert_eq!(range.is_listed(index), model.list.contains(&index));
            prop_assert!(!slot.is_idle() || range.is_listed(index));
            prop_assert!(slot.page.is_some() || !range.is_listed(index));
            prop_assert!(slot.page.is_none() || was_mapped == slot.was_mapped);
            live.extend(slot.page);
        }
        live.sort();
        prop_assert_eq!(
            range
                .owner
                .live
                .borrow()
                .iter()
                .copied()
                .collect::<Vec<_>>(),
            live
        );
        prop_assert_eq!(&*range.list.borrow(), &model.list);
        prop_assert_eq!((range.used.get(), range.idle.get()), model.counts());
        Ok(())
    }
}

proptest! {
    // What failed once is tried first from then on.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("failures"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn does_what_the_model_does(slots in sizes(), operations in operations()) {
        let mut pair = Pair::new(slots);
        for operation in &operations {
            pair.run(operation)?;
            pair.compare()?;
        }

        if pair.model.closed {
            prop_assert!(pair.model.list.is_empty());
        }
        pair.reclaim_all()?;
        pair.close();
        pair.compare()?;
        while let Some(last) = pair.leases.len().checked_sub(1) {
            pair.release(last);
            pair.compare()?;
        }
        prop_assert!(pair.range.owner.live.borrow().is_empty(), "pages are left");
    }
}
