// SPDX-License-Identifier: GPL-2.0

//! Another thread looks at an area that this thread has locked.
//!
//! Rule: L7
//! Error: E0277, cannot be shared between threads safely

use vmarea::area::VmAreaRef;

fn share_with_thread<T: Send>(_: T) {}

fn share(area: &VmAreaRef) {
    #[cfg(fixed)]
    let area = area.start();
    share_with_thread(area); //~
}
