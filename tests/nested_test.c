// SPDX-License-Identifier: GPL-2.0
/*
 * Nested calls: whom a callback goes to, and what becomes of a chain of calls
 * when one of its links breaks.
 *
 * a calls the manager m, m calls c, and each of them may call back. All have
 * one thread unless a case says otherwise.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "ioctls.h"
#include "parcel.h"

#define NODE_A		0xa000
#define NODE_C		0xc000
#define COOKIE		0x77
#define DEPTH		12

FIXTURE(nested)
{
	struct party *m;
	struct party *a;
	struct party *c;
	u32 a_of_m;		/* handles: whose node, and who has it */
	u32 c_of_m;
	u32 a_of_c;
};

FIXTURE_SETUP(nested)
{
	long handle;

	ASSERT_TRUE(nothing_in_use());
	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->a = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->a);
	self->c = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	handle = give_node(self->a, self->m, NODE_A, COOKIE);
	ASSERT_LT(0, handle);
	self->a_of_m = handle;
	handle = hand_handle(self->m, self->c, self->a_of_m);
	ASSERT_LT(0, handle);
	self->a_of_c = handle;
	handle = give_node(self->c, self->m, NODE_C, COOKIE);
	ASSERT_LT(0, handle);
	self->c_of_m = handle;
}

FIXTURE_TEARDOWN(nested)
{
	kill_all_parties();
}

/* Another thread of a process, that may serve. */
static struct party *looper_of(struct party *p)
{
	struct party *t = party_thread(p);

	return t && !b_enter_looper(t) ? t : NULL;
}

TEST_F(nested, the_caller_gets_the_callback)
{
	const struct binder_transaction_data *tr = &self->a->res.tr;

	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(2, next_call(self->a));
	EXPECT_EQ(NODE_A, tr->target.ptr);
	EXPECT_EQ(COOKIE, tr->cookie);
	EXPECT_EQ(self->m->pid, tr->sender_pid);
	ASSERT_EQ(0, b_answer(self->a, 3));
	EXPECT_EQ(3, next_answer(self->m));
	ASSERT_EQ(0, b_answer(self->m, 4));
	EXPECT_EQ(4, next_answer(self->a));
	EXPECT_EQ(0, exchange(self->a, self->m, 5, 8));
}

TEST_F(nested, the_caller_is_woken_by_the_callback)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	START(self->a, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(self->a));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(BR_TRANSACTION, finish(self->a));
	EXPECT_EQ(2, self->a->res.tr.code);
	ASSERT_EQ(0, b_answer(self->a, 3));
	EXPECT_EQ(3, next_answer(self->m));
}

/* One read tells that the call has gone and brings the callback. */
TEST_F(nested, the_receipt_comes_with_the_callback)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(0, b_go(self->a, READ_SIZE));
	ASSERT_EQ(3, self->a->res.n);
	EXPECT_EQ(BR_NOOP, self->a->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, self->a->res.br[1]);
	EXPECT_EQ(BR_TRANSACTION, self->a->res.br[2]);
}

TEST_F(nested, the_caller_gets_it_though_another_thread_waits)
{
	struct party *t = looper_of(self->a);

	ASSERT_NE(NULL, t);
	START(t, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(t));
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	EXPECT_EQ(2, next_call(self->a));
	EXPECT_TRUE(is_busy(t));
	ASSERT_EQ(0, b_answer(self->a, 3));
	EXPECT_EQ(3, next_answer(self->m));
}

TEST_F(nested, the_callback_is_for_no_other_thread)
{
	struct party *t = looper_of(self->a);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	EXPECT_EQ(-EAGAIN, b_look(t));
	EXPECT_EQ(2, next_call(self->a));
}

