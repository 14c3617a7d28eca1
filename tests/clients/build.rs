// SPDX-License-Identifier: GPL-2.0

use std::path::PathBuf;

fn main() {
    let generated = rsbinder_aidl::Builder::new()
        .source(PathBuf::from("aidl/vbinder/IEcho.aidl"))
        .source(PathBuf::from("aidl/vbinder/ICallback.aidl"))
        .include_dir(PathBuf::from("aidl"))
        .output(PathBuf::from("echo.rs"))
        .generate();
    if let Err(error) = generated {
        eprintln!("tests/clients/aidl: {error:?}");
        std::process::exit(1);
    }
}
