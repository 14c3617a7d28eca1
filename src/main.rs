// SPDX-License-Identifier: GPL-2.0

//! vbinder: a character device that speaks the binder protocol.
//!
//! A process opens a device, maps an area to receive in ([`process`], [`buffer`], [`space`]), and
//! lets its threads ([`thread`]) give commands ([`write`](mod@write)) and read what happened
//! ([`read`], [`queue`]). Messages ([`transaction`], [`send`]) go to objects ([`node`]), of which each
//! device has one that everybody knows ([`context`]); processes know the others by handles
//! ([`reference`](mod@reference)), which come in messages ([`objects`], [`attached`], [`files`]). They
//! learn when others die ([`death`]) or are frozen ([`freeze`]). Which devices there are is in
//! [`devices`]: some come with the module, others through configfs. All that has to do with memory is
//! in the crate `vmarea`.

use kernel::{
    c_str,
    debugfs,
    prelude::*, //
};

use vmarea::{
    page_range::PageLru,
    shrinker::{
        Shrinker,
        UnregisteredShrinker, //
    }, //
};

use crate::{
    devices::{
        Devices,
        RegisteredDevice, //
    },
    registry::Registry,
    seen::Files, //
};

mod aside;
mod attached;
mod buffer;
#[cfg(CONFIG_CONFIGFS_FS)]
mod configfs;
mod context;
mod counts;
mod death;
mod device;
mod devices;
mod failure;
mod files;
mod freeze;
mod handles;
mod info;
mod inner;
mod layout;
mod node;
mod notice;
mod objects;
mod oneway;
mod ordered;
mod params;
mod process;
mod queue;
mod read;
mod reference;
mod registry;
mod rows;
mod seen;
mod send;
mod senders;
mod show;
mod space;
mod thread;
mod told;
mod trace;
mod transaction;
mod tree;
mod uapi;
mod write;

module! {
    type: Vbinder,
    name: "vbinder",
    authors: ["The vbinder developers"],
    description: "A binder-compatible device on safe VMA abstractions",
    license: "GPL v2",
}

/// The loaded module. Its parts are dropped in this order, the doors first.
struct Vbinder {
    #[cfg(CONFIG_CONFIGFS_FS)]
    _configfs: Pin<KBox<kernel::configfs::Subsystem<configfs::Maker>>>,
    _devices: KVec<RegisteredDevice>,
    _files: Files,
    _debugfs: debugfs::Dir,
    _shrinker: Shrinker<PageLru>,
}

impl kernel::Module for Vbinder {
    fn init(_: &'static ThisModule) -> Result<Self> {
        let names = params::device_names()?;
        let install = params::install()?;
        let shrinker = UnregisteredShrinker::new(c_str!("vbinder"))?;
        let lru = PageLru::new(&shrinker)?;
        let shrinker = shrinker.register(lru.clone());
        let debugfs = debugfs::Dir::new(c_str!("vbinder"));
        let registry = Registry::new(debugfs.subdir(seen::PROC))?;
        let shared = Devices::new(debugfs.clone(), lru, registry.clone(), install)?;
        let mut devices = KVec::with_capacity(names.len(), GFP_KERNEL)?;

        let files = Files::new(&debugfs, &registry)?;

        for name in names {
            devices.push(RegisteredDevice::new(&shared, &name)?, GFP_KERNEL)?;
        }
        // From here on there may be devices that are in use.
        #[cfg(CONFIG_CONFIGFS_FS)]
        let configfs = configfs::register(shared)?;
        // Nothing can fail any more.
        for device in &devices {
            device.enable();
        }
        Ok(Self {
            #[cfg(CONFIG_CONFIGFS_FS)]
            _configfs: configfs,
            _devices: devices,
            _files: files,
            _debugfs: debugfs,
            _shrinker: shrinker,
        })
    }
}
