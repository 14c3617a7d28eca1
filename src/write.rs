// SPDX-License-Identifier: GPL-2.0

//! Writing: the commands that a thread gives.

use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    user::UserStream, //
};

use crate::{
    buffer,
    death::Death,
    freeze::Listener,
    thread::Thread,
    trace,
    uapi::{
        self,
        PtrCookie,
        TransactionData,
        TransactionDataSg,
        WriteRead,
        BR_ERROR, //
    },
};

/// A write buffer. Most that is written at once fits into what is read ahead.
type Commands = UserStream<128>;

impl Thread {
    /// Executes the commands in the write buffer of `request`, until one of them fails in a way
    /// that the thread has to read about.
    ///
    /// `request.write_consumed` tells how far it got, in any case.
    ///
    /// # Errors
    ///
    /// * `EINVAL` for an unknown command, or one about freezing that makes no sense.
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
        let mut reader = Commands::new(start, left as usize);
        let mut refused = self.has_command_error();

        while !reader.is_empty() && !refused {
            let before = reader.len();
            refused = self.execute(context, &mut reader)?;
            request.write_consumed += (before - reader.len()) as u64;
        }
        Ok(())
    }

    /// Executes one command. Returns whether it was refused. Most commands that make no sense do
    /// nothing: a client cannot know whether what it names is still there.
    fn execute(self: &Arc<Self>, context: &mut UserContext, reader: &mut Commands) -> Result<bool> {
        let command: u32 = reader.read(context)?;
        let process = &self.process;
        process.commands.given(command);
        trace::command(process, command);

        match command {
            uapi::BC_TRANSACTION | uapi::BC_REPLY => {
                let data: TransactionData = reader.read(context)?;
                return Ok(self.send(context, &data, 0, command == uapi::BC_REPLY));
            }
            uapi::BC_TRANSACTION_SG | uapi::BC_REPLY_SG => {
                let sg: TransactionDataSg = reader.read(context)?;
                let is_reply = command == uapi::BC_REPLY_SG;
                return Ok(self.send(context, &sg.data, sg.buffers_size, is_reply));
            }
            uapi::BC_FREE_BUFFER => {
                let address: u64 = reader.read(context)?;
                buffer::free(process, context, address as usize);
            }
            _ => return self.execute_other(context, command, reader),
        }
        Ok(false)
    }

    /// Executes one of the commands that most threads seldom give.
    #[inline(never)]
    fn execute_other(
        self: &Arc<Self>,
        context: &mut UserContext,
        command: u32,
        reader: &mut Commands,
    ) -> Result<bool> {
        let process = &self.process;

        match command {
            uapi::BC_INCREFS | uapi::BC_ACQUIRE => {
                let handle: u32 = reader.read(context)?;
                self.add_reference(handle, command == uapi::BC_ACQUIRE)?;
            }
            uapi::BC_DECREFS | uapi::BC_RELEASE => {
                let handle: u32 = reader.read(context)?;
                let _ = process.remove_reference(handle, command == uapi::BC_RELEASE);
            }
            uapi::BC_INCREFS_DONE | uapi::BC_ACQUIRE_DONE => {
                let name: PtrCookie = reader.read(context)?;
                self.node_done(&name, command == uapi::BC_ACQUIRE_DONE);
            }
            uapi::BC_ENTER_LOOPER => {
                let mut inner = process.lock().lock();
                self.state.access_mut(&mut inner).looper.entered = true;
            }
            uapi::BC_REGISTER_LOOPER => self.register_looper(),
            // That a thread leaves is known when it exits.
            uapi::BC_EXIT_LOOPER => {}
            uapi::BC_REQUEST_DEATH_NOTIFICATION => {
                let (handle, cookie) = read_handle_cookie(context, reader)?;
                if process.request_death(handle, cookie) == Err(ENOMEM) {
                    self.owe_error(BR_ERROR);
                    return Ok(true);
                }
            }
            uapi::BC_CLEAR_DEATH_NOTIFICATION => {
                let (handle, cookie) = read_handle_cookie(context, reader)?;
                let _ = process.clear_death(self, handle, cookie);
            }
            uapi::BC_DEAD_BINDER_DONE => {
                let cookie: u64 = reader.read(context)?;
                Death::acknowledge(process, self, cookie);
            }
            uapi::BC_REQUEST_FREEZE_NOTIFICATION => {
                let (handle, cookie) = read_handle_cookie(context, reader)?;
                process.request_freeze(handle, cookie)?;
            }
            uapi::BC_CLEAR_FREEZE_NOTIFICATION => {
                let (handle, cookie) = read_handle_cookie(context, reader)?;
                process.clear_freeze(handle, cookie)?;
            }
            uapi::BC_FREEZE_NOTIFICATION_DONE => {
                let cookie: u64 = reader.read(context)?;
                Listener::acknowledge(process, cookie)?;
            }
            _ => return Err(EINVAL),
        }
        Ok(false)
    }

    /// Adds a reference. The one that needs not to be there before is that to the context manager.
    ///
    /// # Errors
    ///
    /// `EINVAL` if the process is the context manager and asks for itself.
    fn add_reference(&self, handle: u32, strong: bool) -> Result {
        let process = &self.process;

        if handle == 0 {
            if let Some(manager) = process.device.context.manager() {
                if Arc::ptr_eq(&manager.owner, process) {
                    return Err(EINVAL);
                }
                if process.refer_to(&manager, strong, None).is_ok() {
                    return Ok(());
                }
            }
        }
        let _ = process.add_reference(handle, strong);
        Ok(())
    }

    /// The process has done what it was asked to do about one of its objects.
    fn node_done(&self, name: &PtrCookie, strong: bool) {
        let node = self.process.lock().lock().node(name.ptr);

        if let Some(node) = node.filter(|node| node.name.cookie == name.cookie) {
            node.done(strong);
        }
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
}

/// Reads a `struct binder_handle_cookie`, which is packed.
fn read_handle_cookie(context: &mut UserContext, reader: &mut Commands) -> Result<(u32, u64)> {
    let handle: u32 = reader.read(context)?;
    let cookie: u64 = reader.read(context)?;

    Ok((handle, cookie))
}
