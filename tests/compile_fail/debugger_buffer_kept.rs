// SPDX-License-Identifier: GPL-2.0

//! The buffer of a debugger's access is kept beyond the callback.
//!
//! Rule: C5
//! Error: E0521, borrowed data escapes outside of function

use kernel::prelude::*;
use vmarea::ops::Access;

fn access(kept: &mut KVec<&'static mut [u8]>, access: Access<'_>) -> Result<usize> {
    let Access::Read(buffer) = access else {
        return Err(EPERM);
    };
    buffer.fill(0);
    let len = buffer.len();
    #[cfg(not(fixed))]
    kept.push(buffer, GFP_KERNEL)?; //~
    #[cfg(fixed)]
    kept.reserve(1, GFP_KERNEL)?;
    Ok(len)
}
