// SPDX-License-Identifier: GPL-2.0

//! The owner of a range: its address space, the one area in it, and the pages that it may see there.

use std::{
    cell::{
        Cell,
        RefCell, //
    },
    rc::Rc,
};

use loom::{
    cell::Cell as CheckedCell,
    sync::atomic::Ordering::{
        AcqRel,
        Acquire,
        Relaxed,
        Release, //
    },
    thread,
};

use crate::{
    lock::{
        Held,
        Lock, //
    },
    steps::Steps,
};

/// How many threads a program may have.
pub const THREADS: usize = 3;

/// What threads of a program change that most programs leave alone.
#[derive(Clone, Copy, Default)]
pub struct Changes {
    /// The range is mapped, or unmapped.
    pub mappings: bool,
    /// The owner exits.
    pub users: bool,
    /// Memory runs out.
    pub memory: bool,
}

/// An address space.
pub struct Owner {
    users: Cell<usize>,
    users_steps: Steps,
    /// The VMA lock. What is not an area any more cannot be locked.
    area_lock: Lock,
    at_place: Cell<AtPlace>,
    /// The range was closed while it was mapped.
    abandoned: Cell<bool>,
    mapped: Cell<bool>,
    mapped_steps: Steps,
    table: Vec<Entry>,
    pages: RefCell<Vec<Rc<Page>>>,
    out_of_memory: Cell<bool>,
    memory_steps: Steps,
}

/// What is found at the address of the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtPlace {
    Nothing,
    Area,
    /// Memory that is none of the range's business.
    OtherMemory,
}

/// A page table entry.
struct Entry {
    steps: Steps,
    shown: Cell<Shown>,
    /// User space has removed what was mapped last.
    removed: Cell<bool>,
}

/// What is mapped in the place of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    Page(usize),
    OtherMemory,
}

/// A page, and what is known of it for ever.
pub struct Page {
    pub id: usize,
    freed: Cell<bool>,
    /// What was in it before is gone.
    pub initialized: Cell<bool>,
    /// What it contains: a part for each thread. To access it while it is freed is an error that
    /// loom finds.
    pub parts: [CheckedCell<u32>; THREADS],
}

/// The reference to a page that its slot owns.
pub struct OwnedPage {
    pub page: Rc<Page>,
    owner: Rc<Owner>,
}

impl Drop for OwnedPage {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        let page = &self.page;

        assert!(!page.freed.replace(true), "page {} is freed twice", page.id);
        if self.owner.cares() {
            let shown = |entry: &Entry| entry.shown.get() == Shown::Page(page.id);
            let shown = self.owner.table.iter().position(shown);
            assert_eq!(shown, None, "page {} is freed while mapped", page.id);
        }
        for part in &page.parts {
            part.set(u32::MAX);
        }
    }
}

/// The address space stays, until this is dropped.
pub struct User<'a>(&'a Owner);

impl Drop for User<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.0.users_steps.take("leaves", AcqRel);
            self.0.users.set(self.0.users.get() - 1);
        }
    }
}

impl Owner {
    /// A process that does not map the range yet.
    pub fn new(slots: usize, changes: Changes) -> Rc<Self> {
        let entry = |slot| Entry {
            steps: Steps::new(("entry", slot), true),
            shown: Cell::new(Shown::Nothing),
            removed: Cell::new(false),
        };

        Rc::new(Self {
            users: Cell::new(1),
            users_steps: Steps::new(("the users", 0), changes.users),
            area_lock: Lock::new(("the area", 0), changes.mappings),
            at_place: Cell::new(AtPlace::Nothing),
            abandoned: Cell::new(false),
            mapped: Cell::new(false),
            mapped_steps: Steps::new(("the mapped flag", 0), changes.mappings || changes.users),
            table: (0..slots).map(entry).collect(),
            pages: RefCell::new(Vec::new()),
            out_of_memory: Cell::new(false),
            memory_steps: Steps::new(("the memory", 0), changes.memory),
        })
    }

    /// Whether there is memory left.
    pub fn has_memory(&self) -> bool {
        self.memory_steps.take("wants", Relaxed);
        !self.out_of_memory.get()
    }

    pub fn set_memory(&self, left: bool) {
        self.memory_steps.take("changes", Relaxed);
        self.out_of_memory.set(!left);
    }

    /// A page that is `zeroed`, or has to be overwritten.
    pub fn allocate(self: &Rc<Self>, zeroed: bool) -> OwnedPage {
        let mut pages = self.pages.borrow_mut();
        let page = Rc::new(Page {
            id: pages.len(),
            freed: Cell::new(false),
            initialized: Cell::new(zeroed),
            parts: Default::default(),
        });

        pages.push(page.clone());
        OwnedPage {
            page,
            owner: self.clone(),
        }
    }

    /// How many pages there are that are not freed.
    pub fn pages(&self) -> usize {
        let pages = self.pages.borrow();

        pages.iter().filter(|page| !page.freed.get()).count()
    }

    /// Whether there is an area. An outdated answer is one that could have been had earlier, before
    /// the steps that have made it outdated: all that follows from them is behind locks.
    pub fn is_mapped(&self) -> bool {
        self.mapped_steps.take("reads", Acquire);
        self.mapped.get()
    }

