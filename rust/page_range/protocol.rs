// SPDX-License-Identifier: GPL-2.0

//! The protocol between those who use the pages of a range, those who map them, and memory reclaim.
//!
//! This file depends on `core` alone: `tests/host` builds it with other locks, pages and page tables,
//! and runs through all ways in which the threads of small programs can be interleaved.
//!
//! A slot is *empty*, or holds a page that is *used* (some lease covers the slot) or *idle* (kept for
//! reuse, and in the LRU list). All transitions are made under the range's lock, and so are all
//! changes of the owner's page tables that the driver makes, so that the two agree:
//!
//! * What is mapped in a slot's place is the slot's page, or nothing. User space can take mappings
//!   away at any time (`MADV_DONTNEED`); the fault handler brings them back.
//!
//! Most pages are used again before reclaim looks for them, so a lease leaves the LRU list as it is.
//! Whenever nobody holds the range's lock:
//!
//! * An idle slot is in the list. An empty one is not, so no page is freed that is in it.
//! * A used slot may be in the list, until reclaim meets it there.
//! * [`SlotState::is_listed`] is whether a slot is in the list. Only who holds the lock changes either.
//! * When the range is closed nothing is in the list, nor will be.
//!
//! So a slot is not where its last use would put it in the list. Reclaim makes up for it: a slot that
//! was leased since it came into the list, or was met there last, gets a second chance.

use core::ops::{
    DerefMut,
    Range, //
};

use super::state::{
    begin_lease,
    end_lease,
    Found,
    Left,
    SlotState, //
};

/// What the range's lock protects.
pub struct Usage<S> {
    /// The state of each slot, in their order.
    pub states: S,
    /// The range is gone. Pages are freed as soon as they have no lease.
    pub closed: bool,
}

/// A state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is no page.
    Empty,
    /// A lease covers the slot.
    Used,
    /// No lease covers the slot.
    Idle,
}

/// The range, or its owner, is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Why a page was not reclaimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// Somebody holds the range's lock.
    SlotLock,
    /// The VMA lock was not to be had.
    VmaLock,
    /// The area is just being unmapped.
    Mm,
}

/// What an insertion met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InsertError<E> {
    /// Something is mapped there: somebody else was faster.
    Busy,
    /// Nothing was mapped, because of something else.
    Failed(E),
}

/// How far an insertion came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped<E> {
    /// How many pages were mapped. There are more.
    pub inserted: usize,
    /// What was met at the next one.
    pub error: InsertError<E>,
}

/// What came of a slot that reclaim has met in the list `L`, which is `I` when the slot was isolated.
pub enum Met<L, I> {
    /// Its page was taken.
    Idle(Reclaimed<I>),
    /// It is used. It will come back when its last lease ends.
    Used(I),
    /// It is idle, but was not for long. It is to be moved to the end of the list.
    Touched(L),
    /// Its page could not be taken.
    Skipped(L, Skipped),
}

/// What reclaim has taken.
pub struct Reclaimed<I> {
    /// The slots that are empty now.
    pub slots: Range<usize>,
    /// Whether their pages had to be unmapped.
    pub unmapped: bool,
    /// What came of isolating the first of them.
    pub isolated: I,
}

/// What a lease needs before the pages that it covers can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// How many pages are not there.
    pub pages: usize,
    /// How many are not mapped. If none are, that stays so until the lease ends.
    pub mappings: usize,
}

/// What the protocol is built on. Slots are named by their index.
pub trait Backing {
    /// A page, by a reference that is dropped with this.
    type Page;
    /// Permission to change what is mapped in the area: it exists, and does until this is dropped.
    type Area<'a>;
    /// Why a page cannot be mapped.
    type Error;
    /// An array of [`SlotState`]s.
    type States: DerefMut<Target = [SlotState]>;
    /// The range's lock.
    type Lock<'a>: DerefMut<Target = Usage<Self::States>>
    where
        Self: 'a;

    /// Waits for the range's lock.
    fn lock(&self) -> Self::Lock<'_>;
    /// Takes the range's lock if nobody holds it.
    fn try_lock(&self) -> Option<Self::Lock<'_>>;

    /// Whether the area is mapped. It can be mapped once.
    fn is_mapped(&self) -> bool;

    /// Puts a page into an empty slot. To be called under the range's lock, as all that follow.
    fn put_page(&self, slot: usize, page: Self::Page);
    /// Empties a slot that no lease covers.
    fn take_page(&self, slot: usize) -> Option<Self::Page>;
    /// Notes that slots have changed their state.
    fn count(&self, slots: usize, from: Kind, to: Kind);

    /// Adds slots with pages, which are not in the LRU list, to its end.
    fn list(&self, slots: Range<usize>);
    /// Removes slots with pages, which are in the LRU list, from it.
    fn unlist(&self, slots: Range<usize>);

