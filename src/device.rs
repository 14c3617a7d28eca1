// SPDX-License-Identifier: GPL-2.0

//! Devices: each has a context manager of its own, and counters of its own.

use core::mem::offset_of;

use kernel::{
    fs::{
        file::flags::O_NONBLOCK,
        File, //
    },
    prelude::*,
    str::CString,
    sync::{
        atomic::Relaxed,
        poll::{
            PollCondVarBox,
            PollTable, //
        },
        Arc, //
    },
    uaccess::UserPtr, //
};

use vmarea::{
    context::UserContext,
    counters::Counters,
    file::{
        CharDevice,
        Opening,
        POLL_ERROR,
        POLL_READABLE, //
    },
    mmap::{
        Established,
        VmAreaDesc, //
    },
    page_range::{
        Install,
        PageLru, //
    },
    user::UserRecord, //
};

use crate::{
    buffer::BufferSpace,
    context::Context,
    process::Process,
    registry::Registry,
    thread::Thread,
    trace,
    uapi::{
        self,
        WriteRead, //
    },
};

/// The most that a process can map. What is larger is mapped, but not used.
pub(crate) const AREA_LIMIT: usize = 4 << 20;

/// A binder device.
#[pin_data]
pub(crate) struct Device {
    #[pin]
    pub(crate) context: Context,
    pub(crate) name: CString,
    pub(crate) counters: Arc<Counters>,
    /// The processes of all devices.
    pub(crate) registry: Arc<Registry>,
    /// The idle pages of all devices.
    pub(crate) lru: Arc<PageLru>,
    /// When pages are mapped into receivers.
    pub(crate) install: Install,
}

impl Device {
    /// # Errors
    ///
    /// `ENOMEM`.
    pub(crate) fn new(
        name: CString,
        counters: Arc<Counters>,
        lru: Arc<PageLru>,
        registry: Arc<Registry>,
        install: Install,
    ) -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                context <- Context::new(),
                name,
                counters,
                registry,
                lru,
                install,
            }),
            GFP_KERNEL,
        )
    }

    /// A number that nothing else in any of the devices has, which is not zero.
    pub(crate) fn next_id(&self) -> u64 {
        self.registry.next_id()
    }
}

#[vtable]
impl CharDevice for Device {
    type Open = Process;

    fn open(device: &Arc<Self>, opening: &mut Opening<'_>) -> Result<Arc<Process>> {
        Process::new(device.clone(), opening)
    }

    fn release(process: Arc<Process>) {
        process.release();
    }

    fn flush(process: &Arc<Process>) {
        process.flush();
    }

    #[inline]
    fn ioctl(
        process: &Arc<Process>,
        file: &File,
        context: &mut UserContext,
        command: u32,
        argument: usize,
    ) -> Result<isize> {
        trace::ioctl(process, command);
        let thread = process.current_thread()?;
        let argument = UserPtr::from_addr(argument);

        let result = if command == uapi::BINDER_WRITE_READ {
            write_read(&thread, file, context, argument)
        } else if command == uapi::BINDER_THREAD_EXIT {
            process.exit_thread(&thread);
            Ok(())
        } else {
            process.ask(&thread, context, command, argument)
        };
        thread.interrupted.store(false, Relaxed);
        trace::ioctl_done(process, command, result);
        result.map(|()| 0)
    }

    fn poll(process: &Arc<Process>, file: &File, table: &PollTable<'_>) -> u32 {
        match poll(process, file, table) {
            Ok(true) => POLL_READABLE,
            Ok(false) => 0,
            Err(_) => POLL_ERROR,
        }
    }

    fn mmap_prepare<'a>(process: &Arc<Process>, area: VmAreaDesc<'a>) -> Result<Established<'a>> {
        let size = usize::min(area.end() - area.start(), AREA_LIMIT);
        let space = BufferSpace::with_size(size)?;
        let established = process.pages().mmap_prepare(area)?;

        // Nobody uses it before the area is there. If that does not come about, the next try will
        // bring its own.
        *process.space() = space;
        Ok(established)
    }
}

fn write_read(
    thread: &Arc<Thread>,
    file: &File,
    context: &mut UserContext,
    argument: UserPtr,
) -> Result {
    let record = UserRecord::<WriteRead>::new(argument);
    let mut request = record.read(context)?;

    let mut result = Ok(());
    if request.write_size > 0 {
        result = thread.write(context, &mut request);
        if result.is_err() {
            request.read_consumed = 0;
        }
    }
    if result.is_ok() && request.read_size > 0 {
        result = thread.read(context, &mut request, file.flags() & O_NONBLOCK != 0);
    }
    // How far it got is told in any case.
    if request.write_size > 0 {
        let consumed = offset_of!(WriteRead, write_consumed);
        record.write_word(context, consumed, request.write_consumed)?;
    }
    let consumed = offset_of!(WriteRead, read_consumed);
    record.write_word(context, consumed, request.read_consumed)?;
    result
}

fn poll(process: &Arc<Process>, file: &File, table: &PollTable<'_>) -> Result<bool> {
    let thread = process.current_thread()?;
    if thread.poll.as_ref().is_none() {
        let condvar =
            PollCondVarBox::new(kernel::c_str!("Thread::poll"), kernel::static_lock_class!())?;
        // Only the thread itself does this, so the place is free.
        thread.poll.populate(condvar);
        process.lock().lock().set_polled();
    }

    if let Some(condvar) = thread.poll.as_ref() {
        table.register_wait(file, condvar);
    }
    Ok(thread.is_readable())
}
