// SPDX-License-Identifier: GPL-2.0

//! What threads do with a range: as the kernel's side of the protocol does, but with loom's steps.

use std::{
    cell::RefCell,
    ops::Range as Slots,
    rc::Rc, //
};

use loom::thread;

use crate::{
    lock::Held,
    log::Event,
    owner::{
        AtPlace,
        OwnedPage,
        Shown, //
    },
    protocol::{
        self,
        Met,
        Needs,
        Skipped, //
    },
    range::{
        Area,
        Install,
        List,
        Range, //
    },
};

/// The right to use the pages in some slots.
pub struct Lease {
    range: Rc<Range>,
    slots: Slots<usize>,
    /// How many pages were not mapped when the lease began.
    unmapped: usize,
    /// Which part of each page the holder uses.
    part: usize,
    /// Which pages were used.
    pages: RefCell<Vec<usize>>,
}

impl Lease {
    /// Writes the own part of each page.
    pub fn write(&self) {
        self.write_unless_filled(&[]);
    }

    /// Writes the own part of each page, except those in the slots that are `filled` with it.
    fn write_unless_filled(&self, filled: &[usize]) {
        for slot in self.slots.clone() {
            let page = self.range.slots[slot].page();
            let page = page.expect("a leased slot is empty");

            if !filled.contains(&slot) {
                page.parts[self.part].set(slot as u32);
            }
            self.pages.borrow_mut().push(page.id);
        }
    }

    /// Whether the pages are those that were written, and have what was written.
    fn check(&self) {
        for (slot, &id) in self.slots.clone().zip(&*self.pages.borrow()) {
            let page = self.range.slots[slot].page();
            let page = page.expect("a leased slot is empty");

            assert_eq!((page.id, page.parts[self.part].get()), (id, slot as u32));
        }
    }

    /// The pages are mapped, if user space has not undone it.
    fn assert_mapped(&self) {
        for slot in self.slots.clone() {
            let (shown, removed) = self.range.owner.peek(slot);

            assert!(
                shown != Shown::Nothing || removed,
                "slot {slot} is not mapped"
            );
        }
    }

    /// The owner asks for the pages to be mapped.
    pub fn map(&self) {
        let range = &*self.range;
        if self.unmapped == 0 {
            self.assert_mapped();
            return;
        }
        if !protocol::needs_mapping(range, self.slots.clone()) {
            return;
        }
        let Some(held) = range.owner.lock_area() else {
            range.log.note(Event::Unmappable);
            return;
        };
        let area = Area::Locked {
            _held: held,
            _user: None,
        };

        if protocol::populate(range, Some(&area), self.slots.clone(), |_| None).is_err() {
            range.log.note(Event::NoMemory);
            return;
        }
        self.assert_mapped();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if thread::panicking() {
            return;
        }
        self.check();
        for slot in &self.range.slots[self.slots.clone()] {
            slot.leases.set(slot.leases.get() - 1);
        }
        protocol::uncover(&*self.range, self.slots.clone());
    }
}

impl Range {
    /// Takes a lease, to use the given part of each page.
    pub fn lease(self: &Rc<Self>, part: usize, slots: Slots<usize>) -> Option<Lease> {
        let (lease, needs) = self.begin_lease(part, slots)?;

        if needs.pages > 0 || needs.mappings > 0 {
            self.populate(&lease.slots, needs)
                .map_err(|event| self.log.note(event))
                .ok()?;
        }
        self.has_begun(&lease);
        Some(lease)
    }

    /// The same, and writes that part of each page: into those that are not there before anybody
    /// else can see them.
    pub fn lease_filled(self: &Rc<Self>, part: usize, slots: Slots<usize>) -> Option<Lease> {
        let (lease, needs) = self.begin_lease(part, slots)?;
        let filled = if needs.pages > 0 {
            self.populate_filled(&lease, needs)
        } else if needs.mappings > 0 {
            self.populate(&lease.slots, needs).map(|()| Vec::new())
        } else {
            Ok(Vec::new())
        };

        let filled = filled.map_err(|event| self.log.note(event)).ok()?;
        self.has_begun(&lease);
        lease.write_unless_filled(&filled);
        Some(lease)
    }

