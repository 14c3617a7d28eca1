// SPDX-License-Identifier: GPL-2.0

//! Trees that count their nodes and their steps, and whose nodes can run out.
//!
//! The counts are those of the current thread, of which each test has its own.

use std::cell::Cell;

use crate::ordered::{
    Error,
    Tree,
    TreeKind, //
};

thread_local! {
    static NODES: Cell<usize> = const { Cell::new(0) };
    static NODES_LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// How many nodes there are, in trees and reserved.
pub fn nodes() -> usize {
    NODES.get()
}

/// What `run` returns, and how many nodes it asked for while `left` could be had.
pub fn with_nodes_left<R>(left: usize, run: impl FnOnce() -> R) -> (R, usize) {
    NODES_LEFT.set(left);
    ASKED.set(0);
    let result = run();

    NODES_LEFT.set(usize::MAX);
    (result, ASKED.get())
}

/// How many nodes `run` looks at.
pub fn steps(run: impl FnOnce()) -> usize {
    STEPS.set(0);
    run();
    STEPS.get()
}

/// The memory of a node.
pub struct Node(());

impl Node {
    fn allocate() -> Result<Self, Error> {
        ASKED.set(ASKED.get() + 1);
        let left = NODES_LEFT.get().checked_sub(1).ok_or(Error::NoMemory)?;

        NODES_LEFT.set(left);
        NODES.set(NODES.get() + 1);
        Ok(Self(()))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        NODES.set(NODES.get() - 1);
    }
}

/// A sorted vector. Finding a key takes one step more than in a perfectly balanced tree.
pub struct Sorted<K, V>(Vec<Entry<K, V>>);

struct Entry<K, V> {
    key: K,
    value: V,
    node: Node,
}

/// The kind of [`Sorted`].
pub struct SortedKind;

impl TreeKind for SortedKind {
    type Tree<K: Copy + Ord, V> = Sorted<K, V>;
}

impl<K: Ord, V> Sorted<K, V> {
    /// The place of `key`, or the one where it would have to be inserted.
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|entry| {
            STEPS.set(STEPS.get() + 1);
            entry.key.cmp(key)
        })
    }
}

impl<K: Copy + Ord, V> Tree<K, V> for Sorted<K, V> {
    type Reservation = Node;

    fn new() -> Self {
        Self(Vec::new())
    }

    fn reserve() -> Result<Node, Error> {
        Node::allocate()
    }

    fn insert(&mut self, node: Node, key: K, value: V) {
        let place = self.find(&key).expect_err("the key must not be there yet");

        self.0.insert(place, Entry { key, value, node });
    }

    fn remove(&mut self, key: &K) -> Option<Node> {
        let place = self.find(key).ok()?;

        Some(self.0.remove(place).node)
    }

    fn get(&self, key: &K) -> Option<&V> {
        let place = self.find(key).ok()?;

        Some(&self.0[place].value)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.find(key).ok()?;

        Some(&mut self.0[place].value)
    }

    fn lower_bound(&self, key: &K) -> Option<K> {
        let place = self.find(key).unwrap_or_else(|place| place);

        self.0.get(place).map(|entry| entry.key)
    }
}
