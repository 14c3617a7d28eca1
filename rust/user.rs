// SPDX-License-Identifier: GPL-2.0

//! User memory, for those who may touch it.
//!
//! There are the `kernel` crate's readers and writers, and others for what a driver does all the time.
//! Each access asks for a [`UserContext`], which is not to be had while a VMA is locked.

use core::{
    marker::PhantomData,
    mem::MaybeUninit, //
};

use kernel::{
    page::{
        PAGE_MASK,
        PAGE_SIZE, //
    },
    prelude::*,
    uaccess::{
        UserPtr,
        UserSlice,
        UserSliceReader,
        UserSliceWriter, //
    },
};

use crate::{
    bindings::{
        vmarea_read_bytes,
        vmarea_read_words,
        vmarea_write_bytes,
        vmarea_write_word, //
    },
    context::UserContext, //
};

/// A struct in the current process's memory that is read as a whole, and then changed in places: the
/// argument of a system call. It consists of a few 64-bit words.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, uaccess::UserPtr};
/// use vmarea::{context::UserContext, user::UserRecord};
///
/// fn count(context: &mut UserContext, at: UserPtr) -> Result {
///     let record = UserRecord::<[u64; 2]>::new(at);
///     let [done, limit] = record.read(context)?;
///
///     record.write_word(context, 0, u64::min(done.saturating_add(1), limit))
/// }
/// ```
pub struct UserRecord<T> {
    at: UserPtr,
    _record: PhantomData<T>,
}

impl<T: FromBytes + IntoBytes> UserRecord<T> {
    const WORDS: usize = {
        assert!(align_of::<T>() == align_of::<u64>());
        assert!(size_of::<T>() >= size_of::<u64>() && size_of::<T>() <= 64);
        size_of::<T>() / size_of::<u64>()
    };

    /// A record at `at`. Nothing is checked before it is read.
    pub fn new(at: UserPtr) -> Self {
        Self {
            at,
            _record: PhantomData,
        }
    }

    /// Reads all of it.
    ///
    /// # Errors
    ///
    /// `EFAULT` if it cannot be read.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn read(&self, _: &mut UserContext) -> Result<T> {
        let mut value = MaybeUninit::<T>::uninit();
        let words = value.as_mut_ptr().cast();

        // SAFETY: There is room for so many words, which are all that there are in a value.
        match unsafe { vmarea_read_words(words, self.at.as_const_ptr().cast(), Self::WORDS) } {
            // SAFETY: All of its words were written. They are a value, whatever they are.
            0 => Ok(unsafe { value.assume_init() }),
            _ => Err(EFAULT),
        }
    }

    /// Changes the word at byte `offset`.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if it is not in the record.
    /// * `EFAULT` if it cannot be written.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn write_word(&self, _: &mut UserContext, offset: usize, word: u64) -> Result {
        if offset > size_of::<T>() - size_of::<u64>() {
            return Err(EINVAL);
        }
        let to = self.at.wrapping_byte_add(offset);

        // SAFETY: The C code checks where it writes to.
        match unsafe { vmarea_write_word(to.as_mut_ptr().cast(), word) } {
            0 => Ok(()),
            _ => Err(EFAULT),
        }
    }
}

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

/// Reads values from a part of the current process's memory, one after the other, and up to `AHEAD`
/// bytes before they are asked for: memory that changes meanwhile is read as it was.
///
/// Only what is in the same page is read before it is asked for, so what cannot be read, or has to be
/// waited for, matters when it is asked for.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, uaccess::UserPtr};
/// use vmarea::{context::UserContext, user::UserStream};
///
/// fn first_pair(context: &mut UserContext, from: UserPtr, len: usize) -> Result<(u32, u64)> {
///     let mut stream = UserStream::<64>::new(from, len);
///
///     Ok((stream.read(context)?, stream.read(context)?))
/// }
/// ```
///
/// # Invariants
///
/// The bytes `start..end` of `ahead` are initialized, and there are so many.
pub struct UserStream<const AHEAD: usize> {
    /// What was not read yet.
    from: UserPtr,
    left: usize,
    ahead: [MaybeUninit<u8>; AHEAD],
    start: usize,
    end: usize,
}

