/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Allocations that fail: each in a call, one after the other.
 */
#ifndef VBINDER_TESTS_FAIL_H
#define VBINDER_TESTS_FAIL_H

#include "sys.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
/* More than any of these calls allocates. */
#define MOST		300

static inline bool can_fail(void)
{
	/* All kinds of allocations, without a report of each. */
	return !access(FAIL_NTH, F_OK) &&
	       !write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
	       !write_file("/sys/kernel/debug/failslab/verbose", "0") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
			   "N") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem",
			   "N") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

/* Lets the n-th allocation of this thread from now on fail; 0: none. */
static inline void fail_nth(int fd, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	__nolibc_syscall4(__NR_pwrite64, fd, text, strlen(text), 0);
}

/* Whether there was no n-th allocation. Then none fails any more. */
static inline bool none_failed(int fd)
{
	char text[16] = "";

	sys_pread(fd, text, sizeof(text) - 1, 0);
	fail_nth(fd, 0);
	return atol(text) > 0;
}

/*
 * A call is made again and again, each time with the next allocation failing,
 * until there is no next one. It must fail with ENOMEM or succeed: some
 * allocations can be done without.
 */
struct sweep {
	int nth;
	int n;
	int failed;
	bool done;
};

static inline bool next(struct sweep *s)
{
	if (s->done || s->n == MOST)
		return false;
	fail_nth(s->nth, ++s->n);
	return true;
}

/* To be told at once what the call has returned. Whether that is all right. */
static inline bool fine(struct sweep *s, long ret)
{
	s->done = none_failed(s->nth);
	s->failed += is_error(ret);
	return !is_error(ret) || ret == -ENOMEM;
}

/* Whether the last call met no failure any more, and others did. */
static inline bool was_all(struct sweep *s, long ret)
{
	return s->done && s->failed > 0 && !is_error(ret);
}

#endif
