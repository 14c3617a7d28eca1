// SPDX-License-Identifier: GPL-2.0

//! The mappings of a process are kept by whoever knows the process, so that they never go.
//!
//! Rule: M1
//! Error: E0505, cannot move out of `owner` because it is borrowed

use vmarea::{
    context::UserContext,
    mm::{
        OwnerMm,
        UserMm, //
    }, //
};

struct Client<'o> {
    owner: OwnerMm,
    mm: Option<UserMm<'o>>,
}

fn keep(owner: OwnerMm, context: &UserContext, done: fn(&Client<'_>)) {
    let mm = owner.get(context);
    #[cfg(fixed)]
    let mm = mm.and(None);
    #[cfg(not(fixed))]
    done(&Client { owner, mm }); //~
    #[cfg(fixed)]
    done(&Client { owner, mm });
}
