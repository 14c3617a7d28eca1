// SPDX-License-Identifier: GPL-2.0

//! The owner of areas has a place to keep one in.
//!
//! Rule: L2
//! Error: E0277, cannot be shared between threads safely

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
    #[cfg(not(fixed))]
    area: Option<&'static vmarea::area::VmAreaRef>,
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
