// SPDX-License-Identifier: GPL-2.0

//! The ioctls that set something, or tell something about processes and objects.

use kernel::{
    prelude::*,
    sync::Arc,
    uaccess::UserPtr, //
};

use zerocopy::FromZeros;

use vmarea::{
    context::UserContext,
    user::{
        UserReader,
        UserWriter, //
    }, //
};

use crate::{
    process::Process,
    thread::Thread,
    uapi::{
        self,
        FlatObject,
        FreezeInfo,
        FrozenStatusInfo,
        NodeDebugInfo,
        NodeInfoForRef, //
    },
};

/// The argument of an ioctl.
struct Argument<'c> {
    context: &'c mut UserContext,
    at: UserPtr,
}

impl Argument<'_> {
    fn read<T: FromBytes + IntoBytes>(&mut self) -> Result<T> {
        UserReader::new(self.at, size_of::<T>()).read(self.context)
    }

    fn write(&mut self, bytes: &[u8]) -> Result {
        UserWriter::new(self.at, bytes.len()).write(self.context, bytes)
    }
}

impl Process {
    /// Carries out an ioctl for `thread`, the current one.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if there is no such ioctl, or its argument makes no sense.
    /// * `EFAULT` if the argument cannot be accessed; for the oldest ioctls `EINVAL`, as clients know
    ///   it.
    /// * What the methods below say.
    #[inline(never)]
    pub(crate) fn ask(
        self: &Arc<Self>,
        thread: &Arc<Thread>,
        context: &mut UserContext,
        command: u32,
        at: UserPtr,
    ) -> Result {
        let mut argument = Argument { context, at };

        match command {
            uapi::BINDER_VERSION => argument
                .write(&uapi::PROTOCOL_VERSION.to_ne_bytes())
                .map_err(|_| EINVAL),
            uapi::BINDER_SET_MAX_THREADS => {
                let count = argument.read().map_err(|_| EINVAL)?;
                self.lock().lock().max_threads = count;
                Ok(())
            }
            uapi::BINDER_SET_CONTEXT_MGR => self
                .device
                .context
                .set_manager(self, &FlatObject::new_zeroed()),
            uapi::BINDER_SET_CONTEXT_MGR_EXT => {
                let object = argument.read().map_err(|_| EINVAL)?;
                self.device.context.set_manager(self, &object)
            }
            uapi::BINDER_ENABLE_ONEWAY_SPAM_DETECTION => {
                let enable: u32 = argument.read()?;
                self.lock().lock().detects_spam = enable != 0;
                Ok(())
            }
            uapi::BINDER_GET_NODE_DEBUG_INFO => {
                let info: NodeDebugInfo = argument.read()?;
                argument.write(self.node_after(info.ptr).as_bytes())
            }
            uapi::BINDER_GET_NODE_INFO_FOR_REF => {
                let info = self.node_info(argument.read()?)?;
                argument.write(info.as_bytes())
            }
            uapi::BINDER_FREEZE => {
                let info: FreezeInfo = argument.read()?;
                let pid = i32::try_from(info.pid).map_err(|_| EINVAL)?;
                self.device
                    .registry
                    .for_each(pid, |process| process.freeze(&info))
            }
            uapi::BINDER_GET_FROZEN_INFO => {
                let info: FrozenStatusInfo = argument.read()?;
                argument.write(self.frozen_info(info.pid)?.as_bytes())
            }
            uapi::BINDER_GET_EXTENDED_ERROR => argument.write(thread.take_failure().as_bytes()),
            _ => Err(EINVAL),
        }
    }

    /// The process's object with the lowest `ptr` above this one; all zero if there is none.
    fn node_after(&self, ptr: u64) -> NodeDebugInfo {
        let inner = self.lock().lock();
        let node = ptr
            .checked_add(1)
            .and_then(|from| inner.node_at_least(from));

        node.map_or_else(NodeDebugInfo::new_zeroed, |node| {
            let state = node.state.access(&inner);
            NodeDebugInfo {
                ptr: node.name.ptr,
                cookie: node.name.cookie,
                has_strong_ref: u32::from(state.has_strong),
                has_weak_ref: u32::from(state.has_weak),
            }
        })
    }

    /// How many references there are to what a handle stands for.
    ///
    /// # Errors
    ///
    /// * `EPERM` if the process is not the context manager.
    /// * `EINVAL` if the handle stands for nothing, or something else in `info` is not zero.
    fn node_info(&self, info: NodeInfoForRef) -> Result<NodeInfoForRef> {
        if (info.strong_count, info.weak_count, info.reserved) != (0, 0, [0; 3]) {
            return Err(EINVAL);
        }
        let manager = self.device.context.manager();
        if !manager.is_some_and(|node| core::ptr::eq(&*node.owner, self)) {
            return Err(EPERM);
        }

        let (node, lives) = self.take_node(info.handle, true)?;
        let owner = node.owner.lock().lock();
        let state = node.state.access(&owner);
        // Without the reference that was made just now.
        let own = u32::from(lives);
        let info = NodeInfoForRef {
            strong_count: state
                .local_strong
                .saturating_add(state.remote_strong)
                .saturating_sub(own),
            weak_count: state.local_weak,
            ..info
        };
        drop(owner);
        node.remove_local(true);
        Ok(info)
    }

    /// What has happened to the processes with this id since they were frozen.
    ///
    /// # Errors
    ///
    /// `EINVAL` if there are none.
    fn frozen_info(&self, pid: u32) -> Result<FrozenStatusInfo> {
        let mut info = FrozenStatusInfo {
            pid,
            sync_recv: 0,
            async_recv: 0,
        };

        let pid = i32::try_from(pid).map_err(|_| EINVAL)?;
        self.device.registry.for_each(pid, |process| {
            let inner = process.lock().lock();
            info.sync_recv |= u32::from(inner.freezer.refused_calls);
            info.sync_recv |= u32::from(inner.has_transactions()) << 1;
            info.async_recv |= u32::from(inner.freezer.kept_oneways);
            Ok(())
        })?;
        Ok(info)
    }
}
