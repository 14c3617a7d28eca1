// SPDX-License-Identifier: GPL-2.0

//! One-way transactions to a node, which are handled one after the other: the next is delivered when
//! the buffer of the one before it was freed. Until then it waits here.

use kernel::{
    list::{
        List,
        ListArc, //
    },
    sync::ArcBorrow, //
};

use crate::{
    inner::ProcessInner,
    node::Node,
    transaction::Transaction, //
};

/// The one-way transactions to a node.
pub(crate) struct Oneway {
    /// One is delivered or queued for delivery, and its buffer not freed.
    busy: bool,
    /// The ones after it.
    waiting: List<Transaction>,
}

impl Oneway {
    pub(crate) fn new() -> Self {
        Self {
            busy: false,
            waiting: List::new(),
        }
    }

    /// The transactions that wait for their turn.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = ArcBorrow<'_, Transaction>> {
        self.waiting.iter()
    }

    /// Takes out the first of those that wait which `new` makes pointless.
    fn take_outdated(&mut self, new: &Transaction) -> Option<ListArc<Transaction>> {
        if !new.may_supersede() {
            return None;
        }
        let mut cursor = self.waiting.cursor_front();

        while let Some(next) = cursor.peek_next() {
            if new.supersedes(&next.arc()) {
                return Some(next.remove());
            }
            cursor.move_next();
        }
        None
    }
}

/// What becomes of a one-way transaction.
pub(crate) enum Started {
    /// It is to be queued for delivery.
    Now(ListArc<Transaction>),
    /// It waits for its turn. Another may have become pointless.
    Later(Option<ListArc<Transaction>>),
}

impl Node {
    /// Lets a one-way transaction through, or makes it wait for its turn. While the owner is frozen,
    /// it may supersede another that waits.
    pub(crate) fn oneway_start(
        &self,
        inner: &mut ProcessInner,
        transaction: ListArc<Transaction>,
    ) -> Started {
        let frozen = inner.freezer.is_frozen;
        let oneway = &mut self.state.access_mut(inner).oneway;

        if oneway.busy {
            let outdated = if frozen {
                oneway.take_outdated(&transaction)
            } else {
                None
            };
            oneway.waiting.push_back(transaction);
            return Started::Later(outdated);
        }
        oneway.busy = true;
        transaction.hold_oneway(inner);
        Started::Now(transaction)
    }

    /// The buffer of a one-way transaction was freed: it is the turn of the next.
    pub(crate) fn oneway_done(&self) {
        self.next_oneway(&mut self.owner.lock().lock());
    }

    /// What [`oneway_done`](Self::oneway_done) does.
    pub(crate) fn next_oneway(&self, inner: &mut ProcessInner) {
        let oneway = &mut self.state.access_mut(inner).oneway;

        match oneway.waiting.pop_front() {
            Some(next) => {
                next.hold_oneway(inner);
                inner.queue(next);
            }
            None => oneway.busy = false,
        }
    }

    /// Takes all one-way transactions that wait for their turn.
    pub(crate) fn take_waiting(&self, inner: &mut ProcessInner) -> List<Transaction> {
        let oneway = &mut self.state.access_mut(inner).oneway;

        core::mem::replace(&mut oneway.waiting, List::new())
    }
}
