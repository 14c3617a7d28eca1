// SPDX-License-Identifier: GPL-2.0

//! Properties of the table of handles, `src/handles.rs`.

use std::{collections::BTreeMap, rc::Rc};

use proptest::{collection::vec, prelude::*, sample::Index, test_runner::FileFailurePersistence};

use handles::Handles;
use ordered::Error;
use tree::{nodes, steps, with_nodes_left, SortedKind};

#[path = "../../../src/handles.rs"]
mod handles;
#[path = "../../../src/ordered.rs"]
mod ordered;
#[path = "tree/sorted.rs"]
mod tree;

/// How many nodes a handle takes.
const NODES: usize = 3;

#[derive(Clone, Debug)]
enum Operation {
    /// `zero` asks for handle 0; `nodes_left` is how many nodes can be had, if not any number.
    Insert {
        zero: bool,
        nodes_left: Option<usize>,
    },
    Remove(Index),
    RemoveUnknown(u32),
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let nodes_left = prop_oneof![6 => Just(None), 1 => (0..NODES).prop_map(Some)];
    let insert = (any::<bool>(), nodes_left)
        .prop_map(|(zero, nodes_left)| Operation::Insert { zero, nodes_left });
    let operation = prop_oneof![
        4 => insert,
        3 => any::<Index>().prop_map(Operation::Remove),
        1 => any::<u32>().prop_map(Operation::RemoveUnknown),
    ];

    vec(operation, 0..120)
}

/// A table, and what should be in it: the objects by handle.
struct Pair {
    table: Handles<(u64, Rc<()>), SortedKind>,
    model: BTreeMap<u32, u64>,
    values: Rc<()>,
    next_object: u64,
}

impl Pair {
    fn new() -> Self {
        Self {
            table: Handles::new(),
            model: BTreeMap::new(),
            values: Rc::new(()),
            next_object: 1,
        }
    }

    fn insert(&mut self, zero: bool, nodes_left: Option<usize>) -> Result<(), TestCaseError> {
        let object = self.next_object;
        let value = (object, self.values.clone());
        let left = nodes_left.unwrap_or(usize::MAX);
        let (got, asked) = with_nodes_left(left, || self.table.insert(object, zero, value));
        self.next_object += 1;

        if asked > left {
            prop_assert_eq!(got, Err(Error::NoMemory));
            prop_assert_eq!(self.table.find(object), None);
            return Ok(());
        }
        let lowest = (u32::from(!zero)..).find(|handle| !self.model.contains_key(handle));
        // Zero is for those who ask for it, also when it is taken.
        prop_assert_eq!(got.ok(), lowest);
        self.model.extend(lowest.map(|handle| (handle, object)));
        Ok(())
    }

    fn remove(&mut self, handle: u32) -> Result<(), TestCaseError> {
        let (got, asked) = with_nodes_left(0, || self.table.remove(handle));

        prop_assert_eq!(asked, 0, "removing asked for memory");
        prop_assert_eq!(got.map(|value| value.0), self.model.remove(&handle));
        Ok(())
    }

    fn run(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        match operation {
            Operation::Insert { zero, nodes_left } => self.insert(*zero, *nodes_left),
            Operation::Remove(index) if !self.model.is_empty() => {
                let handles: Vec<_> = self.model.keys().copied().collect();
                self.remove(*index.get(&handles))
            }
            Operation::Remove(_) => Ok(()),
            Operation::RemoveUnknown(handle) => self.remove(*handle),
        }
    }

    fn compare(&mut self) -> Result<(), TestCaseError> {
        prop_assert_eq!(Rc::strong_count(&self.values) - 1, self.model.len());
        for (&handle, &object) in &self.model {
            prop_assert_eq!(self.table.find(object), Some(handle));
            prop_assert_eq!(self.table.get(handle).map(|value| value.0), Some(object));
            prop_assert_eq!(
                self.table.get_mut(handle).map(|value| value.0),
                Some(object)
            );
        }
        let mut listed = Vec::new();
        let mut from = Some(0);
        while let Some(handle) = from.and_then(|from| self.table.at_least(from)) {
            listed.push(handle);
            from = handle.checked_add(1);
        }
        let expected: Vec<_> = self.model.keys().copied().collect();
        prop_assert_eq!(listed, expected);
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
    fn does_what_the_model_does(operations in operations()) {
        let mut pair = Pair::new();
        for operation in &operations {
            pair.run(operation)?;
            pair.compare()?;
        }
        drop(pair);
        prop_assert_eq!(nodes(), 0, "nodes were lost");
    }
}

#[test]
fn ten_thousand_handles_take_a_few_steps_more_than_ten() {
    let mut table = Handles::<(), SortedKind>::new();
    let mut cost = |count: u32| {
        while table.at_least(count).is_none() {
            let handle = table.insert(u64::from(u32::MAX), false, ());
            let handle = handle.expect("there is memory");
            table.remove(handle);
            table
                .insert(u64::from(handle), false, ())
                .expect("there is memory");
        }
        steps(|| {
            table.remove(count / 2);
            assert_eq!(table.insert(u64::from(count / 2), false, ()), Ok(count / 2));
            assert!(table.get(count / 2).is_some());
        })
    };
    let (few, many) = (cost(10), cost(10_000));

    // Seven lookups, each with ten steps more in a thousand times as many.
    assert!(
        many <= few + 7 * 11,
        "{few} steps among 10, {many} among 10000"
    );
}
