/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory control groups: a tree of the test's own, and groups in it, which
 * are called by their names. "" is the tree itself.
 */
#ifndef VBINDER_TESTS_CGROUP_H
#define VBINDER_TESTS_CGROUP_H

#include "meminfo.h"
#include "party.h"

#define CGROUPS		"/sys/fs/cgroup"
#define TREE		CGROUPS "/vbinder"

/*
 * A charge may be taken in advance, and given back late, for this many pages
 * on each CPU, so what a group has is never known better than that.
 */
#define CHARGE_SLACK	(3 * 64)

static inline const char *cg_path(const char *group, const char *file)
{
	static char path[128];

	snprintf(path, sizeof(path), TREE "/%s/%s", group, file);
	return path;
}

static inline long cg_write(const char *group, const char *file,
			    const char *text)
{
	return write_file(cg_path(group, file), text);
}

static inline long cg_write_pages(const char *group, const char *file,
				  long pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", pages * (long)PAGE);
	return cg_write(group, file, text);
}

static inline long cg_number(const char *group, const char *file,
			     const char *key)
{
	return file_number(cg_path(group, file), key);
}

/* What a group and those in it are charged for, in pages. */
static inline long cg_pages(const char *group)
{
	return cg_number(group, "memory.current", NULL) / (long)PAGE;
}

/*
 * The same, when nothing is charged in advance any more: a limit that is too
 * low ends that, some time later. It also takes all that is idle.
 */
static inline long cg_settle(const char *group)
{
	u64 end = now_ms() + PATIENCE_MS;
	int quiet = 0;
	long before, now = cg_pages(group);

	while (quiet < 20 && now >= 0 && now_ms() < end) {
		before = now;
		cg_write(group, "memory.high", "0");
		nap();
		now = cg_pages(group);
		quiet = now < before ? 0 : quiet + 1;
	}
	cg_write(group, "memory.high", "max");
	return now;
}

static inline long cg_new(const char *group)
{
	return _syscall(__NR_mkdirat, AT_FDCWD, cg_path(group, ""), 0755);
}

/* The dead leave their group a little after they were waited for. */
static inline long cg_remove(const char *group)
{
	u64 end = now_ms() + PATIENCE_MS;
	long ret;

	while ((ret = _syscall(__NR_unlinkat, AT_FDCWD, cg_path(group, ""),
			       AT_REMOVEDIR)) == -EBUSY && now_ms() < end)
		nap();
	return ret;
}

static inline long cg_move(int pid, const char *group)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return cg_write(group, "cgroup.procs", text);
}

/* -ENODEV in kernels without control groups. */
static inline long cg_mount(void)
{
	if (access(CGROUPS "/cgroup.controllers", F_OK) &&
	    mount("none", CGROUPS, "cgroup2", 0, NULL))
		return -ENODEV;
	return 0;
}

/* The tree, in which every group is accounted for. */
static inline long cg_begin(void)
{
	long ret = cg_mount();

	if (ret)
		return ret;
	if (write_file(CGROUPS "/cgroup.subtree_control", "+memory"))
		return -ENODEV;
	ret = cg_new("");
	if (ret && ret != -EEXIST)
		return ret;
	return cg_write("", "cgroup.subtree_control", "+memory");
}

static inline long cg_end(void)
{
	return cg_remove("");
}

#endif
