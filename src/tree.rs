// SPDX-License-Identifier: GPL-2.0

//! Trees: the kernel's red-black tree, for [`space`](mod@crate::space), which knows no kernel.

use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode,
        RBTreeNodeReservation, //
    },
};

use crate::space;

/// Red-black trees. A node is allocated with `GFP_KERNEL`, so reserving one may sleep.
pub(crate) struct RedBlack;

impl space::TreeKind for RedBlack {
    type Tree<K: Copy + Ord, V> = RBTree<K, V>;
}

impl<K: Copy + Ord, V> space::Tree<K, V> for RBTree<K, V> {
    type Reservation = RBTreeNodeReservation<K, V>;

    fn new() -> Self {
        RBTree::new()
    }

    fn reserve() -> Result<Self::Reservation, space::Error> {
        RBTreeNodeReservation::new(GFP_KERNEL).map_err(|_| space::Error::NoMemory)
    }

    fn insert(&mut self, node: Self::Reservation, key: K, value: V) {
        RBTree::insert(self, node.into_node(key, value));
    }

    fn remove(&mut self, key: &K) -> Option<Self::Reservation> {
        self.remove_node(key).map(RBTreeNode::into_reservation)
    }

    fn get(&self, key: &K) -> Option<&V> {
        RBTree::get(self, key)
    }

    fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        RBTree::get_mut(self, key)
    }

    fn lower_bound(&self, key: &K) -> Option<K> {
        self.cursor_lower_bound(key).map(|found| *found.current().0)
    }
}

impl From<space::Error> for Error {
    fn from(error: space::Error) -> Self {
        match error {
            space::Error::NoSpace => ENOSPC,
            space::Error::NoMemory => ENOMEM,
        }
    }
}
