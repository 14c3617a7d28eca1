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
    str::CStr,
    sync::Arc, //
};

use crate::{
    counts::{
        self,
        Commands, //
    },
    registry::Registry, //
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

/// The files about all processes of all devices.
pub(crate) struct Files {
    _files: [Pin<KBox<File<Contents>>>; 1],
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
            _files: [file(c_str!("stats"), write_stats)?],
        })
    }
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
        // Names have no other characters than ASCII.
        let device = process.device.name.to_str().unwrap_or("?");

        writeln!(
            f,
            "process {}: device={device} file={}",
            process.pid, process.id
        )?;
        counts::write_commands(&process.commands, "  ", f)?;
    }
    Ok(())
}
