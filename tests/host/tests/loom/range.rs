// SPDX-License-Identifier: GPL-2.0

//! A range for the protocol to work on.

use std::{
    cell::{
        Cell,
        RefCell,
        RefMut, //
    },
    collections::VecDeque,
    ops::{
        Deref,
        DerefMut,
        Range as Slots, //
    },
    rc::Rc, //
};

use loom::{
    cell::Cell as CheckedCell,
    thread, //
};

use crate::{
    check,
    lock::{
        Held,
        Lock, //
    },
    log::{
        Event,
        Log, //
    },
    owner::{
        Changes,
        OwnedPage,
        Owner,
        Page,
        Shown,
        User, //
    },
    protocol::{
        Backing,
        InsertError,
        Kind,
        Stopped,
        Usage, //
    },
    state::SlotState,
    threads::Lease,
};

/// When pages are mapped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Install {
    /// When they are leased.
    Sender,
    /// When the owner asks for it.
    Receiver,
    /// When they are touched.
    Fault,
}

/// What a program is about.
#[derive(Clone, Copy)]
pub struct Setup {
    pub slots: usize,
    /// How many LRU lists there are. The slots are dealt out to them.
    pub lists: usize,
    pub install: Install,
    pub changes: Changes,
    /// To insert pages takes memory, which is reclaimed for it.
    pub pressure: bool,
}

/// A range.
pub struct Range {
    pub setup: Setup,
    pub owner: Rc<Owner>,
    pub log: Log,
    pub lists: Vec<List>,
    pub slots: Vec<Slot>,
    pub used: Cell<usize>,
    pub idle: Cell<usize>,
    /// Leases that threads hand to each other.
    pub kept: RefCell<Vec<Lease>>,
    lock: Lock,
    usage: RefCell<Usage<Vec<SlotState>>>,
    /// Whether it was closed when the lock was taken last.
    pub was_closed: Cell<bool>,
}

/// An LRU list.
pub struct List {
    pub lock: Lock,
    pub slots: RefCell<VecDeque<usize>>,
}

/// A slot.
#[derive(Default)]
pub struct Slot {
    /// Which page there is. Whoever reads it must be ordered with whoever changes it.
    page: CheckedCell<Option<usize>>,
    owned: RefCell<Option<OwnedPage>>,
    /// How many leases there are whose holders may use the page.
    pub leases: Cell<usize>,
}

impl Slot {
    /// The page in the slot.
    pub fn page(&self) -> Option<Rc<Page>> {
        self.page.get()?;
        Some(self.owned.borrow().as_ref()?.page.clone())
    }

    /// Which page is in the slot. Not ordered with anything.
    pub fn peek(&self) -> Option<usize> {
        Some(self.owned.borrow().as_ref()?.page.id)
    }
}

/// Permission to change what is mapped.
pub enum Area<'a> {
    /// The area's lock is held.
    Locked {
        _held: Held<'a>,
        _user: Option<User<'a>>,
    },
    /// Nothing is held: what is mapped is found by way of the file.
    File,
}

/// The range's lock.
pub struct UsageGuard<'a> {
    range: &'a Range,
    usage: RefMut<'a, Usage<Vec<SlotState>>>,
    _held: Held<'a>,
}

impl<'a> UsageGuard<'a> {
    fn new(range: &'a Range, held: Held<'a>) -> Self {
        let mut usage = range.usage.borrow_mut();

        range.was_closed.set(usage.closed);
        check::all(range, &mut usage);
        Self {
            range,
            usage,
            _held: held,
        }
    }
}

impl Deref for UsageGuard<'_> {
    type Target = Usage<Vec<SlotState>>;

    fn deref(&self) -> &Self::Target {
        &self.usage
    }
}

impl DerefMut for UsageGuard<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.usage
    }
}

impl Drop for UsageGuard<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            check::all(self.range, &mut self.usage);
        }
    }
}

impl Range {
    /// A range that is not mapped yet.
    pub fn new(setup: Setup, log: Log) -> Rc<Self> {
        let list = |number| List {
            lock: Lock::new(("list", number), true),
            slots: RefCell::default(),
        };

        Rc::new(Self {
            setup,
            owner: Owner::new(setup.slots, setup.changes),
            log,
            lists: (0..setup.lists).map(list).collect(),
            slots: (0..setup.slots).map(|_| Slot::default()).collect(),
            used: Cell::new(0),
            idle: Cell::new(0),
            kept: RefCell::default(),
            lock: Lock::new(("the range", 0), true),
            usage: RefCell::new(Usage {
                states: Vec::new(),
                closed: false,
            }),
            was_closed: Cell::new(false),
        })
    }