/* c knows nothing of a's call, but it is in the same chain. */
TEST_F(nested, the_caller_gets_it_from_further_down)
{
	struct party *t = looper_of(self->a);

	ASSERT_NE(NULL, t);
	START(t, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(t));
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(0, b_ask(self->c, self->a_of_c, 3));
	EXPECT_EQ(3, next_call(self->a));
	EXPECT_EQ(self->c->pid, self->a->res.tr.sender_pid);
	EXPECT_TRUE(is_busy(t));
	ASSERT_EQ(0, b_answer(self->a, 4));
	EXPECT_EQ(4, next_answer(self->c));
	ASSERT_EQ(0, b_answer(self->c, 5));
	EXPECT_EQ(5, next_answer(self->m));
	ASSERT_EQ(0, b_answer(self->m, 6));
	EXPECT_EQ(6, next_answer(self->a));
}

TEST_F(nested, a_link_in_the_middle_gets_it)
{
	struct party *t = looper_of(self->m);

	ASSERT_NE(NULL, t);
	START(t, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(t));
	/* Nobody else waits, so the call is for t. */
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(BR_TRANSACTION, finish(t));
	ASSERT_EQ(0, b_ask(t, self->c_of_m, 2));
	ASSERT_EQ(2, next_call(self->c));
	START(self->m, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 3));
	EXPECT_EQ(3, next_call(t));
	EXPECT_TRUE(is_busy(self->m));
}

TEST_F(nested, each_chain_comes_back_to_its_own_thread)
{
	struct party *a2 = looper_of(self->a);
	struct party *m2 = looper_of(self->m);

	ASSERT_NE(NULL, a2);
	ASSERT_NE(NULL, m2);
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(a2, 0, 2));
	ASSERT_EQ(2, next_call(m2));
	ASSERT_EQ(0, b_ask(m2, self->a_of_m, 12));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 11));
	EXPECT_EQ(11, next_call(self->a));
	EXPECT_EQ(12, next_call(a2));
	ASSERT_EQ(0, b_answer(self->a, 21));
	ASSERT_EQ(0, b_answer(a2, 22));
	EXPECT_EQ(21, next_answer(self->m));
	EXPECT_EQ(22, next_answer(m2));
	ASSERT_EQ(0, b_answer(m2, 32));
	ASSERT_EQ(0, b_answer(self->m, 31));
	EXPECT_EQ(31, next_answer(self->a));
	EXPECT_EQ(32, next_answer(a2));
}

TEST_F(nested, back_and_forth_to_a_depth)
{
	struct party *side[2] = { self->a, self->m };
	u32 handle[2] = { 0, self->a_of_m };

	for (int i = 0; i < DEPTH; i++) {
		ASSERT_EQ(0, b_ask(side[i & 1], handle[i & 1], 1 + i));
		ASSERT_EQ(1 + i, next_call(side[~i & 1]));
	}
	/* The last call is the first to be answered. */
	for (int i = DEPTH - 1; i >= 0; i--) {
		ASSERT_EQ(0, b_answer(side[~i & 1], 100 + i));
		ASSERT_EQ(100 + i, next_answer(side[i & 1]));
	}
	EXPECT_EQ(-EAGAIN, b_look(self->a));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	EXPECT_EQ(0, exchange(self->a, self->m, 5, 8));
}

TEST_F(nested, one_answer_too_many)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(2, next_call(self->a));
	ASSERT_EQ(0, b_answer(self->a, 3));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->a));
	/* What is left is a call of its own, which is not for it to answer. */
	ASSERT_EQ(0, b_answer(self->a, 4));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->a));
	EXPECT_EQ(3, next_answer(self->m));
	ASSERT_EQ(0, b_answer(self->m, 5));
	EXPECT_EQ(5, next_answer(self->a));
}

/* It has to hear the answer to its own call first. */
TEST_F(nested, who_calls_on_cannot_answer_yet)
{
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->m));
	EXPECT_EQ(-EAGAIN, b_look(self->a));
	ASSERT_EQ(0, b_answer(self->c, 4));
	EXPECT_EQ(4, next_answer(self->m));
	ASSERT_EQ(0, b_answer(self->m, 5));
	EXPECT_EQ(5, next_answer(self->a));
}

