// SPDX-License-Identifier: GPL-2.0

//! Notices: how those that want to learn of something, a death or a freeze, are found again.
//!
//! A client names them by a cookie, of which there may be several with the same value. So they are
//! kept by cookie and number, in trees between which a notice moves with the memory it has there.

use kernel::{
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    sync::Arc, //
};

/// The cookie and the number of a notice.
pub(crate) type Key = (u64, u64);

/// Notices, by key.
pub(crate) type Notices<T> = RBTree<Key, Arc<T>>;

/// The memory for a notice's place in a tree.
pub(crate) type Place<T> = RBTreeNodeReservation<Key, Arc<T>>;

/// The oldest of the notices with this cookie.
pub(crate) fn with_cookie<T>(notices: &Notices<T>, cookie: u64) -> Option<Arc<T>> {
    let found = notices.cursor_lower_bound(&(cookie, 0))?;
    let (key, notice) = found.current();

    (key.0 == cookie).then(|| notice.clone())
}
