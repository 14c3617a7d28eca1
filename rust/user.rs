// SPDX-License-Identifier: GPL-2.0

//! User memory, for those who may touch it.
//!
//! These are the `kernel` crate's readers and writers, except that each access asks for a
//! [`UserContext`], which is not to be had while a VMA is locked.

use kernel::{
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceReader,
        UserSliceWriter, //
    },
};

use crate::context::UserContext;

/// Reads a part of the current process's memory, from its start to its end.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, uaccess::UserPtr};
/// use vmarea::{context::UserContext, user::UserReader};
///
/// fn sum(context: &mut UserContext, from: UserPtr, len: usize) -> Result<u32> {
///     let mut reader = UserReader::new(from, len);
///     let mut sum = 0u32;
///
///     while !reader.is_empty() {
///         sum = sum.wrapping_add(reader.read::<u32>(context)?);
///     }
///     Ok(sum)
/// }
/// ```
pub struct UserReader {
    inner: UserSliceReader,
}

impl UserReader {
    /// A reader of `len` bytes from `from` on. Nothing is checked before they are read.
    pub fn new(from: UserPtr, len: usize) -> Self {
        Self {
            inner: UserSlice::new(from, len).reader(),
        }
    }

    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Reads the next bytes as a value.
    ///
    /// # Errors
    ///
    /// `EFAULT` if they cannot be read, or not enough are left.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn read<T: FromBytes + IntoBytes>(&mut self, _: &mut UserContext) -> Result<T> {
        let mut value = T::new_zeroed();

        self.inner.read_slice(value.as_mut_bytes())?;
        Ok(value)
    }
}

/// Writes a part of the current process's memory, from its start to its end.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, uaccess::UserPtr};
/// use vmarea::{context::UserContext, user::UserWriter};
///
/// fn tell(context: &mut UserContext, to: UserPtr, version: u32) -> Result {
///     UserWriter::new(to, size_of::<u32>()).write(context, &version.to_ne_bytes())
/// }
/// ```
pub struct UserWriter {
    inner: UserSliceWriter,
}

impl UserWriter {
    /// A writer of `len` bytes from `to` on. Nothing is checked before they are written.
    pub fn new(to: UserPtr, len: usize) -> Self {
        Self {
            inner: UserSlice::new(to, len).writer(),
        }
    }

    /// Writes the next bytes.
    ///
    /// # Errors
    ///
    /// `EFAULT` if they cannot be written, or not enough are left.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn write(&mut self, _: &mut UserContext, bytes: &[u8]) -> Result {
        self.inner.write_slice(bytes)
    }
}
