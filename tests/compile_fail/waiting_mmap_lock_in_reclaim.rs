// SPDX-License-Identifier: GPL-2.0

//! Reclaim waits for the mmap lock, which the task that entered reclaim may hold.
//!
//! Rule: L8
//! Error: E0599, no method named `mmap_read_lock` found

use vmarea::{
    context::UserContext,
    mm::{
        ReclaimMm,
        UserMm, //
    },
};

fn ioctl(mm: &UserMm<'_>, context: &mut UserContext, address: usize) -> bool {
    mm.mmap_read_lock(context).area_at(address).is_some()
}

fn scan(mm: &ReclaimMm<'_>, address: usize) -> bool {
    #[cfg(not(fixed))]
    let area = mm.mmap_read_lock(); //~
    #[cfg(fixed)]
    let area = mm.try_lock_area(address);
    area.is_some()
}