    fn set_mapped(&self, mapped: bool) {
        self.mapped_steps.take("changes", Release);
        self.mapped.set(mapped);
    }

    /// Whether there are threads that could see what is mapped.
    pub fn is_alive(&self) -> bool {
        self.users.get() > 0
    }

    /// The range is being closed. If it is mapped, then pages that are in no slot any more stay
    /// mapped: user space has references to them.
    pub fn abandon(&self) {
        if self.at_place.get() == AtPlace::Area {
            self.abandoned.set(true);
        }
    }

    /// Whether pages must be in their slots for as long as they are mapped.
    pub fn cares(&self) -> bool {
        self.is_alive() && !self.abandoned.get()
    }

    /// Keeps the address space, unless its last user is gone.
    pub fn get(&self) -> Option<User<'_>> {
        self.users_steps.take("joins", AcqRel);
        self.is_alive().then(|| {
            self.users.set(self.users.get() + 1);
            User(self)
        })
    }

    /// Waits for the lock of what is mapped, if that is the area.
    pub fn lock_area(&self) -> Option<Held<'_>> {
        Some(self.area_lock.share()).filter(|_| self.at_place.get() == AtPlace::Area)
    }

    /// Tries to lock what is mapped.
    pub fn try_lock_area(&self) -> Option<(Held<'_>, AtPlace)> {
        let held = self.area_lock.try_share()?;

        Some((held, self.at_place.get())).filter(|(_, found)| *found != AtPlace::Nothing)
    }

    /// `mmap`. The range is told by calling `mapped`, before anybody can find the area.
    pub fn map(&self, mapped: impl FnOnce()) {
        let _held = self.area_lock.lock();

        self.at_place.set(AtPlace::Area);
        mapped();
        self.set_mapped(true);
    }

    /// `munmap`. The area cannot be found any more before anything else happens to it.
    pub fn unmap(&self) {
        {
            let _held = self.area_lock.lock();
            self.at_place.set(AtPlace::Nothing);
        }
        self.remove_all();
    }

    fn remove_all(&self) {
        for slot in 0..self.table.len() {
            self.remove(slot);
        }
        self.set_mapped(false);
    }

    /// Maps other memory where the area was, and touches it.
    pub fn map_other_memory(&self) {
        let _held = self.area_lock.lock();

        self.at_place.set(AtPlace::OtherMemory);
        for entry in &self.table {
            entry.steps.take("fills", Relaxed);
            entry.shown.set(Shown::OtherMemory);
        }
    }

    /// The last thread exits. What is mapped goes when nobody uses the address space any more,
    /// which is some time later if somebody does now.
    pub fn exit(&self) {
        drop(User(self));
        if !self.is_alive() {
            self.remove_all();
        }
    }

    /// Ends the address space when no other thread uses it any more.
    pub fn end(&self) {
        match self.at_place.get() {
            AtPlace::Area if self.is_alive() => self.unmap(),
            _ => self.remove_all(),
        }
    }

    /// `MADV_DONTNEED` for one page.
    pub fn discard(&self, slot: usize) {
        let _held = self.area_lock.share();

        if self.at_place.get() == AtPlace::Area {
            self.remove(slot);
        }
    }

    fn remove(&self, slot: usize) {
        let entry = &self.table[slot];

        entry.steps.take("removes", Relaxed);
        if entry.shown.replace(Shown::Nothing) != Shown::Nothing {
            entry.removed.set(true);
        }
    }

    /// Maps `page`, or returns what is mapped already.
    pub fn insert(&self, slot: usize, page: &Page) -> Result<(), Shown> {
        let entry = &self.table[slot];

        entry.steps.take("inserts", Relaxed);
        assert!(page.initialized.get(), "page {} shows what is old", page.id);
        if entry.shown.get() != Shown::Nothing {
            return Err(entry.shown.get());
        }
        entry.shown.set(Shown::Page(page.id));
        entry.removed.set(false);
        Ok(())
    }

    /// Unmaps what is mapped in the place of a slot in the area.
    pub fn zap(&self, slot: usize) {
        let entry = &self.table[slot];

        entry.steps.take("zaps", Relaxed);
        let shown = entry.shown.replace(Shown::Nothing);
        assert_ne!(shown, Shown::OtherMemory, "other memory is zapped");
    }

    /// Unmaps what is mapped in the place of a slot, if it is of the range's file.
    pub fn zap_file(&self, slot: usize) {
        let entry = &self.table[slot];

        entry.steps.take("unmaps", Relaxed);
        if entry.shown.get() != Shown::OtherMemory {
            entry.shown.set(Shown::Nothing);
        }
    }

    /// What a thread of the owner sees in the place of a slot.
    pub fn look(&self, slot: usize) -> Shown {
        let entry = &self.table[slot];

        entry.steps.take("looks at", Relaxed);
        if let Shown::Page(id) = entry.shown.get() {
            assert!(!self.pages.borrow()[id].freed.get(), "page {id} is freed");
        }
        entry.shown.get()
    }

    /// What is mapped in the place of a slot, and whether user space has undone what was. Not a
    /// step.
    pub fn peek(&self, slot: usize) -> (Shown, bool) {
        let entry = &self.table[slot];

        (entry.shown.get(), entry.removed.get())
    }
}
