// SPDX-License-Identifier: GPL-2.0

//! How much there is of everything, so that tests can see that nothing is left over.

use kernel::{
    debugfs::Writer,
    fmt,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

macro_rules! tally {
    ($( $(#[doc = $doc:literal])+ $name:ident, )+) => {
        /// What there is, and what happened, in both devices together.
        pub(crate) struct Tally {
            $( $(#[doc = $doc])+ pub(crate) $name: Count, )+
        }

        pub(crate) static TALLY: Tally = Tally {
            $( $name: Count(Atomic::new(0)), )+
        };

        /// One `name value` pair in each line.
        impl Writer for Tally {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $( writeln!(f, "{} {}", stringify!($name), self.$name.0.load(Relaxed))?; )+
                Ok(())
            }
        }
    };
}

tally! {
    /// Opened files.
    files,
    /// Owners of areas.
    owners,
    /// Areas, copies and parts included.
    areas,
    /// Calls of `fault`, since the module was loaded.
    faults,
    /// Calls of `page_mkwrite`.
    mkwrites,
    /// Calls of `access`.
    accesses,
}

/// A number of things, or of events.
pub(crate) struct Count(Atomic<i64>);

impl Count {
    pub(crate) fn add(&self) {
        self.0.add(1, Relaxed);
    }

    pub(crate) fn sub(&self) {
        self.0.add(-1, Relaxed);
    }

    /// Counts one more for as long as the result exists.
    pub(crate) fn one(&'static self) -> Counted {
        self.add();
        Counted(self)
    }
}

/// One of the things that are counted.
pub(crate) struct Counted(&'static Count);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.sub();
    }
}
