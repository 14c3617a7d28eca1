/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waits for what others have left to be done. When a process with thousands of
 * nodes has ended, kernel threads go on with that for a while.
 */
#ifndef VBINDER_BENCH_REST_H
#define VBINDER_BENCH_REST_H

#include "team.h"

#define REST_MS		100
#define REST_LIMIT_MS	60000
/* This program itself, when it looks. */
#define REST_TICKS	1

/* Ticks that CPUs were not idle: all of the first columns but two. */
static inline u64 busy_ticks(void)
{
	char text[256];
	char *s = text;
	u64 sum = 0;

	if (read_file("/proc/stat", text, sizeof(text)) <= 0)
		die("/proc/stat: cannot be read");
	s += strlen("cpu");
	for (int column = 0; column < 7; column++) {
		u64 ticks = strtoul(s, &s, 10);

		if (column != 3 && column != 4)
			sum += ticks;
	}
	return sum;
}

static inline void rest(void)
{
	u64 end = now_ms() + REST_LIMIT_MS;
	u64 before;

	do {
		u64 until = now_ms() + REST_MS;

		before = busy_ticks();
		while (now_ms() < until)
			nap();
		if (now_ms() > end)
			die("something else runs all the time");
	} while (busy_ticks() - before > REST_TICKS);
}

#endif
