// SPDX-License-Identifier: GPL-2.0

//! Properties of the counts of one-way senders, `src/senders.rs`.

use std::collections::HashMap;

use proptest::{collection::vec, prelude::*, test_runner::FileFailurePersistence};

use ordered::Error;
use senders::Senders;
use tree::{nodes, with_nodes_left, SortedKind};

// Of what others share this needs a part.
#[expect(dead_code)]
#[path = "../../../src/ordered.rs"]
mod ordered;
#[path = "../../../src/senders.rs"]
mod senders;
#[expect(dead_code)]
#[path = "tree/sorted.rs"]
mod tree;

const SIZE: usize = 4096;
const HALF: usize = SIZE / 2;

/// A sender, the size of its buffer, and which of the buffers is freed before that, if any.
fn steps() -> impl Strategy<Value = Vec<(i32, usize, Option<usize>)>> {
    vec((1..4, 1usize..64, proptest::option::of(0usize..8)), 0..200)
}

proptest! {
    // What failed once is tried first from then on.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("failures"))),
        ..ProptestConfig::default()
    })]

    /// A sender is suspected exactly if there is less than a tenth left, it had more than fifty
    /// buffers or a quarter of the area before, and nobody was suspected since there was more left.
    #[test]
    fn suspects_whom_it_should(steps in steps()) {
        let mut senders = Senders::<SortedKind>::new();
        let mut live: Vec<(i32, usize)> = Vec::new();
        let mut told = false;

        for (sender, bytes, free) in steps {
            if let Some((sender, bytes)) = free.filter(|&at| at < live.len()).map(|at| live.remove(at)) {
                senders.remove(sender, bytes);
            }
            let used: usize = live.iter().map(|(_, bytes)| bytes).sum();
            let Some(left) = HALF.checked_sub(used + bytes) else { continue };
            let own: Vec<usize> = live.iter().filter(|one| one.0 == sender).map(|one| one.1).collect();
            let short = left < SIZE / 10;
            let too_many = own.len() > 50 || own.iter().sum::<usize>() > SIZE / 4;
            told &= short;

            let got = senders.add(sender, bytes, left, SIZE);
            prop_assert_eq!(got, Ok(short && too_many && !told));
            told |= short && too_many;
            live.push((sender, bytes));
        }

        let known: HashMap<i32, ()> = live.iter().map(|(sender, _)| (*sender, ())).collect();
        prop_assert_eq!(nodes(), known.len(), "a node for each sender with a buffer");
        for (sender, bytes) in live {
            senders.remove(sender, bytes);
        }
        prop_assert_eq!(nodes(), 0, "nodes were lost");
    }
}

#[test]
fn no_memory_counts_nothing() {
    let mut senders = Senders::<SortedKind>::new();
    let (got, _) = with_nodes_left(0, || senders.add(1, 8, HALF, SIZE));

    assert_eq!(got, Err(Error::NoMemory));
    senders.remove(1, 8);
    assert_eq!(nodes(), 0);
}
