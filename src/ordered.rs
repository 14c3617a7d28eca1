// SPDX-License-Identifier: GPL-2.0

//! Ordered maps, for the parts of the driver that know no kernel: [`space`](mod@crate::space) and
//! [`handles`](mod@crate::handles). The kernel's are in `tree.rs`, those of `tests/host` there.

/// An ordered map whose nodes are allocated before they are needed. Only that can fail.
pub(crate) trait Tree<K: Copy, V> {
    /// The memory of a node that is not in a tree.
    type Reservation;

    /// A tree without nodes.
    fn new() -> Self;

    /// Allocates a node.
    ///
    /// # Errors
    ///
    /// [`Error::NoMemory`].
    fn reserve() -> Result<Self::Reservation, Error>;

    /// Inserts `value` by the means of `node`. `key` is not in the tree yet.
    fn insert(&mut self, node: Self::Reservation, key: K, value: V);

    /// Removes the value at `key`, if there is one, and drops it. Returns the node it had.
    fn remove(&mut self, key: &K) -> Option<Self::Reservation>;

    /// The value at `key`.
    fn get(&self, key: &K) -> Option<&V>;

    /// The value at `key`.
    fn get_mut(&mut self, key: &K) -> Option<&mut V>;

    /// The least key in the tree that is not less than `key`.
    fn lower_bound(&self, key: &K) -> Option<K>;
}

/// A kind of tree, for any keys and values.
pub(crate) trait TreeKind {
    /// Trees of this kind take time logarithmic in their number of nodes for everything.
    type Tree<K: Copy + Ord, V>: Tree<K, V>;
}

pub(crate) type Reservation<M, K, V> = <<M as TreeKind>::Tree<K, V> as Tree<K, V>>::Reservation;

/// Why there is nothing to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// All is in use, or as much as may be.
    NoSpace,
    /// There is no memory for a node of a tree.
    NoMemory,
}
