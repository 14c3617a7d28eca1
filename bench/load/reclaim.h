/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that come and go: what a message costs whose pages are not there, and
 * what it costs to take idle pages.
 */
#ifndef VBINDER_BENCH_RECLAIM_H
#define VBINDER_BENCH_RECLAIM_H

#include "../../tests/stats.h"
#include "side.h"

#define BIG_AREA	(4 * MIB)
#define SMALL		8UL
/* As many as the kernel asks for at a time, as a rule. */
#define SCAN_BATCH	128UL

static inline void drop(void)
{
	if (drop_slab())
		die("drop_caches: cannot be written");
}

static inline void quiet_drop_caches(void)
{
	/* Else each time is a line on the console. */
	if (write_file("/proc/sys/vm/drop_caches", "4"))
		die("drop_caches: cannot be written");
}

/* Idle pages of the driver, or -1 if the kernel does not say. */
static inline long idle_pages(void)
{
	long count = shrinker_count();

	if (count == -ENOENT)
		return -1;
	if (count < 0)
		die("the shrinker's count: error %ld", -count);
	return count;
}

/* A page whose locks are taken may be left once, not always. */
static inline void drop_all(void)
{
	for (int i = 0; i < 10; i++) {
		drop();
		if (idle_pages() <= 0)
			return;
	}
	die("%ld pages stay idle", idle_pages());
}

/* A call with little in return; all its pages are idle then. */
static inline void call_one_way_full(struct side *s, size_t size)
{
	ask(s, 0, size, SMALL, 1);
	flush(s);
}

/* Pages that a call of this size leaves idle. */
static inline long pages_of_call(struct side *s, size_t size)
{
	long pages;

	drop_all();
	call_one_way_full(s, size);
	pages = idle_pages();
	/* Those of the call, and one for the answer. */
	return pages < 0 ? (long)((size + PAGE - 1) / PAGE + 1) : pages;
}

static inline u64 call_time(struct side *s, size_t size)
{
	u64 began = now_ns();

	ask(s, 0, size, SMALL, 1);
	return now_ns() - began;
}

/* SIZE */
static inline void measure_fresh(void)
{
	static struct side s;
	size_t size = argument(0, 64 * KIB, 8, 3 * MIB);
	unsigned int count = count_or(40);
	long pages;

	quiet_drop_caches();
	side_with_server(&s, BIG_AREA, size);
	pages = pages_of_call(&s, size);
	if (pages <= 0)
		die("no page is fresh");
	for (unsigned int r = 0; r < options.repeats; r++) {
		u64 resident = 0, fresh = 0;

		for (unsigned int i = 0; i < count; i++) {
			flush(&s);
			resident += call_time(&s, size);
		}
		for (unsigned int i = 0; i < count; i++) {
			flush(&s);
			drop_all();
			fresh += call_time(&s, size);
		}
		if (fresh < resident)
			die("fresh pages cost nothing");
		report((fresh - resident) / count / pages, "ns",
		       "size=%lu pages=%ld resident=%llu fresh=%llu",
		       (unsigned long)size, pages, resident / count,
		       fresh / count);
	}
}

static inline void leave_idle(struct side *s, long pages)
{
	call_one_way_full(s, (pages - 1) * PAGE);
}

static inline u64 drop_time(void)
{
	u64 began = now_ns();

	drop();
	return now_ns() - began;
}

static char shrinker_dir[128];

static inline u64 scan_time(unsigned long most)
{
	u64 began = now_ns();
	long ret = shrinker_scan_group(shrinker_dir, ROOT_GROUP, 0, most);

	if (ret)
		die("the shrinker's scan: error %ld", -ret);
	return now_ns() - began;
}

static inline void need_shrinker(void)
{
	if (!find_shrinker(shrinker_dir, sizeof(shrinker_dir)))
		die("the kernel shows no shrinker of this driver");
}

static inline void reclaim_by(u64 (*take)(void))
{
	static struct side s;
	long pages = argument(0, 256, 2, 768);
	unsigned int count = count_or(20);

	quiet_drop_caches();
	side_with_server(&s, BIG_AREA, pages * PAGE);
	if (pages_of_call(&s, (pages - 1) * PAGE) != pages)
		die("a call of %ld pages does not leave as many idle", pages);
	drop_all();
	for (unsigned int r = 0; r < options.repeats; r++) {
		u64 with = 0, without = 0;

		for (unsigned int i = 0; i < count; i++) {
			leave_idle(&s, pages);
			with += take();
			if (idle_pages() > 0)
				die("%ld pages are left", idle_pages());
			without += take();
		}
		if (with < without)
			die("reclaim costs nothing");
		report((with - without) / count / pages, "ns",
		       "pages=%ld with=%llu without=%llu", pages, with / count,
		       without / count);
	}
}

/* PAGES: as the administrator does it, with all other shrinkers */
static inline void measure_reclaim(void)
{
	reclaim_by(drop_time);
}

static inline u64 scan_all_time(void)
{
	return scan_time(1 << 20);
}

/* PAGES: the driver's shrinker alone, called once */
static inline void measure_scan(void)
{
	need_shrinker();
	reclaim_by(scan_all_time);
}

/* How many pages go when so many are asked for once. */
static inline void measure_batch(void)
{
	static struct side s;
	long before;

	need_shrinker();
	quiet_drop_caches();
	side_with_server(&s, BIG_AREA, MIB);
	for (unsigned int r = 0; r < options.repeats; r++) {
		drop_all();
		call_one_way_full(&s, MIB);
		before = idle_pages();
		scan_time(SCAN_BATCH);
		report(before - idle_pages(), "pages", "asked=%lu idle=%ld",
		       SCAN_BATCH, before);
	}
}

#endif
