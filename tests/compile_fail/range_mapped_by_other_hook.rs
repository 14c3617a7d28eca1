// SPDX-License-Identifier: GPL-2.0

//! A page range is mapped by the `mmap` hook, after which nobody confirms the area.
//!
//! Rule: N3
//! Error: E0308, mismatched types

use kernel::prelude::*;
#[cfg(fixed)]
use vmarea::mmap::VmAreaDesc as Area;
#[cfg(not(fixed))]
use vmarea::mmap::VmAreaNew as Area;
use vmarea::{
    mmap::Established,
    page_range::PageRange, //
};

fn map<'a>(range: &PageRange, area: Area<'a>) -> Result<Established<'a>> {
    range.mmap_prepare(area) //~
}
