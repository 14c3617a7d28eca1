// SPDX-License-Identifier: GPL-2.0

//! What a user can see of the driver's state, in files in debugfs.
//!
//! A file shows what its reader finds one after the other, not how everything was at one time. A file
//! that is removed waits for its readers, so that must not be done with a lock held that they take.

use kernel::{
    c_str,
    debugfs::{
        Dir,
        File,
        Writer, //
    },
    fmt,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNodeReservation, //
    },
    str::{
        CStr,
        CString, //
    },
    sync::Arc, //
};

use crate::{
    counts::{
        self,
        Commands, //
    },
    registry::Registry,
    show, //
};

type Write = fn(&Registry, &mut fmt::Formatter<'_>) -> fmt::Result;

/// What is in a file, which is read from the registry.
struct Contents {
    registry: Arc<Registry>,
    write: Write,
}

impl Writer for Contents {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.write)(&self.registry, f)
    }
}

/// The names in the driver's directory that are not those of devices.
pub(crate) const NAMES: [&CStr; 4] = [
    c_str!("state"),
    c_str!("transactions"),
    c_str!("stats"),
    PROC,
];

/// The directory with a file for each process.
pub(crate) const PROC: &CStr = c_str!("proc");

/// The files about all processes of all devices.
pub(crate) struct Files {
    _files: [Pin<KBox<File<Contents>>>; 3],
}

impl Files {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(dir: &Dir, registry: &Arc<Registry>) -> Result<Self> {
        let file = |name: &'static CStr, write: Write| {
            let contents = Contents {
                registry: registry.clone(),
                write,
            };
            KBox::pin_init(dir.read_only_file(name, contents), GFP_KERNEL)
        };

        Ok(Self {
            _files: [
                file(NAMES[0], write_state)?,
                file(NAMES[1], write_transactions)?,
                file(NAMES[2], write_stats)?,
            ],
        })
    }
}

/// Writes all there is of all processes.
fn write_state(registry: &Registry, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for process in registry.all() {
        show::write_process(&process, true, f)?;
    }
    Ok(())
}

/// Writes the transactions that are under way, by process.
fn write_transactions(registry: &Registry, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for process in registry.all() {
        show::write_process(&process, false, f)?;
    }
    Ok(())
}

/// Writes what was counted: for all processes together, then for each.
fn write_stats(registry: &Registry, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // Too large for the stack.
    let Ok(all) = KBox::new(Commands::new(), GFP_KERNEL) else {
        return Err(fmt::Error);
    };

    registry.count_commands(&all);
    counts::write_kinds(f)?;
    counts::write_commands(&all, "", f)?;
    for process in registry.all() {
        show::write_stats(&process, f)?;
    }
    Ok(())
}

/// What is in the file about a process: all its openings of devices.
pub(crate) struct OfProcess {
    registry: Arc<Registry>,
    pid: i32,
}

impl Writer for OfProcess {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut next = self.registry.after(self.pid, 0);

        while let Some(process) = next.filter(|process| process.pid == self.pid) {
            show::write_process(&process, true, f)?;
            next = self.registry.after(process.pid, process.id);
        }
        Ok(())
    }
}

pub(crate) type ProcessFile = Pin<KBox<File<OfProcess>>>;

/// A file for each process, which is there as long as it has a device open.
pub(crate) struct ProcessFiles {
    dir: Dir,
    /// By process id. Without a file if that is being removed, which takes time.
    files: RBTree<i32, Option<ProcessFile>>,
}

impl ProcessFiles {
    pub(crate) fn new(dir: Dir) -> Self {
        Self {
            dir,
            files: RBTree::new(),
        }
    }

    /// Makes a file for a process that has none, if there is memory for it.
    pub(crate) fn make(&mut self, registry: &Arc<Registry>, pid: i32) {
        if self.files.get(&pid).is_none() {
            // Nothing depends on it.
            let _ = self.try_to_make(registry, pid);
        }
    }

    fn try_to_make(&mut self, registry: &Arc<Registry>, pid: i32) -> Result {
        let place = RBTreeNodeReservation::new(GFP_KERNEL)?;
        let name = CString::try_from_fmt(fmt!("{pid}"))?;
        let contents = OfProcess {
            registry: registry.clone(),
            pid,
        };
        let file = KBox::pin_init(self.dir.read_only_file(&name, contents), GFP_KERNEL)?;

        self.files.insert(place.into_node(pid, Some(file)));
        Ok(())
    }

    /// Takes a file out. It cannot be made again until [`end_taking`](Self::end_taking).
    pub(crate) fn take(&mut self, pid: i32) -> Option<ProcessFile> {
        self.files.get_mut(&pid)?.take()
    }

    /// The file that was taken out is no longer there.
    pub(crate) fn end_taking(&mut self, pid: i32) {
        self.files.remove(&pid);
    }
}
