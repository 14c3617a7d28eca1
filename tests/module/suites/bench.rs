// SPDX-License-Identifier: GPL-2.0

//! What the tests work with: address spaces, files, and a device that is opened and mapped.

use core::ptr::NonNull;

use kernel::{
    bindings,
    error::to_result,
    mm::MmWithUser,
    page::PAGE_SIZE,
    prelude::*,
    str::CString,
    sync::{
        aref::ARef,
        Arc, //
    },
    uaccess::UserPtr, //
};

use vmarea::{
    area::VmAreaMixedMap,
    context::UserContext,
    file::Registration,
    mm::OwnerMm,
    user::UserReader, //
};

use super::{
    helpers,
    toy::{
        Toy,
        ToyOwner, //
    }, //
};

const PROT_READ: usize = 1;
const PROT_WRITE: usize = 2;
const MAP_SHARED: usize = 0x01;
const MAP_PRIVATE: usize = 0x02;
const MAP_FIXED: usize = 0x10;
const MAP_ANONYMOUS: usize = 0x20;

/// An address space for the thread of a test, which has none of its own.
pub(super) struct Process {
    context: UserContext,
}

impl Process {
    /// Makes one, and lets the current thread use it. A thread may have one at a time.
    pub(super) fn new() -> Result<Self> {
        // SAFETY: It can be called in a test's thread.
        to_result(unsafe { bindings::kunit_attach_mm() })?;
        // SAFETY: This is no system call, but as good as one: the thread has an address space for
        // as long as this exists, may sleep, and holds no locks.
        let context = unsafe { UserContext::new() };
        Ok(Self { context })
    }

    pub(super) fn context(&mut self) -> &mut UserContext {
        &mut self.context
    }

    pub(super) fn mm(&self) -> OwnerMm {
        OwnerMm::current(&self.context)
    }

    pub(super) fn mm_with_user(&self) -> ARef<MmWithUser> {
        // SAFETY: The current thread uses this address space.
        unsafe { MmWithUser::from_raw((*bindings::get_current()).mm) }.into()
    }

    /// Maps so many pages of a file from `offset` on, readable and shared.
    pub(super) fn map(&self, file: &OpenFile, pages: usize, offset: usize) -> Result<usize> {
        mmap(file.as_raw(), 0, pages, PROT_READ, MAP_SHARED, offset)
    }

    /// The same, instead of what is at `address`.
    pub(super) fn map_at(&self, file: &OpenFile, address: usize, pages: usize) -> Result<usize> {
        mmap(
            file.as_raw(),
            address,
            pages,
            PROT_READ,
            MAP_SHARED | MAP_FIXED,
            0,
        )
    }

    /// Maps memory, as a program has it, for reading and writing.
    pub(super) fn map_memory(&self, pages: usize) -> Result<usize> {
        self.map_memory_at(0, pages)
    }

    /// The same, instead of what is at `address` if that is not zero.
    pub(super) fn map_memory_at(&self, address: usize, pages: usize) -> Result<usize> {
        let fixed = if address == 0 { 0 } else { MAP_FIXED };

        mmap(
            core::ptr::null_mut(),
            address,
            pages,
            PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | fixed,
            0,
        )
    }

    pub(super) fn unmap(&self, address: usize, pages: usize) -> Result {
        // SAFETY: Nothing in the kernel uses what is mapped there.
        to_result(unsafe { bindings::vm_munmap(address, pages * PAGE_SIZE) })?;
        put_files();
        Ok(())
    }

    /// Reads a byte as a system call would.
    pub(super) fn read(&mut self, address: usize) -> Result<u8> {
        UserReader::new(UserPtr::from_addr(address), 1).read(&mut self.context)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SAFETY: `new` has attached the address space, and all that uses it has a reference.
        unsafe { helpers::detach_mm() };
        put_files();
    }
}

fn mmap(
    file: *mut bindings::file,
    address: usize,
    pages: usize,
    protection: usize,
    flags: usize,
    offset: usize,
) -> Result<usize> {
    let len = pages * PAGE_SIZE;
    let offset = offset * PAGE_SIZE;
    // SAFETY: The file is null or valid. What is replaced is used by nobody in the kernel.
    let result = unsafe { bindings::vm_mmap(file, address, len, protection, flags, offset) };

    match i32::try_from(result as isize) {
        Ok(errno) if errno < 0 => Err(Error::from_errno(errno)),
        _ => Ok(result),
    }
}

/// Whether something is mapped at each of so many pages from `address` on.
pub(super) fn mapped(address: usize, pages: usize) -> impl Iterator<Item = bool> {
    (0..pages).map(move |number| helpers::references_at(address + number * PAGE_SIZE) > 0)
}

