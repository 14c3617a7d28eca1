// SPDX-License-Identifier: GPL-2.0
/*
 * One-way transactions: one at a time, in order, in their half of the area.
 */
#include <kselftest_harness.h>

#include "pair.h"

/* Small, so that its halves fill quickly. */
#define SMALL_AREA	(64 * KIB)
#define HALF		(SMALL_AREA / 2)

FIXTURE(oneway)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(oneway)
{
	ASSERT_EQ(0, settled("used", 0));
	self->m = manager_new(SMALL_AREA);
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, b_set_nonblock(self->m));
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
}

FIXTURE_TEARDOWN(oneway)
{
	kill_all_parties();
}

/* Sends and hears at once that it went, or that it did not. */
static long send_oneway(struct party *c, u64 seed, size_t len)
{
	long ret = b_oneway(c, seed, len);

	return ret ? ret : b_receipt(c);
}

TEST_F(oneway, completes_at_once)
{
	ASSERT_EQ(0, b_oneway(self->c, 1, 100));
	ASSERT_EQ(0, b_go(self->c, READ_SIZE));
	ASSERT_EQ(2, self->c->res.n);
	EXPECT_EQ(BR_NOOP, self->c->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, self->c->res.br[1]);
}

TEST_F(oneway, carries_no_sender)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 1, 100));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(0, self->m->res.tr.sender_pid);
	EXPECT_EQ(0, self->m->res.tr.sender_euid);
	EXPECT_EQ(TF_ONE_WAY, self->m->res.tr.flags);
	EXPECT_EQ(100, self->m->res.tr.data_size);
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
}

TEST_F(oneway, cannot_be_replied_to)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 1, 100));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->m));
}

TEST_F(oneway, one_at_a_time_in_order)
{
	enum { MESSAGES = 8 };

	for (int i = 0; i < MESSAGES; i++) {
		ASSERT_EQ(BR_TRANSACTION_COMPLETE,
			  send_oneway(self->c, i, 100 + i));
	}
	for (int i = 0; i < MESSAGES; i++) {
		struct binder_transaction_data held;

		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		held = self->m->res.tr;
		EXPECT_EQ(100ULL + i, held.data_size);
		EXPECT_EQ(-1, b_mismatch(self->m, i));
		/* The next waits until this one's buffer is freed. */
		EXPECT_EQ(-EAGAIN, b_receive(self->m));
		put_free(self->m, held.data.ptr.buffer);
		ASSERT_EQ(0, b_go(self->m, 0));
	}
	EXPECT_EQ(-EAGAIN, b_receive(self->m));
	EXPECT_EQ(0, counter("used"));
}

TEST_F(oneway, order_holds_between_senders)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	for (int i = 0; i < 6; i++) {
		ASSERT_EQ(BR_TRANSACTION_COMPLETE,
			  send_oneway(i & 1 ? other : self->c, i, 64));
	}
	for (int i = 0; i < 6; i++) {
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		EXPECT_EQ(-1, b_mismatch(self->m, i));
		ASSERT_EQ(0, b_free(self->m));
	}
}

TEST_F(oneway, does_not_hold_up_calls)
{
	u64 buffer;

	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 1, 100));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 2, 100));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	buffer = self->m->res.tr.data.ptr.buffer;
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 100));
	put_free(self->m, buffer);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 2));
}

TEST_F(oneway, a_waiting_thread_gets_the_next)
{
	struct party *t;
	u64 buffer;

	ASSERT_EQ(0, b_set_block(self->m));
	t = party_thread(self->m);
	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 1, 100));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 2, 100));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	buffer = self->m->res.tr.data.ptr.buffer;
	START(t, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(t));
	put_free(self->m, buffer);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_TRANSACTION, finish(t));
	EXPECT_EQ(-1, b_mismatch(t, 2));
}

TEST_F(oneway, has_half_of_the_area)
{
	EXPECT_EQ(BR_FAILED_REPLY, send_oneway(self->c, 1, HALF + 8));
	EXPECT_EQ(0, counter("used"));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 2, HALF));
	EXPECT_EQ(BR_FAILED_REPLY, send_oneway(self->c, 3, 8));
	/* Calls have the other half. */
	EXPECT_EQ(0, b_call(self->c, 4, HALF));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 2));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 4));
	ASSERT_EQ(0, b_reply(self->m, 5, 0));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_free(self->m));
}

TEST_F(oneway, space_comes_back)
{
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(BR_TRANSACTION_COMPLETE,
			  send_oneway(self->c, i, HALF / 2));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE,
			  send_oneway(self->c, i, HALF / 2));
		ASSERT_EQ(BR_FAILED_REPLY, send_oneway(self->c, i, 8));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		ASSERT_EQ(0, b_free(self->m));
	}
	EXPECT_EQ(0, counter("used"));
}

TEST_F(oneway, freeing_an_undelivered_one_is_ignored)
{
	u64 first;

	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 1, 64));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, send_oneway(self->c, 2, 64));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	first = self->m->res.tr.data.ptr.buffer;
	/* The second lies right behind or before the first. */
	put_free(self->m, first + 64);
	put_free(self->m, first - 64);
	put_free(self->m, first);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 2));
}

TEST_HARNESS_MAIN
