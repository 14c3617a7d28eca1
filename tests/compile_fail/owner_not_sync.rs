// SPDX-License-Identifier: GPL-2.0

//! The owner of areas has data for one thread, and its callbacks are called in any.
//!
//! Rule: M4
//! Error: E0277, `Cell<usize>` cannot be shared between threads safely

#[cfg(not(fixed))]
use core::cell::Cell as Counter;
#[cfg(fixed)]
use kernel::sync::atomic::Atomic as Counter;

use kernel::prelude::*;
use vmarea::{
    mm::OwnerMm,
    ops::{
        VmOperations,
        VmOps, //
    },
};

/// What `module!` makes in a driver.
struct LocalModule;

struct Owner {
    mm: OwnerMm,
    faults: Counter<usize>,
}

static VM_OPS: VmOps<Owner> = VmOps::new();

#[vtable]
//~
impl VmOperations for Owner {
    fn vm_ops() -> &'static VmOps<Self> {
        &VM_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }
}
