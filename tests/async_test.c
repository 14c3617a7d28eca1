// SPDX-License-Identifier: GPL-2.0
/*
 * One-way messages to several nodes, and between calls: their order, and who
 * waits for whom. What is true of one node alone is in oneway_test.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "ioctls.h"
#include "parcel.h"

#define SMALL_AREA	(64 * KIB)
#define NODE_1		0x1000
#define NODE_2		0x2000
#define COOKIE		0x77
#define NODES		16

FIXTURE(async)
{
	struct party *m;
	struct party *c;
	u32 node1;		/* c's handles of nodes of m */
	u32 node2;
};

FIXTURE_SETUP(async)
{
	long handle;

	ASSERT_TRUE(nothing_in_use());
	self->m = manager_new(SMALL_AREA);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	handle = hand_node(self->m, self->c, NODE_1, COOKIE);
	ASSERT_LT(0, handle);
	self->node1 = handle;
	handle = hand_node(self->m, self->c, NODE_2, COOKIE);
	ASSERT_LT(0, handle);
	self->node2 = handle;
}

FIXTURE_TEARDOWN(async)
{
	kill_all_parties();
}

static long b_free_at(struct party *p, u64 buffer)
{
	put_free(p, buffer);
	return b_go(p, 0);
}

TEST_F(async, tells_which_node_it_is_for)
{
	const struct binder_transaction_data *tr = &self->m->res.tr;

	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node2, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(NODE_2, tr->target.ptr);
	EXPECT_EQ(COOKIE, tr->cookie);
}

TEST_F(async, nodes_do_not_wait_for_each_other)
{
	u64 of_node1;

	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node2, 11));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node2, 12));
	ASSERT_EQ(1, next_call(self->m));
	of_node1 = self->m->res.tr.data.ptr.buffer;
	EXPECT_EQ(11, next_call(self->m));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	/* Each node goes on when its own message has been freed. */
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(12, next_call(self->m));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	ASSERT_EQ(0, b_free_at(self->m, of_node1));
	EXPECT_EQ(2, next_call(self->m));
}

TEST_F(async, first_messages_keep_their_order)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node2, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 2));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 3));
	for (int i = 1; i <= 3; i++) {
		EXPECT_EQ(i, next_call(self->m));
		ASSERT_EQ(0, b_free(self->m));
	}
}

/* The next of a node takes its place behind what is there already. */
TEST_F(async, what_was_held_back_goes_to_the_end)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node2, 11));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(11, next_call(self->m));
	EXPECT_EQ(2, next_call(self->m));
}

TEST_F(async, every_node_has_a_queue)
{
	u64 buffer[NODES];
	u32 handle[NODES];

	for (int i = 0; i < NODES; i++) {
		long got = hand_node(self->m, self->c, 0x8000 + 16 * i, i);

		ASSERT_LT(0, got);
		handle[i] = got;
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < NODES; i++) {
			ASSERT_EQ(BR_TRANSACTION_COMPLETE,
				  b_tell(self->c, handle[i], 100 * round + i));
		}
	}
	for (int i = 0; i < NODES; i++) {
		EXPECT_EQ(i, next_call(self->m));
		EXPECT_EQ(0ULL + i, self->m->res.tr.cookie);
		buffer[i] = self->m->res.tr.data.ptr.buffer;
	}
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	for (int i = NODES - 1; i >= 0; i--) {
		ASSERT_EQ(0, b_free_at(self->m, buffer[i]));
		for (int round = 1; round < 3; round++) {
			EXPECT_EQ(100 * round + i, next_call(self->m));
			ASSERT_EQ(0, b_free(self->m));
		}
		EXPECT_EQ(-EAGAIN, b_look(self->m));
	}
}

TEST_F(async, a_call_overtakes_what_is_held_back)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 2));
	ASSERT_EQ(0, b_ask(other, 0, 3));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_free(self->m));
	/* 2 came before, but had to wait until now. */
	ASSERT_EQ(3, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 4));
	EXPECT_EQ(4, next_answer(other));
	EXPECT_EQ(2, next_call(self->m));
}

TEST_F(async, a_call_does_not_overtake_the_first)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 1));
	ASSERT_EQ(0, b_ask(self->c, self->node1, 2));
	EXPECT_EQ(1, next_call(self->m));
	EXPECT_EQ(2, next_call(self->m));
}

TEST_F(async, the_first_does_not_overtake_a_call)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, b_ask(other, 0, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(2, next_call(self->m));
}

TEST_F(async, calls_to_a_node_do_not_wait)
{
	u64 held;

	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	ASSERT_EQ(1, next_call(self->m));
	held = self->m->res.tr.data.ptr.buffer;
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, b_ask(self->c, self->node1, 10 + i));
		ASSERT_EQ(10 + i, next_call(self->m));
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_answer(self->m, 20 + i));
		EXPECT_EQ(20 + i, next_answer(self->c));
	}
	ASSERT_EQ(0, b_free_at(self->m, held));
	EXPECT_EQ(2, next_call(self->m));
}

TEST_F(async, who_serves_a_call_takes_no_oneway)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(2, next_call(self->m));
}

/* Whoever waits for an answer may send what needs none. */
TEST_F(async, who_waits_may_send_oneways)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 2));
	ASSERT_EQ(2, next_call(t));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(3, next_answer(self->c));
}

TEST_F(async, any_thread_may_free_it)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_free_at(t, self->m->res.tr.data.ptr.buffer));
	EXPECT_EQ(2, next_call(self->m));
}

/* One that has been read is held until it is freed, whoever read it. */
TEST_F(async, the_end_of_its_thread_does_not_free_it)
{
	struct party *t = party_thread(self->m);
	u64 held;

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	ASSERT_EQ(1, next_call(t));
	held = t->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_thread_exit(t));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	ASSERT_EQ(0, b_free_at(self->m, held));
	EXPECT_EQ(2, next_call(self->m));
}

TEST_F(async, the_end_of_its_sender_does_not_stop_it)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node1, 2));
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(2, next_call(self->m));
}

/* Half of the area is for one-way messages, whichever node they are for. */
TEST_F(async, nodes_share_the_space)
{
	struct binder_transaction_data tr = {
		.flags = TF_ONE_WAY,
		.data_size = SMALL_AREA / 4,
	};

	ASSERT_EQ(0, ON(self->c, op_fill, 1, tr.data_size, 0));
	tr.data.ptr.buffer = ptr_u64(self->c->payload);
	tr.target.handle = self->node1;
	put_tr(self->c, BC_TRANSACTION, &tr);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	tr.target.handle = self->node2;
	put_tr(self->c, BC_TRANSACTION, &tr);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	EXPECT_EQ(BR_FAILED_REPLY, b_tell(self->c, 0, 1));
	/* Calls have the other half. */
	EXPECT_EQ(0, b_call(self->c, 1, SMALL_AREA / 2));
	EXPECT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(NODE_1, self->m->res.tr.target.ptr);
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(NODE_2, self->m->res.tr.target.ptr);
	EXPECT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(SMALL_AREA / 2, self->m->res.tr.data_size);
}

/* What calls have taken is not kept for one-way messages. */
TEST_F(async, calls_may_use_all_of_the_area)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, b_call(self->c, 1, SMALL_AREA));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(SMALL_AREA, self->m->res.tr.data_size);
	EXPECT_EQ(BR_FAILED_REPLY, b_tell(other, 0, 2));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_tell(other, 0, 3));
}

TEST_HARNESS_MAIN
