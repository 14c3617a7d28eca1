// SPDX-License-Identifier: GPL-2.0

//! Rows: what is in a queue, copied for those who look into the driver, so that it is written without
//! the lock of the queue.

use kernel::{
    fmt,
    prelude::*, //
};

use crate::{
    counts,
    transaction::Transaction, //
};

/// The most rows that are copied of one queue: the lock must not be held for long.
const LIMIT: usize = 64;

/// A transaction.
#[derive(Clone, Copy)]
pub(crate) struct Message {
    id: u64,
    kind: &'static str,
    /// The process that sent it, and its thread, if that waits for the reply.
    from: (i32, i32),
    node: Option<u64>,
    code: u32,
    flags: u32,
    size: Option<usize>,
}

impl Message {
    pub(crate) fn new(transaction: &Transaction) -> Self {
        let (kind, thread) = match (&transaction.from, &transaction.node) {
            (Some(thread), _) => ("call", thread.id),
            (None, Some(_)) => ("oneway", 0),
            (None, None) => ("reply", 0),
        };

        Self {
            id: transaction.id,
            kind,
            from: (transaction.sender_pid, thread),
            node: transaction.node.as_ref().map(|node| node.id),
            code: transaction.code,
            flags: transaction.flags,
            size: transaction.size(),
        }
    }
}

impl Message {
    pub(crate) fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (pid, tid) = self.from;

        write!(f, "{} {} from={pid}:{tid}", self.kind, self.id)?;
        if let Some(node) = self.node {
            write!(f, " node={node}")?;
        }
        write!(f, " code={} flags={:#x}", self.code, self.flags)?;
        match self.size {
            Some(size) => write!(f, " size={size}"),
            None => Ok(()),
        }
    }
}

/// Something in a queue.
#[derive(Clone, Copy)]
pub(crate) enum Row {
    /// A command without parameters, and how often it is to be told.
    Command(u32, u32),
    Message(Message),
    /// What else is to be told of a node with this number.
    Node(u64),
    /// A death, or a change between frozen and not, with this cookie.
    Death(u64),
    Freeze(u64),
}

impl Row {
    pub(crate) fn message(transaction: &Transaction) -> Self {
        Self::Message(Message::new(transaction))
    }
}

impl Row {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command, count) => {
                write!(f, "{} count={count}", counts::name_of_told(*command))
            }
            Self::Message(message) => message.write(f),
            Self::Node(id) => write!(f, "node {id}"),
            Self::Death(cookie) => write!(f, "death cookie={cookie:#x}"),
            Self::Freeze(cookie) => write!(f, "freeze cookie={cookie:#x}"),
        }
    }
}

/// Some of what is in a queue.
pub(crate) struct Rows {
    rows: KVec<Row>,
    /// There is more than there is room for.
    more: bool,
}

impl Rows {
    /// No rows, and room for as many as are copied at once.
    pub(crate) fn new() -> Result<Self, fmt::Error> {
        Ok(Self {
            rows: KVec::with_capacity(LIMIT, GFP_KERNEL).map_err(|_| fmt::Error)?,
            more: false,
        })
    }

    /// Adds a row, if there is room for it. Returns whether there is.
    pub(crate) fn add(&mut self, row: Row) -> bool {
        self.more = self.rows.push_within_capacity(row).is_err();
        !self.more
    }

    /// Adds rows as long as there is room for them.
    pub(crate) fn add_all(&mut self, mut rows: impl Iterator<Item = Row>) {
        // What follows is not even looked at: there may be much of it.
        while !self.more {
            let Some(row) = rows.next() else { return };
            self.add(row);
        }
    }

    /// Writes those that are wanted, each in a line after `before`, and forgets all.
    pub(crate) fn write(
        &mut self,
        before: &str,
        is_wanted: impl Fn(&Row) -> bool,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        for row in self.rows.iter().filter(|row| is_wanted(row)) {
            write!(f, "{before} ")?;
            row.write(f)?;
            f.write_str("\n")?;
        }
        if self.more {
            writeln!(f, "{before} more")?;
        }
        self.rows.clear();
        self.more = false;
        Ok(())
    }
}
