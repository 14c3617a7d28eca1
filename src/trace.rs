// SPDX-License-Identifier: GPL-2.0

//! Tracepoints.
//!
//! Each function here records the event of its name, `events/vbinder/vbinder_*` in tracefs, whose
//! fields are described in `trace.h`. As long as nobody traces the event, a call costs a branch that
//! is not taken, and nothing at all in a kernel without tracepoints.
//!
//! The functions may be called with any locks held: they do not sleep, and only copy numbers.

use kernel::{
    ffi::c_int,
    prelude::*, //
};

use crate::{
    buffer::Buffer,
    node::{
        Node,
        NodeState, //
    },
    process::Process,
    thread::Thread,
    transaction::{
        Refused,
        Standing, //
    },
    uapi::TransactionData,
};

/// Bindings of `trace.h`.
#[cfg(CONFIG_TRACEPOINTS)]
#[allow(improper_ctypes)]
#[expect(unreachable_pub)]
mod bindings {
    use kernel::{
        bindings::{
            bool_,
            tracepoint, //
        },
        ffi, //
    };

    include!(env!("VBINDER_BINDINGS"));
}

/// Whether the event `$name` is traced.
macro_rules! is_traced {
    ($name:ident) => {{
        #[cfg(CONFIG_TRACEPOINTS)]
        kernel::macros::paste! {
            #[cfg(CONFIG_JUMP_LABEL)]
            // SAFETY: `trace.c` defines the tracepoint, and therefore its static key.
            let traced = unsafe {
                kernel::jump_label::static_branch_unlikely!(
                    bindings::[<__tracepoint_ $name>],
                    kernel::bindings::tracepoint,
                    key
                )
            };
            // The macro would call a function for each event, which is too much for so many of them.
            #[cfg(not(CONFIG_JUMP_LABEL))]
            // SAFETY: As above; the key is a number then, which may change at any time.
            let traced = unsafe {
                (&raw const bindings::[<__tracepoint_ $name>].key.key.enabled.counter)
                    .read_volatile()
            } > 0;
        }
        #[cfg(not(CONFIG_TRACEPOINTS))]
        let traced = false;

        traced
    }};
}

/// Records the event `$name`, with `$arg` for its fields, if it is traced. Otherwise what is to be
/// the arguments is not even looked at.
///
/// This is what [`kernel::tracepoint::declare_trace`] generates, for the bindings of this crate.
macro_rules! record {
    ($name:ident($($arg:expr),* $(,)?)) => {
        if is_traced!($name) {
            #[cfg(CONFIG_TRACEPOINTS)]
            kernel::macros::paste! {
                // SAFETY: All arguments are numbers, which the event copies.
                unsafe { bindings::[<rust_do_trace_ $name>]($($arg),*) };
            }
            #[cfg(not(CONFIG_TRACEPOINTS))]
            {
                let _ = || ($($arg,)*);
            }
        }
    };
}

/// The current thread begins an ioctl.
#[inline(always)]
pub(crate) fn ioctl(process: &Process, command: u32) {
    record!(vbinder_ioctl(process.pid, command));
}

/// It has ended.
#[inline(always)]
pub(crate) fn ioctl_done(process: &Process, command: u32, result: Result) {
    record!(vbinder_ioctl_done(
        process.pid,
        command,
        errno(result.err())
    ));
}

/// The current thread gives a command.
#[inline(always)]
pub(crate) fn command(process: &Process, command: u32) {
    record!(vbinder_command(process.pid, command));
}

/// The current thread was told these commands.
#[inline(always)]
pub(crate) fn told(process: &Process, commands: impl Iterator<Item = u32>) {
    if !is_traced!(vbinder_return) {
        return;
    }
    for command in commands {
        record!(vbinder_return(process.pid, command));
    }
}

/// A message is ready to be sent.
#[inline(always)]
pub(crate) fn transaction(
    id: u64,
    to: &Process,
    standing: &Standing,
    data: &TransactionData,
    size: usize,
) {
    record!(vbinder_transaction(
        id,
        standing.node.is_none(),
        to.pid,
        standing.node.as_ref().map_or(0, |node| node.id),
        data.code,
        data.flags,
        size,
    ));
}

/// The current thread has received a message.
#[inline(always)]
pub(crate) fn transaction_received(id: u64, buffer: &Buffer) {
    record!(vbinder_transaction_received(
        id,
        buffer.process.pid,
        buffer.offset(),
    ));
}

/// A message cannot be sent, which `process` is told.
#[inline(always)]
pub(crate) fn transaction_failed(id: u64, process: &Process, refused: &Refused) {
    record!(vbinder_transaction_failed(
        id,
        process.pid,
        refused.command,
        errno(refused.error),
    ));
}

/// There will be no reply to a call by `process`, which is told `command`.
#[inline(always)]
pub(crate) fn call_failed(id: u64, process: &Process, command: u32) {
    record!(vbinder_call_failed(id, process.pid, command));
}

/// A buffer for `len` bytes was allocated.
#[inline(always)]
pub(crate) fn buffer_alloc(process: &Process, offset: usize, size: usize, len: usize) {
    record!(vbinder_buffer_alloc(process.pid, offset, size, len));
}

/// A buffer is freed.
#[inline(always)]
pub(crate) fn buffer_free(process: &Process, offset: usize, size: usize) {
    record!(vbinder_buffer_free(process.pid, offset, size));
}

/// A node is known to its owner.
#[inline(always)]
pub(crate) fn node_made(node: &Node) {
    record!(vbinder_node_made(
        node.id,
        node.owner.pid,
        node.name.ptr,
        node.name.cookie,
    ));
}

/// A node is not known to its owner any more.
#[inline(always)]
pub(crate) fn node_ended(node: &Node) {
    record!(vbinder_node_ended(node.id, node.owner.pid));
}

/// References to a node have changed.
#[inline(always)]
pub(crate) fn node_refs(id: u64, state: &NodeState) {
    record!(vbinder_node_refs(
        id,
        state.local_strong,
        state.local_weak,
        state.remote_strong,
        state.refs,
    ));
}

/// A process has a new handle, for a reference that is a strong one or not.
#[inline(always)]
pub(crate) fn ref_made(process: &Process, handle: u32, node: &Node, strong: bool) {
    record!(vbinder_ref_made(process.pid, handle, node.id, strong));
}

/// A process has a handle no more.
#[inline(always)]
pub(crate) fn ref_ended(process: &Process, handle: u32, node: &Node) {
    record!(vbinder_ref_ended(process.pid, handle, node.id));
}

/// The current thread waits for what is for any thread of its process, or only for what is for it.
#[inline(always)]
pub(crate) fn thread_wait(thread: &Thread, shared: bool) {
    record!(vbinder_thread_wait(thread.process.pid, shared));
}

/// A process is asked for another thread.
#[inline(always)]
pub(crate) fn thread_spawn(process: &Process) {
    record!(vbinder_thread_spawn(process.pid));
}

/// A thread is released.
#[inline(always)]
pub(crate) fn thread_exit(thread: &Thread) {
    record!(vbinder_thread_exit(thread.process.pid, thread.id));
}

/// `0` or a negative error number.
fn errno(error: Option<Error>) -> c_int {
    error.map_or(0, Error::to_errno)
}
