// SPDX-License-Identifier: GPL-2.0

//! The user interface: what `linux/android/binder.h` defines, as plain values that can be copied
//! from and to user memory.
//!
//! C header: [`include/uapi/linux/android/binder.h`](srctree/include/uapi/linux/android/binder.h)

use kernel::{
    prelude::*,
    uapi, //
};

use zerocopy_derive::Immutable;

macro_rules! values {
    ($from:ident: $( $name:ident, )+) => {
        $( pub(crate) const $name: u32 = kernel::macros::paste!(uapi::[<$from _ $name>]) as u32; )+
    };
}

values! { binder_driver_command_protocol:
    BC_TRANSACTION, BC_REPLY, BC_FREE_BUFFER,
    BC_REGISTER_LOOPER, BC_ENTER_LOOPER, BC_EXIT_LOOPER,
}

values! { binder_driver_return_protocol:
    BR_TRANSACTION, BR_REPLY, BR_DEAD_REPLY, BR_TRANSACTION_COMPLETE,
    BR_NOOP, BR_SPAWN_LOOPER, BR_FAILED_REPLY,
}

values! { transaction_flags:
    TF_ONE_WAY, TF_CLEAR_BUF,
}

pub(crate) const BINDER_WRITE_READ: u32 = uapi::BINDER_WRITE_READ;
pub(crate) const BINDER_SET_MAX_THREADS: u32 = uapi::BINDER_SET_MAX_THREADS;
pub(crate) const BINDER_SET_CONTEXT_MGR: u32 = uapi::BINDER_SET_CONTEXT_MGR;
pub(crate) const BINDER_THREAD_EXIT: u32 = uapi::BINDER_THREAD_EXIT;
pub(crate) const BINDER_VERSION: u32 = uapi::BINDER_VERSION;

/// `struct binder_version`: the version of the protocol.
pub(crate) const PROTOCOL_VERSION: i32 = uapi::BINDER_CURRENT_PROTOCOL_VERSION as i32;

/// `struct binder_write_read`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct WriteRead {
    pub(crate) write_size: u64,
    pub(crate) write_consumed: u64,
    pub(crate) write_buffer: u64,
    pub(crate) read_size: u64,
    pub(crate) read_consumed: u64,
    pub(crate) read_buffer: u64,
}

/// `struct binder_transaction_data`, with the members of its unions that are in use.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct TransactionData {
    /// From user space the handle, in its lower half; to user space the node's `ptr`.
    pub(crate) target: u64,
    pub(crate) cookie: u64,
    pub(crate) code: u32,
    pub(crate) flags: u32,
    pub(crate) sender_pid: i32,
    pub(crate) sender_euid: u32,
    pub(crate) data_size: u64,
    pub(crate) offsets_size: u64,
    pub(crate) buffer: u64,
    pub(crate) offsets: u64,
}

impl TransactionData {
    /// The handle that a `BC_TRANSACTION` is for: a `__u32` at the start of a 64-bit union.
    pub(crate) fn handle(&self) -> u32 {
        let [a, b, c, d, ..] = self.target.to_ne_bytes();

        u32::from_ne_bytes([a, b, c, d])
    }
}

/// The space that must be left in a read buffer before anything but the first word is put into it.
/// It is that of the largest command, so that what is taken from a queue always fits.
pub(crate) const READ_RESERVE: usize =
    size_of::<u32>() + size_of::<uapi::binder_transaction_data_secctx>();

const _: () = {
    assert!(size_of::<WriteRead>() == size_of::<uapi::binder_write_read>());
    assert!(size_of::<TransactionData>() == size_of::<uapi::binder_transaction_data>());
};
