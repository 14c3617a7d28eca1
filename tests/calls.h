/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls to any handle, without content: each is known by its code.
 *
 * For tests of who gets what and when. That the bytes of a message arrive is
 * tested elsewhere.
 */
#ifndef VBINDER_TESTS_CALLS_H
#define VBINDER_TESTS_CALLS_H

#include "binder.h"

static inline long b_say(struct party *p, u32 cmd, u32 handle, u32 code,
			 u32 flags)
{
	put_tr(p, cmd, &(struct binder_transaction_data) {
		.target.handle = handle,
		.code = code,
		.flags = flags,
	});
	return b_go(p, 0);
}

static inline long b_ask(struct party *p, u32 handle, u32 code)
{
	return b_say(p, BC_TRANSACTION, handle, code, 0);
}

static inline long b_answer(struct party *p, u32 code)
{
	return b_say(p, BC_REPLY, 0, code, 0);
}

/* Sends and hears at once what became of it. */
static inline long b_tell(struct party *p, u32 handle, u32 code)
{
	long ret = b_say(p, BC_TRANSACTION, handle, code, TF_ONE_WAY);

	return ret ? ret : b_receipt(p);
}

/* The code of the transaction that comes next, or minus what came instead. */
static inline long next_call(struct party *p)
{
	long got = b_receive(p);

	if (got == BR_TRANSACTION)
		return p->res.tr.code;
	return got < 0 ? got : -got;
}

/* The same for the next answer. */
static inline long next_answer(struct party *p)
{
	long got = b_receive(p);

	if (got == BR_REPLY)
		return p->res.tr.code;
	return got < 0 ? got : -got;
}

/* a calls m, m calls c, and c has taken it: codes 1 and 2. */
static inline int chain(struct party *a, struct party *m, u32 c_of_m,
			struct party *c)
{
	if (b_ask(a, 0, 1))
		return 1;
	if (next_call(m) != 1)
		return 2;
	if (b_ask(m, c_of_m, 2))
		return 3;
	return next_call(c) == 2 ? 0 : 4;
}

/* What a read that must not wait gives; -EAGAIN if there is nothing. */
static inline long b_look(struct party *p)
{
	long got;
	long ret = b_set_nonblock(p);

	if (ret)
		return ret;
	got = b_receive(p);
	ret = b_set_block(p);
	return ret ? ret : got;
}

#endif
