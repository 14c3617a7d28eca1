// SPDX-License-Identifier: GPL-2.0

//! What happened to a device's pages, as numbers that a user can read.

use kernel::{
    debugfs::Writer,
    fmt,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

macro_rules! counters {
    ($( $(#[doc = $doc:literal])+ $name:ident, )+) => {
        /// Counters of one device. They may be read and changed in any context.
        ///
        /// `used` and `idle` are numbers of pages now; all others only grow.
        ///
        /// # Examples
        ///
        /// ```
        /// use vmarea::counters::{Counter, Counters};
        ///
        /// fn change_kind(pages: usize, from: &Counter, to: &Counter) {
        ///     from.sub(pages);
        ///     to.add(pages);
        /// }
        ///
        /// let counters = Counters::new();
        ///
        /// counters.used.add(3);
        /// change_kind(2, &counters.used, &counters.idle);
        /// assert_eq!(counters.idle.get(), 2);
        /// ```
        pub struct Counters {
            $( $(#[doc = $doc])+ pub $name: Counter, )+
        }

        impl Counters {
            /// Returns counters that are all zero.
            #[expect(clippy::new_without_default)]
            pub const fn new() -> Self {
                Self { $( $name: Counter::new(), )+ }
            }
        }

        /// One `name value` pair in each line.
        impl Writer for Counters {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $( writeln!(f, "{} {}", stringify!($name), self.$name.get())?; )+
                Ok(())
            }
        }
    };
}

counters! {
    /// Pages that are part of live buffers.
    used,
    /// Pages that are kept for reuse and may be reclaimed.
    idle,
    /// Pages inserted into an area, not counting those that a fault inserted.
    inserted,
    /// Runs of consecutive pages that were inserted together.
    batches,
    /// Page faults that were answered with a page, alone or with neighbours.
    faults,
    /// Pages reclaimed while their area was mapped.
    reclaimed_mapped,
    /// Pages reclaimed when their area was not mapped (any more).
    reclaimed_unmapped,
    /// Pages not reclaimed because their slots were locked.
    skipped_slot_lock,
    /// Pages not reclaimed because the VMA lock was not to be had.
    skipped_vma_lock,
    /// Pages not reclaimed because their area was not found where it is mapped: it is being
    /// unmapped.
    skipped_mm,
    /// VMA read locks that were taken without waiting.
    vma_lock_fast,
    /// VMA read locks that had to wait for a writer.
    vma_lock_waited,
}

/// A number of events or things.
///
/// See [`Counters`] for an example.
pub struct Counter(Atomic<i64>);

impl Counter {
    const fn new() -> Self {
        Self(Atomic::new(0))
    }

    /// Adds `n` to the counter.
    #[inline]
    pub fn add(&self, n: usize) {
        self.0.add(n as i64, Relaxed);
    }

    /// Takes `n` from the counter.
    #[inline]
    pub fn sub(&self, n: usize) {
        self.0.add(-(n as i64), Relaxed);
    }

    /// Returns the value of the counter.
    pub fn get(&self) -> i64 {
        self.0.load(Relaxed)
    }
}
