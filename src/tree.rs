// SPDX-License-Identifier: GPL-2.0

//! Trees: the kernel's red-black tree, as [`ordered`](mod@crate::ordered) describes it.

use kernel::{
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode,
        RBTreeNodeReservation, //
    },
};

use crate::ordered;

/// Red-black trees. A node is allocated with `GFP_KERNEL`, so reserving one may sleep.
pub(crate) struct RedBlack;

impl ordered::TreeKind for RedBlack {
    type Tree<K: Copy + Ord, V> = RBTree<K, V>;
}

impl<K: Copy + Ord, V> ordered::Tree<K, V> for RBTree<K, V> {
    type Reservation = RBTreeNodeReservation<K, V>;

    fn new() -> Self {
        RBTree::new()
    }

    fn reserve() -> Result<Self::Reservation, ordered::Error> {
        RBTreeNodeReservation::new(GFP_KERNEL).map_err(|_| ordered::Error::NoMemory)
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

impl From<ordered::Error> for Error {
    fn from(error: ordered::Error) -> Self {
        match error {
            ordered::Error::NoSpace => ENOSPC,
            ordered::Error::NoMemory => ENOMEM,
        }
    }
}