/// Whether what is mapped from `address` on is this: a 1 for each page, and a 0 for each hole.
pub(super) fn shows(address: usize, pages: &str) -> bool {
    mapped(address, pages.len()).eq(pages.bytes().map(|page| page == b'1'))
}

/// Puts the files that kernel threads have let go of.
fn put_files() {
    // SAFETY: No lock is held.
    unsafe { bindings::flush_delayed_fput() };
}

/// An opened file.
pub(super) struct OpenFile(NonNull<bindings::file>);

// SAFETY: Files are not bound to a thread.
unsafe impl Send for OpenFile {}
// SAFETY: Files have their own locks.
unsafe impl Sync for OpenFile {}

impl OpenFile {
    pub(super) fn open(path: &CStr, flags: u32) -> Result<Self> {
        let file = helpers::open(path, flags)?;

        Ok(Self(NonNull::new(file).ok_or(ENOENT)?))
    }

    pub(super) fn as_raw(&self) -> *mut bindings::file {
        self.0.as_ptr()
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Result {
        let mut position = 0;
        // SAFETY: The file is open, and the bytes are valid.
        let written = unsafe {
            bindings::kernel_write(
                self.as_raw(),
                bytes.as_ptr().cast(),
                bytes.len(),
                &mut position,
            )
        };

        to_result(written as i32)
    }

    /// Calls the file's `ioctl` as a system call would.
    pub(super) fn ioctl(&self, command: u32, argument: usize) -> Result<isize> {
        // SAFETY: The file is open, and its operations are valid for as long.
        let result = unsafe {
            let ioctl = (*(*self.as_raw()).f_op).unlocked_ioctl.ok_or(ENOTTY)?;
            ioctl(self.as_raw(), command, argument)
        };

        if result < 0 {
            return Err(Error::from_errno(result as i32));
        }
        Ok(result)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // SAFETY: The reference is ours.
        unsafe { bindings::filp_close(self.as_raw(), core::ptr::null_mut()) };
        put_files();
    }
}

/// A toy that is registered, opened by the current thread, and to be mapped.
pub(super) struct Bench {
    pub(super) file: OpenFile,
    pub(super) owner: Arc<ToyOwner>,
    pub(super) toy: Arc<Toy>,
    door: Pin<KBox<Registration<Toy>>>,
    /// The last, because it has the areas.
    pub(super) process: Process,
}

impl Bench {
    pub(super) fn new() -> Result<Self> {
        let process = Process::new()?;
        let toy = Toy::new()?;
        let door = register(&toy)?;
        door.enable();
        let (file, owner) = open(&toy)?;

        Ok(Self {
            file,
            owner,
            toy,
            door,
            process,
        })
    }

    /// Maps so many pages from the start of the file.
    pub(super) fn map(&self, pages: usize) -> Result<usize> {
        self.process.map(&self.file, pages, 0)
    }

    /// Calls `f` with the area at `address`, which is locked.
    ///
    /// # Errors
    ///
    /// Besides those of `f`: `EFAULT` if there is none, `EPERM` if it is not the owner's, `EACCES` if
    /// it cannot hold pages, and those of locking it.
    pub(super) fn with_area<R>(
        &mut self,
        address: usize,
        f: impl FnOnce(&VmAreaMixedMap<ToyOwner>) -> Result<R>,
    ) -> Result<R> {
        let guard = self.process.context().lock_area(address)?;
        let guard = guard.ok_or(EFAULT)?;
        let area = guard.area_of(&*self.owner).ok_or(EPERM)?;

        f(area.as_mixed_map().ok_or(EACCES)?)
    }

    /// Opens the toy once more.
    pub(super) fn open_another(&self) -> Result<(OpenFile, Arc<ToyOwner>)> {
        open(&self.toy)
    }

    /// Unregisters the toy, and leaves the rest.
    pub(super) fn close_door(self) -> (OpenFile, Arc<ToyOwner>, Arc<Toy>, Process) {
        drop(self.door);
        (self.file, self.owner, self.toy, self.process)
    }
}

pub(super) const PATH: &CStr = kernel::c_str!("/dev/vmarea_toy");

/// Registers a toy, whose door is still shut.
pub(super) fn register(toy: &Arc<Toy>) -> Result<Pin<KBox<Registration<Toy>>>> {
    Registration::register(CString::try_from_fmt(fmt!("vmarea_toy"))?, toy.clone())
}

pub(super) fn open(toy: &Toy) -> Result<(OpenFile, Arc<ToyOwner>)> {
    let file = OpenFile::open(PATH, bindings::O_RDWR)?;
    let owner = toy.take_opened().ok_or(ENXIO)?;

    Ok((file, owner))
}
