/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Traffic for stress cases, and what disturbs it.
 *
 * A server sends back what it gets and keeps the last few messages, which it
 * checks again before it frees them. So it notices when a page that is in use
 * is taken away or changed, also long after the message was read.
 */
#ifndef VBINDER_TESTS_TRAFFIC_H
#define VBINDER_TESTS_TRAFFIC_H

#include "pair.h"
#include "stress.h"

#define HELD		8
#define TRAFFIC_LEN	(8 * PAGE)
/* The code of the message that ends a server; others count from 0. */
#define CODE_STOP	0xffffffffU

struct held {
	u64 at;
	size_t len;
	u32 seed;
};

static inline bool is_damaged(const struct held *h)
{
	return h->at && mismatch(u64_ptr(h->at), h->len, h->seed) != -1;
}

static inline long check_and_free(struct party *p, struct held *h)
{
	if (is_damaged(h))
		return -EILSEQ;
	if (h->at)
		put_free(p, h->at);
	h->at = 0;
	return 0;
}

/*
 * Serves until it is told to stop: the number of messages. -EILSEQ if one of
 * them did not hold what was sent, when it came or any time later.
 */
static inline long op_serve(struct party *p, const u64 *a)
{
	struct held held[HELD] = { 0 };

	(void)a;
	for (long n = 0;; n++) {
		struct binder_transaction_data *tr = &p->res.tr;
		struct binder_transaction_data answer = { 0 };
		struct held *h = &held[n % HELD];
		long ret = op_await(p, ARGS(BR(BR_TRANSACTION)));
		bool stop = tr->code == CODE_STOP;

		if (ret < 0)
			return ret;
		for (int i = 0; i < HELD; i++) {
			if (!stop && &held[i] != h)
				continue;
			ret = check_and_free(p, &held[i]);
			if (ret)
				return ret;
		}
		*h = (struct held){
			.at = tr->data.ptr.buffer,
			.len = tr->data_size,
			.seed = tr->code,
		};
		if (stop) {
			put_free(p, h->at);
		} else {
			if (is_damaged(h) || is_damaged(&held[(n / 2) % HELD]))
				return -EILSEQ;
			/* From one area to the other. */
			answer.data_size = h->len;
			answer.data.ptr.buffer = h->at;
		}
		put_tr(p, BC_REPLY, &answer);
		ret = op_go(p, ARGS(0));
		if (ret || stop)
			return ret ?: n;
	}
}

/* One call of len bytes: BR_REPLY if the right answer came, and was freed. */
static inline long op_call(struct party *p, const u64 *a)
{
	u32 code = a[0];
	struct binder_transaction_data tr = {
		.code = code,
		.data_size = a[1],
	};
	long ret = op_fill(p, ARGS(code, tr.data_size, 0));

	if (ret)
		return ret;
	tr.data.ptr.buffer = ptr_u64(p->payload);
	put_tr(p, BC_TRANSACTION, &tr);
	ret = op_go(p, ARGS(0));
	if (!ret)
		ret = op_await(p, ARGS(BR_MESSAGE));
	if (ret != BR_REPLY)
		return ret;
	if (p->res.tr.data_size != tr.data_size ||
	    mismatch(u64_ptr(p->res.tr.data.ptr.buffer), tr.data_size, code) !=
	    -1)
		return -EILSEQ;
	put_free(p, p->res.tr.data.ptr.buffer);
	return op_go(p, ARGS(0)) ?: BR_REPLY;
}

/*
 * Calls for a[0] ms. The number of calls that were answered; with a[1], calls
 * may also fail cleanly, and a dead server ends it.
 */
static inline long op_call_for(struct party *p, const u64 *a)
{
	bool may_fail = a[1];
	u64 end = now_ms() + a[0];
	long answered = 0;

	for (u32 n = 0; now_ms() < end; n++) {
		long ret = op_call(p, ARGS(n, 1 + (n * 1237) % TRAFFIC_LEN));

		if (ret == BR_REPLY)
			answered++;
		else if (may_fail && ret == BR_DEAD_REPLY)
			break;
		else if (!may_fail || ret != BR_FAILED_REPLY)
			return ret < 0 ? ret : -EPROTO;
	}
	return answered;
}

/* Ends a server: what op_serve gave, if it has ended with an error before, too. */
static inline long stop_serving(struct party *client, struct party *server)
{
	long ret = -EBUSY;
	long served;

	/* A client that hangs does so because of its server. */
	if (!is_busy(client))
		ret = ON(client, op_call, CODE_STOP, 0);
	served = finish_within(server, ret == BR_REPLY ? PATIENCE_MS : 1000);
	return served >= 0 && ret != BR_REPLY ? -EPROTO : served;
}

/* Runs the shrinker for a[0] ms. */
static inline long op_shrink_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long rounds = 0;

	(void)p;
	while (now_ms() < end) {
		long ret = shrink_once();

		if (ret)
			return ret;
		rounds++;
	}
	return rounds;
}

/* Throws the area's mappings away for a[0] ms. */
static inline long op_dontneed_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long rounds = 0;

	while (now_ms() < end) {
		long ret = sys_madvise(p->area, p->area_len, MADV_DONTNEED);

		if (ret)
			return ret;
		rounds++;
	}
	return rounds;
}

#endif
