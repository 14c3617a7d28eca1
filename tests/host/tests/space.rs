// SPDX-License-Identifier: GPL-2.0

//! Properties of the buffer allocator, `src/space.rs`.

use std::rc::Rc;

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index,
    test_runner::FileFailurePersistence, //
};

use model::Model;
use operations::{
    lengths,
    operations,
    sizes,
    Operation, //
};
use ordered::Error;
use space::Space;
use tree::{
    nodes,
    steps,
    with_nodes_left,
    SortedKind, //
};

#[path = "../../../src/aside.rs"]
mod aside;
#[path = "space/model.rs"]
mod model;
#[path = "space/operations.rs"]
mod operations;
#[path = "../../../src/ordered.rs"]
mod ordered;
#[path = "../../../src/space.rs"]
mod space;
#[path = "tree/sorted.rs"]
mod tree;

const ALIGNMENT: usize = 8;

/// The largest range that most tests take: small ones are used up and fragmented soonest.
const SIZE: usize = 64 * ALIGNMENT;

/// How many trees a space has, and so how many nodes for each chunk.
const TREES: usize = 2;

type PlainSpace = Space<(), SortedKind>;

/// A number, and what tells how many of these there are.
type Value = (u32, Rc<()>);

/// A space and its model, which are told the same.
struct Pair {
    space: Space<Value, SortedKind>,
    model: Model,
    oneway_limit: usize,
    values: Rc<()>,
    next_value: u32,
}

impl Pair {
    fn new(size: usize) -> Self {
        Self {
            space: Space::with_size(size).unwrap(),
            model: Model::new(size),
            oneway_limit: size / 2,
            values: Rc::new(()),
            next_value: 0,
        }
    }

    fn run(&mut self, operation: &Operation) -> Result<(), TestCaseError> {
        match operation {
            Operation::Allocate {
                len,
                oneway,
                nodes_left,
            } => self.allocate(*len, *oneway, *nodes_left),
            Operation::Free(place) => self.free(place.offset(&self.model.allocated())),
            Operation::Keep(place) => self.keep(place.offset(&self.model.allocated())),
            Operation::TakeKept(place, done) => {
                self.take_kept(place.offset(&self.model.allocated()), *done)
            }
        }
    }

    fn allocate(
        &mut self,
        len: usize,
        oneway: bool,
        nodes_left: Option<usize>,
    ) -> Result<(), TestCaseError> {
        let left = nodes_left.unwrap_or(usize::MAX);
        let (got, asked) = with_nodes_left(left, || self.space.allocate(len, oneway));
        if asked > left {
            // Nothing may have changed, but that nothing is set aside any more.
            prop_assert_eq!(got, Err(Error::NoMemory));
            self.model.settle();
            return Ok(());
        }
        let expected = self.model.allocate(len, oneway);

        prop_assert_eq!(got, expected.ok_or(Error::NoSpace));
        Ok(())
    }

    fn free(&mut self, offset: usize) -> Result<(), TestCaseError> {
        let ((), asked) = with_nodes_left(0, || self.space.free(offset));

        self.model.free(offset);
        prop_assert_eq!(asked, 0, "freeing asked for memory");
        Ok(())
    }

    fn keep(&mut self, offset: usize) -> Result<(), TestCaseError> {
        let mut value = Some((self.next_value, self.values.clone()));
        let expected = self.model.keep(offset, self.next_value);
        self.space.keep(offset, &mut value);

        prop_assert_eq!(value.is_none(), expected);
        self.next_value += 1;
        Ok(())
    }

    fn take_kept(&mut self, offset: usize, done: bool) -> Result<(), TestCaseError> {
        let (taken, asked) = with_nodes_left(0, || take_kept(&mut self.space, offset, done));
        let expected = self.model.take_kept(offset);

        if done && expected.is_some() {
            self.model.free(offset);
        }
        prop_assert_eq!(
            taken.map(|(value, done)| (value.0, done)),
            expected.map(|value| (value, done))
        );
        prop_assert_eq!(asked, 0, "freeing asked for memory");
        Ok(())
    }

    /// Lets nothing be set aside: no chunk has the size that is asked for.
    fn settle(&mut self) {
        let none = self.space.allocate(2 * (SIZE + ALIGNMENT), false);

        assert_eq!(none, Err(Error::NoSpace));
        self.model.settle();
    }

