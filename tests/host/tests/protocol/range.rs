// SPDX-License-Identifier: GPL-2.0

//! A range for the protocol to work on, all in one thread.

use std::{
    cell::{
        Cell,
        RefCell,
        RefMut, //
    },
    collections::BTreeSet,
    ops::Range as Slots,
    rc::Rc, //
};

use crate::{
    protocol::{
        Backing,
        InsertError,
        Kind,
        Stopped,
        Usage, //
    },
    state::SlotState, //
};

/// There is no memory for page tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory;

/// A range, and what is mapped of it.
pub struct Range {
    pub pages: Vec<RefCell<Option<Page>>>,
    /// The LRU list.
    pub list: RefCell<Vec<usize>>,
    pub used: Cell<usize>,
    pub idle: Cell<usize>,
    /// Whether there is an area.
    pub mapped: Cell<bool>,
    /// Somebody else holds the range's lock.
    pub locked: Cell<bool>,
    /// How many pages can be mapped before there is no memory.
    pub room: Cell<usize>,
    /// How often pages were to be mapped.
    pub insertions: Cell<usize>,
    pub owner: Rc<Owner>,
    usage: RefCell<Usage<Vec<SlotState>>>,
}

/// What there is of pages, wherever.
#[derive(Default)]
pub struct Owner {
    /// Which page is mapped in the place of each slot.
    pub shown: RefCell<Vec<Option<usize>>>,
    /// Pages that are not freed.
    pub live: RefCell<BTreeSet<usize>>,
    /// Pages may be freed while they are mapped.
    pub careless: Cell<bool>,
}

/// The reference that keeps a page.
pub struct Page {
    pub id: usize,
    owner: Rc<Owner>,
}

impl Page {
    pub fn new(id: usize, owner: &Rc<Owner>) -> Self {
        owner.live.borrow_mut().insert(id);
        Self {
            id,
            owner: owner.clone(),
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let owner = &self.owner;
        let shown = owner.shown.borrow().contains(&Some(self.id));

        owner.live.borrow_mut().remove(&self.id);
        if !std::thread::panicking() {
            assert!(owner.careless.get() || !shown, "freed while mapped");
        }
    }
}

impl Range {
    /// A range of empty slots, which is mapped.
    pub fn new(slots: usize) -> Self {
        let owner = Owner::default();

        owner.shown.borrow_mut().resize(slots, None);
        Self {
            pages: (0..slots).map(|_| RefCell::default()).collect(),
            list: RefCell::default(),
            used: Cell::new(0),
            idle: Cell::new(0),
            mapped: Cell::new(true),
            locked: Cell::new(false),
            room: Cell::new(usize::MAX),
            insertions: Cell::new(0),
            owner: Rc::new(owner),
            usage: RefCell::new(Usage {
                states: vec![SlotState::default(); slots],
                closed: false,
            }),
        }
    }

    /// Whether a slot knows that it is in the list.
    pub fn is_listed(&self, slot: usize) -> bool {
        self.usage.borrow().states[slot].is_listed()
    }

    /// Moves a slot to the end of the list.
    pub fn rotate(&self, slot: usize) {
        let mut list = self.list.borrow_mut();

        list.retain(|&listed| listed != slot);
        list.push(slot);
    }

    /// Which page is in a slot.
    pub fn page(&self, slot: usize) -> Option<usize> {
        Some(self.pages[slot].borrow().as_ref()?.id)
    }
}

impl Backing for Range {
    type Page = Page;
    type Area<'a> = ();
    type Error = NoMemory;
    type States = Vec<SlotState>;
    type Lock<'a> = RefMut<'a, Usage<Vec<SlotState>>>;

    fn lock(&self) -> Self::Lock<'_> {
        self.usage.borrow_mut()
    }

    fn try_lock(&self) -> Option<Self::Lock<'_>> {
        (!self.locked.get()).then(|| self.lock())
    }

    fn is_mapped(&self) -> bool {
        self.mapped.get()
    }

    fn put_page(&self, slot: usize, page: Page) {
        let old = self.pages[slot].replace(Some(page));

        assert!(old.is_none(), "a slot is filled twice");
    }

    fn take_page(&self, slot: usize) -> Option<Page> {
        self.pages[slot].take()
    }

    fn count(&self, slots: usize, from: Kind, to: Kind) {
        for (kind, leaving) in [(from, true), (to, false)] {
            let counter = match kind {
                Kind::Empty => continue,
                Kind::Used => &self.used,
                Kind::Idle => &self.idle,
            };
            let count = counter.get();
            counter.set(if leaving {
                count - slots
            } else {
                count + slots
            });
        }
    }

    fn list(&self, slots: Slots<usize>) {
        let mut list = self.list.borrow_mut();

        for slot in slots {
            assert!(self.page(slot).is_some() && !list.contains(&slot));
            list.push(slot);
        }
    }

    fn unlist(&self, slots: Slots<usize>) {
        let mut list = self.list.borrow_mut();

        assert!(slots.clone().all(|slot| self.page(slot).is_some()));
        assert!(slots.clone().all(|slot| list.contains(&slot)));
        list.retain(|slot| !slots.contains(slot));
    }

    fn insert(&self, _: &(), slots: Slots<usize>) -> Result<(), Stopped<NoMemory>> {
        let mut shown = self.owner.shown.borrow_mut();

        self.insertions.set(self.insertions.get() + 1);
        for (inserted, slot) in slots.enumerate() {
            let stopped = |error| Stopped { inserted, error };
            let page = self.page(slot).expect("no page is mapped");

            if shown[slot].is_some() {
                assert_eq!(shown[slot], Some(page), "another page is mapped");
                return Err(stopped(InsertError::Busy));
            }
            if self.room.get() == 0 {
                return Err(stopped(InsertError::Failed(NoMemory)));
            }
            self.room.set(self.room.get() - 1);
            shown[slot] = Some(page);
        }
        Ok(())
    }

    fn zap(&self, _: &(), slots: Slots<usize>) {
        self.owner.shown.borrow_mut()[slots].fill(None);
    }
}
