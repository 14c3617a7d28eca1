/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls to a process whose other threads map and unmap memory all the time.
 * In some of them the pages have to be inserted, for which a driver needs
 * locks that those threads have. Measured in wall time, on several CPUs.
 *
 * Caller and receiver have the first CPU, which one of them always uses, and the
 * storm has the others: else most of it would be how long an emulator, or a busy
 * machine, takes to wake a CPU.
 */
#ifndef VBINDER_BENCH_STORM_H
#define VBINDER_BENCH_STORM_H

#include "../../tests/thread.h"
#include "reclaim.h"

#define STORM_LEN	(64 * KIB)
#define STORM_AREA	(4 * MIB)
#define FIRST_CPU	1UL

static inline void stay_on(unsigned long cpus)
{
	long ret = __nolibc_syscall3(__NR_sched_setaffinity, 0, sizeof(cpus),
				     &cpus);

	if (ret < 0)
		die("storm: there are no such CPUs: error %ld", -ret);
}

static inline void storm_thread(void *unused)
{
	(void)unused;
	stay_on(~FIRST_CPU);
	for (;;) {
		long at = sys_mmap(NULL, STORM_LEN, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (is_error(at))
			die("storm: no memory");
		__atomic_store_n((u8 *)u64_ptr(at), 1, __ATOMIC_RELAXED);
		if (sys_munmap(u64_ptr(at), STORM_LEN))
			die("storm: cannot unmap");
	}
}

static inline void storm_server(unsigned long threads)
{
	for (unsigned long i = 0; i < threads; i++)
		if (thread_start(storm_thread, NULL) < 0)
			die("storm: no thread");
	stay_on(FIRST_CPU);
	server(STORM_AREA);
}

/*
 * THREADS [SIZE [EVERY]]: after EVERY calls all idle pages are reclaimed;
 * COUNT is milliseconds.
 */
static inline void measure_storm(void)
{
	static struct side s;
	unsigned long threads = argument(0, 0, 0, 64);
	size_t size = argument(1, 64 * KIB, 8, BACK_MAX);
	unsigned long every = argument(2, 0, 0, 1000000);
	unsigned int ms = count_or(1000);

	if (every)
		need_shrinker();
	stay_on(FIRST_CPU);
	member(storm_server, threads);
	side_open(&s, STORM_AREA);
	side_payload(&s, size);
	wait_until(&shared->ready, 1);
	for (unsigned int i = 0; i < options.warmup; i++)
		ask(&s, 0, size, SMALL, i);
	for (unsigned int r = 0; r < options.repeats; r++) {
		u64 began = now_ns(), now;
		u64 calls = 0;

		do {
			ask(&s, 0, size, SMALL, calls++);
			if (every && calls % every == 0) {
				flush(&s);
				scan_time(1 << 20);
			}
			now = now_ns();
		} while (now - began < ms * 1000000ULL);
		report(calls * 1000000000ULL / (now - began), "1/s",
		       "threads=%lu size=%lu every=%lu", threads,
		       (unsigned long)size, every);
	}
}

#endif
