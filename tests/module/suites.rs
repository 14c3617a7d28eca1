// SPDX-License-Identifier: GPL-2.0

//! KUnit suites: what runs in the kernel, and needs no process or only a borrowed address space.
//!
//! A test says what it expects by [`check!`], and returns if that is not so. (What `assert!` means in
//! a KUnit test ends the thread where it is, and nothing is cleaned up.)
//!
//! What can only be seen from user space is in `tests/vmarea_test.c` and
//! `tests/vmarea_prepare_test.c`.

/// Ends a test with a failure if `$condition` is false.
macro_rules! check {
    ($condition:expr) => {
        if !$condition {
            $crate::suites::helpers::fail(core::file!(), core::line!(), stringify!($condition));
            return Err(kernel::error::code::EINVAL);
        }
    };
}

/// Ends a test with a failure if the two differ.
macro_rules! check_eq {
    ($left:expr, $right:expr) => {
        match (&$left, &$right) {
            (left, right) => {
                if *left != *right {
                    $crate::suites::helpers::fail_with(
                        core::file!(),
                        core::line!(),
                        kernel::prelude::fmt!(
                            "{} == {}, but {:?} != {:?}",
                            stringify!($left),
                            stringify!($right),
                            left,
                            right
                        ),
                    );
                    return Err(kernel::error::code::EINVAL);
                }
            }
        }
    };
}

mod area;
mod bench;
mod fault;
mod file;
mod fill;
mod helpers;
mod lru;
mod mapping;
mod mm;
mod page;
mod range;
mod ranges;
mod reclaim;
mod shrinker;
mod spare;
mod toy;
mod user;
