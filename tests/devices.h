/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that are made and removed at run time, by name.
 */
#ifndef VBINDER_TESTS_DEVICES_H
#define VBINDER_TESTS_DEVICES_H

#include "pair.h"

#define CONFIGFS	"/sys/kernel/config"
#define MAKER		CONFIGFS "/vbinder"
#define DEBUGFS		"/sys/kernel/debug/vbinder"
#define PATH_SIZE	128

static inline long sys_mkdir(const char *path)
{
	return __nolibc_syscall3(__NR_mkdirat, AT_FDCWD, path, 0755);
}

static inline long sys_rmdir(const char *path)
{
	return __nolibc_syscall3(__NR_unlinkat, AT_FDCWD, path, AT_REMOVEDIR);
}

static inline long device_make(const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), MAKER "/%s", name);
	return sys_mkdir(path);
}

static inline long device_remove(const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), MAKER "/%s", name);
	return sys_rmdir(path);
}

static inline bool device_is_there(const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return !access(path, F_OK);
}

/* A counter of the device, or a negative errno. */
static inline long counter_of(const char *name, const char *what)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), DEBUGFS "/%s/stats", name);
	return number_in(path, what);
}

/* The first device that has a directory, if there is one. */
static inline bool any_made_device(struct dirent *entry)
{
	struct dirent *found;
	DIR *dir = opendir(MAKER);
	bool ok = false;

	if (!dir)
		return false;
	while (!ok && !readdir_r(dir, entry, &found) && found)
		ok = entry->d_name[0] != '.';
	closedir(dir);
	return ok;
}

/* Removes what a case has left: 0 or a negative errno. */
static inline long remove_all_devices(void)
{
	struct dirent entry;

	while (any_made_device(&entry)) {
		long ret = device_remove(entry.d_name);

		if (ret)
			return ret;
	}
	return 0;
}

/* Lets a party open the device: its file, or a negative errno. */
static inline long b_open_device(struct party *p, const char *name)
{
	snprintf((char *)p->scratch, sizeof(p->scratch), "/dev/%s", name);
	return ON(p, op_open, ptr_u64(p->scratch), 0);
}

static inline struct party *client_of(const char *name)
{
	struct party *p = party_new();

	if (!p || b_open_device(p, name) < 0 || b_map(p, AREA_SIZE))
		return NULL;
	return p;
}

static inline struct party *manager_of(const char *name)
{
	struct party *p = client_of(name);

	if (!p || b_become_manager(p) || b_enter_looper(p))
		return NULL;
	return p;
}

/* The usual cast for a device: a manager and somebody who calls it. */
static inline bool pair_of(const char *name, struct party **m,
			   struct party **c)
{
	*m = manager_of(name);
	*c = client_of(name);
	return *m && *c;
}

#endif
