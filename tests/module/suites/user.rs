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
    UserRecord,
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
    fn a_record_is_read_and_changed() -> Result {
        let mut process = Process::new()?;
        let start = process.map_memory(2)?;

        // Also where words are not aligned, and across a page boundary.
        for at in [0, 4, 9, PAGE_SIZE - 16, PAGE_SIZE - 3] {
            let at = UserPtr::from_addr(start + at);
            let context = process.context();
            let record = UserRecord::<[u64; 4]>::new(at);
            let mut writer = UserWriter::new(at, 32);
            for word in [1u64, 2, 3, u64::MAX] {
                writer.write(context, &word.to_ne_bytes())?;
            }

            check_eq!(record.read(context), Ok([1, 2, 3, u64::MAX]));
            check_eq!(record.write_word(context, 16, 7), Ok(()));
            check_eq!(record.read(context), Ok([1, 2, 7, u64::MAX]));
            for offset in [25, 32, usize::MAX] {
                check_eq!(record.write_word(context, offset, 7), Err(EINVAL));
            }
        }
        Ok(())
    }

    #[test]
    fn a_record_has_to_be_there() -> Result {
        let mut process = Process::new()?;
        let start = process.map_memory(2)?;
        process.unmap(start + PAGE_SIZE, 1)?;
        let kernel = core::ptr::from_ref(&process).addr();

        let record = UserRecord::<[u64; 2]>::new(UserPtr::from_addr(start + PAGE_SIZE - 8));
        let context = process.context();
        check_eq!(record.read(context), Err(EFAULT));
        check_eq!(record.write_word(context, 0, 1), Ok(()));
        check_eq!(record.write_word(context, 8, 1), Err(EFAULT));
        // Not the user's, and none at all.
        for at in [kernel, usize::MAX - 3, 0] {
            let record = UserRecord::<[u64; 2]>::new(UserPtr::from_addr(at));
            check_eq!(record.read(context), Err(EFAULT));
            check_eq!(record.write_word(context, 0, 1), Err(EFAULT));
        }
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
