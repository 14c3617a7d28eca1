// SPDX-License-Identifier: GPL-2.0

//! Safe abstractions for drivers that keep pages in areas of processes' address spaces.
//!
//! The crate adds to the `kernel` crate what it takes to own virtual memory areas (VMAs) for their
//! whole life, from other processes' contexts too:
//!
//! * [`context`]: what the running code may do, as values;
//! * [`mm`]: address spaces, and the ways to a locked area in them;
//! * [`area`]: what an area is, and the proof that it is the driver's;
//! * [`mmap`](mod@mmap): the hooks in which areas are made;
//! * [`ops`]: what the mm subsystem asks of an area's owner;
//! * [`file`](mod@file): a character device with everything that such a driver's files need;
//! * [`user`]: user memory, for those who may touch it;
//! * [`shrinker`] and [`lru`]: memory reclaim's way in, and the lists it works through;
//! * [`page`]: pages on the account of the process that they are for;
//! * [`page_range`], built on all of these: pages in an area that are there when they are needed, and
//!   that memory reclaim may take back when they are not;
//! * [`task`](mod@task): the nice value and the files of the task that a driver works for;
//! * [`spare`]: the memory of what ends, for what begins;
//! * [`counters`]: what happened to the pages. There are tracepoints for it, too, in the group
//!   `vmarea`.
//!
//! What the mm subsystem requires of drivers is in `docs/vma-rules.md`, with the type that keeps each
//! of the rules; the rules that page ranges follow are in `docs/memory.md`.

pub mod area;
pub mod context;
pub mod counters;
pub mod file;
pub mod lru;
pub mod mm;
pub mod mmap;
pub mod ops;
pub mod page;
pub mod page_range;
pub mod shrinker;
pub mod spare;
pub mod task;
pub mod user;

mod slot;
mod trace;

/// Bindings of `helpers.c` and `trace.h`.
// Whether a pointed-to type is FFI-safe depends on the kernel's configuration.
#[allow(improper_ctypes)]
#[expect(non_camel_case_types, unreachable_pub)]
mod bindings {
    #[cfg(CONFIG_TRACEPOINTS)]
    use kernel::bindings::{
        bool_,
        tracepoint, //
    };
    use kernel::{
        bindings::{
            fs_context,
            gfp_t,
            mem_cgroup,
            mm_struct,
            page, //
        },
        ffi, //
    };

    /// Not looked into.
    type pseudo_fs_context = ffi::c_void;

    include!(env!("VMAREA_BINDINGS"));
}

/// The prefix of this crate's log messages, as the `pr_*` macros expect it.
const __LOG_PREFIX: &[u8] = b"vmarea\0";
