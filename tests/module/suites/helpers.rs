// SPDX-License-Identifier: GPL-2.0

//! The functions of `helpers.h`.

use kernel::{
    bindings,
    error::{
        from_err_ptr,
        to_result, //
    },
    ffi::{
        c_char,
        c_int,
        c_long,
        c_ulong,
        c_void, //
    },
    fmt,
    mm::MmWithUser,
    prelude::*,
    str::{
        CStr,
        CStrExt,
        CString, //
    },
    sync::aref::ARef, //
};

use super::bench::{
    OpenFile,
    Process, //
};

#[expect(improper_ctypes)]
extern "C" {
    fn vmarea_test_fail(file: *const c_char, line: c_int, what: *const c_char);
    fn vmarea_test_detach_mm();
    fn vmarea_test_in_thread(f: unsafe extern "C" fn(*mut c_void), data: *mut c_void) -> c_int;
    fn vmarea_test_open(path: *const c_char, flags: c_int) -> *mut bindings::file;
    fn vmarea_test_references_at(address: c_ulong) -> c_int;
    fn vmarea_test_reclaimable() -> c_long;
    fn vmarea_test_fs_of(file: *mut bindings::file) -> *mut c_void;
    fn vmarea_test_fs_name(fs: *mut c_void) -> *const c_char;
    fn vmarea_test_fs_is_mounted(fs: *mut c_void) -> bool;
    fn vmarea_test_name_of(address: c_ulong) -> *const c_char;
    fn vmarea_test_writer_start(
        mm: *mut bindings::mm_struct,
        address: c_ulong,
        kind: WriterKind,
    ) -> *mut c_void;
    fn vmarea_test_writer_stop(writer: *mut c_void) -> bool;
}

/// Lets the running test fail, because `what` is not so.
pub(super) fn fail(file: &str, line: u32, what: &str) {
    fail_with(file, line, fmt!("{what}"));
}

/// The same, with more words.
pub(super) fn fail_with(file: &str, line: u32, what: fmt::Arguments<'_>) {
    let (Ok(file), Ok(what)) = (
        CString::try_from_fmt(fmt!("{file}")),
        CString::try_from_fmt(what),
    ) else {
        return;
    };
    // SAFETY: Both are strings, which are copied.
    unsafe { vmarea_test_fail(file.as_char_ptr(), line as c_int, what.as_char_ptr()) };
}

/// Puts the address space that the current thread has borrowed.
///
/// # Safety
///
/// `kunit_attach_mm` must have been called in this thread, and nothing of the address space may be in
/// use.
pub(super) unsafe fn detach_mm() {
    // SAFETY: As the caller promises.
    unsafe { vmarea_test_detach_mm() };
}

/// What `f` returns in a new kernel thread, which is gone then.
///
/// # Errors
///
/// `ENOMEM`.
pub(super) fn in_thread<R: Send>(f: impl FnOnce() -> R + Send) -> Result<R> {
    /// # Safety
    ///
    /// `call` must be a pair of a function, which is taken, and a place for its result.
    unsafe extern "C" fn run<R, F: FnOnce() -> R>(call: *mut c_void) {
        // SAFETY: As the caller promises.
        let (f, result) = unsafe { &mut *call.cast::<(Option<F>, Option<R>)>() };

        *result = f.take().map(|f| f());
    }

    fn runner<R, F: FnOnce() -> R>(_: &F) -> unsafe extern "C" fn(*mut c_void) {
        run::<R, F>
    }

    let run = runner::<R, _>(&f);
    let mut call = (Some(f), None);
    // SAFETY: `run` gets what it is for, which nobody else accesses until the thread has ended.
    to_result(unsafe { vmarea_test_in_thread(run, (&raw mut call).cast()) })?;
    call.1.ok_or(ENOMEM)
}

/// Opens a file, by its path as the first process sees it.
pub(super) fn open(path: &CStr, flags: u32) -> Result<*mut bindings::file> {
    // SAFETY: The path is a string.
    from_err_ptr(unsafe { vmarea_test_open(path.as_char_ptr(), flags as c_int) })
}

/// What the area at an address of the process says that it is called, if it has a name. Whoever maps
/// it gives it a static one. (The kernel asks for that when it dumps core.)
pub(super) fn name_of(_: &Process, address: usize) -> Option<&'static CStr> {
    // SAFETY: The current thread has an address space: the process's.
    let name = unsafe { vmarea_test_name_of(address) };

    // SAFETY: It is a static string, if it is not null.
    (!name.is_null()).then(|| unsafe { CStr::from_char_ptr(name) })
}

/// How many references there are to the page that is mapped at `address`; 0 if none is.
pub(super) fn references_at(address: usize) -> usize {
    // SAFETY: It can always be called.
    unsafe { vmarea_test_references_at(address) as usize }
}

/// How many pages count as reclaimable, on all CPUs.
pub(super) fn reclaimable() -> Result<isize> {
    // Lets each CPU tell what it has kept to itself. A kernel for one CPU has no such file.
    match OpenFile::open(
        kernel::c_str!("/proc/sys/vm/stat_refresh"),
        bindings::O_WRONLY,
    ) {
        Ok(file) => file.write(b"1")?,
        Err(error) if error == ENOENT => {}
        Err(error) => return Err(error),
    }
    // SAFETY: It can always be called.
    Ok(unsafe { vmarea_test_reclaimable() })
}

/// A kind of file system, that of this module.
pub(super) struct FileSystem(*mut c_void);

impl FileSystem {
    /// That of the mapping of an opened file. The kind must be a static.
    pub(super) fn of(file: &OpenFile) -> Self {
        // SAFETY: The file is valid.
        Self(unsafe { vmarea_test_fs_of(file.as_raw()) })
    }

    pub(super) fn is_called(&self, name: &CStr) -> bool {
        // SAFETY: The kind is a static, and so is its name.
        unsafe { CStr::from_char_ptr(vmarea_test_fs_name(self.0)) == name }
    }

    /// Whether there is one.
    pub(super) fn is_mounted(&self) -> bool {
        // SAFETY: The kind is a static.
        unsafe { vmarea_test_fs_is_mounted(self.0) }
    }
}

/// When a writer lets go. See `helpers.h`.
#[repr(u32)]
pub(super) enum WriterKind {
    Stays,
    GivesWay,
    Kills,
}

/// A thread that has locked an address space, and an area in it, for writing.
pub(super) struct Writer {
    writer: *mut c_void,
    _mm: ARef<MmWithUser>,
}

impl Writer {
    /// Starts one, and returns when it holds the locks.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(super) fn start(process: &Process, address: usize, kind: WriterKind) -> Result<Self> {
        let mm = process.mm_with_user();
        // SAFETY: The address space stays until the writer has been stopped.
        let writer = unsafe { vmarea_test_writer_start(mm.as_raw(), address, kind) };

        if writer.is_null() {
            return Err(ENOMEM);
        }
        Ok(Self { writer, _mm: mm })
    }

    /// Lets it go. Returns whether it has seen somebody wait for the mmap lock, if it was to look.
    pub(super) fn stop(self) -> bool {
        let mut this = core::mem::ManuallyDrop::new(self);
        // SAFETY: It was started, and is stopped once. Then the address space is dropped, also once.
        unsafe {
            let was_waited_for = vmarea_test_writer_stop(this.writer);
            core::ptr::drop_in_place(&mut this._mm);
            was_waited_for
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: It was started, and is stopped once.
        unsafe { vmarea_test_writer_stop(self.writer) };
    }
}
