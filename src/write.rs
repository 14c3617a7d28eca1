// SPDX-License-Identifier: GPL-2.0

//! Writing: the commands that a thread gives.

use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    user::UserReader, //
};

use crate::{
    buffer,
    thread::Thread,
    transaction::{
        Refused,
        Transaction, //
    },
    uapi::{
        self,
        WriteRead, //
    },
};

impl Thread {
    /// Executes the commands in the write buffer of `request`, until one of them fails in a way
    /// that the thread has to read about.
    ///
    /// `request.write_consumed` tells how far it got, in any case.
    ///
    /// # Errors
    ///
    /// * `EINVAL` for an unknown command.
    /// * `EFAULT` if a command cannot be read, or is not all in the buffer.
    pub(crate) fn write(
        self: &Arc<Self>,
        context: &mut UserContext,
        request: &mut WriteRead,
    ) -> Result {
        let Some(left) = request.write_size.checked_sub(request.write_consumed) else {
            return Ok(());
        };
        let start = UserPtr::from_addr(request.write_buffer as usize)
            .wrapping_byte_add(request.write_consumed as usize);
        let mut reader = UserReader::new(start, left as usize);
        let mut refused = self.has_command_error();

        while !reader.is_empty() && !refused {
            let before = reader.len();
            refused = self.execute(context, &mut reader)?;
            request.write_consumed += (before - reader.len()) as u64;
        }
        Ok(())
    }

    /// Executes one command. Returns whether it was refused.
    fn execute(
        self: &Arc<Self>,
        context: &mut UserContext,
        reader: &mut UserReader,
    ) -> Result<bool> {
        let command: u32 = reader.read(context)?;

        match command {
            uapi::BC_TRANSACTION => {
                let data = reader.read(context)?;
                return Ok(self.tell_if_refused(Transaction::call(self, context, &data)));
            }
            uapi::BC_REPLY => {
                let data = reader.read(context)?;
                return Ok(self.tell_if_refused(Transaction::reply(self, context, &data)));
            }
            uapi::BC_FREE_BUFFER => {
                let address: u64 = reader.read(context)?;
                buffer::free(&self.process, address as usize);
            }
            uapi::BC_ENTER_LOOPER => {
                let mut inner = self.process.lock().lock();
                self.state.access_mut(&mut inner).looper.entered = true;
            }
            uapi::BC_REGISTER_LOOPER => self.register_looper(),
            // That a thread leaves is known when it exits.
            uapi::BC_EXIT_LOOPER => {}
            _ => return Err(EINVAL),
        }
        Ok(false)
    }

    /// Joins the current thread, which the driver asked for, to those that serve the process.
    fn register_looper(&self) {
        let mut inner = self.process.lock().lock();
        let entered = self.state.access_mut(&mut inner).looper.entered;

        // A thread that nobody asked for serves all the same, but is not counted.
        if !entered && inner.requested_threads > 0 {
            inner.requested_threads -= 1;
            inner.started_threads += 1;
        }
        self.state.access_mut(&mut inner).looper.registered = true;
    }

    fn tell_if_refused(&self, result: Result<(), Refused>) -> bool {
        match result {
            Ok(()) => false,
            Err(Refused(command)) => {
                self.owe(command);
                true
            }
        }
    }
}
