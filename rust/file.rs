// SPDX-License-Identifier: GPL-2.0

//! Character devices whose files a driver can open, map, poll and control.
//!
//! This differs from `kernel::miscdevice` in what such a driver needs and that lacks: names that are
//! known only at run time, data for each device, `poll`, `flush`, and a way to keep all devices shut
//! until the last of them is there.
//!
//! C headers: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h),
//! [`include/linux/fs.h`](srctree/include/linux/fs.h)

use core::mem::ManuallyDrop;

use kernel::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    ffi::{
        c_int,
        c_long,
        c_uint,
        c_ulong, //
    },
    fs::File,
    mm::virt::VmaNew,
    prelude::*,
    str::{
        CStrExt,
        CString, //
    },
    sync::{
        atomic::{
            Acquire,
            Atomic,
            Release, //
        },
        poll::PollTable,
        Arc, //
    },
    types::Opaque, //
};

/// What [`CharDevice::poll`] returns when a read would not wait.
pub const POLL_READABLE: u32 = bindings::POLLIN;
/// What [`CharDevice::poll`] returns when it cannot tell.
pub const POLL_ERROR: u32 = bindings::POLLERR;

/// A kind of character device. A value of the type is the data of one device.
///
/// All functions are called in the context of the calling process, may sleep, and may touch its
/// memory, except that `mmap` is called with the mmap lock held for write.
pub trait CharDevice: Sized + Send + Sync + 'static {
    /// The data of an opened file.
    type Open: Send + Sync + 'static;

    /// The device is opened.
    fn open(device: &Arc<Self>, file: &File) -> Result<Arc<Self::Open>>;

    /// The last reference to the opened file, mappings included, is gone. Nothing else is called
    /// for it after this.
    fn release(open: Arc<Self::Open>);

    /// A file descriptor for the opened file is closed. There may be others.
    fn flush(open: &Arc<Self::Open>);

    /// `ioctl`. Returns what the system call returns.
    fn ioctl(open: &Arc<Self::Open>, file: &File, command: u32, argument: usize) -> Result<isize>;

    /// `poll`. Returns a set of `POLL_*`.
    fn poll(open: &Arc<Self::Open>, file: &File, table: &PollTable<'_>) -> u32;

    /// `mmap`. May set the VMA up.
    fn mmap(open: &Arc<Self::Open>, vma: &VmaNew) -> Result;
}

/// A registered character device, `/dev/<name>`. It is unregistered when this is dropped.
///
/// # Invariants
///
/// `misc` is registered, and refers to `name` and `operations`.
#[pin_data(PinnedDrop)]
pub struct Registration<D: CharDevice> {
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    operations: bindings::file_operations,
    name: CString,
    device: Arc<D>,
    enabled: Atomic<bool>,
}

// SAFETY: A device can be unregistered by any thread; all fields are `Send`.
unsafe impl<D: CharDevice> Send for Registration<D> {}
// SAFETY: The C parts are not accessed through shared references, except by the C side with its own
// locks; the rest is `Sync`.
unsafe impl<D: CharDevice> Sync for Registration<D> {}

impl<D: CharDevice> Registration<D> {
    /// Registers a device, which cannot be opened before [`enable`](Self::enable).
    ///
    /// # Errors
    ///
    /// * `EEXIST` if there is a device of that name.
    /// * `ENOMEM`, and what else registering a device can fail with.
    pub fn register(
        module: &'static ThisModule,
        name: CString,
        device: Arc<D>,
    ) -> Result<Pin<KBox<Self>>> {
        let mut operations: bindings::file_operations = pin_init::zeroed();

        operations.owner = module.as_ptr();
        operations.open = Some(Self::open);
        operations.release = Some(Self::release);
        operations.flush = Some(Self::flush);
        operations.unlocked_ioctl = Some(Self::ioctl);
        #[cfg(CONFIG_COMPAT)]
        {
            operations.compat_ioctl = Some(bindings::compat_ptr_ioctl);
        }
        operations.poll = Some(Self::poll);
        operations.mmap = Some(Self::mmap);
        operations.llseek = Some(bindings::noop_llseek);

        KBox::pin_init(
            try_pin_init!(&this in Self {
                operations,
                name,
                device,
                enabled: Atomic::new(false),
                misc <- Opaque::try_ffi_init(move |misc: *mut bindings::miscdevice| {
                    let mut init: bindings::miscdevice = pin_init::zeroed();
                    let this = this.as_ptr();

                    init.minor = bindings::MISC_DYNAMIC_MINOR as c_int;
                    init.mode = 0o666;
                    // SAFETY: Both fields were initialized above, and stay at their place until the
                    // device is unregistered: the registration is pinned.
                    unsafe {
                        init.name = (*this).name.as_char_ptr();
                        init.fops = &raw const (*this).operations;
                        misc.write(init);
                    }
                    // SAFETY: All that the C side needs was just set.
                    to_result(unsafe { bindings::misc_register(misc) })
                }),
            }? Error),
            GFP_KERNEL,
        )
    }

