// SPDX-License-Identifier: GPL-2.0

//! Tests of devices and their files.

use kernel::{
    bindings,
    macros::kunit_tests,
    prelude::*, //
};

use super::{
    bench::{
        open,
        register,
        Bench,
        OpenFile,
        Process,
        PATH, //
    },
    helpers::in_thread,
    toy::{
        self,
        Toy, //
    }, //
};

#[kunit_tests(vmarea_file)]
mod tests {
    use super::*;

    #[test]
    fn a_shut_door_stays_shut() -> Result {
        let _process = Process::new()?;
        let toy = Toy::new()?;
        let door = register(&toy)?;

        check_eq!(open(&toy).err(), Some(ENODEV));
        door.enable();
        check!(open(&toy).is_ok());
        drop(door);
        check_eq!(open(&toy).err(), Some(ENOENT));
        check_eq!(toy.owners(), 0);
        Ok(())
    }

    #[test]
    fn a_name_is_taken_once() -> Result {
        let _process = Process::new()?;
        let (toy, other) = (Toy::new()?, Toy::new()?);
        let door = register(&toy)?;

        check_eq!(register(&other).err(), Some(EEXIST));
        // The one that was first is as good as before.
        door.enable();
        check!(open(&toy).is_ok());
        drop(door);
        check!(register(&other).is_ok());
        Ok(())
    }

    #[test]
    fn devices_come_and_go() -> Result {
        let _process = Process::new()?;

        for _ in 0..20 {
            let toy = Toy::new()?;
            let door = register(&toy)?;
            door.enable();
            let (file, _) = open(&toy)?;
            drop(door);
            drop(file);
            check_eq!(toy.owners(), 0);
        }
        Ok(())
    }

    #[test]
    fn a_kernel_thread_cannot_open_a_device() -> Result {
        let toy = Toy::new()?;
        let door = register(&toy)?;

        door.enable();
        check_eq!(
            OpenFile::open(PATH, bindings::O_RDWR).err(),
            Some(ESRCH) //
        );
        check!(toy.take_opened().is_none());
        Ok(())
    }

    #[test]
    fn ioctl_needs_an_address_space() -> Result {
        let bench = Bench::new()?;
        let file = &bench.file;

        check_eq!(file.ioctl(toy::ECHO, 42), Ok(42));
        check_eq!(file.ioctl(toy::ECHO + 1, 42), Err(ENOTTY));
        check_eq!(in_thread(|| file.ioctl(toy::ECHO, 42))?, Err(ESRCH));
        Ok(())
    }

    #[test]
    fn files_of_one_device_are_apart() -> Result {
        let bench = Bench::new()?;
        let (file, other) = bench.open_another()?;

        check!(!core::ptr::eq(&*bench.owner, &*other));
        check_eq!(bench.toy.owners(), 2);
        drop(other);
        drop(file);
        check_eq!(bench.toy.owners(), 1);
        Ok(())
    }
}
