// SPDX-License-Identifier: GPL-2.0

//! Character devices whose files a driver can open, map, poll and control.
//!
//! This differs from `kernel::miscdevice` in what such a driver needs and that lacks: names that are
//! known only at run time, data for each device, `poll`, `flush`, and a way to keep all devices shut
//! until the last of them is there.
//!
//! C headers: [`include/linux/miscdevice.h`](srctree/include/linux/miscdevice.h),
//! [`include/linux/fs.h`](srctree/include/linux/fs.h)

use kernel::{
    bindings,
    build_error,
    error::{
        from_result,
        to_result,
        VTABLE_DEFAULT_ERROR, //
    },
    ffi::{
        c_int,
        c_long,
        c_uint,
        c_ulong, //
    },
    fs::File,
    module::this_module,
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
    types::Opaque,
    ModuleMetadata, //
};

use crate::{
    context::UserContext,
    mmap::{
        Established,
        VmAreaDesc,
        VmAreaNew, //
    }, //
};

mod mapping;
mod module;
mod opened;

pub use mapping::FileMapping;
pub use module::is_of_module;
pub(crate) use opened::Opened;

/// What [`CharDevice::poll`] returns when a read would not wait.
pub const POLL_READABLE: u32 = bindings::POLLIN;
/// What [`CharDevice::poll`] returns when it cannot tell.
pub const POLL_ERROR: u32 = bindings::POLLERR;

/// A file that is being opened.
///
/// See [`FileMapping`] for an example.
pub struct Opening<'a> {
    file: &'a File,
    context: &'a UserContext,
    mapping: Option<Arc<FileMapping>>,
}

impl Opening<'_> {
    /// The file. Nobody else uses it yet.
    pub fn file(&self) -> &File {
        self.file
    }

    /// The context of the system call.
    pub fn context(&self) -> &UserContext {
        self.context
    }

    /// Lets areas that map the file be found by `mapping`.
    pub fn use_mapping(&mut self, mapping: Arc<FileMapping>) {
        self.mapping = Some(mapping);
    }
}

/// A kind of character device. A value of the type is the data of one device.
///
/// All functions are called in the context of the calling process and may sleep. Those that get a
/// [`UserContext`] may touch its memory; the two for `mmap`, of which a device has one or none, are
/// called with the mmap lock held for write and may not.
///
/// # Examples
///
/// A device that can be opened and told a number:
///
/// ```
/// use kernel::{
///     fs::File,
///     prelude::*,
///     sync::{atomic::{Atomic, Relaxed}, poll::PollTable, Arc},
/// };
/// use vmarea::{
///     context::UserContext,
///     file::{CharDevice, Opening},
/// };
///
/// struct Number(Atomic<usize>);
///
/// #[vtable]
/// impl CharDevice for Number {
///     type Open = Number;
///
///     fn open(device: &Arc<Self>, _: &mut Opening<'_>) -> Result<Arc<Number>> {
///         Ok(device.clone())
///     }
///
///     fn release(_: Arc<Number>) {}
///
///     fn flush(_: &Arc<Number>) {}
///
///     fn ioctl(
///         number: &Arc<Number>,
///         _: &File,
///         _: &mut UserContext,
///         command: u32,
///         argument: usize,
///     ) -> Result<isize> {
///         if command != 0 {
///             return Err(ENOTTY);
///         }
///         number.0.store(argument, Relaxed);
///         Ok(0)
///     }
///
///     fn poll(_: &Arc<Number>, _: &File, _: &PollTable<'_>) -> u32 {
///         0
///     }
/// }
/// ```
#[vtable]
pub trait CharDevice: Sized + Send + Sync + 'static {
    /// Filled in by [`#[vtable]`](vtable).
    type OwnerModule;

    /// The data of an opened file.
    type Open: Send + Sync + 'static;

    /// The device is opened.
    fn open(device: &Arc<Self>, opening: &mut Opening<'_>) -> Result<Arc<Self::Open>>;

    /// The last reference to the opened file, mappings included, is gone. Nothing else is called
    /// for it after this.
    fn release(open: Arc<Self::Open>);

    /// A file descriptor for the opened file is closed. There may be others.
    fn flush(open: &Arc<Self::Open>);

    /// `ioctl`. Returns what the system call returns.
    fn ioctl(
        open: &Arc<Self::Open>,
        file: &File,
        context: &mut UserContext,
        command: u32,
        argument: usize,
    ) -> Result<isize>;

    /// `poll`. Returns a set of `POLL_*`.
    fn poll(open: &Arc<Self::Open>, file: &File, table: &PollTable<'_>) -> u32;

    /// `mmap`, as it was.
    fn mmap<'a>(_open: &Arc<Self::Open>, _area: VmAreaNew<'a>) -> Result<Established<'a>> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }

    /// `mmap`, before there is an area.
    fn mmap_prepare<'a>(_open: &Arc<Self::Open>, _area: VmAreaDesc<'a>) -> Result<Established<'a>> {
        build_error!(VTABLE_DEFAULT_ERROR)
    }
}

