// SPDX-License-Identifier: GPL-2.0

//! The devices that are there, by name.

use kernel::{
    c_str, debugfs, new_mutex,
    prelude::*,
    str::{
        CStr,
        CString, //
    },
    sync::{
        Arc,
        Mutex, //
    },
};

use vmarea::{
    counters::Counters,
    file::Registration,
    page_range::{
        Install,
        PageLru, //
    },
};

use crate::{
    device::Device,
    registry::Registry, //
};

/// What all devices have in common, and which names are taken.
#[pin_data]
pub(crate) struct Devices {
    debugfs: debugfs::Dir,
    lru: Arc<PageLru>,
    registry: Arc<Registry>,
    install: Install,
    #[pin]
    names: Mutex<KVec<Arc<CString>>>,
}

/// A device and what a user can see of it. All of that is gone when this was dropped, and the name
/// is free; files that were opened before stay as they are.
pub(crate) struct RegisteredDevice {
    // The door is the first to go, and the name the last.
    door: Pin<KBox<Registration<Device>>>,
    _stats: Pin<KBox<debugfs::File<Arc<Counters>>>>,
    _debugfs: debugfs::Dir,
    _name: Name,
}

/// A name that no other device has as long as this exists.
///
/// The kernel does not let two devices have one name either, but fills the log when one tries.
struct Name {
    devices: Arc<Devices>,
    name: Arc<CString>,
}

impl Devices {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        debugfs: debugfs::Dir,
        lru: Arc<PageLru>,
        registry: Arc<Registry>,
        install: Install,
    ) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                debugfs,
                lru,
                registry,
                install,
                names <- new_mutex!(KVec::new(), "Devices::names"),
            }),
            GFP_KERNEL,
        )
    }
}

impl RegisteredDevice {
    /// Creates a device, which cannot be opened before [`enable`](Self::enable).
    ///
    /// # Errors
    ///
    /// * `EEXIST` if there is a device of that name.
    /// * `ENOMEM`, and what else registering a device can fail with.
    pub(crate) fn new(devices: &Arc<Devices>, name: &CStr) -> Result<Self> {
        let taken = Name::take(devices, name)?;
        let counters = Arc::new(Counters::new(), GFP_KERNEL)?;
        let device = Device::new(
            CString::try_from(name)?,
            counters.clone(),
            devices.lru.clone(),
            devices.registry.clone(),
            devices.install,
        )?;
        let debugfs = devices.debugfs.subdir(name);
        let stats = KBox::pin_init(
            debugfs.read_callback_file(c_str!("stats"), counters, &|counters, f| {
                debugfs::Writer::write(&**counters, f)
            }),
            GFP_KERNEL,
        )?;

        Ok(Self {
            door: Registration::register(name.try_into()?, device)?,
            _stats: stats,
            _debugfs: debugfs,
            _name: taken,
        })
    }

    /// Lets the device be opened.
    pub(crate) fn enable(&self) {
        self.door.enable();
    }
}

impl Name {
    /// # Errors
    ///
    /// * `EEXIST` if it is taken.
    /// * `ENOMEM`.
    fn take(devices: &Arc<Devices>, name: &CStr) -> Result<Self> {
        let name = Arc::new(CString::try_from(name)?, GFP_KERNEL)?;
        let mut names = devices.names.lock();

        if names.iter().any(|other| ***other == **name) {
            return Err(EEXIST);
        }
        names.push(name.clone(), GFP_KERNEL)?;
        drop(names);
        Ok(Self {
            devices: devices.clone(),
            name,
        })
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        let mut names = self.devices.names.lock();

        names.retain(|other| !Arc::ptr_eq(other, &self.name));
    }
}
