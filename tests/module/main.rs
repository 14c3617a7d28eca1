// SPDX-License-Identifier: GPL-2.0

//! The test module of the crate `vmarea`.
//!
//! It uses the crate as any driver would, and through its documented interface only. There are two
//! devices for test programs ([`buffer`], [`prepared`]), which are also examples: of the hook `mmap`
//! and of `mmap_prepare`. What runs in the kernel alone is tested by KUnit suites ([`suites`]); they
//! run when the module is loaded.

use kernel::{
    c_str,
    debugfs,
    prelude::*,
    str::CString,
    sync::Arc, //
};

use vmarea::file::{
    CharDevice,
    Registration, //
};

use crate::{
    buffer::BufferDevice,
    prepared::PreparedDevice,
    tally::{
        Tally,
        TALLY, //
    },
};

mod buffer;
mod prepared;
mod requests;
#[cfg(CONFIG_KUNIT = "y")]
mod suites;
mod tally;
mod uapi;

module! {
    type: VmareaTest,
    name: "vmarea_test",
    authors: ["The vbinder developers"],
    description: "Tests of safe VMA abstractions, and examples of their use",
    license: "GPL v2",
}

/// The loaded module.
struct VmareaTest {
    _buffers: Pin<KBox<Registration<BufferDevice>>>,
    _prepared: Pin<KBox<Registration<PreparedDevice>>>,
    _counts: Pin<KBox<debugfs::File<&'static Tally>>>,
    _debugfs: debugfs::Dir,
}

impl kernel::Module for VmareaTest {
    fn init(_: &'static ThisModule) -> Result<Self> {
        let debugfs = debugfs::Dir::new(c_str!("vmarea_test"));
        let counts = KBox::pin_init(
            debugfs.read_callback_file(c_str!("counts"), &TALLY, &|tally, f| {
                debugfs::Writer::write(*tally, f)
            }),
            GFP_KERNEL,
        )?;
        let buffers = register("vmarea_test", BufferDevice)?;
        let prepared = register("vmarea_test_prepare", PreparedDevice)?;

        buffers.enable();
        prepared.enable();
        Ok(Self {
            _buffers: buffers,
            _prepared: prepared,
            _counts: counts,
            _debugfs: debugfs,
        })
    }
}

fn register<D>(name: &str, device: D) -> Result<Pin<KBox<Registration<D>>>>
where
    D: CharDevice<OwnerModule = LocalModule>,
{
    Registration::register(
        CString::try_from_fmt(fmt!("{name}"))?,
        Arc::new(device, GFP_KERNEL)?,
    )
}
