// SPDX-License-Identifier: GPL-2.0

//! How a process is written for those who look into the driver.
//!
//! Everything is found by its key, the next after the one before, and copied under its lock. So no
//! lock is held while anything is written, or for long, and what comes or goes meanwhile may be
//! missed. Of the kernel's own addresses none is shown.

use kernel::{
    fmt,
    sync::Arc, //
};

use crate::{
    counts,
    node::Node,
    process::Process,
    rows::{
        Message,
        Row,
        Rows, //
    },
    thread::{
        Looper,
        Thread, //
    },
};

/// A reference, as it is found in the table of a process.
struct Reference {
    handle: u32,
    node: Arc<Node>,
    strong: u32,
    weak: u32,
    /// The cookies of the notifications that the process wants.
    death: Option<u64>,
    freeze: Option<u64>,
}

/// A buffer, as it is found in the space of a process.
struct Buffer {
    offset: usize,
    size: usize,
    oneway: bool,
    delivered: bool,
    node: Option<u64>,
}

fn threads(process: &Process) -> impl Iterator<Item = Arc<Thread>> + '_ {
    let mut from = Some(0);

    core::iter::from_fn(move || {
        let inner = process.lock().lock();
        let found = inner.threads.cursor_lower_bound(&from?)?;
        let thread = found.current().1.clone();

        from = thread.id.checked_add(1);
        Some(thread)
    })
}

fn nodes(process: &Process) -> impl Iterator<Item = Arc<Node>> + '_ {
    let mut from = Some(0);

    core::iter::from_fn(move || {
        let node = process.lock().lock().node_at_least(from?)?;

        from = node.name.ptr.checked_add(1);
        Some(node)
    })
}

fn references(process: &Process) -> impl Iterator<Item = Reference> + '_ {
    let mut from = Some(0);

    core::iter::from_fn(move || {
        let references = process.references().lock();
        let (handle, found) = references.at_least(from?)?;

        from = handle.checked_add(1);
        Some(Reference {
            handle,
            node: found.node.clone(),
            strong: found.strong,
            weak: found.weak,
            death: found.death.as_ref().map(|death| death.cookie),
            freeze: found.listener.as_ref().map(|listener| listener.cookie),
        })
    })
}

fn buffers(process: &Process) -> impl Iterator<Item = Buffer> + '_ {
    let mut from = 0;

    core::iter::from_fn(move || {
        let space = process.space();
        let found = space.space.allocated_at_least(from)?;

        from = found.offset + found.size;
        Some(Buffer {
            offset: found.offset,
            size: found.size,
            oneway: found.oneway,
            delivered: found.kept.is_some(),
            node: found
                .kept
                .and_then(|kept| kept.target.as_ref())
                .map(|node| node.id),
        })
    })
}

/// Which process this is.
fn write_name(process: &Process, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // Names have no other characters than ASCII.
    let device = process.device.name.to_str().unwrap_or("?");

    writeln!(
        f,
        "process {}: device={device} file={}",
        process.pid, process.id
    )
}

/// What threads serve the process, and whether it is frozen.
fn write_service(process: &Process, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (pool, frozen, oneways, calls, outstanding, dead) = {
        let inner = process.lock().lock();
        let pool = (
            inner.max_threads,
            inner.requested_threads,
            inner.started_threads,
            inner.has_waiting(),
        );
        let freezer = &inner.freezer;
        (
            pool,
            freezer.is_frozen,
            freezer.kept_oneways,
            freezer.refused_calls,
            freezer.outstanding,
            inner.dead,
        )
    };
    let (max, requested, started, waiting) = pool;

    writeln!(
        f,
        "  pool: max={max} requested={requested} started={started} waiting={}",
        u32::from(waiting)
    )?;
    writeln!(
        f,
        "  frozen={} refused_calls={} kept_oneways={} outstanding={outstanding} dead={}",
        u32::from(frozen),
        u32::from(calls),
        u32::from(oneways),
        u32::from(dead)
    )
}

/// The calls that a thread handles, or waits for, the newest first.
fn write_calls(thread: &Thread, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut next = {
        let inner = thread.process.lock().lock();
        thread.state.access(&inner).topmost.clone()
    };

    while let Some(call) = next {
        let outgoing = call.is_from(thread);
        let way = if outgoing { "outgoing" } else { "incoming" };

        write!(f, "    {way} ")?;
        Message::new(&call).write(f)?;
        f.write_str("\n")?;
        next = if outgoing {
            call.below()
        } else {
            call.below_from(thread)
        };
    }
    Ok(())
}

