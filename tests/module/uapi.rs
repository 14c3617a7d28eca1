// SPDX-License-Identifier: GPL-2.0

//! What programs can tell the devices: the same as in `uapi.h`.

use kernel::{
    ioctl::{
        _IO,
        _IOW, //
    },
    prelude::*, //
};

use zerocopy_derive::Immutable;

const MAGIC: u32 = b'V' as u32;

/// How many pages a file has.
pub(crate) const PAGES: usize = 8;
/// The page that cannot be written.
pub(crate) const CONST_PAGE: usize = 3;
/// The page that only debuggers see.
pub(crate) const HOLE_PAGE: usize = 5;
/// The page that is unmapped when it is first written.
pub(crate) const SHY_PAGE: usize = 6;

pub(crate) const SET_MODE: u32 = _IO(MAGIC, 0);
pub(crate) const MODE_READ_ONLY: usize = 1;
pub(crate) const MODE_NO_EXEC: usize = 2;
pub(crate) const MODE_DONT_COPY: usize = 4;
pub(crate) const MODE_DONT_DUMP: usize = 8;
pub(crate) const MODE_NO_PAGES: usize = 16;
pub(crate) const MODE_NAMED: usize = 32;
pub(crate) const MODE_ATOMIC: usize = 64;

pub(crate) const FAIL_HOOK: u32 = _IO(MAGIC, 1);
pub(crate) const FAIL_MAPPED: u32 = _IO(MAGIC, 2);
pub(crate) const AREAS: u32 = _IO(MAGIC, 3);
pub(crate) const UNMAP: u32 = _IOW::<Range>(MAGIC, 4);
pub(crate) const ZAP: u32 = _IOW::<Range>(MAGIC, 5);
pub(crate) const INSERT: u32 = _IOW::<Range>(MAGIC, 6);

/// `struct vmarea_test_range`.
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub(crate) struct Range {
    /// An address, or a page of the file.
    pub(crate) first: u64,
    pub(crate) pages: u64,
}
