/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers from files of the form "key number", /proc/meminfo and the like.
 */
#ifndef VBINDER_TESTS_MEMINFO_H
#define VBINDER_TESTS_MEMINFO_H

#include "sys.h"

#define MEMINFO		"/proc/meminfo"
#define NODE_MEMINFO	"/sys/devices/system/node/node0/meminfo"

/*
 * The number behind a key, which may end in a colon and need not be the first
 * word of its line; or the first number of the file, if there is no key.
 */
static inline long file_number(const char *path, const char *key)
{
	static char text[8192];
	size_t len = key ? strlen(key) : 0;
	char *s = text;
	long ret = read_file(path, text, sizeof(text));

	if (ret < 0)
		return ret;
	for (; key && (s = strstr(s, key)); s += len)
		if ((s == text || s[-1] == '\n' || s[-1] == ' ') &&
		    (s[len] == ' ' || s[len] == ':'))
			break;
	if (!s)
		return -ENOENT;
	for (s += len; *s == ':' || *s == ' '; s++)
		;
	return atol(s);
}

/* Pages that could be reclaimed and are no slab objects. */
static inline long misc_reclaimable(const char *path)
{
	long all, slab;

	/* Each CPU keeps what it has counted to itself for a while. */
	file_number("/proc/sys/vm/stat_refresh", NULL);
	all = file_number(path, "KReclaimable");
	slab = file_number(path, "SReclaimable");
	return all < 0 || slab < 0 ? -ENOENT : (all - slab) / (long)(PAGE / KIB);
}

static inline const char *skip_spaces(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

/*
 * Free pages of all zones, with those that each CPU keeps: a page that is
 * freed rests there first.
 */
static inline long free_pages(void)
{
	static char text[64 * KIB];
	const char *line = text;
	long pages = 0;

	/* Each CPU keeps what it has counted to itself for a while. */
	read_file("/proc/sys/vm/stat_refresh", text, sizeof(text));
	if (read_file("/proc/zoneinfo", text, sizeof(text)) <= 0)
		return -ENOENT;
	while (line && *line) {
		line = skip_spaces(line);
		if (!strncmp(line, "nr_free_pages ", 14))
			pages += atol(skip_spaces(line + 14));
		else if (!strncmp(line, "count:", 6))
			pages += atol(skip_spaces(line + 6));
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return pages;
}

#endif
