// SPDX-License-Identifier: GPL-2.0

//! The module parameters that are defined in `params.c`.

use kernel::{
    ffi::c_char,
    prelude::*,
    str::{
        CStr,
        CStrExt,
        CString, //
    },
};

use vmarea::page_range::Install;

use crate::seen;

extern "C" {
    /// See `params.h`. Set before the module is initialized, and not writable after that.
    static vbinder_devices: *const c_char;
    /// As well.
    static vbinder_install: *const c_char;
}

/// The longest name of a device.
const NAME_LIMIT: usize = 64;
/// The most devices.
const DEVICE_LIMIT: usize = 64;

/// The names of the devices to create.
///
/// # Errors
///
/// `EINVAL` if there are none or too many, or if one of them is not usable as a file name in
/// `/dev`, or is there twice; the reason is logged.
pub(crate) fn device_names() -> Result<KVec<CString>> {
    // SAFETY: The module loader sets the parameter before it calls the module's initializer, and
    // nobody changes it later. It is a string, which lives as long as the module.
    let names = unsafe { CStr::from_char_ptr(vbinder_devices) };
    let mut found = KVec::new();

    for name in names.to_bytes().split(|&byte| byte == b',') {
        if let Err(why) = check_name(name) {
            pr_err!("devices={}: {}\n", names.to_str().unwrap_or("?"), why);
            return Err(EINVAL);
        }
        let name = CString::try_from_fmt(fmt!("{}", kernel::str::BStr::from_bytes(name)))?;
        if found.iter().any(|other: &CString| **other == *name) {
            pr_err!("devices: {:?} is there twice\n", &*name);
            return Err(EINVAL);
        }
        if found.len() == DEVICE_LIMIT {
            pr_err!("devices: more than {} names\n", DEVICE_LIMIT);
            return Err(EINVAL);
        }
        found.push(name, GFP_KERNEL)?;
    }
    Ok(found)
}

/// When pages are mapped into receivers.
///
/// # Errors
///
/// `EINVAL` if it is not known what that means, which is logged.
pub(crate) fn install() -> Result<Install> {
    // SAFETY: As in `device_names`.
    let name = unsafe { CStr::from_char_ptr(vbinder_install) };

    Install::from_name(name.to_bytes()).ok_or_else(|| {
        let [(a, _), (b, _), (c, _)] = Install::NAMES;
        pr_err!("install={:?}: not one of {a}, {b}, {c}\n", name);
        EINVAL
    })
}

/// Whether a device can have this name: what is wrong with it, else.
pub(crate) fn check_name(name: &[u8]) -> Result<(), &'static str> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');

    if name.is_empty() {
        Err("an empty name")
    } else if name.len() > NAME_LIMIT {
        Err("a name that is too long")
    } else if !name.iter().all(plain) {
        Err("a name with other characters than letters, digits, '-' and '_'")
    } else if seen::NAMES.iter().any(|taken| taken.to_bytes() == name) {
        Err("the name of a file in debugfs, where each device has a directory")
    } else {
        Ok(())
    }
}
