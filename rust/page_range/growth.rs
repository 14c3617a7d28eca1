// SPDX-License-Identifier: GPL-2.0

//! How more of a range's slots come to be there.
//!
//! A slot is there with its state, or not at all. Both are allocated without a lock, and made known
//! with the range's lock held. So the protocol knows only states that there are, and whoever has a
//! lease has slots.

use kernel::{
    prelude::*,
    sync::Arc, //
};

use super::{
    state::SlotState,
    Place,
    RangeInner, //
};

impl RangeInner {
    /// Lets at least the first `needed` slots of `this`, whose `place` it is, be there.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if the range does not have so many.
    /// * `ENOMEM`. Then all is as before.
    ///
    /// # Context
    ///
    /// May sleep, and may enter memory reclaim.
    #[cold]
    pub(super) fn grow(this: &Arc<Self>, place: &Place, needed: usize) -> Result {
        let Some(mut growth) = place.slots.prepare(this, needed)? else {
            return Ok(());
        };
        let mut states = KVVec::with_capacity(growth.ready(), GFP_KERNEL)?;

        let mut usage = this.usage.lock();
        // Somebody else may have been faster.
        let known = usage.states.len();
        if known < growth.ready() {
            // There is room for all of them, so nothing is allocated.
            states.extend_from_slice(&usage.states, GFP_KERNEL)?;
            states.extend_with(growth.ready() - known, SlotState::default(), GFP_KERNEL)?;
            core::mem::swap(&mut usage.states, &mut states);
            // SAFETY: The range's lock is held, and these are the slots.
            unsafe { place.slots.grow(&mut growth) };
        }
        drop(usage);
        // What is left over is freed here.
        Ok(())
    }
}
