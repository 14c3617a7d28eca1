// SPDX-License-Identifier: GPL-2.0
/*
 * Bytes: what arrives is what was sent, whatever its size and wherever it lies,
 * also with many threads at it.
 */
#include <kselftest_harness.h>

#include "pair.h"

#define CALLS_PER_THREAD	40

FIXTURE(content)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(content)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
}

FIXTURE_TEARDOWN(content)
{
	kill_all_parties();
}

static const size_t sizes[] = {
	0, 1, 7, 8, 9, 100, PAGE - 9, PAGE - 8, PAGE - 1, PAGE, PAGE + 1,
	PAGE + 8, 2 * PAGE - 1, 2 * PAGE, 2 * PAGE + 1, 16 * PAGE, 100001,
};

TEST_F(content, every_size)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_EQ(0, exchange(self->c, self->m, i, sizes[i])) {
			TH_LOG("with %lu bytes", (unsigned long)sizes[i]);
		}
	}
	EXPECT_EQ(0, counter("used"));
}

/*
 * A message that is held moves the next one to another offset in its page, so
 * that the two share it.
 */
TEST_F(content, every_size_behind_a_held_message)
{
	static const size_t held[] = { 8, 16, PAGE / 2, PAGE - 8, PAGE };

	for (size_t h = 0; h < ARRAY_SIZE(held); h++) {
		u64 first;

		ASSERT_EQ(0, b_call(self->c, 99, held[h]));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		first = self->m->res.tr.data.ptr.buffer;
		ASSERT_EQ(0, b_reply(self->m, 0, 0));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
		ASSERT_EQ(0, b_free(self->c));

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			EXPECT_EQ(0, exchange(self->c, self->m, i, sizes[i])) {
				TH_LOG("%lu bytes behind %lu",
				       (unsigned long)sizes[i],
				       (unsigned long)held[h]);
			}
		}
		EXPECT_EQ(-1, ON(self->m, op_mismatch, first, held[h], 99));
		put_free(self->m, first);
		ASSERT_EQ(0, b_go(self->m, 0));
	}
	EXPECT_EQ(0, counter("used"));
}

/* Where the sender has it must not matter either. */
TEST_F(content, from_every_offset)
{
	static const size_t offsets[] = { 1, 8, PAGE - 1, PAGE - 8 };

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct binder_transaction_data tr = { .data_size = 2 * PAGE };

		ASSERT_EQ(0, ON(self->c, op_fill, i, tr.data_size, offsets[i]));
		tr.data.ptr.buffer = ptr_u64(self->c->payload) + offsets[i];
		put_tr(self->c, BC_TRANSACTION, &tr);
		ASSERT_EQ(0, b_go(self->c, 0));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		EXPECT_EQ(-1, b_mismatch(self->m, i)) {
			TH_LOG("from offset %lu", (unsigned long)offsets[i]);
		}
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_reply(self->m, 0, 0));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
	}
}

TEST_F(content, the_whole_area)
{
	EXPECT_EQ(0, exchange(self->c, self->m, 1, AREA_SIZE));
	/* And again, with every page idle. */
	EXPECT_EQ(0, exchange(self->c, self->m, 2, AREA_SIZE));
}

TEST_F(content, an_area_that_is_full)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, b_call(self->c, 1, AREA_SIZE));
	ASSERT_EQ(0, b_call(other, 2, 1));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(other));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 3, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(0, exchange(other, self->m, 4, AREA_SIZE));
}

/* Holes close again: what was cut to pieces serves one big message. */
TEST_F(content, freed_neighbours_merge)
{
	enum { PIECES = 16, PIECE = AREA_SIZE / PIECES };
	static const int order[PIECES] = {
		3, 1, 2, 0, 15, 14, 7, 9, 8, 5, 4, 6, 12, 10, 13, 11,
	};
	u64 buffers[PIECES];

	for (int i = 0; i < PIECES; i++) {
		ASSERT_EQ(0, b_call(self->c, i, PIECE));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		buffers[i] = self->m->res.tr.data.ptr.buffer;
		ASSERT_EQ(0, b_reply(self->m, 0, 0));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
		ASSERT_EQ(0, b_free(self->c));
	}
	for (int i = 0; i < PIECES; i++) {
		EXPECT_EQ(-1, ON(self->m, op_mismatch, buffers[i], PIECE, i)) {
			TH_LOG("piece %d", i);
		}
	}
	for (int i = 0; i < PIECES; i++) {
		put_free(self->m, buffers[order[i]]);
		ASSERT_EQ(0, b_go(self->m, 0));
	}
	EXPECT_EQ(0, exchange(self->c, self->m, 50, AREA_SIZE));
}

