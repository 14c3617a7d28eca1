/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ioctls beside BINDER_WRITE_READ, as parties make them.
 */
#ifndef VBINDER_TESTS_IOCTLS_H
#define VBINDER_TESTS_IOCTLS_H

#include <linux/poll.h>

#include "pair.h"

/*
 * Waits until the dead of the case before have let go of their memory. A
 * driver that does not count it has to be believed.
 */
static inline bool nothing_in_use(void)
{
	long used = settled("used", 0);

	return used == 0 || used == -ENOENT;
}

static inline long b_set_max_threads(struct party *p, u32 max)
{
	return b_ioctl_u32(p, BINDER_SET_MAX_THREADS, max);
}

static inline long b_thread_exit(struct party *p)
{
	return b_ioctl(p, BINDER_THREAD_EXIT, NULL);
}

/* The first read of a thread may come back for nothing; get that over. */
static inline long b_greet(struct party *p)
{
	return b_ioctl(p, BINDER_VERSION, p->scratch);
}

/* Somebody who calls and is called: only loopers can rely on being told. */
static inline struct party *looper_new(size_t len)
{
	struct party *p = client_new(len);

	return p && !b_enter_looper(p) ? p : NULL;
}

/* What poll() says within a[0] milliseconds. */
static inline long op_poll(struct party *p, const u64 *a)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	long ret = _sys_poll(&pfd, 1, a[0]);

	return ret == 1 ? pfd.revents : ret;
}

/* Waits until there is something to be read, and leaves it there. */
static inline bool has_news(struct party *p)
{
	return ON(p, op_poll, PATIENCE_MS / 2) == POLLIN;
}

/* All that a process has opened is frozen, or nothing is any more. */
static inline long b_freeze(struct party *p, int pid, bool enable,
			    u32 timeout_ms)
{
	struct binder_freeze_info *info = (void *)p->scratch;

	*info = (struct binder_freeze_info) {
		.pid = pid,
		.enable = enable,
		.timeout_ms = timeout_ms,
	};
	return b_ioctl(p, BINDER_FREEZE, info);
}

/*
 * Freezes once there is nothing on its way any more: the last answer may still
 * count for a moment after it has been read.
 */
static inline long b_freeze_idle(struct party *p, int pid)
{
	return b_freeze(p, pid, true, PATIENCE_MS);
}

/* What has been received since a process was frozen; in the scratch memory. */
static inline long b_frozen_info(struct party *p, int pid)
{
	struct binder_frozen_status_info *info = (void *)p->scratch;

	/* What the driver has to fill in begins as something else. */
	*info = (struct binder_frozen_status_info) {
		.pid = pid,
		.sync_recv = 99,
		.async_recv = 99,
	};
	return b_ioctl(p, BINDER_GET_FROZEN_INFO, info);
}

/* What went wrong last in this thread; in the scratch memory. */
static inline const struct binder_extended_error *b_error(struct party *p)
{
	struct binder_extended_error *ee = (void *)p->scratch;

	*ee = (struct binder_extended_error) { 99, 99, 99 };
	return b_ioctl(p, BINDER_GET_EXTENDED_ERROR, ee) ? NULL : ee;
}

static inline long b_thaw(struct party *p, int pid)
{
	return b_freeze(p, pid, false, 0);
}

#endif
