// SPDX-License-Identifier: GPL-2.0

//! Queues: what is to be told to a process or to one of its threads, first come, first told.
//!
//! What waits is of several kinds, each in a list of its own. The time at which something came, a
//! number that the queue gives it, says whose turn it is. So nothing has to be allocated in order to
//! be queued, and a node that is in a queue cannot get into it a second time.

use kernel::{
    list::{
        List,
        ListArc,
        ListItem, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

use crate::{
    death::Death,
    freeze::Listener,
    node::Node,
    rows::{
        Row,
        Rows, //
    },
    transaction::Transaction,
    uapi::{
        BR_ONEWAY_SPAM_SUSPECT,
        BR_TRANSACTION_COMPLETE,
        BR_TRANSACTION_PENDING_FROZEN, //
    },
};

/// When something came into the queue that it is in.
pub(crate) struct Turn(Atomic<u64>);

impl Turn {
    pub(crate) const fn new() -> Self {
        Self(Atomic::new(0))
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    fn set(&self, time: u64) {
        self.0.store(time, Relaxed);
    }
}

/// A command without parameters that a thread is to get, as many times as it says.
#[derive(Clone, Copy)]
struct Note {
    command: u32,
    count: u32,
    time: u64,
}

/// The places of a thread's notes. Of the errors there is one of each at most.
const NOTES: usize = 5;
const COMPLETE: usize = 0;
const COMMAND_ERROR: usize = 3;
const REPLY_ERROR: usize = 4;

/// What is next in a queue.
pub(crate) enum Item {
    Command(u32),
    Message(ListArc<Transaction>),
    Node(Arc<Node>),
    Death(Arc<Death>),
    Freeze(Arc<Listener>),
}

/// The nodes that a process is to be told of, and those that one of its threads is, are in different
/// lists: a node can be in one of each.
pub(crate) const OF_PROCESS: u64 = 0;
pub(crate) const OF_THREAD: u64 = 1;

/// A queue; `NODES` says whose.
pub(crate) struct Queue<const NODES: u64>
where
    Node: ListItem<NODES>,
{
    now: u64,
    notes: [Note; NOTES],
    /// How many things there are.
    len: usize,
    /// How many of them are neither messages nor receipts of the most frequent kind.
    others: usize,
    messages: List<Transaction>,
    nodes: List<Node, NODES>,
    deaths: List<Death>,
    freezes: List<Listener>,
}

impl<const NODES: u64> Queue<NODES>
where
    Node: ListItem<NODES>,
{
    pub(crate) fn new() -> Self {
        let note = |command| Note {
            command,
            count: 0,
            time: 0,
        };

        Self {
            now: 0,
            notes: [
                note(BR_TRANSACTION_COMPLETE),
                note(BR_TRANSACTION_PENDING_FROZEN),
                note(BR_ONEWAY_SPAM_SUSPECT),
                note(0),
                note(0),
            ],
            len: 0,
            others: 0,
            messages: List::new(),
            nodes: List::new(),
            deaths: List::new(),
            freezes: List::new(),
        }
    }

    /// Adds what is in the queue to `rows`, kind by kind, as far as there is room.
    pub(crate) fn list(&self, rows: &mut Rows) {
        for note in self.notes.iter().filter(|note| note.count > 0) {
            rows.add(Row::Command(note.command, note.count));
        }
        rows.add_all(self.messages.iter().map(|item| Row::message(&item)));
        rows.add_all(self.nodes.iter().map(|item| Row::Node(item.id)));
        rows.add_all(self.deaths.iter().map(|item| Row::Death(item.cookie)));
        rows.add_all(self.freezes.iter().map(|item| Row::Freeze(item.cookie)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether a message is next.
    pub(crate) fn begins_with_message(&self) -> bool {
        if self.messages.is_empty() {
            return false;
        }
        matches!(self.whose_turn(), Some(Kind::Message))
    }

    fn time(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// Notes that a transaction was sent, for which `command` is the receipt. Of what is not read
    /// for long, all with the same receipt are told together, but not before the owner of an object
    /// that was sent along was told to keep it.
    pub(crate) fn push_receipt(&mut self, command: u32) {
        let time = self.time();
        let later = !self.nodes.is_empty();
        let Some(place) = self.place_of(command) else {
            return;
        };
        let note = &mut self.notes[place];

        if note.count == 0 || later {
            note.time = time;
        }
        if let Some(count) = note.count.checked_add(1) {
            note.count = count;
            self.count_in(place != COMPLETE);
        }
    }

    /// Takes back the last receipt of a kind.
    pub(crate) fn take_back_receipt(&mut self, command: u32) {
        let Some(place) = self.place_of(command) else {
            return;
        };
        let note = &mut self.notes[place];

        if note.count > 0 {
            note.count -= 1;
            self.count_out(place != COMPLETE);
        }
    }

    /// Where the receipts `command` are noted.
    fn place_of(&self, command: u32) -> Option<usize> {
        let mut receipts = self.notes[..COMMAND_ERROR].iter();

        receipts.position(|note| note.command == command)
    }

    /// Counts something that comes; `other` says whether it is one of the others.
    fn count_in(&mut self, other: bool) {
        self.len += 1;
        self.others += usize::from(other);
    }

    /// Counts something that goes.
    fn count_out(&mut self, other: bool) {
        self.len -= 1;
        self.others -= usize::from(other);
    }

    /// Notes why the thread's last command failed.
    pub(crate) fn push_command_error(&mut self, command: u32) {
        self.push_error(COMMAND_ERROR, command);
    }

    /// Notes why the call that the thread waits for gets no reply.
    pub(crate) fn push_reply_error(&mut self, command: u32) {
        self.push_error(REPLY_ERROR, command);
    }

    /// Whether a failed command was not told yet.
    pub(crate) fn has_command_error(&self) -> bool {
        self.notes[COMMAND_ERROR].count > 0
    }

    fn push_error(&mut self, place: usize, command: u32) {
        let time = self.time();
        let note = &mut self.notes[place];

        if note.count == 0 {
            *note = Note {
                command,
                count: 1,
                time,
            };
            self.count_in(place != COMPLETE);
        }
    }

    pub(crate) fn push_message(&mut self, message: ListArc<Transaction>) {
        message.turn.set(self.time());
        self.messages.push_back(message);
        self.count_in(false);
    }

    /// Adds a node, unless it is in such a queue already.
    pub(crate) fn push_node(&mut self, node: &Arc<Node>)
    where
        Node: kernel::list::TryNewListArc<NODES>,
    {
        if let Ok(item) = ListArc::<Node, NODES>::try_from_arc(node.clone()) {
            item.turn::<NODES>().set(self.time());
            self.nodes.push_back(item);
            self.count_in(true);
        }
    }

    /// Adds a death notification, unless it is in a queue already.
    pub(crate) fn push_death(&mut self, death: &Arc<Death>) {
        if let Ok(item) = ListArc::try_from_arc(death.clone()) {
            item.turn.set(self.time());
            self.deaths.push_back(item);
            self.count_in(true);
        }
    }

    /// Adds a freeze notification, unless it is in a queue already.
    pub(crate) fn push_freeze(&mut self, listener: &Arc<Listener>) {
        if let Ok(item) = ListArc::try_from_arc(listener.clone()) {
            item.turn.set(self.time());
            self.freezes.push_back(item);
            self.count_in(true);
        }
    }

    /// Takes out what has waited longest.
    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<Item> {
        match self.whose_turn()? {
            Kind::Note(place) => {
                let note = &mut self.notes[place];
                let command = note.command;

                note.count -= 1;
                self.count_out(place != COMPLETE);
                Some(Item::Command(command))
            }
            Kind::Message => {
                let message = self.messages.pop_front()?;
                self.count_out(false);
                Some(Item::Message(message))
            }
            kind => self.pop_news(kind),
        }
    }

    #[inline(never)]
    fn pop_news(&mut self, kind: Kind) -> Option<Item> {
        let item = match kind {
            Kind::Node => Item::Node(self.nodes.pop_front()?.into_arc()),
            Kind::Death => Item::Death(self.deaths.pop_front()?.into_arc()),
            Kind::Freeze => Item::Freeze(self.freezes.pop_front()?.into_arc()),
            Kind::Note(_) | Kind::Message => return None,
        };

        self.count_out(true);
        Some(item)
    }

    #[inline]
    fn whose_turn(&self) -> Option<Kind> {
        // Most often there are receipts of one kind and messages, if that.
        let receipts = &self.notes[COMPLETE];
        if self.others > 0 {
            return self.earliest();
        }
        let message = self.messages.iter().next();
        let earlier = message
            .as_ref()
            .is_none_or(|message| receipts.time < message.turn.get());

        if receipts.count > 0 && earlier {
            return Some(Kind::Note(COMPLETE));
        }
        message.map(|_| Kind::Message)
    }

    #[cold]
    fn earliest(&self) -> Option<Kind> {
        let mut first: Option<(u64, Kind)> = None;
        let mut consider = |time: Option<u64>, kind: Kind| {
            if let Some(time) = time {
                if first.as_ref().is_none_or(|(earliest, _)| time < *earliest) {
                    first = Some((time, kind));
                }
            }
        };

        for (place, note) in self.notes.iter().enumerate() {
            consider((note.count > 0).then_some(note.time), Kind::Note(place));
        }
        let message = self.messages.iter().next();
        consider(message.map(|item| item.turn.get()), Kind::Message);
        let node = self.nodes.iter().next();
        consider(node.map(|item| item.turn::<NODES>().get()), Kind::Node);
        let death = self.deaths.iter().next();
        consider(death.map(|item| item.turn.get()), Kind::Death);
        let freeze = self.freezes.iter().next();
        consider(freeze.map(|item| item.turn.get()), Kind::Freeze);
        first.map(|(_, kind)| kind)
    }
}

enum Kind {
    Note(usize),
    Message,
    Node,
    Death,
    Freeze,
}
