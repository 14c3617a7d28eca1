// SPDX-License-Identifier: GPL-2.0

//! The operations are a constant, whose address may be that of another type.
//!
//! Rule: N5
//! Error: E0492, constants cannot refer to interior mutable data

use kernel::prelude::*;
use vmarea::{
    mm::OwnerMm,
    ops::{
        VmOperations,
        VmOps, //
    }, //
};

struct LocalModule;

struct Owner {
    mm: OwnerMm,
}

static VM_OPS: VmOps<Owner> = VmOps::new();

#[vtable]
impl VmOperations for Owner {
    fn vm_ops() -> &'static VmOps<Self> {
        let operations = &VM_OPS;
        #[cfg(not(fixed))]
        let operations = const { &VmOps::new() }; //~
        operations
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }
}
