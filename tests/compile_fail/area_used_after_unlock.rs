// SPDX-License-Identifier: GPL-2.0

//! An area is looked at after its lock was released.
//!
//! Rule: L2
//! Error: E0505, cannot move out of `guard` because it is borrowed

use vmarea::mm::AreaGuard;

fn end(guard: AreaGuard<'_>) -> usize {
    let area = &*guard;
    #[cfg(fixed)]
    let end = area.end();
    drop(guard); //~
    #[cfg(not(fixed))]
    let end = area.end();
    end
}
