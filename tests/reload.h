/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loading and unloading the module, by a test that runs while it is loaded.
 */
#ifndef VBINDER_TESTS_RELOAD_H
#define VBINDER_TESTS_RELOAD_H

#include "binder.h"
#include "mode.h"

#define MODULE_FILE	"/lib/modules/vbinder.ko"

static inline bool module_is_loaded(void)
{
	return !access(MODE_FILE, F_OK);
}

/* The parameters to load it with again, as it is now: 0 or a negative errno. */
static inline long module_params(char *params, size_t size)
{
	char mode[32];
	long ret = read_file(MODE_FILE, mode, sizeof(mode));

	if (ret < 0)
		return ret;
	*strchr(mode, '\n') = '\0';
	snprintf(params, size, "install=%s", mode);
	return 0;
}

static inline long module_load(const char *params)
{
	u64 end = now_ms() + PATIENCE_MS;
	long fd = sys_open(MODULE_FILE, O_RDONLY);
	long ret;

	if (fd < 0)
		return fd;
	ret = __nolibc_syscall3(__NR_finit_module, fd, params, 0);
	sys_close(fd);
	/* The device node comes on its own. */
	while (!ret && access(DEVICE, F_OK) && now_ms() < end)
		nap();
	return ret;
}

/* Without patience: -EAGAIN if somebody uses it. */
static inline long module_try_unload(void)
{
	return __nolibc_syscall2(__NR_delete_module, "vbinder", O_NONBLOCK);
}

/* Files of the dead may be in use for a moment. */
static inline long module_unload(void)
{
	u64 end = now_ms() + PATIENCE_MS;
	long ret;

	while ((ret = module_try_unload()) == -EAGAIN && now_ms() < end)
		nap();
	return ret;
}

#endif
