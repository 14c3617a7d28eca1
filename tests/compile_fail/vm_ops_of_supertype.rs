// SPDX-License-Identifier: GPL-2.0

//! A type names the operations of its supertype as its own.
//!
//! Rule: N5
//! Error: E0308, mismatched types

use core::marker::PhantomData;

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

/// What takes anybody's reference can be used as what takes a static one.
type TakesAny = for<'a> fn(&'a u8);
type TakesStatic = fn(&'static u8);

struct Owner<F> {
    mm: OwnerMm,
    _takes: PhantomData<F>,
}

static OPS_FOR_ANY: VmOps<Owner<TakesAny>> = VmOps::new();
static OPS_FOR_STATIC: VmOps<Owner<TakesStatic>> = VmOps::new();

#[vtable]
impl VmOperations for Owner<TakesStatic> {
    fn vm_ops() -> &'static VmOps<Self> {
        &OPS_FOR_STATIC
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }
}

// Both are types of their own to a `VmOps`, which is the point.
#[expect(coherence_leak_check)]
#[vtable]
impl VmOperations for Owner<TakesAny> {
    fn vm_ops() -> &'static VmOps<Self> {
        #[cfg(not(fixed))]
        return &OPS_FOR_STATIC; //~
        #[cfg(fixed)]
        &OPS_FOR_ANY
    }

    fn mm(&self) -> &OwnerMm {
        &self.mm
    }
}
