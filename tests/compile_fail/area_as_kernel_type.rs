// SPDX-License-Identifier: GPL-2.0

//! A driver asks for the `kernel` crate's type, by which an area can be zapped whoever it belongs
//! to.
//!
//! Rule: L1
//! Error: E0616, field `vma` of struct `VmAreaRef` is private

use vmarea::area::VmAreaRef;

fn flags(area: &VmAreaRef) -> bool {
    #[cfg(not(fixed))]
    let area = &area.vma; //~
    area.end() > area.start()
}
