// SPDX-License-Identifier: GPL-2.0

//! Programs that touch pages, or discard them, while they are leased and reclaimed.

use crate::{
    all_idle,
    log::Event::*,
    one_idle,
    range::{
        Install,
        Setup, //
    },
    FAULTED,
    PLAIN, //
};

#[test]
fn fault_release_and_reclaim() {
    PLAIN.explore(
        |range| {
            range.map();
            range.keep_lease(0, 0..1);
            range.owner.discard(0);
        },
        [
            |range| {
                range.touch(0);
                range.touch(0);
            },
            |range| range.release_kept(),
            |range| range.shrink(0, 1, 1),
        ],
        &[Unmapped(1), RangeLocked, Seen, Faulted, Nothing],
    );
}

#[test]
fn discard_fault_and_reclaim() {
    PLAIN.explore(
        one_idle,
        [
            |range| range.lease_and_release(0, 0..1),
            |range| {
                range.owner.discard(0);
                range.touch(0);
            },
            |range| range.shrink_in_need(0, 1, 1),
        ],
        &[
            Leased,
            Busy,
            Unmapped(1),
            InUse,
            RangeLocked,
            Seen,
            Faulted,
            Nothing,
        ],
    );
}

#[test]
fn discard_of_a_run() {
    Setup { slots: 2, ..PLAIN }.explore(
        |range| range.map(),
        [
            |range| range.lease_and_release(0, 0..2),
            |range| {
                range.owner.discard(0);
                range.owner.discard(1);
            },
            |range| range.shrink(0, 1, 2),
        ],
        &[Leased, Unmapped(2), RangeLocked],
    );
}

#[test]
fn fault_around_lease_and_reclaim() {
    Setup { slots: 2, ..PLAIN }.explore(
        |range| {
            all_idle(range);
            range.owner.discard(0);
            range.owner.discard(1);
        },
        [
            |range| range.lease_and_release(0, 0..1),
            |range| range.fault_around(0..2),
            |range| range.shrink(0, 2, 2),
        ],
        &[
            Leased,
            Unmapped(1),
            Unmapped(2),
            InUse,
            SecondChance,
            RangeLocked,
            FaultedAround,
        ],
    );
}

#[test]
fn touch_and_reclaim_while_the_owner_maps() {
    Setup {
        install: Install::Receiver,
        ..PLAIN
    }
    .explore(
        one_idle,
        [
            |range| {
                if let Some(lease) = range.lease(0, 0..1) {
                    lease.write();
                    lease.map();
                }
            },
            |range| range.touch(0),
            |range| range.shrink_in_need(0, 1, 1),
        ],
        &[
            Leased,
            Busy,
            Unmapped(1),
            InUse,
            RangeLocked,
            Seen,
            Faulted,
            Nothing,
        ],
    );
}

#[test]
fn faults_alone() {
    FAULTED.explore(
        one_idle,
        [
            |range| range.lease_and_release(0, 0..1),
            |range| {
                range.touch(0);
                range.touch(0);
            },
            |range| range.shrink_in_need(0, 1, 1),
        ],
        &[
            Leased,
            Unmapped(1),
            InUse,
            RangeLocked,
            Seen,
            Faulted,
            Nothing,
        ],
    );
}

/// Whoever touches a page sees it filled, or not at all.
#[test]
fn touch_what_is_filled() {
    FAULTED.explore(
        |range| range.map(),
        [
            |range| range.lease_filled_and_release(0, 0..1),
            |range| {
                range.touch(0);
                range.touch(0);
            },
            |range| range.lease_filled_and_release(1, 0..1),
        ],
        &[Leased, Filled, FilledInVain, Seen, Faulted, Nothing],
    );
}

#[test]
fn faults_around_alone() {
    Setup {
        slots: 2,
        ..FAULTED
    }
    .explore(
        |range| {
            range.map();
            range.keep_lease(0, 0..2);
        },
        [
            |range| range.release_kept(),
            |range| {
                range.fault_around(0..2);
                range.touch(1);
            },
            |range| range.shrink(0, 1, 2),
        ],
        &[Unmapped(2), RangeLocked, Seen, FaultedAround, Nothing],
    );
}
