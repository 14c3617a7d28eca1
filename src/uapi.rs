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
    BC_TRANSACTION, BC_REPLY, BC_TRANSACTION_SG, BC_REPLY_SG, BC_FREE_BUFFER,
    BC_INCREFS, BC_ACQUIRE, BC_RELEASE, BC_DECREFS, BC_INCREFS_DONE, BC_ACQUIRE_DONE,
    BC_REGISTER_LOOPER, BC_ENTER_LOOPER, BC_EXIT_LOOPER,
    BC_REQUEST_DEATH_NOTIFICATION, BC_CLEAR_DEATH_NOTIFICATION, BC_DEAD_BINDER_DONE,
    BC_REQUEST_FREEZE_NOTIFICATION, BC_CLEAR_FREEZE_NOTIFICATION, BC_FREEZE_NOTIFICATION_DONE,
}

values! { binder_driver_return_protocol:
    BR_ERROR, BR_OK, BR_TRANSACTION, BR_TRANSACTION_SEC_CTX, BR_REPLY, BR_DEAD_REPLY,
    BR_TRANSACTION_COMPLETE, BR_INCREFS, BR_ACQUIRE, BR_RELEASE, BR_DECREFS,
    BR_NOOP, BR_SPAWN_LOOPER, BR_DEAD_BINDER, BR_CLEAR_DEATH_NOTIFICATION_DONE,
    BR_FAILED_REPLY, BR_FROZEN_REPLY, BR_ONEWAY_SPAM_SUSPECT, BR_TRANSACTION_PENDING_FROZEN,
    BR_FROZEN_BINDER, BR_CLEAR_FREEZE_NOTIFICATION_DONE,
}

values! { transaction_flags:
    TF_ONE_WAY, TF_ACCEPT_FDS, TF_CLEAR_BUF, TF_UPDATE_TXN,
}

/// Kinds of objects in a message, and what their flags mean.
pub(crate) const TYPE_BINDER: u32 = uapi::BINDER_TYPE_BINDER;
pub(crate) const TYPE_WEAK_BINDER: u32 = uapi::BINDER_TYPE_WEAK_BINDER;
pub(crate) const TYPE_HANDLE: u32 = uapi::BINDER_TYPE_HANDLE;
pub(crate) const TYPE_WEAK_HANDLE: u32 = uapi::BINDER_TYPE_WEAK_HANDLE;
pub(crate) const TYPE_FD: u32 = uapi::BINDER_TYPE_FD;
pub(crate) const TYPE_FDA: u32 = uapi::BINDER_TYPE_FDA;
pub(crate) const TYPE_PTR: u32 = uapi::BINDER_TYPE_PTR;
pub(crate) const OBJECT_PRIORITY: u32 =
    uapi::flat_binder_object_flags_FLAT_BINDER_FLAG_PRIORITY_MASK;
pub(crate) const OBJECT_ACCEPTS_FDS: u32 =
    uapi::flat_binder_object_flags_FLAT_BINDER_FLAG_ACCEPTS_FDS;
pub(crate) const OBJECT_SECURITY_CONTEXT: u32 =
    uapi::flat_binder_object_flags_FLAT_BINDER_FLAG_TXN_SECURITY_CTX;
pub(crate) const BUFFER_HAS_PARENT: u32 = uapi::BINDER_BUFFER_FLAG_HAS_PARENT;

pub(crate) const BINDER_WRITE_READ: u32 = uapi::BINDER_WRITE_READ;
pub(crate) const BINDER_SET_MAX_THREADS: u32 = uapi::BINDER_SET_MAX_THREADS;
pub(crate) const BINDER_SET_CONTEXT_MGR: u32 = uapi::BINDER_SET_CONTEXT_MGR;
pub(crate) const BINDER_SET_CONTEXT_MGR_EXT: u32 = uapi::BINDER_SET_CONTEXT_MGR_EXT;
pub(crate) const BINDER_THREAD_EXIT: u32 = uapi::BINDER_THREAD_EXIT;
pub(crate) const BINDER_VERSION: u32 = uapi::BINDER_VERSION;
pub(crate) const BINDER_GET_NODE_DEBUG_INFO: u32 = uapi::BINDER_GET_NODE_DEBUG_INFO;
pub(crate) const BINDER_GET_NODE_INFO_FOR_REF: u32 = uapi::BINDER_GET_NODE_INFO_FOR_REF;
pub(crate) const BINDER_FREEZE: u32 = uapi::BINDER_FREEZE;
pub(crate) const BINDER_GET_FROZEN_INFO: u32 = uapi::BINDER_GET_FROZEN_INFO;
pub(crate) const BINDER_ENABLE_ONEWAY_SPAM_DETECTION: u32 =
    uapi::BINDER_ENABLE_ONEWAY_SPAM_DETECTION;