    /// Whether space and model are in the same state. Leaves both as they are, but with nothing set
    /// aside.
    fn compare(&mut self) -> Result<(), TestCaseError> {
        prop_assert_eq!(Rc::strong_count(&self.values) - 1, self.model.kept());
        let needed = TREES * self.model.chunks();
        prop_assert!((needed..=needed + TREES).contains(&nodes()));

        let mut listed = Vec::new();
        let (mut from, mut kept, mut oneway_size) = (0, 0, 0);
        while let Some(chunk) = self.space.allocated_at_least(from) {
            listed.push(chunk.offset);
            kept += usize::from(chunk.kept.is_some());
            oneway_size += if chunk.oneway { chunk.size } else { 0 };
            from = chunk.offset + chunk.size;
        }
        prop_assert_eq!(listed, self.model.allocated());
        prop_assert_eq!(kept, self.model.kept());
        prop_assert_eq!(oneway_size + self.model.oneway_left(), self.oneway_limit);

        self.settle();
        let free = self.model.free_chunks();
        let largest = free.last().map_or(0, |&(_, size)| size);
        prop_assert_eq!(self.space.oneway_left(), self.model.oneway_left());
        let oneway = usize::min(largest, self.model.oneway_left() / ALIGNMENT * ALIGNMENT);
        if oneway > 0 {
            let got = self.space.allocate(oneway, true);
            prop_assert!(got.is_ok());
            self.space.free(got.unwrap().0);
            self.settle();
        }
        if oneway < largest {
            prop_assert_eq!(self.space.allocate(oneway + 1, true), Err(Error::NoSpace));
        }

        // To take exactly the free chunks, the best fits first, must use the space up.
        for &(offset, size) in &free {
            prop_assert_eq!(self.space.allocate(size, false), Ok((offset, size)));
        }
        prop_assert_eq!(self.space.allocate(0, false), Err(Error::NoSpace));
        for &(offset, _) in &free {
            self.space.free(offset);
        }
        self.settle();
        Ok(())
    }
}

/// Takes what is kept at `offset`. Returns it, and whether the chunk was freed.
fn take_kept<T>(space: &mut Space<T, SortedKind>, offset: usize, done: bool) -> Option<(T, bool)> {
    let mut value = None;
    let freed = space.take_kept(offset, &mut value, |_| done);
    Some((value?, freed))
}

/// Allocates chunks until nothing is free, as long as `lens` are and then as long as fits.
fn fill<T>(space: &mut Space<T, SortedKind>, lens: &[usize]) -> Vec<(usize, usize)> {
    let mut chunks = Vec::new();
    for &len in lens {
        chunks.extend(space.allocate(len, false));
    }
    while let Ok(chunk) = space.allocate(0, false) {
        chunks.push(chunk);
    }
    chunks
}

