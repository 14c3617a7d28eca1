// SPDX-License-Identifier: GPL-2.0

//! Devices that come and go at run time: each is a directory in `/sys/kernel/config/vbinder`.
//!
//! A directory keeps the module, as configfs has it; so does a file of a device that has lost its
//! directory. There is never more than one `mkdir` or `rmdir` at a time, because these hold the
//! directory above, and a directory's device is gone when its `rmdir` returns.

use kernel::{
    c_str,
    configfs::{
        configfs_attrs,
        Group,
        GroupOperations,
        Subsystem, //
    },
    prelude::*,
    str::CStr,
    sync::Arc, //
};

use crate::{
    devices::{
        Devices,
        RegisteredDevice, //
    },
    params, //
};

/// Where directories are made.
pub(crate) struct Maker {
    devices: Arc<Devices>,
}

/// What a directory stands for.
pub(crate) struct Made {
    _device: RegisteredDevice,
}

/// Lets devices be made until the result is dropped.
///
/// # Errors
///
/// `ENOMEM`, and what else registering a configfs subsystem can fail with.
pub(crate) fn register(devices: Arc<Devices>) -> Result<Pin<KBox<Subsystem<Maker>>>> {
    let kind = configfs_attrs! {
        container: Subsystem<Maker>,
        data: Maker,
        child: Made,
        attributes: [],
    };

    KBox::pin_init(
        Subsystem::new(c_str!("vbinder"), kind, try_init!(Maker { devices })),
        GFP_KERNEL,
    )
}

#[vtable]
impl GroupOperations for Maker {
    type Child = Made;

    fn make_group(&self, name: &CStr) -> Result<impl PinInit<Group<Made>, Error>> {
        let kind = configfs_attrs! {
            container: Group<Made>,
            data: Made,
            attributes: [],
        };

        if let Err(why) = params::check_name(name.to_bytes()) {
            pr_err!("configfs: {:?}: {}\n", name, why);
            return Err(EINVAL);
        }
        let device = RegisteredDevice::new(&self.devices, name)?;
        device.enable();
        Ok(Group::new(
            name.try_into()?,
            kind,
            try_init!(Made { _device: device }),
        ))
    }
}
