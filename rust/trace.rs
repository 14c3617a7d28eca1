// SPDX-License-Identifier: GPL-2.0

//! Tracepoints.
//!
//! Each function here records the event of its name, `events/vmarea/vmarea_*` in tracefs, whose
//! fields are described in `trace.h`. As long as nobody traces the event, a call costs a branch
//! that is not taken, and nothing at all in a kernel without tracepoints.
//!
//! In every event `range` is the address of a page range. It only tells the ranges apart, so it
//! may be any address, as long as it is the same in all events of one range.
//!
//! The functions may be called with any locks held, and in reclaim: they do not sleep, and only
//! copy what is passed to them.

use kernel::{
    ffi::{
        c_int,
        c_uint,
        c_void, //
    },
    prelude::*, //
};

use crate::bindings;

/// Records the event `$name`, with `$arg` for its fields, if it is traced.
///
/// This is what [`kernel::tracepoint::declare_trace`] generates, for the bindings of this crate.
macro_rules! record {
    ($name:ident($($arg:ident),*)) => {
        #[cfg(CONFIG_TRACEPOINTS)]
        kernel::macros::paste! {
            // SAFETY: `trace.c` defines the tracepoint, and therefore its static key.
            let traced = unsafe {
                kernel::jump_label::static_branch_unlikely!(
                    bindings::[<__tracepoint_ $name>],
                    kernel::bindings::tracepoint,
                    key
                )
            };

            if traced {
                // SAFETY: All arguments are values to the event, which copies them. It does not
                // look at what is at an address (`TP_fast_assign`, `TP_printk` in `trace.h`).
                unsafe { bindings::[<rust_do_trace_ $name>]($($arg),*) };
            }
        }
        #[cfg(not(CONFIG_TRACEPOINTS))]
        {
            let _ = ($($arg,)*);
        }
    };
}

/// How a page fault ended.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum FaultKind {
    /// The page is mapped.
    Mapped = bindings::VMAREA_FAULT_MAPPED,
    /// There is no page to map.
    NoPage = bindings::VMAREA_FAULT_NOPAGE,
    /// There was no memory to map the page with.
    Oom = bindings::VMAREA_FAULT_OOM,
}

/// What reclaim could not get hold of.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum SkipReason {
    /// The lock that protects the page's slot.
    SlotLock = bindings::VMAREA_SKIP_SLOT_LOCK,
    /// The lock of the VMA.
    VmaLock = bindings::VMAREA_SKIP_VMA_LOCK,
    /// The address space, or the area in it.
    Mm = bindings::VMAREA_SKIP_MM,
}

/// What it took to read-lock a VMA.
#[derive(Clone, Copy)]
#[repr(u32)]
pub(crate) enum LockHow {
    /// The lock was free.
    Fast = bindings::VMAREA_LOCK_FAST,
    /// A writer had to be waited for.
    Waited = bindings::VMAREA_LOCK_WAITED,
    /// The VMA is not locked.
    Failed = bindings::VMAREA_LOCK_FAILED,
}

/// A range of `pages` pages was mapped at the address `start`.
#[inline(always)]
pub(crate) fn mmap(range: *const c_void, start: usize, pages: usize) {
    record!(vmarea_mmap(range, start, pages));
}

/// The area of a range, `pages` pages at the address `start`, was unmapped.
#[inline(always)]
pub(crate) fn close(range: *const c_void, start: usize, pages: usize) {
    record!(vmarea_close(range, start, pages));
}

/// `pages` pages are about to be mapped, from `address` on.
///
/// Every call is to be followed by one of [`insert_end`] in the same thread.
#[inline(always)]
pub(crate) fn insert_begin(range: *const c_void, address: usize, pages: usize) {
    record!(vmarea_insert_begin(range, address, pages));
}

/// `pages_inserted` pages were mapped from `address` on, and no more if `result` is an error.
#[inline(always)]
pub(crate) fn insert_end(
    range: *const c_void,
    address: usize,
    pages_inserted: usize,
    result: Result,
) {
    let error = errno(result);

    record!(vmarea_insert_end(range, address, pages_inserted, error));
}

/// A page fault at `address` ended, with `pages_offered` pages to be mapped: the one at `address` and
/// neighbours, which may have been mapped before.
#[inline(always)]
pub(crate) fn fault(
    range: *const c_void,
    address: usize,
    outcome: FaultKind,
    pages_offered: usize,
) {
    let outcome = outcome as c_uint;

    record!(vmarea_fault(range, address, outcome, pages_offered));
}

/// Reclaim is about to take the page with the number `page_index` in the range, whose area exists
/// if `mapped`.
///
/// Every call is to be followed by one of [`reclaim_end`] or [`reclaim_skip`] in the same thread.
#[inline(always)]
pub(crate) fn reclaim_begin(range: *const c_void, page_index: usize, mapped: bool) {
    record!(vmarea_reclaim_begin(range, page_index, mapped));
}

/// Reclaim has taken `pages_taken` pages, of which `first_index` is the lowest number. They
/// were unmapped if `mapped`.
#[inline(always)]
pub(crate) fn reclaim_end(
    range: *const c_void,
    first_index: usize,
    pages_taken: usize,
    mapped: bool,
) {
    record!(vmarea_reclaim_end(range, first_index, pages_taken, mapped));
}

/// Reclaim has left the page with the number `page_index` alone, for that `reason`.
#[inline(always)]
pub(crate) fn reclaim_skip(range: *const c_void, page_index: usize, reason: SkipReason) {
    let reason = reason as c_uint;

    record!(vmarea_reclaim_skip(range, page_index, reason));
}

/// An attempt to read-lock the VMA at `address` ended; `result` is an error only if it failed.
#[inline(always)]
pub(crate) fn lock(range: *const c_void, address: usize, how: LockHow, result: Result) {
    let how = how as c_uint;
    let error = errno(result);

    record!(vmarea_lock(range, address, how, error));
}

/// `0` or a negative error number.
#[inline(always)]
fn errno(result: Result) -> c_int {
    result.err().map_or(0, Error::to_errno)
}
