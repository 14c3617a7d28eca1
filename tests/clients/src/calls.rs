// SPDX-License-Identifier: GPL-2.0

//! What clients do with an echo service, whoever wrote that.

use std::{
    fmt::Debug,
    io::Read,
    io::Write, //
};

use rsbinder::{
    BinderResult,
    Interface,
    ParcelFileDescriptor,
    SIBinder,
    Strong, //
};

use crate::{
    aidl::vbinder::ICallback::BnCallback,
    aidl::vbinder::ICallback::ICallback,
    aidl::vbinder::IEcho::IEcho,
    find,
    patiently,
    Outcome, //
};

/// A receiver of rsbinder's or libgbinder's has a MiB less two pages for messages,
/// and somebody else's may be in it, too.
const MOST_BYTES: usize = 400 << 10;
const MOST_SHOWN: usize = 200;
const NOTES: i32 = 100;
const THREADS: usize = 4;
const CALLS: usize = 50;

/// Says what is expected and got, if that is not the same.
fn same<T: PartialEq + Debug>(what: &str, expected: T, got: T) -> Outcome {
    if expected == got {
        return Ok(());
    }
    let begin = |value: T| {
        format!("{value:?}")
            .chars()
            .take(MOST_SHOWN)
            .collect::<String>()
    };
    Err(format!(
        "{what}: expected {}, got {}",
        begin(expected),
        begin(got)
    ))
}

fn told<T>(what: &str, answer: BinderResult<T>) -> Outcome<T> {
    answer.map_err(|status| format!("{what}: {status}"))
}

/// Bytes of which no two parts are the same, different for each `seed`.
fn content(length: usize, seed: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let step = |_| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as u8
    };
    (0..length).map(step).collect()
}

struct Callback;

impl Interface for Callback {}

impl ICallback for Callback {
    fn called(&self, text: &str) -> BinderResult<String> {
        Ok(format!("called with {text}"))
    }
}

fn ping(service: &SIBinder) -> Outcome {
    service
        .ping_binder()
        .map_err(|error| format!("ping: {error}"))
}

fn say(echo: &dyn IEcho) -> Outcome {
    for text in ["", "echo", "\u{e4}\u{20ac}\u{1d11e}", &"long ".repeat(5000)] {
        same("say", text.to_string(), told("say", echo.say(text))?)?;
    }
    Ok(())
}

fn repeat(echo: &dyn IEcho) -> Outcome {
    for length in [0, 1, 7, 8, 4095, 4096, 4097, 65536, MOST_BYTES] {
        let sent = content(length, length);
        let got = told("repeat", echo.repeat(&sent))?;
        same("length", length, got.len())?;
        if let Some(index) = (0..length).find(|&index| sent[index] != got[index]) {
            same(
                &format!("byte {index} of {length}"),
                sent[index],
                got[index],
            )?;
        }
    }
    Ok(())
}

/// What is written to the end that came back is read from the one that stayed.
fn pass(echo: &dyn IEcho) -> Outcome {
    let (reader, writer) = ParcelFileDescriptor::pipe().map_err(|error| error.to_string())?;
    let returned = told("pass", echo.pass(&writer))?;
    drop(writer);
    (&returned)
        .write_all(b"through")
        .map_err(|error| error.to_string())?;
    drop(returned);
    let mut got = String::new();
    // Ends only when nobody has the other end any more: the service has not kept it.
    (&reader)
        .read_to_string(&mut got)
        .map_err(|error| error.to_string())?;
    same("read from the pipe", "through".to_string(), got)
}

fn own_object(echo: &dyn IEcho) -> Outcome {
    let own = BnCallback::new_binder(Callback).as_binder();
    let got = told("same", echo.same(&own))?;
    same("is a remote object", false, got.as_remote().is_some())?;
    same("the object", &own, &got)
}

/// The service's own object, given to it, is the one that came from it.
fn its_object(echo: &dyn IEcho, service: &SIBinder) -> Outcome {
    let got = told("same", echo.same(service))?;
    same("the object", service, &got)?;
    ping(&got)
}

fn callback(echo: &dyn IEcho) -> Outcome {
    let callback: Strong<dyn ICallback> = BnCallback::new_binder(Callback);
    let got = told("call", echo.call(&callback, "a text"))?;
    same(
        "the callback's answer",
        "called with a text".to_string(),
        got,
    )
}

fn oneway(echo: &dyn IEcho) -> Outcome {
    told("noted", echo.noted())?;
    for number in 0..NOTES {
        told("note", echo.note(number))?;
    }
    let mut noted = Vec::new();
    patiently(|| {
        noted.extend(told("noted", echo.noted())?);
        same("notes", NOTES as usize, noted.len())
    })?;
    same("their order", (0..NOTES).collect(), noted)
}

/// Each thread must get its own answers.
fn threads(echo: &Strong<dyn IEcho>) -> Outcome {
    std::thread::scope(|scope| {
        let calls = |thread| {
            for number in 0..CALLS {
                let sent = content(100 * number, thread * CALLS + number);
                let got = told("repeat", echo.repeat(&sent))?;
                same(&format!("answer {number} of thread {thread}"), sent, got)?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || calls(thread)))
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("a thread panicked".to_string()))
        })
    })
}

pub fn call(name: &str, case: &str) -> Outcome {
    let service = find(name)?;
    let echo: Strong<dyn IEcho> = service
        .clone()
        .into_interface()
        .map_err(|error| format!("{name}: {error}"))?;
    match case {
        "ping" => ping(&service),
        "say" => say(&*echo),
        "repeat" => repeat(&*echo),
        "pass" => pass(&*echo),
        "own_object" => own_object(&*echo),
        "its_object" => its_object(&*echo, &service),
        "callback" => callback(&*echo),
        "oneway" => oneway(&*echo),
        "threads" => threads(&echo),
        _ => Err("no such case".to_string()),
    }
}
