// SPDX-License-Identifier: GPL-2.0

//! An area is looked at after the mmap lock was released.
//!
//! Rule: L2
//! Error: E0505, cannot move out of `guard` because it is borrowed

use kernel::prelude::*;
use vmarea::mm::MmapGuard;

fn end(guard: MmapGuard<'_>, address: usize) -> Result<usize> {
    let area = guard.area_at(address).ok_or(EFAULT)?;
    #[cfg(fixed)]
    let end = area.end();
    drop(guard); //~
    #[cfg(not(fixed))]
    let end = area.end();
    Ok(end)
}
