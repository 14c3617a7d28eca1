// SPDX-License-Identifier: GPL-2.0

//! An echo service on rsbinder, and its clients.
//!
//! `rs_echo serve NAME` registers the service, and again after each death of
//! the service manager. `rs_echo call NAME CASE` calls it, and checks what comes
//! back. `rs_echo watch NAME` says "watching", and "died" when NAME has died;
//! with "manager" for a NAME, the service manager is meant. `rs_echo find NAME`
//! waits for NAME to be registered. A line on standard error tells what went
//! wrong, and the status is not 0 then.

use std::{
    process::ExitCode,
    sync::mpsc,
    sync::Arc,
    time::Duration,
    time::Instant, //
};

use rsbinder::{
    hub::android_16::BpServiceManager,
    hub::android_16::IServiceManager,
    ProcessState,
    Proxy,
    SIBinder, //
};

mod calls;
mod service;
mod aidl {
    rsbinder::include_aidl!("echo");
}

const DEVICE: &str = "/dev/binderfs/binder";
const MAX_THREADS: u32 = 4;
/// Emulated, with all checkers of a debug kernel, a program may be slow.
pub const DEADLINE: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_millis(50);

pub type Outcome<T = ()> = Result<T, String>;

/// The service manager as it is now. Not `hub::default`, which keeps the first
/// one for good.
pub fn manager() -> Outcome<BpServiceManager> {
    let object = context_object()?;
    BpServiceManager::from_binder(object).ok_or("the context object is no manager".to_string())
}

fn context_object() -> Outcome<SIBinder> {
    ProcessState::as_self()
        .context_object()
        .map_err(|error| format!("no service manager: {error}"))
}

/// Does `attempt` until it succeeds or the time is up.
pub fn patiently<T>(mut attempt: impl FnMut() -> Outcome<T>) -> Outcome<T> {
    let end = Instant::now() + DEADLINE;
    loop {
        match attempt() {
            Err(error) if Instant::now() >= end => return Err(error),
            Err(_) => std::thread::sleep(RETRY),
            done => return done,
        }
    }
}

pub fn find(name: &str) -> Outcome<SIBinder> {
    manager()?
        .checkService(name)
        .map_err(|status| format!("looking for {name}: {status}"))?
        .ok_or(format!("{name} is not registered"))
}

struct Obituary(mpsc::Sender<()>);

impl rsbinder::DeathRecipient for Obituary {
    fn binder_died(&self, _who: &rsbinder::WIBinder) {
        // Nobody listens any more: then nobody needs to be told.
        let _ = self.0.send(());
    }
}

/// Something whose end is going to be told.
pub struct Watch {
    died: mpsc::Receiver<()>,
    _object: SIBinder,
    _recipient: Arc<Obituary>,
}

impl Watch {
    pub fn of(object: SIBinder) -> Outcome<Self> {
        let (sender, died) = mpsc::channel();
        let recipient = Arc::new(Obituary(sender));
        object
            .link_to_death_arc(&recipient)
            .map_err(|error| format!("cannot be told of its death: {error}"))?;
        Ok(Self {
            died,
            _object: object,
            _recipient: recipient,
        })
    }

    /// Waits for the death, however late it is.
    pub fn wait(self) -> Outcome {
        self.died
            .recv()
            .map_err(|_| "the death was not told".to_string())
    }

    pub fn wait_at_most(self, limit: Duration) -> Outcome {
        self.died
            .recv_timeout(limit)
            .map_err(|_| "not told of the death in time".to_string())
    }
}

fn watch(name: &str) -> Outcome {
    let object = if name == "manager" {
        context_object()
    } else {
        find(name)
    }?;
    let watch = Watch::of(object.clone())?;
    println!("watching");
    watch.wait_at_most(DEADLINE)?;
    println!("died");
    match object.ping_binder() {
        Err(rsbinder::StatusCode::DeadObject) => Ok(()),
        other => Err(format!("a ping of the dead gives {other:?}")),
    }
}

fn run(words: &[&str]) -> Outcome {
    ProcessState::init(DEVICE, MAX_THREADS).map_err(|error| format!("{DEVICE}: {error}"))?;
    ProcessState::start_thread_pool();
    match words {
        ["serve", name] => service::serve(name),
        ["watch", name] => watch(name),
        ["find", name] => patiently(|| find(name)).map(|_| ()),
        ["call", name, case] => calls::call(name, case),
        _ => Err("usage: rs_echo serve|watch|find NAME, or call NAME CASE".to_string()),
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rs_echo {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}
