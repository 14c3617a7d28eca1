// SPDX-License-Identifier: GPL-2.0

//! `mmap` establishes an area of a type that waits for `mapped`, which is never called.
//!
//! Rule: N4
//! Error: E0080, the mmap hook has no `mapped` callback

use kernel::{
    prelude::*,
    sync::Arc, //
};
use vmarea::{
    mm::OwnerMm,
    mmap::{
        Established,
        VmAreaNew, //
    },
    ops::{
        VmOperations,
        VmOps, //
    },
};

/// What `module!` makes in a driver.
pub struct LocalModule;

/// The owner of areas.
pub struct Owner {
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

    #[cfg(not(fixed))]
    fn mapped(_: &Arc<Self>, _: &vmarea::ops::Mapped) -> Result {
        Ok(())
    }
}

/// The hook.
pub fn mmap(area: VmAreaNew<'_>, owner: Arc<Owner>) -> Result<Established<'_>> {
    area.establish(owner) //~
}
