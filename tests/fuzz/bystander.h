/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Processes on the same device that do nothing wrong, and to which nothing may
 * happen: one serves an object, another calls it. The manager that brought
 * them together is gone when the fuzzing begins.
 */
#ifndef VBINDER_TESTS_FUZZ_BYSTANDER_H
#define VBINDER_TESTS_FUZZ_BYSTANDER_H

#include "../parcel.h"
#include "../traffic.h"

#define OBJECT		0x1000ULL
#define WATCH_COOKIE	0x5afeULL

struct bystanders {
	struct party *server;
	struct party *client;
	u32 handle;
};

/* 0, or the step that failed. */
static inline int bystanders_new(struct bystanders *b)
{
	struct party *m = manager_new(AREA_SIZE);
	long handle;

	b->server = client_new(AREA_SIZE);
	b->client = client_new(AREA_SIZE);
	if (!m || !b->server || !b->client)
		return 1;
	handle = introduce(b->server, m, b->client, OBJECT, OBJECT);
	if (handle < 0)
		return 2;
	b->handle = handle;
	put_handle_cookie(b->client, BC_REQUEST_DEATH_NOTIFICATION, handle,
			  WATCH_COOKIE);
	if (b_go(b->client, 0) || b_enter_looper(b->server))
		return 3;
	return party_kill(m) == SIGKILL ? 0 : 4;
}

/* What else than an answer or a receipt was told: nothing should have been. */
static inline long nothing_told(struct party *p)
{
	return p->res.nr_told ? -EREMOTEIO : 0;
}

/* Calls the handle a[0] until the word at a[1] is not 0: the answered calls. */
static inline long op_call_object(struct party *p, const u64 *a)
{
	long answered = 0;

	for (u32 n = 0; !load(u64_ptr(a[1])); n++) {
		struct binder_transaction_data tr = {
			.target.handle = a[0],
			.code = n,
			.data_size = 1 + (n * 1237) %
				     (n % 16 ? 256 : TRAFFIC_LEN),
		};
		long ret = op_fill(p, ARGS(n, tr.data_size, 0));

		if (ret)
			return ret;
		tr.data.ptr.buffer = ptr_u64(p->payload);
		put_tr(p, BC_TRANSACTION, &tr);
		ret = op_go(p, ARGS(0)) ?: op_await(p, ARGS(BR_MESSAGE));
		if (ret != BR_REPLY)
			return ret < 0 ? ret : -_IOC_NR(ret) - 10000;
		if (p->res.tr.data_size != tr.data_size ||
		    mismatch(u64_ptr(p->res.tr.data.ptr.buffer), tr.data_size,
			     n) != -1)
			return -EILSEQ;
		put_free(p, p->res.tr.data.ptr.buffer);
		ret = op_go(p, ARGS(0)) ?: nothing_told(p);
		if (ret)
			return ret;
		answered++;
		/* Most of the time is for the others. */
		nap();
	}
	return answered;
}

/* Ends the server, of whose end the client must learn. What it has served. */
static inline long bystanders_end(struct bystanders *b)
{
	long served;

	put_tr(b->client, BC_TRANSACTION, &(struct binder_transaction_data) {
		.target.handle = b->handle,
		.code = CODE_STOP,
	});
	if (b_go(b->client, 0) || b_receive(b->client) != BR_REPLY)
		return -EPROTO;
	served = finish(b->server);
	party_kill(b->server);
	if (b_await(b->client, BR(BR_DEAD_BINDER)) != BR_DEAD_BINDER ||
	    times_told(b->client, BR_DEAD_BINDER, 0, WATCH_COOKIE) != 1)
		return -EOWNERDEAD;
	return served;
}

#endif
