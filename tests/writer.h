/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Somebody who holds the mmap lock of a process for long: a fork(). It keeps
 * the lock until it has copied the page table of a large mapping, and locks a
 * binder area on its way to that.
 */
#ifndef VBINDER_TESTS_WRITER_H
#define VBINDER_TESTS_WRITER_H

#include "party.h"

/* The area comes before the large mapping, so it is locked for long. */
#define AREA_AT		0x100000000UL
#define LARGE_AT	0x200000000UL
#define LARGE_STEP	(128 * MIB)
#define LARGE_STEPS	96
/* How long the writer has to be at it, so that there is time to look. */
#define HOLD_MS		50

/*
 * A mapping with a page table full of entries for the one page of zeroes,
 * which costs no memory: number a[0] of them.
 */
static inline long op_large(struct party *p, const u64 *a)
{
	void *at = u64_ptr(LARGE_AT + a[0] * LARGE_STEP);
	long ret = sys_mmap(at, LARGE_STEP, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			    MAP_FIXED_NOREPLACE, -1, 0);

	(void)p;
	if (is_error(ret))
		return ret;
	/* Only what was written to is copied by fork(). */
	*(u8 *)at = 1;
	return sys_madvise(at, LARGE_STEP, MADV_POPULATE_READ);
}

/* The time it took in milliseconds. */
static inline long op_fork(struct party *p, const u64 *a)
{
	u64 began = now_ms();
	int pid = fork();
	long took = now_ms() - began;

	(void)p;
	(void)a;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid < 0 ? pid : took;
}

/* From now on the writer is at it for long enough. */
static inline bool make_slow(struct party *writer)
{
	for (int i = 0; i < LARGE_STEPS; i++)
		if (ON(writer, op_large, i) || ON(writer, op_fork) >= HOLD_MS)
			return ON(writer, op_fork) > 0;
	return false;
}

#endif
