// SPDX-License-Identifier: GPL-2.0

//! `mmap_prepare` establishes an area of a type that has no `mapped` to confirm it.
//!
//! Rule: N3
//! Error: E0080, needs a `mapped` callback that confirms the area

use kernel::{
    prelude::*,
    sync::Arc, //
};
use vmarea::{
    mm::OwnerMm,
    mmap::{
        Established,
        VmAreaDesc, //
    },
    ops::{
        Mapped,
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

    #[cfg(fixed)]
    fn mapped(_: &Arc<Self>, _: &Mapped) -> Result {
        Ok(())
    }
}

/// The hook.
pub fn mmap_prepare(area: VmAreaDesc<'_>, owner: Arc<Owner>) -> Result<Established<'_>> {
    area.establish(owner) //~
}
