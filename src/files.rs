// SPDX-License-Identifier: GPL-2.0

//! Files in messages: taken from the sender when it sends, given to the receiver when it reads.

use kernel::{
    fs::{
        file::{
            flags::O_CLOEXEC,
            FileDescriptorReservation, //
        },
        File, //
    },
    prelude::*,
    security,
    sync::aref::ARef, //
};

use vmarea::{
    context::UserContext,
    file::is_of_module,
    task, //
};

use crate::{
    buffer::{
        Buffer,
        Kept, //
    },
    process::Process, //
};

/// A file on its way.
pub(crate) struct Carried {
    file: ARef<File>,
    /// Where in the buffer the receiver's descriptor is written to.
    at: usize,
    /// Whether the descriptor is closed when the buffer is freed.
    close: bool,
}

impl Buffer {
    /// Takes the file that is open as `fd` in the current process, which is `from`, along to `to`.
    ///
    /// # Errors
    ///
    /// * `EBADF` if there is no such file.
    /// * `EPERM` if a security module says so, or it is a device's: in a message to its own process it
    ///   would keep itself open.
    /// * `ENOMEM`.
    pub(crate) fn carry(
        &mut self,
        context: &UserContext,
        from: &Process,
        to: &Process,
        fd: u32,
        at: usize,
        close: bool,
    ) -> Result {
        let file = task::file(context, fd)?;
        if is_of_module::<crate::LocalModule>(&file) {
            return Err(EPERM);
        }
        security::binder_transfer_file(from.credential(), to.credential(), &file)
            .map_err(|_| EPERM)?;

        let files = &mut self.cargo()?.files;
        files.push(Carried { file, at, close }, GFP_KERNEL)?;
        Ok(())
    }

    /// Opens the files in the current process, which is the receiver, and writes their descriptors
    /// into the buffer.
    ///
    /// # Errors
    ///
    /// * `EMFILE`, `ENOMEM`. Then no file is open.
    pub(crate) fn install_files(&mut self) -> Result {
        let Some(files) = self.take_files() else {
            return Ok(());
        };
        let mut reserved = KVVec::with_capacity(files.len(), GFP_KERNEL)?;
        self.reserve(files.len())?;
        for carried in &files {
            let fd = FileDescriptorReservation::get_unused_fd_flags(O_CLOEXEC)?;

            self.write(carried.at, &fd.reserved_fd().to_ne_bytes())?;
            reserved.push(fd, GFP_KERNEL)?;
        }

        // Nothing can fail any more.
        for (fd, carried) in reserved.into_iter().zip(files) {
            if carried.close {
                self.keep(Kept::Descriptor(fd.reserved_fd()));
            }
            fd.fd_install(carried.file);
        }
        Ok(())
    }
}
