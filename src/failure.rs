// SPDX-License-Identifier: GPL-2.0

//! Failures: why the last transaction that a thread tried to send could not be sent, for threads that
//! ask.

use kernel::{
    error::Error,
    sync::atomic::Relaxed, //
};

use crate::{
    thread::Thread,
    trace,
    transaction::Refused,
    uapi::{
        ExtendedError,
        BR_OK, //
    },
};

impl Thread {
    /// The current thread is about to send the transaction with the number `id`, and what became of
    /// the one before is not interesting any more.
    pub(crate) fn begin_to_send(&self, id: u64) {
        self.last_sent.store(id as u32, Relaxed);
        if self.has_failure.load(Relaxed) {
            self.forget_failure();
        }
    }

    #[cold]
    fn forget_failure(&self) {
        let mut inner = self.process.lock().lock();

        self.state.access_mut(&mut inner).failure = None;
        self.has_failure.store(false, Relaxed);
    }

    /// Notes why a transaction, or the reply to it, could not be sent, unless another reason was
    /// there first.
    #[cold]
    pub(crate) fn note_failure(&self, id: u64, refused: &Refused) {
        trace::transaction_failed(id, &self.process, refused);
        let mut inner = self.process.lock().lock();
        let state = self.state.access_mut(&mut inner);

        state.failure.get_or_insert(ExtendedError {
            id: id as u32,
            command: refused.command,
            param: refused.error.map_or(0, Error::to_errno),
        });
        self.has_failure.store(true, Relaxed);
    }

    /// What became of the last transaction of the current thread, which is forgotten then.
    pub(crate) fn take_failure(&self) -> ExtendedError {
        let mut inner = self.process.lock().lock();
        let failure = self.state.access_mut(&mut inner).failure.take();

        self.has_failure.store(false, Relaxed);
        drop(inner);
        let last_sent = self.last_sent.load(Relaxed);
        self.last_sent.store(0, Relaxed);
        failure.unwrap_or(ExtendedError {
            id: last_sent,
            command: BR_OK,
            param: 0,
        })
    }
}
