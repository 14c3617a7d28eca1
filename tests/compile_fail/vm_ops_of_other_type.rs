// SPDX-License-Identifier: GPL-2.0

//! A type names the operations of another type as its own.
//!
//! Rule: N5
//! Error: E0308, mismatched types

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

struct Theirs {
    mm: OwnerMm,
}

static THEIR_OPS: VmOps<Theirs> = VmOps::new();

#[vtable]
impl VmOperations for Theirs {
    fn vm_ops() -> &'static VmOps<Self> {
        &THEIR_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }
}

struct Mine {
    mm: OwnerMm,
}

static MY_OPS: VmOps<Mine> = VmOps::new();

#[vtable]
impl VmOperations for Mine {
    fn vm_ops() -> &'static VmOps<Self> {
        #[cfg(not(fixed))]
        return &THEIR_OPS; //~
        #[cfg(fixed)]
        &MY_OPS
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }
}