    fn begin_lease(self: &Rc<Self>, part: usize, slots: Slots<usize>) -> Option<(Lease, Needs)> {
        let Ok(mut needs) = protocol::cover(&**self, slots.clone()) else {
            self.log.note(Event::Refused);
            return None;
        };
        assert!(!self.was_closed.get(), "a new lease on a closed range");
        for slot in &self.slots[slots.clone()] {
            slot.leases.set(slot.leases.get() + 1);
        }
        let lease = Lease {
            range: self.clone(),
            slots,
            unmapped: needs.mappings,
            part,
            pages: RefCell::default(),
        };

        if self.setup.install != Install::Sender {
            needs.mappings = 0;
        }
        Some((lease, needs))
    }

    fn has_begun(&self, lease: &Lease) {
        self.log.note(Event::Leased);
        if self.setup.install == Install::Sender {
            lease.assert_mapped();
        }
    }

    fn populate(&self, covered: &Slots<usize>, needs: Needs) -> Result<(), Event> {
        if needs.pages > 0 && !self.owner.has_memory() {
            return Err(Event::NoMemory);
        }
        let fresh: Vec<_> = (0..needs.pages)
            .map(|_| self.owner.allocate(true))
            .collect();
        let mut fresh = fresh.into_iter();

        self.put_pages(covered, needs.mappings > 0, |_| fresh.next())
    }

    /// Returns which slots were filled with what the holder of the lease writes.
    fn populate_filled(&self, lease: &Lease, needs: Needs) -> Result<Vec<usize>, Event> {
        let mut empty = Vec::new();
        let look = protocol::populate(self, None, lease.slots.clone(), |slot| {
            empty.push(slot);
            None
        });
        assert!(look.is_ok() && empty.len() <= needs.pages);
        if !self.owner.has_memory() {
            return Err(Event::NoMemory);
        }
        let mut fresh: Vec<_> = empty
            .into_iter()
            .map(|slot| {
                let page = self.owner.allocate(false);

                page.page.parts[lease.part].set(slot as u32);
                page.page.initialized.set(true);
                (slot, page)
            })
            .collect();

        let mut filled = Vec::new();
        self.put_pages(&lease.slots, needs.mappings > 0, |slot| {
            let place = fresh.iter().position(|(wanted, _)| *wanted == slot)?;

            filled.push(slot);
            Some(fresh.remove(place).1)
        })?;
        if !filled.is_empty() {
            self.log.note(Event::Filled);
        }
        if !fresh.is_empty() {
            self.log.note(Event::FilledInVain);
        }
        Ok(filled)
    }

    fn put_pages(
        &self,
        covered: &Slots<usize>,
        map: bool,
        fresh: impl FnMut(usize) -> Option<OwnedPage>,
    ) -> Result<(), Event> {
        let result = if map {
            let user = self.owner.get().ok_or(Event::Unmappable)?;
            let held = self.owner.lock_area().ok_or(Event::Unmappable)?;
            let area = Area::Locked {
                _held: held,
                _user: Some(user),
            };
            protocol::populate(self, Some(&area), covered.clone(), fresh)
        } else {
            protocol::populate(self, None, covered.clone(), fresh)
        };
        result.map_err(|()| Event::NoMemory)
    }

    /// Takes a lease, uses it, and gives it back.
    pub fn lease_and_release(self: &Rc<Self>, part: usize, slots: Slots<usize>) {
        if let Some(lease) = self.lease(part, slots) {
            lease.write();
        }
    }

    /// The same, with pages that are filled before they are there.
    pub fn lease_filled_and_release(self: &Rc<Self>, part: usize, slots: Slots<usize>) {
        drop(self.lease_filled(part, slots));
    }

    /// Ends the lease that was kept last.
    pub fn release_kept(&self) {
        let lease = self.kept.borrow_mut().pop();

        drop(lease);
    }

    /// Takes a lease that another thread will end.
    pub fn keep_lease(self: &Rc<Self>, part: usize, slots: Slots<usize>) {
        let lease = self.lease(part, slots).unwrap();

        lease.write();
        self.kept.borrow_mut().push(lease);
    }

    /// Visits pages in a list, and reclaims up to `limit` with each of them that is not used, and
    /// was not between two visits.
    pub fn shrink(&self, list: usize, visits: usize, limit: usize) {
        self.visit(list, visits, limit, true);
    }

    /// The same, but reclaims all that is not used.
    pub fn shrink_in_need(&self, list: usize, visits: usize, limit: usize) {
        self.visit(list, visits, limit, false);
    }

