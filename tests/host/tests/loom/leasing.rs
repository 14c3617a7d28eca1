// SPDX-License-Identifier: GPL-2.0

//! Programs that lease pages while they are reclaimed.

use crate::{
    all_idle,
    idle_neighbours,
    log::Event::*,
    one_idle,
    owner::Changes,
    range::Setup,
    PLAIN, //
};

#[test]
fn lease_and_reclaim() {
    PLAIN.explore(
        one_idle,
        [
            |range| {
                range.lease_and_release(0, 0..1);
                range.lease_and_release(0, 0..1);
            },
            |range| range.shrink(0, 3, 1),
        ],
        &[Leased, Unmapped(1), InUse, SecondChance, RangeLocked],
    );
}

#[test]
fn leases_that_share_a_page() {
    PLAIN.explore(
        one_idle,
        [
            |range| range.lease_and_release(0, 0..1),
            |range| range.lease_and_release(1, 0..1),
            |range| range.shrink(0, 2, 1),
        ],
        &[Leased, Unmapped(1), InUse, SecondChance, RangeLocked],
    );
}

#[test]
fn leases_that_overlap() {
    Setup { slots: 3, ..PLAIN }.explore(
        all_idle,
        [
            |range| range.lease_and_release(0, 0..2),
            |range| range.lease_and_release(1, 1..3),
            |range| range.shrink(0, 2, 3),
        ],
        &[
            Leased,
            Unmapped(1),
            Unmapped(2),
            Unmapped(3),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

#[test]
fn leases_that_fill_the_same_slot() {
    PLAIN.explore(
        |range| range.map(),
        [
            |range| range.lease_and_release(0, 0..1),
            |range| range.lease_and_release(1, 0..1),
            |range| range.shrink(0, 2, 1),
        ],
        &[Leased, Unmapped(1), InUse, SecondChance, RangeLocked],
    );
}

#[test]
fn leases_that_bring_filled_pages() {
    PLAIN.explore(
        |range| range.map(),
        [
            |range| range.lease_filled_and_release(0, 0..1),
            |range| range.lease_filled_and_release(1, 0..1),
            |range| range.shrink(0, 2, 1),
        ],
        &[
            Leased,
            Filled,
            FilledInVain,
            Unmapped(1),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

/// One brings filled pages and the other zeroed ones, for slots of which they share some.
#[test]
fn filled_pages_for_the_slots_of_others() {
    Setup { slots: 3, ..PLAIN }.explore(
        |range| range.map(),
        [
            |range| range.lease_filled_and_release(0, 0..3),
            |range| range.lease_and_release(1, 1..2),
        ],
        &[Leased, Filled, FilledInVain],
    );
}

#[test]
fn filled_pages_between_idle_neighbours() {
    Setup { slots: 3, ..PLAIN }.explore(
        idle_neighbours,
        [
            |range| range.lease_filled_and_release(0, 0..3),
            |range| range.shrink(0, 3, 3),
        ],
        &[
            Leased,
            Filled,
            Unmapped(1),
            Unmapped(3),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

#[test]
fn insertion_between_idle_neighbours() {
    Setup { slots: 3, ..PLAIN }.explore(
        idle_neighbours,
        [
            |range| range.lease_and_release(0, 1..2),
            |range| range.shrink(0, 2, 3),
        ],
        &[Leased, Unmapped(1), Unmapped(2), Unmapped(3), RangeLocked],
    );
}

#[test]
fn insertion_of_a_run() {
    Setup { slots: 3, ..PLAIN }.explore(
        |range| {
            range.map();
            range.lease_and_release(0, 0..2);
        },
        [
            |range| range.lease_and_release(0, 0..3),
            |range| range.shrink(0, 2, 3),
        ],
        &[
            Leased,
            Unmapped(2),
            Unmapped(3),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

#[test]
fn insertion_that_reclaims_memory() {
    Setup {
        slots: 2,
        pressure: true,
        ..PLAIN
    }
    .explore(
        one_idle,
        [
            |range| range.lease_and_release(0, 1..2),
            |range| range.shrink(0, 1, 2),
        ],
        &[Leased, Unmapped(1), Unmapped(2), RangeLocked],
    );
}

#[test]
fn insertion_without_memory() {
    Setup {
        slots: 2,
        changes: Changes {
            memory: true,
            ..PLAIN.changes
        },
        ..PLAIN
    }
    .explore(
        one_idle,
        [
            |range| range.lease_and_release(0, 0..2),
            |range| range.owner.set_memory(false),
            |range| range.shrink(0, 2, 2),
        ],
        &[
            Leased,
            NoMemory,
            Unmapped(1),
            Unmapped(2),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

#[test]
fn two_reclaimers() {
    Setup {
        slots: 3,
        lists: 2,
        ..PLAIN
    }
    .explore(
        all_idle,
        [
            |range| range.lease_and_release(0, 1..2),
            |range| range.shrink_in_need(0, 1, 2),
            |range| range.shrink_in_need(1, 1, 2),
        ],
        &[Leased, Unmapped(1), Unmapped(2), InUse, RangeLocked],
    );
}

/// Reclaim meets a page in the list that is used, while it ceases to be.
#[test]
fn release_and_reclaim() {
    PLAIN.explore(
        |range| {
            one_idle(range);
            range.keep_lease(0, 0..1);
        },
        [|range| range.release_kept(), |range| range.shrink(0, 3, 1)],
        &[Unmapped(1), InUse, SecondChance, RangeLocked],
    );
}

/// Without second chances, and when it is used again.
#[test]
fn release_lease_and_reclaim_in_need() {
    PLAIN.explore(
        |range| {
            one_idle(range);
            range.keep_lease(0, 0..1);
        },
        [
            |range| range.release_kept(),
            |range| range.lease_and_release(1, 0..1),
            |range| range.shrink_in_need(0, 2, 1),
        ],
        &[Leased, Unmapped(1), InUse, RangeLocked],
    );
}

/// Used pages in the list, between idle ones.
#[test]
fn reclaim_around_used_pages() {
    Setup { slots: 3, ..PLAIN }.explore(
        |range| {
            all_idle(range);
            range.keep_lease(0, 1..2);
        },
        [|range| range.release_kept(), |range| range.shrink(0, 3, 3)],
        &[
            Unmapped(1),
            Unmapped(2),
            Unmapped(3),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

/// A used page in one list, met by two reclaimers that have seen it there, and its neighbours.
#[test]
fn release_and_two_reclaimers() {
    Setup {
        slots: 2,
        lists: 2,
        ..PLAIN
    }
    .explore(
        |range| {
            all_idle(range);
            range.keep_lease(0, 0..1);
        },
        [
            |range| range.release_kept(),
            |range| range.shrink(0, 2, 2),
            |range| range.shrink(1, 1, 2),
        ],
        &[Unmapped(1), Unmapped(2), InUse, SecondChance, RangeLocked],
    );
}
