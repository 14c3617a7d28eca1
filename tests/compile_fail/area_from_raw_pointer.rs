// SPDX-License-Identifier: GPL-2.0

//! A driver makes an area of a pointer to a VMA.
//!
//! Rule: L2
//! Error: E0624, associated function `from_raw` is private

use kernel::bindings::vm_area_struct;
use vmarea::area::VmAreaRef;

fn end(vma: *const vm_area_struct, area: &VmAreaRef) -> usize {
    if vma.is_null() {
        return 0;
    }
    // SAFETY: There is nothing to say that would make it safe.
    #[cfg(not(fixed))]
    let area = unsafe { VmAreaRef::from_raw(vma) }; //~
    area.end()
}
