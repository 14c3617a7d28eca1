/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver counts, and the ways to make its shrinker run.
 */
#ifndef VBINDER_TESTS_STATS_H
#define VBINDER_TESTS_STATS_H

#include "sys.h"

#define STATS_FILE	"/sys/kernel/debug/vbinder/vbinder/stats"
#define SHRINKERS	"/sys/kernel/debug/shrinker"

/* A counter of the default device, or a negative errno. */
static inline long counter(const char *name)
{
	size_t len = strlen(name);
	char text[2048];
	char *line = text;
	long ret = read_file(STATS_FILE, text, sizeof(text));

	if (ret < 0)
		return ret;
	while (line && *line) {
		if (!strncmp(line, name, len) && line[len] == ' ')
			return atol(line + len + 1);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return -ENOENT;
}

/*
 * Waits for a counter to get to a value, because a dead process's files may
 * be cleaned up after its parent heard of its death. The value it has then.
 */
static inline long settled(const char *name, long value)
{
	u64 end = now_ms() + 5000;
	long now;

	/* Without a counter there is nothing to wait for. */
	while ((now = counter(name)) != value && now >= 0 && now_ms() < end)
		nap();
	return now;
}

/* The directory of the driver's shrinker; its number is not known ahead. */
static inline bool find_shrinker(char *path, size_t size)
{
	struct dirent entry;
	struct dirent *found;
	DIR *dir = opendir(SHRINKERS);
	bool ok = false;

	if (!dir)
		return false;
	while (!readdir_r(dir, &entry, &found) && found && !ok) {
		if (!strncmp(entry.d_name, "vbinder", 7)) {
			snprintf(path, size, SHRINKERS "/%s", entry.d_name);
			ok = true;
		}
	}
	closedir(dir);
	return ok;
}

/* Asks the driver's shrinker alone for n objects. -ENOENT without debugfs. */
static inline long shrinker_scan(unsigned long n)
{
	char dir[128];
	char path[160];
	char text[64];

	if (!find_shrinker(dir, sizeof(dir)))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/scan", dir);
	snprintf(text, sizeof(text), "0 0 %lu", n);
	return write_file(path, text);
}

/* What the shrinker says it could free, or a negative errno. */
static inline long shrinker_count(void)
{
	char dir[128];
	char path[160];
	char text[256];
	char *s;
	long ret;

	if (!find_shrinker(dir, sizeof(dir)))
		return -ENOENT;
	snprintf(path, sizeof(path), "%s/count", dir);
	ret = read_file(path, text, sizeof(text));
	if (ret <= 0)
		return ret;
	/* A line is the control group's number, then one count per node. */
	s = strchr(text, ' ');
	return s ? atol(s + 1) : -EINVAL;
}

static inline long drop_slab(void)
{
	return write_file("/proc/sys/vm/drop_caches", "2");
}

/*
 * Makes the shrinker run until nothing is idle. It may skip a page whose
 * locks are taken, so one run need not be enough. The pages still idle.
 */
static inline long shrink_all(void)
{
	long idle = counter("idle");

	for (int i = 0; i < 50 && idle > 0; i++) {
		if (shrinker_scan(1 << 20))
			drop_slab();
		idle = counter("idle");
		if (idle > 0)
			nap();
	}
	return idle;
}

/* Makes the shrinker run once, for tests in which pages must stay. */
static inline long shrink_once(void)
{
	long ret = shrinker_scan(1 << 20);

	return ret == -ENOENT ? drop_slab() : ret;
}

#endif