    /// Maps the pages in `slots`, all of them or up to the one that is told about.
    fn insert(
        &self,
        area: &Self::Area<'_>,
        slots: Range<usize>,
    ) -> Result<(), Stopped<Self::Error>>;
    /// Unmaps what is mapped in the places of `slots`.
    fn zap(&self, area: &Self::Area<'_>, slots: Range<usize>);
}

/// Counts a new lease for each of the `covered` slots. Each call is undone by [`uncover`].
pub fn cover<B: Backing>(range: &B, covered: Range<usize>) -> Result<Needs, Gone> {
    let mut usage = range.lock();
    if usage.closed || !range.is_mapped() {
        return Err(Gone);
    }

    let states = &mut usage.states[covered];
    let Found {
        idle,
        filled,
        mapped,
    } = begin_lease(states);
    if idle > 0 {
        range.count(idle, Kind::Idle, Kind::Used);
    }
    Ok(Needs {
        pages: states.len() - filled,
        mappings: states.len() - mapped,
    })
}

/// Ends a lease on each of the `covered` slots.
pub fn uncover<B: Backing>(range: &B, covered: Range<usize>) {
    let mut usage = range.lock();
    let Left { idle, unlisted } = end_lease(&mut usage.states[covered.clone()]);

    if usage.closed {
        free_idle(range, &mut usage.states, covered, Kind::Used);
        return;
    }
    if unlisted > 0 {
        list(range, &mut usage.states, covered);
    }
    if idle > 0 {
        range.count(idle, Kind::Used, Kind::Idle);
    }
}

/// Moves those of `slots` into the LRU list that should be there and are not.
#[cold]
fn list<B: Backing>(range: &B, states: &mut [SlotState], slots: Range<usize>) {
    for_each_run(states, slots, SlotState::is_unlisted, |run, states| {
        states.iter_mut().for_each(SlotState::set_listed);
        range.list(run);
    });
}

/// Moves those of `slots` out of the LRU list that are there.
fn unlist<B: Backing>(range: &B, states: &mut [SlotState], slots: Range<usize>) {
    for_each_run(states, slots, SlotState::is_listed, |run, states| {
        states.iter_mut().for_each(SlotState::set_unlisted);
        range.unlist(run);
    });
}

/// Frees the idle ones of `slots`, none of which is in the LRU list. They were counted as `from`.
#[cold]
fn free_idle<B: Backing>(range: &B, states: &mut [SlotState], slots: Range<usize>, from: Kind) {
    let mut freed = 0;

    for slot in slots {
        if states[slot].is_idle() {
            drop(take(range, states, slot));
            freed += 1;
        }
    }
    range.count(freed, from, Kind::Empty);
}

/// Empties an idle slot, which is not in the LRU list. What is mapped in its place does not count any
/// more.
fn take<B: Backing>(range: &B, states: &mut [SlotState], slot: usize) -> Option<B::Page> {
    states[slot] = SlotState::default();
    range.take_page(slot)
}

/// Fills the empty ones of the `covered` slots, which must be covered by a lease already, and maps
/// what is not mapped if there is an `area` to map it in.
///
/// `fresh` is asked for a page for each empty slot, in their order: for no more than [`cover`] has
/// counted, because none becomes empty while it is covered. Without an `area` it may have none.
pub fn populate<B: Backing>(
    range: &B,
    area: Option<&B::Area<'_>>,
    covered: Range<usize>,
    mut fresh: impl FnMut(usize) -> Option<B::Page>,
) -> Result<(), B::Error> {
    let mut usage = range.lock();
    let mut filled = 0;

    for slot in covered.clone() {
        let state = &mut usage.states[slot];
        if state.is_filled() {
            continue;
        }
        if let Some(page) = fresh(slot) {
            range.put_page(slot, page);
            state.set_filled();
            filled += 1;
        }
    }
    range.count(filled, Kind::Empty, Kind::Used);
    match area {
        Some(area) => insert_missing(range, area, &mut usage.states, covered),
        None => Ok(()),
    }
}

/// Whether some of the `covered` slots are not mapped.
pub fn needs_mapping<B: Backing>(range: &B, covered: Range<usize>) -> bool {
    let usage = range.lock();

    usage.states[covered].iter().any(|state| !state.is_mapped())
}

/// Maps the pages in slots that are not mapped.
fn insert_missing<B: Backing>(
    range: &B,
    area: &B::Area<'_>,
    states: &mut [SlotState],
    slots: Range<usize>,
) -> Result<(), B::Error> {
    let mut next = slots.start;

    while next < slots.end {
        let run = states[next..slots.end]
            .iter()
            .take_while(|state| !state.is_mapped())
            .count();
        if run == 0 {
            next += 1;
            continue;
        }
        let (mapped, result) = match range.insert(area, next..next + run) {
            Ok(()) => (run, Ok(())),
            Err(Stopped { inserted, error }) => match error {
                InsertError::Busy => (inserted + 1, Ok(())),
                InsertError::Failed(error) => (inserted, Err(error)),
            },
        };
        for state in &mut states[next..next + mapped] {
            state.set_mapped();
        }
        next += mapped;
        result?;
    }
    Ok(())
}

/// User space has touched the place of `slot` and found nothing. Returns whether the page that is in
/// the slot is mapped now; `None` means that there is nothing to be seen.
pub fn fault<B: Backing>(
    range: &B,
    area: &B::Area<'_>,
    slot: usize,
) -> Option<Result<(), B::Error>> {
    let mut usage = range.lock();
    let states = &mut *usage.states;
    if !states.get(slot)?.is_used() {
        return None;
    }

    match range.insert(area, slot..slot + 1) {
        Err(Stopped {
            error: InsertError::Failed(error),
            ..
        }) => Some(Err(error)),
        _ => {
            states[slot].set_mapped();
            Some(Ok(()))
        }
    }
}

/// Calls `map` with a test for which slots may be mapped by a fault in their neighbourhood, unless
/// that would mean to wait.
pub fn fault_around<B: Backing>(range: &B, map: impl FnOnce(&dyn Fn(usize) -> bool)) {
    if let Some(usage) = range.try_lock() {
        let states = &*usage.states;

        map(&|slot| states.get(slot).is_some_and(|state| state.is_used()));
    }
}

/// Takes the page in `slot`, which was seen in `list`, and up to `limit` pages in all of it and its
/// idle neighbours.
///
/// Nothing is taken if the slot is used, or if it was touched and there is a `second_chance`.
///
/// `lock_area` locks the area without waiting, or returns `None` if what is mapped there will be
/// unmapped before anybody can see it again. `isolate` removes the slot from the LRU list, which is
/// locked until then, once nothing can fail any more. Otherwise the list is given back.
pub fn reclaim<'a, B: Backing, L, I>(
    range: &'a B,
    slot: usize,
    limit: usize,
    second_chance: bool,
    list: L,
    lock_area: impl FnOnce() -> Result<Option<B::Area<'a>>, Skipped>,
    isolate: impl FnOnce(L) -> I,
) -> Met<L, I> {
    let Some(mut usage) = range.try_lock() else {
        return Met::Skipped(list, Skipped::SlotLock);
    };
    let states = &mut *usage.states;
    let state = &mut states[slot];
    let touched = state.take_touched();
    if !state.is_idle() {
        state.set_unlisted();
        return Met::Used(isolate(list));
    }
    if touched && second_chance {
        return Met::Touched(list);
    }
    // What is found at an address may be anybody's; whether there is anything to be unmapped is
    // known to the range alone.
    let area = match range.is_mapped().then(lock_area).transpose() {
        Ok(area) => area.flatten(),
        Err(skipped) => return Met::Skipped(list, skipped),
    };

    states[slot].set_unlisted();
    let isolated = isolate(list);
    let run = idle_around(states, slot, limit);
    unlist(range, states, run.clone());
    range.count(run.len(), Kind::Idle, Kind::Empty);

    // The slots are empty before their pages are unmapped, and no page gets into them before the
    // lock is released. The pages are freed when nothing is mapped any more.
    let mut pages = [const { None }; RUN];
    for (page, slot) in pages.iter_mut().zip(run.clone()) {
        *page = take(range, states, slot);
    }
    if let Some(area) = &area {
        range.zap(area, run.clone());
    }
    drop(pages);
    Met::Idle(Reclaimed {
        slots: run,
        unmapped: area.is_some(),
        isolated,
    })
}