impl<const AHEAD: usize> UserStream<AHEAD> {
    /// A stream of `len` bytes from `from` on. Nothing is checked before they are read.
    pub fn new(from: UserPtr, len: usize) -> Self {
        // INVARIANT: There are none.
        Self {
            from,
            left: len,
            ahead: [const { MaybeUninit::uninit() }; AHEAD],
            start: 0,
            end: 0,
        }
    }

    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.left + self.end - self.start
    }

    /// Whether no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads the next bytes as a value, which must not be larger than `AHEAD`.
    ///
    /// # Errors
    ///
    /// `EFAULT` if they cannot be read, or not enough are left.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn read<T: FromBytes>(&mut self, _: &mut UserContext) -> Result<T> {
        const { assert!(size_of::<T>() <= AHEAD) };
        if self.end - self.start < size_of::<T>() {
            self.fill(size_of::<T>())?;
        }

        // SAFETY: So many bytes from `start` on are there, and initialized by the type invariant.
        // They are a value of `T`, whatever they are.
        let value = unsafe {
            self.ahead
                .as_ptr()
                .add(self.start)
                .cast::<T>()
                .read_unaligned()
        };
        self.start += size_of::<T>();
        Ok(value)
    }

    /// Reads ahead, `needed` bytes at least.
    fn fill(&mut self, needed: usize) -> Result {
        if self.start > 0 {
            self.ahead.copy_within(self.start..self.end, 0);
            // INVARIANT: They are where they were moved to.
            self.end -= self.start;
            self.start = 0;
        }

        let room = &mut self.ahead[self.end..];
        let missing = needed - self.end;
        let from = self.from.as_const_ptr();
        let in_page = PAGE_SIZE - (from.addr() & !PAGE_MASK);
        let ahead = usize::min(in_page, usize::min(room.len(), self.left));
        let filled = usize::max(missing, ahead);
        let room = room.get_mut(..filled).ok_or(EFAULT)?;
        let left = self.left.checked_sub(filled).ok_or(EFAULT)?;
        // SAFETY: There is room for so many bytes.
        if unsafe { vmarea_read_bytes(room.as_mut_ptr().cast(), from, filled) } > 0 {
            return Err(EFAULT);
        }
        self.from = self.from.wrapping_byte_add(filled);
        self.left = left;
        // INVARIANT: So many were initialized.
        self.end += filled;
        Ok(())
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
    #[inline]
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
    #[inline]
    pub fn write(&mut self, _: &mut UserContext, bytes: &[u8]) -> Result {
        self.inner.write_slice(bytes)
    }
}

/// Bytes on their way to user memory, at most `N`, collected where nothing has to be allocated or
/// cleared for them.
///
/// # Examples
///
/// ```
/// use vmarea::user::Staged;
///
/// let mut staged = Staged::<8>::new();
///
/// assert!(staged.add(b"reply").is_some());
/// assert!(staged.add(b"code").is_none());
/// assert_eq!(staged.bytes(), b"reply");
/// ```
///
/// # Invariants
///
/// The bytes before `length` are initialized, and there are so many.
pub struct Staged<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    length: usize,
}

impl<const N: usize> Staged<N> {
    /// No bytes.
    #[expect(clippy::new_without_default)]
    pub const fn new() -> Self {
        Self {
            bytes: [const { MaybeUninit::uninit() }; N],
            length: 0,
        }
    }

    /// Adds bytes, all of them or, if there is no room for that, none.
    pub fn add(&mut self, bytes: &[u8]) -> Option<()> {
        let room = self.bytes.get_mut(self.length..)?.get_mut(..bytes.len())?;

        for (to, from) in room.iter_mut().zip(bytes) {
            to.write(*from);
        }
        // INVARIANT: All of them have just been written.
        self.length += bytes.len();
        Some(())
    }

    /// The bytes so far.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: By the type invariant so many are initialized, and a `MaybeUninit<u8>` that is has
        // the layout of a byte.
        unsafe { core::slice::from_raw_parts(self.bytes.as_ptr().cast(), self.length) }
    }

    /// Writes the bytes so far to the current process's memory at `to`.
    ///
    /// # Errors
    ///
    /// `EFAULT` if they cannot be written. Some may have been.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn write_to(&self, _: &mut UserContext, to: UserPtr) -> Result {
        let bytes = self.bytes();

        // SAFETY: There are so many bytes.
        match unsafe { vmarea_write_bytes(to.as_mut_ptr(), bytes.as_ptr().cast(), bytes.len()) } {
            0 => Ok(()),
            _ => Err(EFAULT),
        }
    }

    /// The bytes so far, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: As in `bytes`, and they are borrowed from `self` alone.
        unsafe { core::slice::from_raw_parts_mut(self.bytes.as_mut_ptr().cast(), self.length) }
    }
}
