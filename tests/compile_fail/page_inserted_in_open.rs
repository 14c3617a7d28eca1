// SPDX-License-Identifier: GPL-2.0

//! Pages are inserted into a copy that is not complete.
//!
//! Rule: C3
//! Error: E0599, no method named `area_of` found

use kernel::prelude::*;
use vmarea::{
    mm::OwnerMm,
    ops::{
        Mapped,
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
        &VM_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }

    fn open(&self, copy: &Mapped) {
        #[cfg(not(fixed))]
        let _ = copy.area_of(self); //~
        #[cfg(fixed)]
        let _ = copy.start();
    }
}
