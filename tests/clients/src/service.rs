// SPDX-License-Identifier: GPL-2.0

//! The echo service.

use std::sync::Mutex;

use rsbinder::{
    hub::android_16::IServiceManager,
    hub::android_16::DUMP_FLAG_PRIORITY_DEFAULT,
    BinderResult,
    Interface,
    ParcelFileDescriptor,
    SIBinder,
    Strong, //
};

use crate::{
    aidl::vbinder::ICallback::ICallback,
    aidl::vbinder::IEcho::BnEcho,
    aidl::vbinder::IEcho::IEcho,
    context_object,
    manager,
    patiently,
    Outcome,
    Watch, //
};

#[derive(Default)]
struct Echo {
    noted: Mutex<Vec<i32>>,
}

impl Interface for Echo {}

impl IEcho for Echo {
    fn say(&self, text: &str) -> BinderResult<String> {
        Ok(text.to_string())
    }

    fn repeat(&self, data: &[u8]) -> BinderResult<Vec<u8>> {
        Ok(data.to_vec())
    }

    fn pass(&self, file: &ParcelFileDescriptor) -> BinderResult<ParcelFileDescriptor> {
        Ok(file.try_clone()?)
    }

    fn same(&self, object: &SIBinder) -> BinderResult<SIBinder> {
        Ok(object.clone())
    }

    fn call(&self, callback: &Strong<dyn ICallback>, text: &str) -> BinderResult<String> {
        callback.called(text)
    }

    fn note(&self, number: i32) -> BinderResult<()> {
        self.noted
            .lock()
            .map_err(|_| rsbinder::StatusCode::Unknown)?
            .push(number);
        Ok(())
    }

    fn noted(&self) -> BinderResult<Vec<i32>> {
        let mut noted = self
            .noted
            .lock()
            .map_err(|_| rsbinder::StatusCode::Unknown)?;
        Ok(std::mem::take(&mut *noted))
    }
}

/// Serves until it is killed.
pub fn serve(name: &str) -> Outcome {
    let echo = BnEcho::new_binder(Echo::default()).as_binder();
    loop {
        // The manager may come back only to die before it is watched.
        let watch = patiently(|| {
            let watch = Watch::of(context_object()?)?;
            manager()?
                .addService(name, &echo, false, DUMP_FLAG_PRIORITY_DEFAULT)
                .map_err(|status| format!("registering {name}: {status}"))?;
            Ok(watch)
        })?;
        println!("registered");
        watch.wait()?;
        println!("the manager died");
    }
}