proptest! {
    // What failed once is tried first from then on.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("failures"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn does_what_the_model_does(size in sizes(), operations in operations()) {
        let mut pair = Pair::new(size);
        for operation in &operations {
            pair.run(operation)?;
            pair.compare()?;
        }

        for offset in pair.model.allocated() {
            pair.free(offset)?;
            pair.compare()?;
        }
        drop(pair);
        prop_assert_eq!(nodes(), 0, "nodes were lost");
    }

    /// As above, but nothing is done between the operations, so that spare nodes are used as usual.
    #[test]
    fn does_what_the_model_does_in_the_end(size in sizes(), operations in operations()) {
        let mut pair = Pair::new(size);
        for operation in &operations {
            pair.run(operation)?;
        }

        pair.compare()?;
    }

    #[test]
    fn chunks_cover_the_range_without_overlap(size in sizes(), lens in vec(lengths(), 0..50)) {
        let mut space = PlainSpace::with_size(size).unwrap();
        let mut chunks = fill(&mut space, &lens);
        let mut end = 0;

        chunks.sort();
        for (offset, size) in chunks {
            prop_assert_eq!(offset, end);
            prop_assert_eq!(offset % ALIGNMENT, 0);
            prop_assert!(size >= ALIGNMENT);
            end = offset + size;
        }
        prop_assert_eq!(end, size);
    }

    #[test]
    fn a_chunk_has_the_bytes_asked_for_and_few_more(len in 0..=SIZE) {
        let mut space = PlainSpace::with_size(SIZE).unwrap();
        let (_, size) = space.allocate(len, false).unwrap();

        prop_assert!(size >= len && size < usize::max(len, 1) + ALIGNMENT);
    }

    #[test]
    fn the_best_fit_is_taken(gaps in vec(1..20usize, 1..10), len in 1..20usize) {
        let size = gaps.iter().map(|gap| gap + 1).sum::<usize>() * ALIGNMENT;
        let mut space = PlainSpace::with_size(size).unwrap();
        let mut offsets = Vec::new();
        for gap in &gaps {
            offsets.push(space.allocate(gap * ALIGNMENT, false).unwrap().0);
            space.allocate(ALIGNMENT, false).unwrap();
        }
        offsets.iter().for_each(|&offset| space.free(offset));

        // What was freed is set aside, for who needs exactly that.
        let last = gaps.iter().zip(&offsets).rfind(|(&gap, _)| gap == len);
        let best = last.or(gaps.iter().zip(&offsets).filter(|(&gap, _)| gap >= len).min());
        prop_assert_eq!(
            space.allocate(len * ALIGNMENT, false),
            best.map(|(_, &offset)| (offset, len * ALIGNMENT)).ok_or(Error::NoSpace)
        );
    }

    #[test]
    fn who_frees_gets_the_same_again(size in sizes(), operations in operations(), len in lengths()) {
        let mut pair = Pair::new(size);
        for operation in &operations {
            pair.run(operation)?;
        }

        if let Ok((offset, size)) = pair.space.allocate(len, false) {
            for oneway in [true, false] {
                pair.space.free(offset);
                if size <= pair.space.oneway_left() || !oneway {
                    let (got, asked) = with_nodes_left(0, || pair.space.allocate(len, oneway));
                    prop_assert_eq!((got, asked), (Ok((offset, size)), 0));
                }
            }
        }
    }

    #[test]
    fn there_is_no_end_to_what_can_be_freed(order in vec(any::<Index>(), SIZE / ALIGNMENT)) {
        let mut pair = Pair::new(SIZE);
        for _ in 0..SIZE / ALIGNMENT {
            pair.allocate(ALIGNMENT, false, None)?;
        }

        // More than are set aside, and nothing is asked for meanwhile.
        for index in &order {
            pair.free(*index.get(&pair.model.allocated()))?;
        }
        pair.compare()?;
    }

    #[test]
    fn free_neighbours_become_one(
        size in sizes(),
        lens in vec(lengths(), 0..50),
        order in vec(any::<Index>(), SIZE / ALIGNMENT),
    ) {
        let mut space = PlainSpace::with_size(size).unwrap();
        let mut chunks = fill(&mut space, &lens);

        for index in &order[..chunks.len()] {
            let (offset, _) = chunks.swap_remove(index.index(chunks.len()));
            space.free(offset);
        }
        prop_assert_eq!(space.allocate(size, false), Ok((0, size)));
    }

    #[test]
    fn oneway_gets_half_and_gives_it_back(size in sizes(), lens in vec(lengths(), 0..50)) {
        let mut space = PlainSpace::with_size(size).unwrap();
        let half = size / 2 / ALIGNMENT * ALIGNMENT;
        let mut chunks = Vec::new();
        for &len in &lens {
            chunks.extend(space.allocate(len, true));
        }
        while let Ok(chunk) = space.allocate(0, true) {
            chunks.push(chunk);
        }

        prop_assert_eq!(chunks.iter().map(|(_, size)| size).sum::<usize>(), half);
        prop_assert!(space.allocate(0, false).is_ok(), "the others are kept out");
        for (offset, _) in chunks {
            space.free(offset);
        }
        prop_assert_eq!(space.allocate(half + 1, true), Err(Error::NoSpace));
        if half > 0 {
            prop_assert!(space.allocate(half, true).is_ok());
        }
    }

    #[test]
    fn a_kept_value_comes_back_once(lens in vec(1..SIZE / 8, 1..8)) {
        let mut space = Space::<_, SortedKind>::with_size(SIZE).unwrap();
        let chunks = fill(&mut space, &lens);

        for &(offset, _) in &chunks {
            prop_assert_eq!(take_kept(&mut space, offset, false), None);
            let mut value = Some(offset);
            space.keep(offset, &mut value);
            prop_assert_eq!(value, None);
        }
        for &(offset, _) in &chunks {
            prop_assert_eq!(take_kept(&mut space, offset, false), Some((offset, false)));
            prop_assert_eq!(take_kept(&mut space, offset, false), None);
            space.free(offset);
            let mut value = Some(offset);
            space.keep(offset, &mut value);
            prop_assert_eq!(value, Some(offset));
            prop_assert_eq!(take_kept(&mut space, offset, true), None);
        }
    }

    #[test]
    fn freeing_what_is_not_allocated_does_nothing(size in sizes(), lens in vec(lengths(), 0..9)) {
        let mut pair = Pair::new(size);
        for &len in &lens {
            pair.allocate(len, false, None)?;
        }
        let allocated = pair.model.allocated();

        for offset in (0..=size + ALIGNMENT).chain([usize::MAX]) {
            if !allocated.contains(&offset) {
                pair.space.free(offset);
            }
        }
        pair.compare()?;
    }

    #[test]
    fn without_memory_nothing_changes(size in sizes(), operations in operations(), len in lengths()) {
        let mut pair = Pair::new(size);
        for operation in &operations {
            pair.run(operation)?;
        }

        for left in 0..TREES {
            for oneway in [false, true] {
                let (result, asked) = with_nodes_left(left, || pair.space.allocate(len, oneway));
                match result {
                    Ok((offset, _)) => pair.space.free(offset),
                    Err(Error::NoMemory) => prop_assert!(asked > left),
                    Err(Error::NoSpace) => prop_assert_eq!(asked, 0),
                }
                pair.settle();
                pair.compare()?;
            }
        }
    }
}

