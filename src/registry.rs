// SPDX-License-Identifier: GPL-2.0

//! The registry: all processes that have opened any of the devices, to be found by their ids, and what
//! is to be known of them all.

use kernel::{
    debugfs::Dir,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        new_mutex,
        Arc,
        Mutex, //
    },
};

use crate::{
    counts::Commands,
    process::Process,
    seen::ProcessFiles, //
};

/// All processes. One that has opened several files is there once for each.
#[pin_data]
pub(crate) struct Registry {
    /// By process id, and the driver's own.
    #[pin]
    processes: Mutex<RBTree<(i32, u64), Arc<Process>>>,
    /// The file about each process. Locked before the processes.
    #[pin]
    files: Mutex<ProcessFiles>,
    /// The last number that was given to anything.
    last_id: Atomic<u64>,
    /// The commands of processes that are not there any more. To be changed with the lock held.
    past_commands: Commands,
}

impl Registry {
    /// A registry whose files about each process are in the directory `files`.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(files: Dir) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                processes <- new_mutex!(RBTree::new(), "Registry::processes"),
                files <- new_mutex!(ProcessFiles::new(files), "Registry::files"),
                last_id: Atomic::new(0),
                past_commands: Commands::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// A number that nothing else has, which is not zero.
    pub(crate) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Relaxed) + 1
    }

    /// Adds a process.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn add(self: &Arc<Self>, process: &Arc<Process>) -> Result {
        let entry = RBTreeNode::new((process.pid, process.id), process.clone(), GFP_KERNEL)?;

        let mut files = self.files.lock();
        self.processes.lock().insert(entry);
        files.make(self, process.pid);
        Ok(())
    }

    /// Removes a process, if it is there.
    pub(crate) fn remove(&self, process: &Process) {
        let mut processes = self.processes.lock();
        let entry = processes.remove_node(&(process.pid, process.id));
        if entry.is_some() {
            self.past_commands.add(&process.commands);
        }

        drop(processes);
        drop(entry);
    }

    /// Removes the file about the processes with the id `pid`, if none is there. Waits for its readers,
    /// which take the locks of everything but the files.
    pub(crate) fn forget_file(self: &Arc<Self>, pid: i32) {
        let mut files = self.files.lock();
        if self.knows(pid) {
            return;
        }
        let Some(file) = files.take(pid) else { return };
        drop(files);
        drop(file);

        let mut files = self.files.lock();
        files.end_taking(pid);
        // The process may have opened a device again meanwhile.
        if self.knows(pid) {
            files.make(self, pid);
        }
    }

    fn knows(&self, pid: i32) -> bool {
        self.processes
            .lock()
            .cursor_lower_bound(&(pid, 0))
            .is_some_and(|found| found.current().0 .0 == pid)
    }

    /// Adds the commands of all processes, also of those that are not there any more, to `commands`.
    pub(crate) fn count_commands(&self, commands: &Commands) {
        let processes = self.processes.lock();

        commands.add(&self.past_commands);
        for process in processes.values() {
            commands.add(&process.commands);
        }
    }

    /// All processes, one after the other.
    pub(crate) fn all(&self) -> impl Iterator<Item = Arc<Process>> + '_ {
        core::iter::successors(self.after(0, 0), |process| {
            self.after(process.pid, process.id)
        })
    }

    /// The first process after the one with these ids.
    pub(crate) fn after(&self, pid: i32, id: u64) -> Option<Arc<Process>> {
        let from = (pid, id.checked_add(1)?);
        let processes = self.processes.lock();

        processes
            .cursor_lower_bound(&from)
            .map(|found| found.current().1.clone())
    }

    /// Calls `f` for each process with the process id `pid`, until it fails.
    ///
    /// # Errors
    ///
    /// * `EINVAL` if there is none.
    /// * What `f` returns.
    pub(crate) fn for_each(&self, pid: i32, mut f: impl FnMut(&Arc<Process>) -> Result) -> Result {
        // No process has the id 0.
        let mut next = self.after(pid, 0).filter(|process| process.pid == pid);
        if next.is_none() {
            return Err(EINVAL);
        }

        while let Some(process) = next {
            f(&process)?;
            next = self
                .after(pid, process.id)
                .filter(|process| process.pid == pid);
        }
        Ok(())
    }
}