    fn visit(&self, list: usize, visits: usize, limit: usize, second_chance: bool) {
        for _ in 0..visits {
            let list = &self.lists[list];
            let held = list.lock.lock();
            let Some(&slot) = list.slots.borrow().front() else {
                return;
            };
            let isolate = |held: Held<'_>| {
                assert_eq!(list.slots.borrow_mut().pop_front(), Some(slot));
                drop(held);
                slot
            };

            let lock_area = || self.try_lock_area();
            match protocol::reclaim(self, slot, limit, second_chance, held, lock_area, isolate) {
                Met::Idle(reclaimed) => {
                    let count = reclaimed.slots.len();

                    assert_eq!(reclaimed.isolated, slot);
                    assert!(reclaimed.slots.contains(&slot) && count <= limit);
                    self.log.note(match reclaimed.unmapped {
                        true => Event::Unmapped(count),
                        false => Event::Taken(count),
                    });
                }
                Met::Used(isolated) => {
                    assert_eq!(isolated, slot);
                    self.log.note(Event::InUse);
                }
                Met::Touched(_held) => {
                    assert!(second_chance, "slot {slot} is spared");
                    self.log.note(Event::SecondChance);
                    rotate(list);
                }
                Met::Skipped(_held, skipped) => {
                    self.log.note(skipped.into());
                    rotate(list);
                }
            }
        }
    }

    fn try_lock_area(&self) -> Result<Option<Area<'_>>, Skipped> {
        if self.setup.install == Install::Fault {
            return Ok(Some(Area::File));
        }
        let Some(user) = self.owner.get() else {
            return Ok(None);
        };
        let (held, found) = self.owner.try_lock_area().ok_or(Skipped::VmaLock)?;
        if found != AtPlace::Area {
            return Err(Skipped::Mm);
        }
        Ok(Some(Area::Locked {
            _held: held,
            _user: Some(user),
        }))
    }

    /// A thread of the owner touches the place of a slot.
    pub fn touch(&self, slot: usize) {
        match self.owner.look(slot) {
            Shown::OtherMemory => self.log.note(Event::NotThere),
            Shown::Page(id) => {
                let page = self.slots[slot].peek();

                assert!(self.is_locked() || page == Some(id), "page {id} is seen");
                self.log.note(Event::Seen);
            }
            Shown::Nothing => self.fault(slot),
        }
    }

    /// A thread of the owner has found nothing in the place of a slot.
    fn fault(&self, slot: usize) {
        let Some(held) = self.owner.lock_area() else {
            self.log.note(Event::NotThere);
            return;
        };
        let area = Area::Locked {
            _held: held,
            _user: None,
        };

        self.log.note(match protocol::fault(self, &area, slot) {
            Some(Ok(())) => Event::Faulted,
            Some(Err(())) => Event::NoMemory,
            None => Event::Nothing,
        });
    }

    /// A thread of the owner has touched the neighbourhood of `slots`.
    pub fn fault_around(&self, slots: Slots<usize>) {
        let Some(_held) = self.owner.lock_area() else {
            self.log.note(Event::NotThere);
            return;
        };

        protocol::fault_around(self, |may_be_mapped| {
            for slot in slots.filter(|&slot| may_be_mapped(slot)) {
                let page = self.slots[slot].page().unwrap();

                match self.owner.insert(slot, &page) {
                    Ok(()) => self.log.note(Event::FaultedAround),
                    Err(shown) => assert_eq!(shown, Shown::Page(page.id)),
                }
            }
        });
    }

    /// Closes the range.
    pub fn close(&self) {
        self.owner.abandon();
        protocol::close(self);
    }

    /// Ends the range when no other thread uses it any more.
    pub fn finish(self: &Rc<Self>) {
        assert!(self.kept.borrow().is_empty());
        for list in 0..self.lists.len() {
            // Each is spared once at most.
            self.shrink(list, 2 * self.slots.len(), 1);
        }
        assert_eq!(
            (self.used.get(), self.idle.get()),
            (0, 0),
            "pages are stuck"
        );

        self.owner.set_memory(true);
        self.owner.end();
        assert!(
            self.lease(0, 0..1).is_none(),
            "a new lease when it is unmapped"
        );
        self.close();
        self.close();
        assert!(
            self.lease(0, 0..1).is_none(),
            "a new lease when it is closed"
        );
        assert_eq!(self.owner.pages(), 0, "pages are not freed");
    }
}

/// Moves the first slot to the end.
fn rotate(list: &List) {
    list.slots.borrow_mut().rotate_left(1);
}