/// A registered character device, `/dev/<name>`. It is unregistered when this is dropped.
///
/// Files that were opened before stay as they are, and keep the module. The name is free at once.
/// [`CharDevice::open`] must not drop it: that would wait for itself.
///
/// # Examples
///
/// ```
/// # use kernel::{prelude::*, str::CString, sync::Arc, ModuleMetadata};
/// use vmarea::file::{CharDevice, Registration};
///
/// fn open_doors<D: CharDevice>(
///     devices: [(CString, Arc<D>); 2],
/// ) -> Result<[Pin<KBox<Registration<D>>>; 2]>
/// where
///     D::OwnerModule: ModuleMetadata,
/// {
///     let [(name, first), (other_name, second)] = devices;
///     let first = Registration::register(name, first)?;
///     let second = Registration::register(other_name, second)?;
///
///     // Nothing can fail any more.
///     first.enable();
///     second.enable();
///     Ok([first, second])
/// }
/// ```
///
/// # Invariants
///
/// `misc` is registered, and refers to `name`.
#[pin_data(PinnedDrop)]
pub struct Registration<D: CharDevice> {
    #[pin]
    misc: Opaque<bindings::miscdevice>,
    name: CString,
    device: Arc<D>,
    enabled: Atomic<bool>,
}

// SAFETY: A device can be unregistered by any thread; all fields are `Send`.
unsafe impl<D: CharDevice> Send for Registration<D> {}
// SAFETY: The C parts are not accessed through shared references, except by the C side with its own
// locks; the rest is `Sync`.
unsafe impl<D: CharDevice> Sync for Registration<D> {}

impl<D: CharDevice> Registration<D>
where
    D::OwnerModule: ModuleMetadata,
{
    /// What can be done with the files. These may outlive the registration, so it is static.
    const OPERATIONS: bindings::file_operations = {
        let mut operations: bindings::file_operations = pin_init::zeroed();

        operations.owner = this_module::<D::OwnerModule>().as_ptr();
        operations.open = Some(Self::open);
        operations.release = Some(Self::release);
        operations.flush = Some(Self::flush);
        operations.unlocked_ioctl = Some(Self::ioctl);
        operations.compat_ioctl = bindings::compat_ptr_ioctl;
        operations.poll = Some(Self::poll);
        if D::HAS_MMAP {
            operations.mmap = Some(Self::mmap);
        }
        if D::HAS_MMAP_PREPARE {
            operations.mmap_prepare = Some(Self::mmap_prepare);
        }
        operations.llseek = Some(bindings::noop_llseek);
        operations
    };

    /// Registers a device, which cannot be opened before [`enable`](Self::enable).
    ///
    /// # Errors
    ///
    /// * `EEXIST` if there is a device of that name.
    /// * `ENOMEM`, and what else registering a device can fail with.
    pub fn register(name: CString, device: Arc<D>) -> Result<Pin<KBox<Self>>> {
        const {
            assert!(
                !(D::HAS_MMAP && D::HAS_MMAP_PREPARE),
                "one hook or the other"
            )
        };

        KBox::pin_init(
            try_pin_init!(&this in Self {
                name,
                device,
                enabled: Atomic::new(false),
                misc <- Opaque::try_ffi_init(move |misc: *mut bindings::miscdevice| {
                    let mut init: bindings::miscdevice = pin_init::zeroed();

                    init.minor = bindings::MISC_DYNAMIC_MINOR as c_int;
                    init.mode = 0o666;
                    init.fops = &Self::OPERATIONS;
                    // SAFETY: The name was initialized above, and stays at its place until the
                    // device is unregistered: the registration is pinned.
                    unsafe {
                        init.name = (*this.as_ptr()).name.as_char_ptr();
                        misc.write(init);
                    }
                    // SAFETY: All that the C side needs was just set.
                    to_result(unsafe { bindings::misc_register(misc) })
                }),
            }? Error),
            GFP_KERNEL,
        )
    }
}

impl<D: CharDevice> Registration<D> {
    /// Lets the device be opened. Until then that fails with `ENODEV`, so that a module which
    /// registers several devices can still fail to load when the first of them is there.
    pub fn enable(&self) {
        self.enabled.store(true, Release);
    }

    /// What is kept with an opened file.
    ///
    /// # Safety
    ///
    /// `file` must have been opened by [`open`](Self::open), and not be released during `'a`.
    unsafe fn opened<'a>(file: *mut bindings::file) -> &'a Opened<D::Open> {
        // SAFETY: `open` has stored it there, and the file keeps it.
        unsafe { &*(*file).private_data.cast_const().cast() }
    }

    /// The context of the system call that the current task is in.
    ///
    /// # Errors
    ///
    /// `ESRCH` if it has no address space: a kernel thread uses the file.
    ///
    /// # Safety
    ///
    /// As for [`UserContext::new`], except for the address space.
    unsafe fn context() -> Result<UserContext> {
        // SAFETY: A task can access this field of its own.
        if unsafe { (*bindings::get_current()).mm }.is_null() {
            return Err(ESRCH);
        }
        // SAFETY: As the caller promises, and as was just checked.
        Ok(unsafe { UserContext::new() })
    }

