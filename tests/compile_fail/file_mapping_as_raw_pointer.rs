// SPDX-License-Identifier: GPL-2.0

//! A driver asks for the `address_space` of a file, which does not keep the inode.
//!
//! Rule: Z5
//! Error: E0624, method `as_raw` is private

use vmarea::file::FileMapping;

fn hide_first(mapping: &FileMapping) {
    mapping.unmap_pages(0, 1);
    #[cfg(not(fixed))]
    mapping.as_raw(); //~
}
