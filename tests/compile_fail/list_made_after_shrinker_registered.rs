// SPDX-License-Identifier: GPL-2.0

//! A list is made for a shrinker that reclaim may be calling already.
//!
//! Rule: R5
//! Error: E0382, borrow of moved value: `shrinker`

use kernel::{
    prelude::*,
    sync::Arc, //
};
use vmarea::{
    page_range::PageLru,
    shrinker::{
        Shrinker,
        UnregisteredShrinker, //
    },
};

fn init(
    shrinker: UnregisteredShrinker,
    first: Arc<PageLru>,
) -> Result<(Shrinker<PageLru>, Arc<PageLru>)> {
    #[cfg(fixed)]
    let second = PageLru::new(&shrinker)?;
    let shrinker_of_first = shrinker.register(first);
    #[cfg(not(fixed))]
    let second = PageLru::new(&shrinker)?; //~
    Ok((shrinker_of_first, second))
}
