// SPDX-License-Identifier: GPL-2.0

//! Tests of access to user memory.

use kernel::{
    macros::kunit_tests,
    page::PAGE_SIZE,
    prelude::*,
    uaccess::UserPtr, //
};

use vmarea::user::{
    UserReader,
    UserWriter, //
};

use super::bench::Process;

#[kunit_tests(vmarea_user)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() -> Result {
        let mut process = Process::new()?;
        // Across a page boundary.
        let at = UserPtr::from_addr(process.map_memory(2)? + PAGE_SIZE - 4);
        let context = process.context();

        let mut writer = UserWriter::new(at, 12);
        writer.write(context, &1u32.to_ne_bytes())?;
        writer.write(context, &u64::MAX.to_ne_bytes())?;

        let mut reader = UserReader::new(at, 12);
        check_eq!(reader.len(), 12);
        check_eq!(reader.read::<u32>(context), Ok(1));
        check_eq!(reader.len(), 8);
        check_eq!(reader.read::<u64>(context), Ok(u64::MAX));
        check!(reader.is_empty());
        Ok(())
    }

    #[test]
    fn no_more_is_accessed_than_was_said() -> Result {
        let mut process = Process::new()?;
        let at = UserPtr::from_addr(process.map_memory(1)?);
        let context = process.context();

        let mut writer = UserWriter::new(at, 6);
        writer.write(context, &[7; 4])?;
        check_eq!(writer.write(context, &[7; 4]), Err(EFAULT));
        let mut reader = UserReader::new(at, 6);
        check_eq!(reader.read::<u64>(context), Err(EFAULT));
        check_eq!(reader.read::<u32>(context), Ok(0x0707_0707));
        check_eq!(reader.read::<u32>(context), Err(EFAULT));
        // What is behind it was not written.
        let mut reader = UserReader::new(at.wrapping_byte_add(4), 4);
        check_eq!(reader.read::<u32>(context), Ok(0));
        Ok(())
    }

    #[test]
    fn a_hole_cannot_be_accessed() -> Result {
        let mut process = Process::new()?;
        let address = process.map_memory(2)?;
        process.unmap(address + PAGE_SIZE, 1)?;
        let hole = UserPtr::from_addr(address + PAGE_SIZE);
        let before = UserPtr::from_addr(address + PAGE_SIZE - 4);
        let context = process.context();

        check_eq!(UserReader::new(hole, 4).read::<u32>(context), Err(EFAULT));
        check_eq!(
            UserWriter::new(hole, 4).write(context, &[0; 4]),
            Err(EFAULT)
        );
        check_eq!(UserReader::new(before, 8).read::<u64>(context), Err(EFAULT));
        check_eq!(UserReader::new(before, 4).read::<u32>(context), Ok(0));
        Ok(())
    }

    #[test]
    fn the_kernels_memory_is_nobodys() -> Result {
        let mut process = Process::new()?;
        let secret = 42u32;
        let at = UserPtr::from_ptr((&raw const secret).cast_mut().cast());
        let context = process.context();

        check_eq!(UserReader::new(at, 4).read::<u32>(context), Err(EFAULT));
        check_eq!(UserWriter::new(at, 4).write(context, &[0; 4]), Err(EFAULT));
        check_eq!(secret, 42);
        Ok(())
    }
}
