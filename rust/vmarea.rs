// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions for drivers that keep pages in an area of a process's address space.
//!
//! The crate adds to the `kernel` crate what it takes to own a virtual memory area (VMA) for its
//! whole life, from another process's context too:
//!
//! * [`area`]: what an area is, how a driver sets one up in its `mmap` hook, and the proof that a
//!   VMA that was found and locked is that area;
//! * [`page_range`]: pages in such an area that are inserted when they are needed, and that memory
//!   reclaim may take back when they are not;
//! * [`shrinker`] and [`lru`]: memory reclaim's way in, and the lists it works through;
//! * [`counters`]: what happened to the pages;
//! * [`file`](mod@file): a character device with everything that such a driver's files need.
//!
//! The rules that the memory side follows are in `docs/memory.md`.

pub mod area;
pub mod counters;
pub mod file;
pub mod lru;
pub mod page_range;
pub mod shrinker;

mod slot;

/// Bindings of `helpers.c`.
// Whether a pointed-to type is FFI-safe depends on the kernel's configuration.
#[allow(improper_ctypes)]
#[expect(unreachable_pub)]
mod bindings {
    use kernel::{
        bindings::page,
        ffi, //
    };

    include!(env!("VMAREA_BINDINGS"));
}

/// The prefix of this crate's log messages, as the `pr_*` macros expect it.
const __LOG_PREFIX: &[u8] = b"vmarea\0";
