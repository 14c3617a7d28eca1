// SPDX-License-Identifier: GPL-2.0

//! A device has both hooks for `mmap`, of which the mm subsystem calls one.
//!
//! Rule: N3
//! Error: E0080, one hook or the other

use kernel::{
    fs::File,
    prelude::*,
    str::CString,
    sync::{
        poll::PollTable,
        Arc, //
    },
    ModuleMetadata, //
};
use vmarea::{
    context::UserContext,
    file::{
        CharDevice,
        Opening,
        Registration, //
    },
    mmap::{
        Established,
        VmAreaDesc, //
    },
};

/// What `module!` makes in a driver.
pub struct LocalModule;

impl ModuleMetadata for LocalModule {
    const NAME: &'static CStr = kernel::c_str!("driver");
    // SAFETY: This is compiled, and never run.
    const THIS_MODULE: ThisModule = unsafe { ThisModule::from_ptr(core::ptr::null_mut()) };
}

/// The device.
pub struct Device;

#[vtable]
impl CharDevice for Device {
    type Open = Device;

    fn open(device: &Arc<Self>, _: &mut Opening<'_>) -> Result<Arc<Device>> {
        Ok(device.clone())
    }

    fn release(_: Arc<Device>) {}

    fn flush(_: &Arc<Device>) {}

    fn ioctl(_: &Arc<Device>, _: &File, _: &mut UserContext, _: u32, _: usize) -> Result<isize> {
        Err(ENOTTY)
    }

    fn poll(_: &Arc<Device>, _: &File, _: &PollTable<'_>) -> u32 {
        0
    }

    #[cfg(not(fixed))]
    fn mmap<'a>(_: &Arc<Device>, _: vmarea::mmap::VmAreaNew<'a>) -> Result<Established<'a>> {
        Err(ENODEV)
    }

    fn mmap_prepare<'a>(_: &Arc<Device>, _: VmAreaDesc<'a>) -> Result<Established<'a>> {
        Err(ENODEV)
    }
}

/// Makes the device known.
pub fn register(name: CString, device: Arc<Device>) -> Result<Pin<KBox<Registration<Device>>>> {
    Registration::register(name, device) //~
}