fn write_thread(
    thread: &Thread,
    all: bool,
    rows: &mut Rows,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let (looper, waiting, unread) = {
        let inner = thread.process.lock().lock();
        let state = thread.state.access(&inner);
        state.todo.list(rows);
        (state.looper, state.waiting, state.unread.len())
    };
    let looper = match looper {
        Looper {
            registered: true, ..
        } => "registered",
        Looper { entered: true, .. } => "entered",
        _ => "none",
    };

    writeln!(
        f,
        "  thread {}: looper={looper} waiting={} unread={unread}",
        thread.id,
        u32::from(waiting)
    )?;
    write_calls(thread, f)?;
    rows.write("    queued", |row| is_wanted(row, all), f)
}

fn write_node(node: &Node, all: bool, rows: &mut Rows, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (strong, weak, is_manager) = {
        let inner = node.owner.lock().lock();
        let state = node.state.access(&inner);
        rows.add_all(state.oneway.waiting().map(|item| Row::message(&item)));
        (
            (
                state.local_strong,
                state.remote_strong,
                u32::from(state.has_strong),
            ),
            (state.local_weak, state.refs, u32::from(state.has_weak)),
            state.is_manager,
        )
    };

    if all {
        write!(
            f,
            "  node {}: ptr={:#x} cookie={:#x}",
            node.id, node.name.ptr, node.name.cookie
        )?;
        let (local, remote, told) = strong;
        write!(
            f,
            " strong={local} remote_strong={remote} told_strong={told}"
        )?;
        let (local, refs, told) = weak;
        write!(f, " weak={local} refs={refs} told_weak={told}")?;
        writeln!(f, " nice={} manager={}", node.nice, u32::from(is_manager))?;
    }
    rows.write("    later", |row| is_wanted(row, all), f)
}

impl Reference {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            handle,
            node,
            strong,
            weak,
            ..
        } = self;
        let dead = {
            let inner = node.owner.lock().lock();
            node.state.access(&inner).dead
        };

        write!(
            f,
            "  reference {handle}: node={} of={}",
            node.id, node.owner.pid
        )?;
        write!(f, " strong={strong} weak={weak} dead={}", u32::from(dead))?;
        if let Some(cookie) = self.death {
            write!(f, " death={cookie:#x}")?;
        }
        if let Some(cookie) = self.freeze {
            write!(f, " freeze={cookie:#x}")?;
        }
        f.write_str("\n")
    }
}

impl Buffer {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "  buffer {}: size={} oneway={} delivered={}",
            self.offset,
            self.size,
            u32::from(self.oneway),
            u32::from(self.delivered)
        )?;
        if let Some(node) = self.node {
            write!(f, " node={node}")?;
        }
        f.write_str("\n")
    }
}

/// Of what is queued, whether it is to be written if not `all` is.
fn is_wanted(row: &Row, all: bool) -> bool {
    all || matches!(row, Row::Message(_))
}

/// Writes a process: all of it, or only its threads and what they, or others, have to do.
pub(crate) fn write_process(
    process: &Process,
    all: bool,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut rows = Rows::new()?;

    write_name(process, f)?;
    write_service(process, f)?;
    for thread in threads(process) {
        write_thread(&thread, all, &mut rows, f)?;
    }
    process.lock().lock().todo.list(&mut rows);
    rows.write("  queued", |row| is_wanted(row, all), f)?;
    for node in nodes(process) {
        write_node(&node, all, &mut rows, f)?;
    }
    if !all {
        return Ok(());
    }
    for reference in references(process) {
        reference.write(f)?;
    }
    for buffer in buffers(process) {
        buffer.write(f)?;
    }
    Ok(())
}

/// Writes how much there is of everything in a process, and what commands it gave and was told.
pub(crate) fn write_stats(process: &Process, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (mut handles, mut strong, mut weak, mut deaths) = (0u64, 0u64, 0u64, 0u64);
    for reference in references(process) {
        handles += 1;
        strong += u64::from(reference.strong);
        weak += u64::from(reference.weak);
        deaths += u64::from(reference.death.is_some());
    }
    let (mut count, mut bytes) = (0, 0);
    for buffer in buffers(process) {
        count += 1;
        bytes += buffer.size;
    }
    let (size, oneway_left) = {
        let space = process.space();
        (space.size, space.space.oneway_left())
    };

    write_name(process, f)?;
    write_service(process, f)?;
    writeln!(f, "  threads {}", threads(process).count())?;
    writeln!(f, "  nodes {}", nodes(process).count())?;
    writeln!(f, "  references {handles} strong {strong} weak {weak}")?;
    writeln!(f, "  deaths {deaths}")?;
    writeln!(
        f,
        "  buffers {count} bytes {bytes} of {size} oneway_left {oneway_left}"
    )?;
    counts::write_commands(&process.commands, "  ", f)
}
