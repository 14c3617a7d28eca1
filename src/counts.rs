// SPDX-License-Identifier: GPL-2.0

//! Counts: how often each command was given or told, and how many things of each kind there are.
//!
//! Commands are counted by process, each with one addition that nothing waits for; those of processes
//! that have ended are kept by the registry. Things are counted for all processes together, by what
//! they have of [`Counted`], so that something lost is seen as something that never ends.

use kernel::{
    fmt,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

use crate::uapi;

/// The number of a command, and its name.
type Name = Option<(u32, &'static str)>;

/// Names of commands, by their numbers without what says how long their parameters are.
macro_rules! names {
    ($( $name:ident, )+) => {{
        let mut names = [None; COMMANDS];

        $( names[kernel::ioctl::_IOC_NR(uapi::$name) as usize] =
            Some((uapi::$name, stringify!($name))); )+
        names
    }};
}

/// No command has a number that is not below this.
const COMMANDS: usize = 24;

const GIVEN: [Name; COMMANDS] = names! {
    BC_TRANSACTION, BC_REPLY, BC_TRANSACTION_SG, BC_REPLY_SG, BC_FREE_BUFFER,
    BC_INCREFS, BC_ACQUIRE, BC_RELEASE, BC_DECREFS, BC_INCREFS_DONE, BC_ACQUIRE_DONE,
    BC_REGISTER_LOOPER, BC_ENTER_LOOPER, BC_EXIT_LOOPER,
    BC_REQUEST_DEATH_NOTIFICATION, BC_CLEAR_DEATH_NOTIFICATION, BC_DEAD_BINDER_DONE,
    BC_REQUEST_FREEZE_NOTIFICATION, BC_CLEAR_FREEZE_NOTIFICATION, BC_FREEZE_NOTIFICATION_DONE,
};

/// `BR_TRANSACTION_SEC_CTX` has the number of `BR_TRANSACTION`, and is counted as such.
const TOLD: [Name; COMMANDS] = names! {
    BR_ERROR, BR_OK, BR_TRANSACTION, BR_REPLY, BR_DEAD_REPLY,
    BR_TRANSACTION_COMPLETE, BR_INCREFS, BR_ACQUIRE, BR_RELEASE, BR_DECREFS,
    BR_NOOP, BR_SPAWN_LOOPER, BR_DEAD_BINDER, BR_CLEAR_DEATH_NOTIFICATION_DONE,
    BR_FAILED_REPLY, BR_FROZEN_REPLY, BR_ONEWAY_SPAM_SUSPECT, BR_TRANSACTION_PENDING_FROZEN,
    BR_FROZEN_BINDER, BR_CLEAR_FREEZE_NOTIFICATION_DONE,
};

/// How often each command was given, and told.
pub(crate) struct Commands {
    given: [Atomic<u64>; COMMANDS],
    told: [Atomic<u64>; COMMANDS],
}

impl Commands {
    pub(crate) const fn new() -> Self {
        Self {
            given: [const { Atomic::new(0) }; COMMANDS],
            told: [const { Atomic::new(0) }; COMMANDS],
        }
    }

    /// Counts a `BC_` command. One that does not exist is not counted.
    pub(crate) fn given(&self, command: u32) {
        let number = kernel::ioctl::_IOC_NR(command) as usize;

        if let (Some(count), Some(Some((known, _)))) = (self.given.get(number), GIVEN.get(number)) {
            if *known == command {
                count.add(1, Relaxed);
            }
        }
    }

    /// Counts `BR_` commands with these numbers.
    pub(crate) fn told(&self, numbers: &[u8]) {
        for &number in numbers {
            if let Some(count) = self.told.get(usize::from(number)) {
                count.add(1, Relaxed);
            }
        }
    }

    /// Adds all that `other` has counted.
    pub(crate) fn add(&self, other: &Self) {
        add_all(&self.given, &other.given);
        add_all(&self.told, &other.told);
    }
}

fn add_all(to: &[Atomic<u64>], counts: &[Atomic<u64>]) {
    for (sum, count) in to.iter().zip(counts) {
        sum.add(count.load(Relaxed), Relaxed);
    }
}

/// The name of a `BR_` command.
pub(crate) fn name_of_told(command: u32) -> &'static str {
    let number = kernel::ioctl::_IOC_NR(command) as usize;

    match TOLD.get(number) {
        Some(Some((_, name))) => name,
        _ => "?",
    }
}

/// The commands of both kinds that were ever counted, one `name count` pair in each line, after
/// `indent`. If that is not empty, those that are zero are left out.
pub(crate) fn write_commands(
    commands: &Commands,
    indent: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut write = |names: &[Name], counts: &[Atomic<u64>]| {
        for (name, count) in names.iter().zip(counts) {
            let count = count.load(Relaxed);
            match name {
                Some((_, name)) if count > 0 || indent.is_empty() => {
                    writeln!(f, "{indent}{name} {count}")?;
                }
                _ => {}
            }
        }
        Ok(())
    };

    write(&GIVEN, &commands.given)?;
    write(&TOLD, &commands.told)
}

/// How many things of a kind were made, and have ended.
struct Kind {
    name: &'static str,
    made: Atomic<u64>,
    ended: Atomic<u64>,
}

impl Kind {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            made: Atomic::new(0),
            ended: Atomic::new(0),
        }
    }
}

pub(crate) const PROCESS: usize = 0;
pub(crate) const THREAD: usize = 1;
pub(crate) const NODE: usize = 2;
pub(crate) const REFERENCE: usize = 3;
pub(crate) const DEATH: usize = 4;
pub(crate) const LISTENER: usize = 5;
pub(crate) const TRANSACTION: usize = 6;
pub(crate) const BUFFER: usize = 7;

static KINDS: [Kind; 8] = [
    Kind::new("processes"),
    Kind::new("threads"),
    Kind::new("nodes"),
    Kind::new("references"),
    Kind::new("deaths"),
    Kind::new("freezes"),
    Kind::new("transactions"),
    Kind::new("buffers"),
];

/// Part of each thing of the kind `KIND`, which is counted while it has this.
pub(crate) struct Counted<const KIND: usize>(());

impl<const KIND: usize> Counted<KIND> {
    pub(crate) fn new() -> Self {
        KINDS[KIND].made.add(1, Relaxed);
        Self(())
    }
}

impl<const KIND: usize> Drop for Counted<KIND> {
    fn drop(&mut self) {
        KINDS[KIND].ended.add(1, Relaxed);
    }
}

/// How many things there are, `name count made count` in each line.
pub(crate) fn write_kinds(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for kind in &KINDS {
        // In this order, so that there are never more that have ended.
        let ended = kind.ended.load(Relaxed);
        let made = kind.made.load(Relaxed);

        writeln!(
            f,
            "{} {} made {made}",
            kind.name,
            made.saturating_sub(ended)
        )?;
    }
    Ok(())
}
