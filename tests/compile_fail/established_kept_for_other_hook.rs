// SPDX-License-Identifier: GPL-2.0

//! What one call of the hook has decided is kept, for another call to return.
//!
//! Rule: N3
//! Error: E0521, borrowed data escapes outside of function

use kernel::{
    prelude::*,
    sync::Arc, //
};
use vmarea::{
    mmap::{
        Established,
        VmAreaDesc, //
    },
    ops::VmOperations,
};

struct Client<T> {
    owner: Arc<T>,
    established: Option<Established<'static>>,
}

fn mmap_prepare<T: VmOperations>(client: &mut Client<T>, area: VmAreaDesc<'_>) -> Result {
    let established = area.establish(client.owner.clone())?; //~
    #[cfg(not(fixed))]
    client.established.replace(established);
    #[cfg(fixed)]
    drop(established);
    Ok(())
}
