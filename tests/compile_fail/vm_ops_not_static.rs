// SPDX-License-Identifier: GPL-2.0

//! The operations of a type's areas are a table on the stack.
//!
//! Rule: N5
//! Error: E0515, cannot return value referencing temporary value

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
}

static VM_OPS: VmOps<Owner> = VmOps::new();

#[vtable]
impl VmOperations for Owner {
    fn vm_ops() -> &'static VmOps<Self> {
        #[cfg(not(fixed))]
        let ops = &{ VmOps::new() };
        #[cfg(fixed)]
        let ops = &VM_OPS;
        ops //~
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }
}
