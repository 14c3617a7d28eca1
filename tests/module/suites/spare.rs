// SPDX-License-Identifier: GPL-2.0

//! Tests of spare memory.

use kernel::{
    macros::kunit_tests,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc, //
    },
};

use vmarea::spare::Spare;

/// How many [`Thing`]s there are.
static THINGS: Atomic<i32> = Atomic::new(0);

/// Something that is counted.
struct Thing {
    value: u64,
}

impl Drop for Thing {
    fn drop(&mut self) {
        THINGS.add(-1, Relaxed);
    }
}

/// Counts a thing, unless its value is zero.
fn count(value: u64) -> Result<u64> {
    if value == 0 {
        return Err(EINVAL);
    }
    THINGS.add(1, Relaxed);
    Ok(value)
}

fn make(spare: &Spare<Thing>, value: u64) -> Result<Arc<Thing>> {
    Ok(spare
        .make(try_init!(Thing { value: count(value)? }? Error))?
        .into())
}

#[kunit_tests(vmarea_spare)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again() -> Result {
        let spare = Spare::new();
        let first = make(&spare, 1)?;
        let place = Arc::as_ptr(&first);

        spare.put(first);
        check_eq!(THINGS.load(Relaxed), 0);
        let second = make(&spare, 2)?;
        check_eq!(Arc::as_ptr(&second), place);
        check_eq!(second.value, 2);
        // It is not spare any more.
        let third = make(&spare, 3)?;
        check!(Arc::as_ptr(&third) != place);
        check_eq!(second.value, 2);
        drop((second, third));
        check_eq!(THINGS.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn what_somebody_uses_is_not_spare() -> Result {
        let spare = Spare::new();
        let first = make(&spare, 1)?;

        spare.put(first.clone());
        let second = make(&spare, 2)?;
        check!(!Arc::ptr_eq(&first, &second));
        check_eq!(first.value, 1);
        drop((first, second));
        check_eq!(THINGS.load(Relaxed), 0);
        Ok(())
    }

    #[test]
    fn there_is_memory_of_one() -> Result {
        let spare = Spare::new();
        let first = make(&spare, 1)?;
        let second = make(&spare, 2)?;
        let place = Arc::as_ptr(&second);

        spare.put(first);
        spare.put(second);
        check_eq!(THINGS.load(Relaxed), 0);
        let third = make(&spare, 3)?;
        check_eq!(Arc::as_ptr(&third), place);
        Ok(())
    }

    #[test]
    fn what_cannot_be_made_takes_the_memory_along() -> Result {
        let spare = Spare::new();
        let first = make(&spare, 1)?;

        spare.put(first);
        check_eq!(make(&spare, 0).err(), Some(EINVAL));
        check_eq!(THINGS.load(Relaxed), 0);
        let second = make(&spare, 2)?;
        check_eq!(second.value, 2);
        Ok(())
    }
}
