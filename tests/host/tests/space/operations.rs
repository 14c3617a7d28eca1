// SPDX-License-Identifier: GPL-2.0

//! Random operations on a space.

use proptest::{
    collection::vec,
    prelude::*,
    sample::Index, //
};

use crate::{
    ALIGNMENT,
    SIZE,
    TREES, //
};

/// What can be done with a space.
#[derive(Clone, Debug)]
pub enum Operation {
    /// `nodes_left` is how many nodes can be had meanwhile, if not any number.
    Allocate {
        len: usize,
        oneway: bool,
        nodes_left: Option<usize>,
    },
    Free(Place),
    Keep(Place),
    /// The flag says whether the chunk is freed with it.
    TakeKept(Place, bool),
}

/// Where it is done.
#[derive(Clone, Debug)]
pub enum Place {
    /// An allocated chunk.
    Chunk(Index),
    /// Any offset, which may be one of user space's inventions.
    Offset(usize),
}

impl Place {
    pub fn offset(&self, allocated: &[usize]) -> usize {
        match self {
            Self::Chunk(index) if !allocated.is_empty() => *index.get(allocated),
            Self::Chunk(_) => 0,
            Self::Offset(offset) => *offset,
        }
    }
}

pub fn sizes() -> impl Strategy<Value = usize> {
    (1..=SIZE / ALIGNMENT).prop_map(|count| count * ALIGNMENT)
}

pub fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0..=6 * ALIGNMENT,
        4 => 0..=SIZE,
        1 => usize::MAX - ALIGNMENT..=usize::MAX,
    ]
}

fn places() -> impl Strategy<Value = Place> {
    prop_oneof![
        4 => any::<Index>().prop_map(Place::Chunk),
        1 => (0..=SIZE + ALIGNMENT).prop_map(Place::Offset),
        1 => (0..=SIZE / ALIGNMENT).prop_map(|count| Place::Offset(count * ALIGNMENT)),
        1 => (usize::MAX - ALIGNMENT..=usize::MAX).prop_map(Place::Offset),
    ]
}

pub fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let nodes_left = prop_oneof![4 => Just(None), 1 => (0..TREES).prop_map(Some)];
    let allocate = (lengths(), any::<bool>(), nodes_left).prop_map(|(len, oneway, nodes_left)| {
        Operation::Allocate {
            len,
            oneway,
            nodes_left,
        }
    });
    let operation = prop_oneof![
        4 => allocate,
        3 => places().prop_map(Operation::Free),
        1 => places().prop_map(Operation::Keep),
        1 => (places(), any::<bool>()).prop_map(|(place, done)| Operation::TakeKept(place, done)),
    ];

    vec(operation, 1..100)
}