#[test]
fn a_space_needs_memory() {
    for left in 0..TREES {
        let (space, _) = with_nodes_left(left, || PlainSpace::with_size(SIZE));
        assert_eq!(space.err(), Some(Error::NoMemory));
        assert_eq!(nodes(), 0);
    }
}

#[test]
fn a_space_without_bytes_gives_none() {
    for mut space in [PlainSpace::new(), PlainSpace::with_size(0).unwrap()] {
        assert_eq!(space.allocate(0, false), Err(Error::NoSpace));
        space.free(0);
        assert_eq!(space.allocate(0, false), Err(Error::NoSpace));
    }
}

#[test]
fn what_is_drained_takes_everything_along() {
    let value = Rc::new(());
    let mut space = Space::<_, SortedKind>::with_size(SIZE).unwrap();
    let (offset, _) = space.allocate(1, true).unwrap();
    space.keep(offset, &mut Some(value.clone()));

    let drained = space.drain();
    assert_eq!(space.allocate(0, false), Err(Error::NoSpace));
    assert_eq!(take_kept(&mut space, offset, true), None);
    assert_eq!(Rc::strong_count(&value), 2);
    drop(drained);
    assert_eq!(Rc::strong_count(&value), 1);
    assert_eq!(nodes(), 0);
}

#[test]
fn steps_grow_with_the_logarithm() {
    /// Freeing searches the trees most often if a chunk that was set aside has to make room, and is
    /// between two free chunks.
    const SEARCHES: usize = 20;
    /// Who asks for another size has to wait until nothing is set aside.
    const ASIDE: usize = 16;

    for live in [100, 1_000, 10_000] {
        let mut space = PlainSpace::with_size(live * 16 * ALIGNMENT).unwrap();
        let mut chunks = Vec::new();
        // Every other one is freed again, so there are about as many free chunks, of all sizes.
        for number in 0..2 * live {
            let len = number * 7919 % (3 * ALIGNMENT) + 1;
            chunks.push(space.allocate(len, number % 4 == 0).unwrap().0);
        }
        let mut number = 0;
        chunks.retain(|&offset| {
            number += 1;
            if number % 2 == 0 {
                space.free(offset);
            }
            number % 2 != 0
        });
        let chunks_at_most: usize = 2 * live + 1;
        let allowed = SEARCHES * (chunks_at_most.next_power_of_two().ilog2() as usize + 1);

        for number in 0..1_000 {
            let index = number * 7919 % chunks.len();
            let freeing = steps(|| space.free(chunks[index]));
            assert!(freeing <= allowed, "{freeing} steps with {live} buffers");
            let len = number * 104_729 % (6 * ALIGNMENT) + 1;
            let allocating = steps(|| chunks[index] = space.allocate(len, false).unwrap().0);
            assert!(
                allocating <= ASIDE * allowed,
                "{allocating} steps with {live} buffers"
            );
        }
    }
}