    /// Lets the device be opened. Until then that fails with `ENODEV`, so that a module which
    /// registers several devices can still fail to load when the first of them is there.
    pub fn enable(&self) {
        self.enabled.store(true, Release);
    }

    /// Runs `f` with the data of an opened file.
    ///
    /// # Safety
    ///
    /// `file` must have been opened by [`open`](Self::open) and not yet released.
    unsafe fn with<R>(file: *mut bindings::file, f: impl FnOnce(&Arc<D::Open>, &File) -> R) -> R {
        // SAFETY: `open` has stored a reference there, which the file keeps.
        let open =
            unsafe { ManuallyDrop::new(Arc::from_raw((*file).private_data.cast::<D::Open>())) };
        // SAFETY: The C side keeps the file valid during the call. The functions called here are
        // not the ones that use a light reference to the file's position.
        let file = unsafe { File::from_raw_file(file) };

        f(&open, file)
    }

    /// # Safety
    ///
    /// Called by the C side for a file of a registered device.
    unsafe extern "C" fn open(_: *mut bindings::inode, raw: *mut bindings::file) -> c_int {
        // SAFETY: `misc_open` has put the device there, which is the field of a registration. That
        // is not dropped meanwhile, because unregistering waits for this call.
        let this = unsafe {
            let misc = (*raw).private_data.cast::<Opaque<bindings::miscdevice>>();
            &*kernel::container_of!(misc, Self, misc)
        };

        from_result(|| {
            if !this.enabled.load(Acquire) {
                return Err(ENODEV);
            }
            // SAFETY: The C side keeps the file valid during the call.
            let open = D::open(&this.device, unsafe { File::from_raw_file(raw) })?;
            // SAFETY: The field is the driver's from now on.
            unsafe { (*raw).private_data = Arc::into_raw(open).cast_mut().cast() };
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the C side, once for a file that was opened.
    unsafe extern "C" fn release(_: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: The reference was put there by `open`, and is not used after this.
        D::release(unsafe { Arc::from_raw((*file).private_data.cast::<D::Open>()) });
        0
    }

    /// # Safety
    ///
    /// Called by the C side for a file that was opened.
    unsafe extern "C" fn flush(file: *mut bindings::file, _: bindings::fl_owner_t) -> c_int {
        // SAFETY: As the caller promises.
        unsafe { Self::with(file, |open, _| D::flush(open)) };
        0
    }

    /// # Safety
    ///
    /// Called by the C side for a file that was opened.
    unsafe extern "C" fn ioctl(
        file: *mut bindings::file,
        command: c_uint,
        argument: c_ulong,
    ) -> c_long {
        // SAFETY: As the caller promises.
        let result =
            unsafe { Self::with(file, |open, file| D::ioctl(open, file, command, argument)) };

        match result {
            Ok(value) => value,
            Err(error) => error.to_errno() as c_long,
        }
    }

    /// # Safety
    ///
    /// Called by the C side for a file that was opened.
    unsafe extern "C" fn poll(
        file: *mut bindings::file,
        table: *mut bindings::poll_table,
    ) -> bindings::__poll_t {
        // SAFETY: The table is null, or valid during the call.
        let table = unsafe { PollTable::from_raw(table) };

        // SAFETY: As the caller promises.
        unsafe { Self::with(file, |open, file| D::poll(open, file, &table)) }
    }

    /// # Safety
    ///
    /// Called by the C side for a file that was opened, with a VMA that is being set up and the mmap
    /// lock held for write.
    unsafe extern "C" fn mmap(
        file: *mut bindings::file,
        vma: *mut bindings::vm_area_struct,
    ) -> c_int {
        // SAFETY: As the caller promises.
        let vma = unsafe { VmaNew::from_raw(vma) };

        from_result(|| {
            // SAFETY: As the caller promises.
            unsafe { Self::with(file, |open, _| D::mmap(open, vma)) }?;
            Ok(0)
        })
    }
}

#[pinned_drop]
impl<D: CharDevice> PinnedDrop for Registration<D> {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: By the type invariants the device is registered.
        unsafe { bindings::misc_deregister(self.misc.get()) };
    }
}
