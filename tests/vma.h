/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel says about a process's mappings, seen from outside.
 */
#ifndef VBINDER_TESTS_VMA_H
#define VBINDER_TESTS_VMA_H

#include "sys.h"

/*
 * Copies a line of /proc/<pid>/<file>: the one of the mapping that begins at
 * an address, or, with a key, the first line after it that begins with that.
 */
static inline int vma_text(int pid, const char *file, const void *at,
			   const char *key, char *out, size_t size)
{
	size_t room = 256 * KIB;
	char path[64];
	char want[32];
	long mem;
	char *text;
	char *line;
	int ret = -ENOENT;
	bool found = false;

	mem = sys_mmap(NULL, room, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (is_error(mem))
		return mem;
	text = u64_ptr(mem);
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	snprintf(want, sizeof(want), "%lx-", (unsigned long)at);
	if (read_file(path, text, room) < 0)
		goto out;
	for (line = text; *line;) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		if (!strncmp(line, want, strlen(want)))
			found = true;
		if (found && (!key || !strncmp(line, key, strlen(key)))) {
			snprintf(out, size, "%s", line);
			ret = 0;
			break;
		}
		if (!end)
			break;
		line = end + 1;
	}
out:
	sys_munmap(text, room);
	return ret;
}

static inline int vma_line(int pid, const void *at, char *out, size_t size)
{
	return vma_text(pid, "maps", at, NULL, out, size);
}

static inline int vma_flags(int pid, const void *at, char *out, size_t size)
{
	return vma_text(pid, "smaps", at, "VmFlags:", out, size);
}

/* The page table of n pages from an address on, as pagemap shows it. */
static inline int vma_pagemap(int pid, const void *at, u64 *entries, size_t n)
{
	char path[64];
	long fd;
	long ret;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = sys_open(path, O_RDONLY);
	if (fd < 0)
		return fd;
	ret = sys_pread(fd, entries, n * sizeof(*entries),
			ptr_u64(at) / PAGE * sizeof(*entries));
	sys_close(fd);
	return ret == (long)(n * sizeof(*entries)) ? 0 : -EIO;
}

#endif