    /// # Safety
    ///
    /// Called by the C side for a file of a registered device.
    unsafe extern "C" fn open(_: *mut bindings::inode, raw: *mut bindings::file) -> c_int {
        // SAFETY: `misc_open` has put the device there, which is the field of a registration. That
        // is not dropped meanwhile: `misc_open` has found it in the list of devices and keeps the
        // list's mutex during this call, which `misc_deregister` needs to take it off.
        let this = unsafe {
            let misc = (*raw).private_data.cast::<Opaque<bindings::miscdevice>>();
            &*kernel::container_of!(misc, Self, misc)
        };

        from_result(|| {
            if !this.enabled.load(Acquire) {
                return Err(ENODEV);
            }
            // SAFETY: This is the entry of a system call, or of a kernel thread's like it.
            let context = unsafe { Self::context()? };
            let mut opening = Opening {
                // SAFETY: The C side keeps the file valid during the call.
                file: unsafe { File::from_raw_file(raw) },
                context: &context,
                mapping: None,
            };
            let data = D::open(&this.device, &mut opening)?;
            let mapping = opening.mapping;
            let own = mapping.as_ref().map(|mapping| mapping.as_raw());
            let opened = match Opened::new(data.clone(), mapping) {
                Ok(opened) => opened,
                Err(error) => {
                    D::release(data);
                    return Err(error);
                }
            };
            // SAFETY: These fields are the driver's to set while the file is being opened. The
            // mapping lives as long as what is kept with the file.
            unsafe {
                (*raw).private_data = KBox::into_raw(Pin::into_inner_unchecked(opened)).cast();
                if let Some(own) = own {
                    (*raw).f_mapping = own;
                }
            }
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the C side, once for a file that was opened.
    unsafe extern "C" fn release(_: *mut bindings::inode, file: *mut bindings::file) -> c_int {
        // SAFETY: The box was put there by `open`, and is not used after this. Nor is the mapping.
        let opened = unsafe {
            (*file).f_mapping = (*(*file).f_inode).i_mapping;
            Pin::new_unchecked(KBox::from_raw(
                (*file).private_data.cast::<Opened<D::Open>>(),
            ))
        };

        D::release(opened.data.clone());
        0
    }

    /// # Safety
    ///
    /// Called by the C side for a file that was opened.
    unsafe extern "C" fn flush(file: *mut bindings::file, _: bindings::fl_owner_t) -> c_int {
        // SAFETY: As the caller promises.
        D::flush(&unsafe { Self::opened(file) }.data);
        0
    }

    /// # Safety
    ///
    /// Called by the C side for a file that was opened.
    unsafe extern "C" fn ioctl(
        raw: *mut bindings::file,
        command: c_uint,
        argument: c_ulong,
    ) -> c_long {
        // SAFETY: As the caller promises. This is the entry of a system call. The functions that
        // are called here are not the ones that use a light reference to the file's position.
        let (open, file, context) = unsafe {
            (
                &Self::opened(raw).data,
                File::from_raw_file(raw),
                Self::context(),
            )
        };
        let result =
            context.and_then(|mut context| D::ioctl(open, file, &mut context, command, argument));

        match result {
            Ok(value) => value,
            Err(error) => error.to_errno() as c_long,
        }
    }

    /// # Safety
    ///
    /// Called by the C side for a file that was opened.
    unsafe extern "C" fn poll(
        raw: *mut bindings::file,
        table: *mut bindings::poll_table,
    ) -> bindings::__poll_t {
        // SAFETY: The table is null, or valid during the call. For the file as in `ioctl`.
        let (open, file, table) = unsafe {
            (
                &Self::opened(raw).data,
                File::from_raw_file(raw),
                PollTable::from_raw(table),
            )
        };

        D::poll(open, file, &table)
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
        let (open, vma) = unsafe { (&Self::opened(file).data, &mut *vma) };

        from_result(|| {
            let established = D::mmap(open, VmAreaNew::new(vma))?;
            established.apply(vma);
            Ok(0)
        })
    }

    /// # Safety
    ///
    /// Called by the C side with a description of an area of a file that was opened, with the mmap
    /// lock held for write.
    unsafe extern "C" fn mmap_prepare(desc: *mut bindings::vm_area_desc) -> c_int {
        // SAFETY: As the caller promises.
        let desc = unsafe { &mut *desc };
        // SAFETY: As the caller promises.
        let opened = unsafe { Self::opened(desc.file) };

        from_result(|| {
            // Another file system may have called the hook for a file of its own.
            if !core::ptr::eq(desc.file, desc.vm_file) {
                return Err(EINVAL);
            }
            let established = D::mmap_prepare(&opened.data, VmAreaDesc::new(desc))?;
            let owner = established.describe(desc);
            opened.pending().put(desc.mm, owner)?;
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