pub(crate) const BINDER_GET_EXTENDED_ERROR: u32 = uapi::BINDER_GET_EXTENDED_ERROR;

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
    /// The handle that a `BC_TRANSACTION` is for.
    pub(crate) fn handle(&self) -> u32 {
        first_half(self.target)
    }
}

/// `struct binder_transaction_data_sg`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct TransactionDataSg {
    pub(crate) data: TransactionData,
    pub(crate) buffers_size: u64,
}

/// `struct flat_binder_object`, with the member of its union that is as large as the union.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct FlatObject {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) binder: u64,
    pub(crate) cookie: u64,
}

impl FlatObject {
    /// The handle, or the file descriptor of a `struct binder_fd_object`, which is laid out alike.
    pub(crate) fn handle(&self) -> u32 {
        first_half(self.binder)
    }
}

/// `struct binder_buffer_object`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct BufferObject {
    pub(crate) kind: u32,
    pub(crate) flags: u32,
    pub(crate) buffer: u64,
    pub(crate) length: u64,
    pub(crate) parent: u64,
    pub(crate) parent_offset: u64,
}

/// `struct binder_fd_array_object`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct FdArrayObject {
    pub(crate) kind: u32,
    pub(crate) pad: u32,
    pub(crate) count: u64,
    pub(crate) parent: u64,
    pub(crate) parent_offset: u64,
}

/// `struct binder_ptr_cookie`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct PtrCookie {
    pub(crate) ptr: u64,
    pub(crate) cookie: u64,
}

/// `struct binder_node_debug_info`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct NodeDebugInfo {
    pub(crate) ptr: u64,
    pub(crate) cookie: u64,
    pub(crate) has_strong_ref: u32,
    pub(crate) has_weak_ref: u32,
}

/// `struct binder_node_info_for_ref`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct NodeInfoForRef {
    pub(crate) handle: u32,
    pub(crate) strong_count: u32,
    pub(crate) weak_count: u32,
    pub(crate) reserved: [u32; 3],
}

/// `struct binder_freeze_info`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct FreezeInfo {
    pub(crate) pid: u32,
    pub(crate) enable: u32,
    pub(crate) timeout_ms: u32,
}

/// `struct binder_frozen_status_info`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct FrozenStatusInfo {
    pub(crate) pid: u32,
    pub(crate) sync_recv: u32,
    pub(crate) async_recv: u32,
}

/// `struct binder_frozen_state_info`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct FrozenStateInfo {
    pub(crate) cookie: u64,
    pub(crate) is_frozen: u32,
    pub(crate) reserved: u32,
}

/// `struct binder_extended_error`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct ExtendedError {
    pub(crate) id: u32,
    pub(crate) command: u32,
    pub(crate) param: i32,
}

/// The `__u32` at the start of a 64-bit union.
fn first_half(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_ne_bytes();

    u32::from_ne_bytes([a, b, c, d])
}

/// The 64-bit union that starts with a `__u32`, and has nothing after it.
pub(crate) fn as_first_half(value: u32) -> u64 {
    let [a, b, c, d] = value.to_ne_bytes();

    u64::from_ne_bytes([a, b, c, d, 0, 0, 0, 0])
}

/// The space that must be left in a read buffer before anything but the first word is put into it.
/// It is that of the largest command, so that what is taken from a queue always fits.
pub(crate) const READ_RESERVE: usize =
    size_of::<u32>() + size_of::<uapi::binder_transaction_data_secctx>();

const _: () = {
    assert!(size_of::<WriteRead>() == size_of::<uapi::binder_write_read>());
    assert!(size_of::<TransactionData>() == size_of::<uapi::binder_transaction_data>());
    assert!(size_of::<TransactionDataSg>() == size_of::<uapi::binder_transaction_data_sg>());
    assert!(size_of::<FlatObject>() == size_of::<uapi::flat_binder_object>());
    assert!(size_of::<FlatObject>() == size_of::<uapi::binder_fd_object>());
    assert!(size_of::<BufferObject>() == size_of::<uapi::binder_buffer_object>());
    assert!(size_of::<FdArrayObject>() == size_of::<uapi::binder_fd_array_object>());
    assert!(size_of::<PtrCookie>() == size_of::<uapi::binder_ptr_cookie>());
    assert!(size_of::<NodeDebugInfo>() == size_of::<uapi::binder_node_debug_info>());
    assert!(size_of::<NodeInfoForRef>() == size_of::<uapi::binder_node_info_for_ref>());
    assert!(size_of::<FreezeInfo>() == size_of::<uapi::binder_freeze_info>());
    assert!(size_of::<FrozenStatusInfo>() == size_of::<uapi::binder_frozen_status_info>());
    assert!(size_of::<FrozenStateInfo>() == size_of::<uapi::binder_frozen_state_info>());
    assert!(size_of::<ExtendedError>() == size_of::<uapi::binder_extended_error>());
};
