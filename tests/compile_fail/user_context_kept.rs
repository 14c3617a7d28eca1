// SPDX-License-Identifier: GPL-2.0

//! The context of a system call is kept for later, when the task may be in no system call.
//!
//! Rule: L4
//! Error: E0521, borrowed data escapes outside of function

use vmarea::{
    context::UserContext,
    mm::OwnerMm, //
};

struct Client {
    context: Option<&'static mut UserContext>,
    mm: Option<OwnerMm>,
}

fn ioctl(client: &mut Client, context: &mut UserContext) {
    #[cfg(not(fixed))]
    client.context.replace(context); //~
    #[cfg(fixed)]
    client.mm.replace(OwnerMm::current(context));
}
