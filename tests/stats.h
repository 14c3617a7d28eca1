/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver counts, and the ways to make its shrinker run.
 */
#ifndef VBINDER_TESTS_STATS_H
#define VBINDER_TESTS_STATS_H

#include "sys.h"

#define STATS_FILE	"/sys/kernel/debug/vbinder/vbinder/stats"
#define SHRINKERS	"/sys/kernel/debug/shrinker"
#define ROOT_GROUP	1

/* A counter of the default device, or a negative errno. */
static inline long counter(const char *name)
{
	return number_in(STATS_FILE, name);
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

/* Of which device; NULL: as the environment says. */
static const char *shrinker_of;

/* Both in-tree drivers call theirs alike; a kernel has one of them. */
static inline const char *shrinker_name(void)
{
	const char *device = shrinker_of ?: getenv("VBINDER_DEVICE");

	return !device || strstr(device, "vbinder") ? "vbinder-" :
						      "android-binder-";
}

/* The directory of the driver's shrinker; its number is not known ahead. */
static inline bool find_shrinker(char *path, size_t size)
{
	const char *name = shrinker_name();
	struct dirent entry;
	struct dirent *found;
	DIR *dir = opendir(SHRINKERS);
	bool ok = false;

	if (!dir)
		return false;
	while (!readdir_r(dir, &entry, &found) && found && !ok) {
		if (!strncmp(entry.d_name, name, strlen(name))) {
			snprintf(path, size, SHRINKERS "/%s", entry.d_name);
			ok = true;
		}
	}
	closedir(dir);
	return ok;
}

/*
 * What the shrinker has, as debugfs shows it: a line for each control group
 * that has something, with the group's id and a count for each node.
 */
static inline long shrinker_lines(const char *dir, char *text, size_t size)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/count", dir);
	return read_file(path, text, size);
}

static inline long shrinker_scan_group(const char *dir, u64 group, int node,
				       unsigned long n)
{
	char path[160];
	char text[64];
	long ret;

	snprintf(path, sizeof(path), "%s/scan", dir);
	snprintf(text, sizeof(text), "%llu %d %lu", group, node, n);
	ret = write_file(path, text);
	/* A shrinker without groups shows the root group's id, but wants 0. */
	if (ret != -EINVAL || !group)
		return ret;
	return shrinker_scan_group(dir, 0, node, n);
}

/* The next number and what follows it; NULL at the end of the text. */
static inline char *next_number(char *s, u64 *number)
{
	while (*s == ' ' || *s == '\n')
		s++;
	if (*s < '0' || *s > '9')
		return NULL;
	for (*number = 0; *s >= '0' && *s <= '9'; s++)
		*number = *number * 10 + *s - '0';
	return s;
}

/*
 * Asks the driver's shrinker alone for n objects of each group and node that
 * has some, or of the root group. -ENOENT without debugfs.
 */
static inline long shrinker_scan(unsigned long n)
{
	char dir[128];
	char text[4096];
	char *s = text;
	u64 group, count = 0;
	long ret;

	if (!find_shrinker(dir, sizeof(dir)))
		return -ENOENT;
	ret = shrinker_lines(dir, text, sizeof(text));
	if (ret < 0)
		return ret;
	if (!ret)
		return shrinker_scan_group(dir, ROOT_GROUP, 0, n);
	while ((s = next_number(s, &group))) {
		for (int node = 0; *s == ' '; node++) {
			s = next_number(s, &count);
			ret = count ? shrinker_scan_group(dir, group, node, n) :
				      0;
			/* A group may have gone since. */
			if (ret && ret != -ENOENT)
				return ret;
		}
	}
	return 0;
}

/* What the shrinker says it could free, or a negative errno. */
static inline long shrinker_count(void)
{
	char dir[128];
	char text[4096];
	char *s = text;
	u64 group, count = 0;
	long total = 0;
	long ret;

	if (!find_shrinker(dir, sizeof(dir)))
		return -ENOENT;
	ret = shrinker_lines(dir, text, sizeof(text));
	if (ret < 0)
		return ret;
	while ((s = next_number(s, &group))) {
		while (*s == ' ') {
			s = next_number(s, &count);
			total += count;
		}
	}
	return total;
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