TEST_F(nested, a_caller_takes_no_other_call)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->c, self->a_of_c, 2));
	EXPECT_EQ(-EAGAIN, b_look(self->a));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(3, next_answer(self->a));
	EXPECT_EQ(2, next_call(self->a));
}

TEST_F(nested, another_thread_takes_the_other_call)
{
	struct party *t = looper_of(self->a);

	ASSERT_NE(NULL, t);
	START(t, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(t));
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->c, self->a_of_c, 2));
	EXPECT_EQ(BR_TRANSACTION, finish(t));
	EXPECT_EQ(2, t->res.tr.code);
	EXPECT_EQ(-EAGAIN, b_look(self->a));
}

TEST_F(nested, who_serves_takes_no_other_call)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 2));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(2, next_call(self->m));
}

/* A one-way message belongs to no chain. */
TEST_F(nested, a_oneway_callback_is_for_anybody)
{
	struct party *t = looper_of(self->a);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->m, self->a_of_m, 2));
	EXPECT_EQ(-EAGAIN, b_look(self->a));
	EXPECT_EQ(2, next_call(t));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(3, next_answer(self->a));
}

/* Handling a one-way message is not waiting for its sender. */
TEST_F(nested, calls_from_a_oneway_start_a_new_chain)
{
	struct party *t = looper_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->m, self->a_of_m, 1));
	ASSERT_EQ(1, next_call(self->a));
	ASSERT_EQ(0, b_ask(self->a, 0, 2));
	ASSERT_EQ(2, next_call(t));
	ASSERT_EQ(0, b_answer(t, 3));
	EXPECT_EQ(3, next_answer(self->a));
}

TEST_F(nested, the_callback_of_one_who_has_left_is_for_anybody)
{
	struct party *t = looper_of(self->a);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_thread_exit(self->a));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(2, next_call(t));
	ASSERT_EQ(0, b_answer(t, 3));
	EXPECT_EQ(3, next_answer(self->m));
}

TEST_F(nested, leaving_with_the_callback_unread)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(0, b_thread_exit(self->a));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
}

TEST_F(nested, leaving_in_the_callback)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(2, next_call(self->a));
	ASSERT_EQ(0, b_thread_exit(self->a));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
}

TEST_F(nested, dying_with_the_callback_unread)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(SIGKILL, party_kill(self->a));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 5, 8));
}

TEST_F(nested, dying_in_the_callback)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, self->a_of_m, 2));
	ASSERT_EQ(2, next_call(self->a));
	ASSERT_EQ(SIGKILL, party_kill(self->a));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 5, 8));
}

TEST_F(nested, the_first_link_dies)
{
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->a));
	ASSERT_EQ(0, b_answer(self->c, 3));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	EXPECT_EQ(3, next_answer(self->m));
	ASSERT_EQ(0, b_answer(self->m, 4));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 5, 8));
}

/* When a hears of it, before or after c's answer, is the driver's choice. */
TEST_F(nested, the_middle_link_dies)
{
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	/* Once it is gone another one can be the manager. */
	ASSERT_EQ(0, b_become_manager(self->c));
	ASSERT_EQ(0, b_answer(self->c, 3));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->a));
	EXPECT_EQ(-EAGAIN, b_look(self->a));
	EXPECT_EQ(0, exchange(self->a, self->c, 5, 8));
}

TEST_F(nested, the_last_link_dies)
{
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->m));
	EXPECT_EQ(-EAGAIN, b_look(self->a));
	ASSERT_EQ(0, b_answer(self->m, 4));
	EXPECT_EQ(4, next_answer(self->a));
}

TEST_F(nested, the_middle_and_the_last_link_die)
{
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->a));
	EXPECT_EQ(-EAGAIN, b_look(self->a));
}

TEST_HARNESS_MAIN