    /// The owner maps the range.
    pub fn map(&self) {
        self.owner.map(|| {
            self.lock().states = vec![SlotState::default(); self.setup.slots];
        });
    }

    /// Whether somebody is changing what is in the slots.
    pub fn is_locked(&self) -> bool {
        !self.lock.is_free()
    }

    /// The list that a slot belongs to.
    fn list_of(&self, slot: usize) -> &List {
        &self.lists[slot % self.lists.len()]
    }

    /// Whether a slot is in its list. Not a step.
    pub fn is_listed(&self, slot: usize) -> bool {
        self.list_of(slot).slots.borrow().contains(&slot)
    }
}

impl Backing for Range {
    type Page = OwnedPage;
    type Area<'a> = Area<'a>;
    type Error = ();
    type States = Vec<SlotState>;
    type Lock<'a> = UsageGuard<'a>;

    fn lock(&self) -> UsageGuard<'_> {
        UsageGuard::new(self, self.lock.lock())
    }

    fn try_lock(&self) -> Option<UsageGuard<'_>> {
        Some(UsageGuard::new(self, self.lock.try_lock()?))
    }

    fn is_mapped(&self) -> bool {
        self.owner.is_mapped()
    }

    fn put_page(&self, slot: usize, page: OwnedPage) {
        let slot = &self.slots[slot];

        assert!(slot.page.replace(Some(page.page.id)).is_none());
        *slot.owned.borrow_mut() = Some(page);
    }

    fn take_page(&self, slot: usize) -> Option<OwnedPage> {
        let slot = &self.slots[slot];

        assert_eq!(slot.leases.get(), 0, "a leased page is taken");
        slot.page.set(None);
        slot.owned.take()
    }

    fn count(&self, slots: usize, from: Kind, to: Kind) {
        for (kind, leaving) in [(from, true), (to, false)] {
            let counter = match kind {
                Kind::Empty => continue,
                Kind::Used => &self.used,
                Kind::Idle => &self.idle,
            };
            counter.set(if leaving {
                counter.get() - slots
            } else {
                counter.get() + slots
            });
        }
    }

    fn list(&self, slots: Slots<usize>) {
        for slot in slots {
            assert!(
                self.slots[slot].peek().is_some(),
                "a slot without a page is listed"
            );
            let list = self.list_of(slot);

            list.lock.with(|| {
                let mut slots = list.slots.borrow_mut();

                assert!(!slots.contains(&slot), "slot {slot} is listed twice");
                slots.push_back(slot);
            });
        }
    }

    fn unlist(&self, slots: Slots<usize>) {
        for slot in slots {
            assert!(
                self.slots[slot].peek().is_some(),
                "a slot without a page is unlisted"
            );
            let list = self.list_of(slot);

            list.lock.with(|| {
                let mut slots = list.slots.borrow_mut();
                let place = slots.iter().position(|&listed| listed == slot);

                slots.remove(place.expect("a slot is not in the list"));
            });
        }
    }

    fn insert(&self, area: &Area<'_>, slots: Slots<usize>) -> Result<(), Stopped<()>> {
        assert!(matches!(area, Area::Locked { .. }));
        if self.setup.pressure {
            self.shrink(0, 1, 1);
        }
        for (inserted, slot) in slots.enumerate() {
            let stopped = |error| Stopped { inserted, error };
            let page = self.slots[slot].page().expect("no page is mapped");
            if !self.owner.has_memory() {
                return Err(stopped(InsertError::Failed(())));
            }

            match self.owner.insert(slot, &page) {
                Ok(()) => {}
                Err(Shown::Page(id)) if id == page.id => {
                    self.log.note(Event::Busy);
                    return Err(stopped(InsertError::Busy));
                }
                Err(shown) => panic!("{shown:?} is mapped in place of page {}", page.id),
            }
        }
        Ok(())
    }

    fn zap(&self, area: &Area<'_>, slots: Slots<usize>) {
        for slot in slots {
            match area {
                Area::Locked { .. } => self.owner.zap(slot),
                Area::File => self.owner.zap_file(slot),
            }
        }
    }
}