/* Serves a[0] calls: checks what came, sends it back with seed + 1. */
static long op_serve(struct party *p, const u64 *a)
{
	for (u64 n = 0; n < a[0]; n++) {
		struct binder_transaction_data tr;
		u64 seed;
		u8 *data;
		long ret = op_await(p, ARGS(BR_MESSAGE));

		if (ret != BR_TRANSACTION)
			return ret < 0 ? ret : -EPROTO;
		tr = p->res.tr;
		seed = tr.code;
		data = u64_ptr(tr.data.ptr.buffer);
		if (mismatch(data, tr.data_size, seed) != -1)
			return -EILSEQ;
		put_free(p, tr.data.ptr.buffer);
		op_fill(p, ARGS(seed + 1, tr.data_size, 0));
		tr.data.ptr.buffer = ptr_u64(p->payload);
		put_tr(p, BC_REPLY, &tr);
		ret = op_go(p, ARGS(0));
		if (ret)
			return ret;
	}
	return 0;
}

/* Makes a[0] calls of different sizes, seeds from a[1] on; checks answers. */
static long op_call_many(struct party *p, const u64 *a)
{
	for (u64 n = 0; n < a[0]; n++) {
		u64 seed = a[1] + n;
		struct binder_transaction_data tr = {
			.code = seed,
			.data_size = (seed * 977) % (5 * PAGE),
		};
		long ret;

		op_fill(p, ARGS(seed, tr.data_size, 0));
		tr.data.ptr.buffer = ptr_u64(p->payload);
		put_tr(p, BC_TRANSACTION, &tr);
		ret = op_go(p, ARGS(0));
		if (!ret)
			ret = op_await(p, ARGS(BR_MESSAGE));
		if (ret != BR_REPLY)
			return ret < 0 ? ret : -EPROTO;
		if (p->res.tr.code != tr.code ||
		    p->res.tr.data_size != tr.data_size ||
		    mismatch(u64_ptr(p->res.tr.data.ptr.buffer), tr.data_size,
			     seed + 1) != -1)
			return -EILSEQ;
		put_free(p, p->res.tr.data.ptr.buffer);
		ret = op_go(p, ARGS(0));
		if (ret)
			return ret;
	}
	return 0;
}

TEST_F_TIMEOUT(content, many_threads, 90)
{
	enum { THREADS = 4 };
	struct party *server[THREADS];
	struct party *client[THREADS];

	for (int i = 0; i < THREADS; i++) {
		server[i] = i ? party_thread(self->m) : self->m;
		client[i] = i ? party_thread(self->c) : self->c;
		ASSERT_NE(NULL, server[i]);
		ASSERT_NE(NULL, client[i]);
		ASSERT_EQ(0, b_enter_looper(server[i]));
	}
	/*
	 * Which server thread gets a call is the driver's choice; together
	 * they get all, so the servers are told to serve for ever and are
	 * looked at only if they stop.
	 */
	for (int i = 0; i < THREADS; i++) {
		START(server[i], op_serve, ~0ULL);
		START(client[i], op_call_many, CALLS_PER_THREAD, i * 1000);
	}
	for (int i = 0; i < THREADS; i++) {
		EXPECT_EQ(0, finish_within(client[i], 80000)) {
			TH_LOG("client thread %d", i);
		}
	}
	for (int i = 0; i < THREADS; i++) {
		EXPECT_TRUE(is_busy(server[i])) {
			TH_LOG("server thread %d: %ld", i, server[i]->ret);
		}
	}
	/* A reply may be read before its server's BC_FREE_BUFFER is counted. */
	EXPECT_EQ(0, settled("used", 0));
}

TEST_F_TIMEOUT(content, many_processes, 90)
{
	enum { CLIENTS = 4 };
	struct party *client[CLIENTS] = { self->c };

	for (int i = 1; i < CLIENTS; i++) {
		client[i] = client_new(AREA_SIZE);
		ASSERT_NE(NULL, client[i]);
	}
	START(self->m, op_serve, CLIENTS * CALLS_PER_THREAD);
	for (int i = 0; i < CLIENTS; i++)
		START(client[i], op_call_many, CALLS_PER_THREAD, i * 1000);
	for (int i = 0; i < CLIENTS; i++) {
		EXPECT_EQ(0, finish_within(client[i], 80000)) {
			TH_LOG("client %d", i);
		}
	}
	EXPECT_EQ(0, finish(self->m));
	EXPECT_EQ(0, settled("used", 0));
}

TEST_HARNESS_MAIN
