/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that is in use while nothing happens: for a process that has opened
 * and mapped the device and waits for calls, and for an idle page.
 *
 * The page allocator is asked, so that nothing is forgotten; the same
 * processes are looked at before they open the device.
 */
#ifndef VBINDER_BENCH_IDLE_H
#define VBINDER_BENCH_IDLE_H

#include "../../tests/meminfo.h"
#include "reclaim.h"

#define IDLE_PAGES	769

static inline void idler(unsigned long round)
{
	static struct side s;

	/* What the process itself needs is there before. */
	memset(&s, 1, sizeof(s));
	raise_by(&shared->ready, 1);
	wait_until(&shared->go, round);
	side_open(&s, AREA_SIZE);
	put_cmd(&s, BC_ENTER_LOOPER);
	flush(&s);
	raise_by(&shared->ready, 1);
	exchange(&s, sizeof(s.rbuf));
	die("a call came to nobody");
}

static inline bool is_asleep(int pid)
{
	char path[64];
	char stat[512];
	char *s;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_file(path, stat, sizeof(stat)) <= 0)
		die("a process is gone");
	s = strrchr(stat, ')');
	return s && s[1] && s[2] == 'S';
}

/* All are where they should be, and have nothing more to do. */
static inline void settle(unsigned int ready)
{
	u64 end = now_ms() + PATIENCE_MS;

	wait_until(&shared->ready, ready);
	for (unsigned int i = 0; i < nr_members; i++) {
		while (!is_asleep(members[i])) {
			if (now_ms() > end)
				die("a process does not come to rest");
			nap();
		}
	}
}

static inline long memory_in(const char *key)
{
	long kb = file_number(MEMINFO, key);

	if (kb < 0)
		die("/proc/meminfo: has no %s", key);
	return kb * (long)KIB;
}

static inline long free_memory(void)
{
	long pages = free_pages();

	if (pages < 0)
		die("/proc/zoneinfo: error %ld", -pages);
	return pages * (long)PAGE;
}

/*
 * [PROCESSES]. Those of one repetition stay there in the next, because the
 * memory of processes that are gone would be used again, and not be missed.
 * What a run before has left is used up in the first, which does not count.
 */
static inline void measure_idle(void)
{
	static const char * const keys[] = { "Slab", "PageTables", "Percpu" };
	long count = argument(0, 200, 1, MAX_MEMBERS);

	for (unsigned int r = 0; r <= options.repeats; r++) {
		long of[3], free;

		for (long i = 0; i < count; i++)
			member(idler, r + 1);
		settle((2 * r + 1) * count);
		for (int i = 0; i < 3; i++)
			of[i] = -memory_in(keys[i]);
		free = free_memory();
		raise_by(&shared->go, 1);
		settle((2 * r + 2) * count);
		free -= free_memory();
		for (int i = 0; i < 3; i++)
			of[i] += memory_in(keys[i]);
		if (free < 0)
			die("there is more memory than before");
		if (r)
			report(free / count, "bytes",
			       "processes=%ld slab=%ld pagetables=%ld percpu=%ld",
			       count, of[0] / count, of[1] / count,
			       of[2] / count);
	}
}

/* An idle page, with what the driver and the page table need for it. */
static inline void measure_idle_page(void)
{
	static struct side s;

	quiet_drop_caches();
	need_shrinker();
	side_with_server(&s, BIG_AREA, 3 * MIB);
	/* Anything that is kept once is there already. */
	call_one_way_full(&s, SMALL);
	for (unsigned int r = 0; r < options.repeats; r++) {
		long idle, free;

		drop_all();
		idle = idle_pages();
		free = free_memory();
		leave_idle(&s, IDLE_PAGES);
		idle = idle_pages() - idle;
		free -= free_memory();
		if (idle <= 0 || free <= 0)
			die("no page is idle");
		report(free / idle, "bytes", "pages=%ld", idle);
	}
}

#endif
