/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands about death notifications, each written at once.
 */
#ifndef VBINDER_TESTS_DEATH_H
#define VBINDER_TESTS_DEATH_H

#include "parcel.h"

static inline long b_watch(struct party *p, u32 handle, u64 cookie)
{
	put_handle_cookie(p, BC_REQUEST_DEATH_NOTIFICATION, handle, cookie);
	return b_go(p, 0);
}

static inline long b_unwatch(struct party *p, u32 handle, u64 cookie)
{
	put_handle_cookie(p, BC_CLEAR_DEATH_NOTIFICATION, handle, cookie);
	return b_go(p, 0);
}

static inline long b_noticed(struct party *p, u64 cookie)
{
	put_cookie(p, BC_DEAD_BINDER_DONE, cookie);
	return b_go(p, 0);
}

#endif