/// The most pages that are taken at once. They are kept on the stack.
const RUN: usize = 32;

/// `slot`, which is idle, with idle neighbours: a run of at least one and at most `limit`.
fn idle_around(states: &[SlotState], slot: usize, limit: usize) -> Range<usize> {
    let limit = limit.clamp(1, RUN);
    let mut end = slot + 1;
    let mut start = slot;

    while end - start < limit && end < states.len() && states[end].is_idle() {
        end += 1;
    }
    while end - start < limit && start > 0 && states[start - 1].is_idle() {
        start -= 1;
    }
    start..end
}

/// Frees all pages that have no lease; the others will be when their lease ends. There are no new
/// leases after this.
///
/// What is mapped stays mapped, by references of its own, because the area cannot be locked here. That
/// is the exception to what is in a slot's place, and it does no harm: a slot that is emptied here, or
/// when its last lease ends, stays empty.
pub fn close<B: Backing>(range: &B) {
    let mut usage = range.lock();
    usage.closed = true;
    let states = &mut *usage.states;
    let all = 0..states.len();

    unlist(range, states, all.clone());
    free_idle(range, states, all, Kind::Idle);
}

/// Calls `f` with each run of those of `slots` that are `like` that, and with their states.
fn for_each_run(
    states: &mut [SlotState],
    slots: Range<usize>,
    like: impl Fn(SlotState) -> bool,
    mut f: impl FnMut(Range<usize>, &mut [SlotState]),
) {
    let states = &mut states[..slots.end];
    let mut next = slots.start;

    while let Some(found) = states[next..].iter().position(|&state| like(state)) {
        let start = next + found;
        let run = states[start..].iter().take_while(|&&state| like(state));
        next = start + run.count();
        f(start..next, &mut states[start..next]);
    }
}
