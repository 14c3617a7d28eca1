// SPDX-License-Identifier: GPL-2.0

//! Programs in which the range is mapped, or ceases to be, while it is used.

use crate::{
    all_idle,
    log::Event::*,
    one_idle,
    owner::Changes,
    range::{
        Install,
        Setup, //
    },
    FAULTED,
    PLAIN,
    UNMAPPED, //
};

#[test]
fn map_and_lease() {
    UNMAPPED.explore(
        |_| {},
        [
            |range| range.map(),
            |range| {
                range.lease_and_release(0, 0..1);
                range.lease_and_release(0, 0..1);
            },
            |range| range.shrink(0, 2, 1),
        ],
        &[
            Leased,
            Refused,
            Unmapped(1),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

#[test]
fn unmap_and_reclaim() {
    Setup {
        slots: 2,
        ..UNMAPPED
    }
    .explore(
        all_idle,
        [
            |range| {
                range.owner.unmap();
                range.owner.map_other_memory();
            },
            |range| range.shrink(0, 2, 2),
        ],
        &[Unmapped(2), Taken(2), AreaLocked, OtherArea],
    );
}

#[test]
fn unmap_and_lease() {
    Setup {
        slots: 2,
        ..UNMAPPED
    }
    .explore(
        one_idle,
        [
            |range| {
                range.owner.unmap();
                range.owner.map_other_memory();
            },
            |range| range.lease_and_release(0, 0..2),
        ],
        &[Leased, Refused, Unmappable],
    );
}

#[test]
fn unmap_lease_and_reclaim() {
    Setup {
        slots: 2,
        ..UNMAPPED
    }
    .explore(
        one_idle,
        [
            |range| range.owner.unmap(),
            |range| range.lease_and_release(0, 0..2),
            |range| range.shrink(0, 2, 2),
        ],
        &[
            Leased,
            Refused,
            Unmappable,
            Unmapped(1),
            Unmapped(2),
            Taken(1),
            Taken(2),
            InUse,
            SecondChance,
            RangeLocked,
            AreaLocked,
        ],
    );
}

#[test]
fn unmap_fault_and_release() {
    UNMAPPED.explore(
        |range| {
            range.map();
            range.keep_lease(0, 0..1);
            range.owner.discard(0);
        },
        [
            |range| range.owner.unmap(),
            |range| range.touch(0),
            |range| {
                range.release_kept();
                range.shrink(0, 1, 1);
            },
        ],
        &[
            Unmapped(1),
            Taken(1),
            RangeLocked,
            AreaLocked,
            Faulted,
            Nothing,
            NotThere,
        ],
    );
}

#[test]
fn faults_alone_until_unmapped() {
    Setup {
        changes: UNMAPPED.changes,
        ..FAULTED
    }
    .explore(
        |range| {
            range.map();
            range.keep_lease(0, 0..1);
        },
        [
            |range| {
                range.owner.unmap();
                range.owner.map_other_memory();
            },
            |range| {
                range.touch(0);
            },
            |range| {
                range.release_kept();
                range.shrink(0, 1, 1);
            },
        ],
        &[
            Unmapped(1),
            Taken(1),
            RangeLocked,
            Faulted,
            Nothing,
            NotThere,
        ],
    );
}

#[test]
fn exit_lease_and_reclaim() {
    Setup {
        slots: 2,
        changes: Changes {
            users: true,
            ..PLAIN.changes
        },
        ..PLAIN
    }
    .explore(
        one_idle,
        [
            |range| range.owner.exit(),
            |range| range.lease_and_release(0, 0..2),
            |range| range.shrink(0, 2, 2),
        ],
        &[
            Leased,
            Refused,
            Unmappable,
            Unmapped(1),
            Unmapped(2),
            Taken(1),
            Taken(2),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

#[test]
fn exit_and_lease_without_mapping() {
    Setup {
        install: Install::Receiver,
        changes: Changes {
            users: true,
            ..PLAIN.changes
        },
        ..PLAIN
    }
    .explore(
        |range| {
            one_idle(range);
            range.keep_lease(0, 0..1);
            range.kept.borrow()[0].map();
            range.release_kept();
        },
        [
            |range| range.owner.exit(),
            |range| range.lease_and_release(0, 0..1),
            |range| range.shrink(0, 2, 1),
        ],
        &[
            Leased,
            Refused,
            Unmapped(1),
            Taken(1),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

#[test]
fn close_release_and_reclaim() {
    Setup { slots: 3, ..PLAIN }.explore(
        |range| {
            range.map();
            range.keep_lease(0, 1..2);
            range.lease_and_release(0, 0..3);
            range.owner.unmap();
        },
        [
            |range| range.close(),
            |range| range.release_kept(),
            |range| range.shrink(0, 2, 3),
        ],
        &[Taken(1), Taken(2), Taken(3), RangeLocked],
    );
}

#[test]
fn close_lease_and_reclaim() {
    Setup { slots: 2, ..PLAIN }.explore(
        one_idle,
        [
            |range| range.close(),
            |range| range.lease_and_release(0, 0..2),
            |range| range.shrink(0, 2, 2),
        ],
        &[
            Leased,
            Refused,
            Unmapped(1),
            Unmapped(2),
            InUse,
            SecondChance,
            RangeLocked,
        ],
    );
}

/// The range is closed while a page in the list is used.
#[test]
fn close_and_reclaim_while_used() {
    PLAIN.explore(
        |range| {
            one_idle(range);
            range.keep_lease(0, 0..1);
            range.owner.unmap();
        },
        [
            |range| range.close(),
            |range| range.release_kept(),
            |range| range.shrink(0, 2, 1),
        ],
        &[Taken(1), InUse, SecondChance, RangeLocked],
    );
}

/// The same, with a neighbour that is used on, and not mapped to begin with.
#[test]
fn close_around_used_pages() {
    Setup {
        slots: 3,
        lists: 2,
        ..PLAIN
    }
    .explore(
        |range| {
            all_idle(range);
            range.keep_lease(0, 0..1);
            range.keep_lease(0, 1..2);
            range.owner.unmap();
        },
        [
            |range| range.close(),
            |range| {
                range.release_kept();
                range.release_kept();
            },
            |range| range.shrink_in_need(0, 2, 3),
        ],
        &[Taken(1), Taken(2), Taken(3), InUse, RangeLocked],
    );
}
