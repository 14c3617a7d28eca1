// SPDX-License-Identifier: GPL-2.0

//! Nodes: the objects that transactions are sent to.
//!
//! One-way transactions to a node are handled one after the other: the next is delivered when the
//! buffer of the one before it was freed. Until then it waits in the node.

use kernel::{
    list::{
        List,
        ListArc, //
    },
    prelude::*,
    sync::{
        Arc,
        LockedBy, //
    },
};

use crate::{
    process::{
        Process,
        ProcessInner, //
    },
    transaction::Transaction, //
};

/// An object of a process.
pub(crate) struct Node {
    pub(crate) owner: Arc<Process>,
    /// What user space knows the object as.
    pub(crate) ptr: u64,
    pub(crate) cookie: u64,
    oneway: LockedBy<Oneway, ProcessInner>,
}

/// The one-way transactions to a node.
struct Oneway {
    /// One is delivered or queued for delivery, and its buffer not freed.
    busy: bool,
    /// The ones after it.
    waiting: List<Transaction>,
}

impl Node {
    /// Creates an object that belongs to `owner`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(owner: Arc<Process>, ptr: u64, cookie: u64) -> Result<Arc<Self>> {
        let oneway = LockedBy::new(
            owner.lock(),
            Oneway {
                busy: false,
                waiting: List::new(),
            },
        );

        Ok(Arc::new(
            Self {
                owner,
                ptr,
                cookie,
                oneway,
            },
            GFP_KERNEL,
        )?)
    }

    /// Lets a one-way transaction through, or makes it wait for its turn.
    pub(crate) fn oneway_start(
        &self,
        inner: &mut ProcessInner,
        transaction: ListArc<Transaction>,
    ) -> Option<ListArc<Transaction>> {
        let oneway = self.oneway.access_mut(inner);

        if oneway.busy {
            oneway.waiting.push_back(transaction);
            return None;
        }
        oneway.busy = true;
        transaction.hold_oneway();
        Some(transaction)
    }

    /// The buffer of a one-way transaction was freed: it is the turn of the next.
    pub(crate) fn oneway_done(&self) {
        let mut inner = self.owner.lock().lock();
        let next = self.oneway.access_mut(&mut inner).waiting.pop_front();

        match next {
            Some(next) => {
                next.hold_oneway();
                inner.queue(next);
            }
            None => self.oneway.access_mut(&mut inner).busy = false,
        }
    }

    /// Takes all one-way transactions that wait for their turn.
    pub(crate) fn take_waiting(&self, inner: &mut ProcessInner) -> List<Transaction> {
        core::mem::replace(&mut self.oneway.access_mut(inner).waiting, List::new())
    }
}
