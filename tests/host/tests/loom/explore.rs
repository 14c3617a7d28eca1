// SPDX-License-Identifier: GPL-2.0

//! Running programs in all ways.

use std::{
    rc::Rc,
    sync::{
        atomic::{
            AtomicUsize,
            Ordering::Relaxed, //
        },
        Arc, //
    },
    thread::current,
    time::Instant, //
};

use loom::{
    model::Builder,
    thread, //
};

use crate::{
    log::{
        Event,
        Events,
        Log, //
    },
    range::{
        Range,
        Setup, //
    },
    steps,
};

/// What a thread does.
pub type Part = fn(&Rc<Range>);

impl Setup {
    /// Runs `threads` after `before`, interleaved in all ways. `expected` is all that must happen in
    /// some of the executions, and all that may.
    pub fn explore<const N: usize>(self, before: Part, threads: [Part; N], expected: &[Event]) {
        let mut builder = Builder::new();
        let executions = Arc::new(AtomicUsize::new(0));
        let events = Events::default();
        let (count, noted) = (executions.clone(), events.clone());
        let start = Instant::now();

        let _shown = steps::ShownOnPanic;

        builder.max_branches = 10_000;
        builder.check(move || {
            steps::begin();
            let range = Range::new(self, Log::new(noted.clone()));

            count.fetch_add(1, Relaxed);
            before(&range);
            range.log.is_on.set(true);
            let others: Vec<_> = threads[1..]
                .iter()
                .map(|&part| {
                    let range = range.clone();
                    thread::spawn(move || part(&range))
                })
                .collect();
            threads[0](&range);
            for other in others {
                other.join().unwrap();
            }
            range.log.is_on.set(false);
            range.finish();
        });

        println!(
            "{}: {} executions in {:.1} s",
            current().name().unwrap_or_default(),
            executions.load(Relaxed),
            start.elapsed().as_secs_f32(),
        );
        assert_eq!(*events.lock().unwrap(), expected.iter().copied().collect());
    }
}
