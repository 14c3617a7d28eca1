// SPDX-License-Identifier: GPL-2.0

//! Spare memory: that of the last thing of a kind, for the next one.
//!
//! Whoever makes something again and again, and gets as much back, need not go to the allocator each
//! time.

use core::{
    marker::PhantomData,
    mem::MaybeUninit,
    pin::Pin,
    ptr, //
};

use kernel::{
    alloc::AllocError,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Full, //
        },
        Arc,
        UniqueArc, //
    },
};

/// The memory of one `T` in an [`Arc`], if it is there. All threads may use it, and none waits.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, sync::Arc};
/// use vmarea::spare::Spare;
///
/// struct Message {
///     text: [u8; 100],
/// }
///
/// fn answer(spare: &Spare<Message>, call: Arc<Message>) -> Result<Arc<Message>> {
///     spare.put(call);
///     Ok(spare.make(try_init!(Message { text: [0; 100] }? Error))?.into())
/// }
/// ```
///
/// # Invariants
///
/// `memory` is null, or what [`Arc::into_raw`] has returned for the only reference to a `T` that was
/// dropped since.
pub struct Spare<T> {
    memory: Atomic<*mut T>,
    _owns: PhantomData<UniqueArc<MaybeUninit<T>>>,
}

impl<T> Spare<T> {
    /// No memory.
    #[expect(clippy::new_without_default)]
    pub const fn new() -> Self {
        // INVARIANT: It is null.
        Self {
            memory: Atomic::new(ptr::null_mut()),
            _owns: PhantomData,
        }
    }

    /// Drops a reference. If it was the last, its memory becomes the spare one.
    pub fn put(&self, last: Arc<T>) {
        let Some(last) = Arc::into_unique_or_drop(last) else {
            return;
        };
        let memory = Arc::into_raw(Arc::from(last)).cast_mut();

        // SAFETY: It was pinned, is valid, and this was the only reference to it. It is not used any
        // more.
        unsafe { ptr::drop_in_place(memory) };
        // INVARIANT: As has just been seen to.
        let before = self.memory.xchg(memory, Full);
        // SAFETY: By the type invariants, and it is not there any more.
        drop(unsafe { Self::into_place(before) });
    }

    /// Makes a `T`, in the spare memory if there is some.
    ///
    /// # Errors
    ///
    /// What `init` fails with, and `ENOMEM`.
    ///
    /// # Context
    ///
    /// May sleep.
    pub fn make<E>(&self, init: impl PinInit<T, E>) -> Result<Pin<UniqueArc<T>>, E>
    where
        E: From<AllocError>,
    {
        // INVARIANT: It is null.
        let memory = self.memory.xchg(ptr::null_mut(), Full);
        // SAFETY: By the type invariants, and it is not there any more.
        let place = match unsafe { Self::into_place(memory) } {
            Some(place) => place,
            None => UniqueArc::new_uninit(GFP_KERNEL)?,
        };

        place.pin_init_with(init)
    }

    /// # Safety
    ///
    /// `memory` must have been the value of `self.memory`, be there no more, and be used once.
    unsafe fn into_place(memory: *mut T) -> Option<UniqueArc<MaybeUninit<T>>> {
        if memory.is_null() {
            return None;
        }
        // SAFETY: By the type invariants it comes from `into_raw`, once. What was a `T` may be
        // anything now, and a `MaybeUninit` has the layout of what it is for.
        let place = unsafe { Arc::<MaybeUninit<T>>::from_raw(memory.cast()) };
        let place = Arc::into_unique_or_drop(place)?;

        // SAFETY: There is no `T` yet that could be moved.
        Some(unsafe { Pin::into_inner_unchecked(place) })
    }
}

impl<T> Drop for Spare<T> {
    fn drop(&mut self) {
        // INVARIANT: It is null.
        let memory = self.memory.xchg(ptr::null_mut(), Full);

        // SAFETY: By the type invariants, and it is not there any more.
        drop(unsafe { Self::into_place(memory) });
    }
}
