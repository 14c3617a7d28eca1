// SPDX-License-Identifier: GPL-2.0

//! What is true whenever somebody takes or releases a range's lock.

use std::{
    cell::{
        RefCell,
        RefMut, //
    },
    convert::Infallible,
    ops::Range as Slots, //
};

use crate::{
    owner::Shown,
    protocol::{
        self,
        Backing,
        Kind,
        Stopped,
        Usage, //
    },
    range::Range,
    state::SlotState, //
};

/// Checks everything. Takes no steps.
pub fn all(range: &Range, usage: &mut Usage<Vec<SlotState>>) {
    if usage.states.is_empty() {
        return;
    }
    let closed = usage.closed;
    let peek = Peek(RefCell::new(usage));
    let (mut used, mut idle) = (0, 0);

    for slot in 0..range.setup.slots {
        let page = range.slots[slot].peek();
        let is_used = peek.is_used(slot);
        let is_idle = page.is_some() && !is_used;

        used += usize::from(is_used);
        idle += usize::from(is_idle);
        let is_listed = range.is_listed(slot);

        assert_eq!(peek.is_listed(slot), is_listed, "slot {slot} in the list");
        assert!(is_listed || !is_idle, "page {page:?} is not found");
        assert!(!is_listed || page.is_some(), "slot {slot} is empty");
        assert!(!(closed && is_idle), "page {page:?} stays for ever");
        assert!(!(closed && is_listed), "the list keeps the range");
        check_mapping(range, slot, page, peek.is_mapped(slot));
    }
    assert_eq!((range.used.get(), range.idle.get()), (used, idle));
}

/// Checks what is mapped in the place of a slot that has `page`, and was noted to be `mapped`.
fn check_mapping(range: &Range, slot: usize, page: Option<usize>, mapped: bool) {
    let (shown, removed) = range.owner.peek(slot);

    if let Shown::Page(id) = shown {
        let is_kept = Some(id) == page || !range.owner.cares();
        assert!(is_kept, "page {id} is still mapped");
    }
    if let (Some(id), true) = (page, mapped) {
        assert!(shown == Shown::Page(id) || removed, "page {id} is unmapped");
    }
}

/// A view of a range whose lock is held, for the functions of the protocol that only look.
struct Peek<'a>(RefCell<&'a mut Usage<Vec<SlotState>>>);

impl Peek<'_> {
    fn is_used(&self, slot: usize) -> bool {
        let mut used = false;

        protocol::fault_around(self, |may_be_mapped| used = may_be_mapped(slot));
        used
    }

    fn is_listed(&self, slot: usize) -> bool {
        self.0.borrow().states[slot].is_listed()
    }

    fn is_mapped(&self, slot: usize) -> bool {
        !protocol::needs_mapping(self, slot..slot + 1)
    }
}

impl Backing for Peek<'_> {
    type Page = Infallible;
    type Area<'a> = Infallible;
    type Error = Infallible;
    type States = Vec<SlotState>;
    type Lock<'a>
        = RefMut<'a, Usage<Vec<SlotState>>>
    where
        Self: 'a;

    fn lock(&self) -> Self::Lock<'_> {
        RefMut::map(self.0.borrow_mut(), |usage| &mut **usage)
    }

    fn try_lock(&self) -> Option<Self::Lock<'_>> {
        Some(self.lock())
    }

    fn is_mapped(&self) -> bool {
        unreachable!()
    }

    fn put_page(&self, _: usize, page: Infallible) {
        match page {}
    }

    fn take_page(&self, _: usize) -> Option<Infallible> {
        unreachable!()
    }

    fn count(&self, _: usize, _: Kind, _: Kind) {
        unreachable!()
    }

    fn list(&self, _: Slots<usize>) {
        unreachable!()
    }

    fn unlist(&self, _: Slots<usize>) {
        unreachable!()
    }

    fn insert(&self, area: &Infallible, _: Slots<usize>) -> Result<(), Stopped<Infallible>> {
        match *area {}
    }

    fn zap(&self, area: &Infallible, _: Slots<usize>) {
        match *area {}
    }
}
