// SPDX-License-Identifier: GPL-2.0
/*
 * The pool of threads: when the driver asks for another one, who may register,
 * and what becomes of the work of a thread that leaves.
 */
#include <kselftest_harness.h>

#include "ioctls.h"
#include "pair.h"

FIXTURE(pool)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(pool)
{
	ASSERT_TRUE(nothing_in_use());
	SETUP_PAIR();
	ASSERT_EQ(0, b_greet(self->c));
}

FIXTURE_TEARDOWN(pool)
{
	kill_all_parties();
}

/* How often what a party read asks for a thread. */
static int asked(struct party *p)
{
	int n = 0;

	for (unsigned int i = 0; i < p->res.n; i++)
		n += p->res.br[i] == BR_SPAWN_LOOPER;
	return n;
}

/* How often a thread is asked for another one while it serves one call. */
static int serve(struct party *c, struct party *m)
{
	int n;

	if (b_call(c, 1, 8) || b_receive(m) != BR_TRANSACTION)
		return -EPROTO;
	n = asked(m);
	if (b_free(m) || b_reply(m, 2, 8) ||
	    b_receipt(m) != BR_TRANSACTION_COMPLETE)
		return -EPROTO;
	n += asked(m);
	if (b_receive(c) != BR_REPLY || b_free(c))
		return -EPROTO;
	return n;
}

static long b_register(struct party *t)
{
	put_cmd(t, BC_REGISTER_LOOPER);
	return b_go(t, 0);
}

/* A thread of the manager's that has not said what it is for. */
static struct party *thread_of(struct party *m)
{
	struct party *t = party_thread(m);

	return t && !b_greet(t) ? t : NULL;
}

TEST_F(pool, nobody_is_wanted_unless_allowed)
{
	EXPECT_EQ(0, serve(self->c, self->m));
	ASSERT_EQ(0, b_set_max_threads(self->m, 0));
	EXPECT_EQ(0, serve(self->c, self->m));
}

TEST_F(pool, it_asks_in_front_of_a_call)
{
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(0, b_go(self->m, READ_SIZE));
	ASSERT_EQ(2, self->m->res.n);
	EXPECT_EQ(BR_SPAWN_LOOPER, self->m->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION, self->m->res.br[1]);
}

TEST_F(pool, it_asks_in_front_of_a_receipt)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, asked(self->m));
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(0, b_go(self->m, READ_SIZE));
	ASSERT_EQ(2, self->m->res.n);
	EXPECT_EQ(BR_SPAWN_LOOPER, self->m->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, self->m->res.br[1]);
}

TEST_F(pool, a_read_without_work_does_not_ask)
{
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(0, b_set_nonblock(self->m));
	ASSERT_EQ(-EAGAIN, b_go(self->m, READ_SIZE));
	EXPECT_EQ(0, self->m->bwr.read_consumed);
	EXPECT_EQ(1, serve(self->c, self->m));
}

TEST_F(pool, it_asks_for_one_at_a_time)
{
	ASSERT_EQ(0, b_set_max_threads(self->m, 8));
	EXPECT_EQ(1, serve(self->c, self->m));
	EXPECT_EQ(0, serve(self->c, self->m));
	EXPECT_EQ(0, serve(self->c, self->m));
}

TEST_F(pool, the_other_loopers_are_not_asked_meanwhile)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_set_max_threads(self->m, 8));
	EXPECT_EQ(1, serve(self->c, self->m));
	EXPECT_EQ(0, serve(self->c, t));
}

/* Which thread was asked is of no importance, nor which one is new. */
TEST_F(pool, any_thread_may_register)
{
	struct party *t = thread_of(self->m);
	struct party *u = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_NE(NULL, u);
	ASSERT_EQ(0, b_set_max_threads(t, 2));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(u));
	EXPECT_EQ(1, serve(self->c, u));
	ASSERT_EQ(0, b_register(t));
	EXPECT_EQ(0, serve(self->c, t));
}

TEST_F(pool, who_entered_by_itself_does_not_count)
{
	struct party *t = thread_of(self->m);
	struct party *u = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_NE(NULL, u);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_enter_looper(u));
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	EXPECT_EQ(1, serve(self->c, t));
}

TEST_F(pool, an_unasked_thread_does_not_count)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(0, b_register(t));
	EXPECT_EQ(1, serve(self->c, self->m));
}

TEST_F(pool, an_unasked_thread_serves_all_the_same)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_register(t));
	EXPECT_EQ(0, serve(self->c, t));
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	EXPECT_EQ(1, serve(self->c, t));
}

/* It is in the loop already, so it is not the thread that was asked for. */
TEST_F(pool, register_after_enter_meets_no_request)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 2));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(self->m));
	EXPECT_EQ(4, self->m->bwr.write_consumed);
	EXPECT_EQ(0, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(t));
	EXPECT_EQ(1, serve(self->c, self->m));
}

TEST_F(pool, enter_after_register_changes_nothing)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(t));
	ASSERT_EQ(0, b_enter_looper(t));
	EXPECT_EQ(4, t->bwr.write_consumed);
	EXPECT_EQ(0, serve(self->c, t));
	ASSERT_EQ(0, b_set_max_threads(self->m, 2));
	EXPECT_EQ(1, serve(self->c, t));
}

TEST_F(pool, a_second_registration_does_not_count)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 2));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(t));
	ASSERT_EQ(0, b_register(t));
	EXPECT_EQ(1, serve(self->c, self->m));
}

TEST_F(pool, entering_twice_changes_nothing)
{
	ASSERT_EQ(0, b_enter_looper(self->m));
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	EXPECT_EQ(1, serve(self->c, self->m));
	EXPECT_EQ(0, serve(self->c, self->m));
}

/* It takes the work of its process, but only loopers make the pool grow. */
TEST_F(pool, a_thread_outside_the_loop_is_not_asked)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	EXPECT_EQ(0, serve(self->c, t));
	EXPECT_EQ(1, serve(self->c, self->m));
}

TEST_F(pool, fewer_are_allowed_than_there_are)
{
	struct party *t = thread_of(self->m);
	struct party *u = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_NE(NULL, u);
	ASSERT_EQ(0, b_set_max_threads(self->m, 2));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(t));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(u));
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	EXPECT_EQ(0, serve(self->c, self->m));
	ASSERT_EQ(0, b_set_max_threads(self->m, 2));
	EXPECT_EQ(0, serve(self->c, self->m));
	ASSERT_EQ(0, b_set_max_threads(self->m, 3));
	EXPECT_EQ(1, serve(self->c, self->m));
}

/* A request that was made stands. */
TEST_F(pool, none_is_allowed_after_one_was_asked_for)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_set_max_threads(self->m, 0));
	ASSERT_EQ(0, b_register(t));
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	EXPECT_EQ(0, serve(self->c, t));
	ASSERT_EQ(0, b_set_max_threads(self->m, 2));
	EXPECT_EQ(1, serve(self->c, t));
}

/* The limit is of threads ever started: programs count them themselves. */
TEST_F(pool, who_leaves_is_not_replaced)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(t));
	ASSERT_EQ(0, b_thread_exit(t));
	EXPECT_EQ(0, serve(self->c, self->m));
}

TEST_F(pool, who_leaves_without_registering_stays_awaited)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 2));
	ASSERT_EQ(1, serve(self->c, self->m));
	ASSERT_EQ(0, b_thread_exit(t));
	EXPECT_EQ(0, serve(self->c, self->m));
	ASSERT_EQ(0, b_register(t));
	EXPECT_EQ(1, serve(self->c, self->m));
}

TEST_F(pool, a_thread_that_waits_makes_another_one_needless)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	START(t, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(t));
	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_EQ(0, asked(self->m));
	EXPECT_TRUE(is_busy(t));
}

/* Grows as it is asked to, until every caller has a thread of its own. */
TEST_F(pool, many_threads_serve)
{
	enum { THREADS = 6 };
	struct party *t[THREADS + 1] = { self->m };
	struct party *c[THREADS + 1] = { self->c };

	ASSERT_EQ(0, b_set_max_threads(self->m, THREADS));
	for (int i = 0; i <= THREADS; i++) {
		if (i) {
			c[i] = client_new(AREA_SIZE);
			ASSERT_NE(NULL, c[i]);
			t[i] = thread_of(self->m);
			ASSERT_NE(NULL, t[i]);
			ASSERT_EQ(0, b_register(t[i]));
		}
		ASSERT_EQ(0, b_call(c[i], i, 8));
		ASSERT_EQ(BR_TRANSACTION, b_receive(t[i]));
		EXPECT_EQ(i < THREADS, asked(t[i])) {
			TH_LOG("thread %d", i);
		}
		EXPECT_EQ(c[i]->pid, t[i]->res.tr.sender_pid);
	}
	for (int i = THREADS; i >= 0; i--) {
		ASSERT_EQ(0, b_reply(t[i], 100 + i, 8));
		ASSERT_EQ(BR_REPLY, b_receive(c[i]));
		EXPECT_EQ(-1, b_mismatch(c[i], 100 + i));
	}
}

TEST_F(pool, leaving_keeps_the_work_of_the_process)
{
	struct party *t = thread_of(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(0, b_thread_exit(self->m));
	ASSERT_EQ(BR_TRANSACTION, b_receive(t));
	EXPECT_EQ(-1, b_mismatch(t, 1));
	ASSERT_EQ(0, b_reply(t, 2, 8));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
}

TEST_F(pool, leaving_drops_receipts)
{
	ASSERT_EQ(0, b_oneway(self->c, 1, 8));
	ASSERT_EQ(0, b_thread_exit(self->c));
	ASSERT_EQ(0, b_greet(self->c));
	ASSERT_EQ(0, b_set_nonblock(self->c));
	EXPECT_EQ(-EAGAIN, b_go(self->c, READ_SIZE));
	/* The message has gone all the same. */
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
}

TEST_F(pool, leaving_drops_failures)
{
	struct binder_transaction_data tr = { .target.handle = 99 };

	put_tr(self->c, BC_TRANSACTION, &tr);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_EQ(0, b_thread_exit(self->c));
	ASSERT_EQ(0, b_greet(self->c));
	ASSERT_EQ(0, b_set_nonblock(self->c));
	EXPECT_EQ(-EAGAIN, b_go(self->c, READ_SIZE));
}

/* Who answers is not to blame for the caller's absence. */
TEST_F(pool, leaving_while_a_call_is_out)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_thread_exit(self->c));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	ASSERT_EQ(0, b_greet(self->c));
	ASSERT_EQ(0, b_set_nonblock(self->c));
	EXPECT_EQ(-EAGAIN, b_go(self->c, READ_SIZE));
	ASSERT_EQ(0, b_set_block(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 8));
}

TEST_F(pool, leaving_before_a_call_is_taken)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(0, b_thread_exit(self->c));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	ASSERT_EQ(0, b_greet(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 8));
}

TEST_F(pool, leaving_with_an_answer_unread)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	ASSERT_EQ(0, b_thread_exit(self->c));
	ASSERT_EQ(0, b_greet(self->c));
	ASSERT_EQ(0, b_set_nonblock(self->c));
	EXPECT_EQ(-EAGAIN, b_go(self->c, READ_SIZE));
	ASSERT_EQ(0, b_set_block(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 8));
}

TEST_F(pool, leaving_twice)
{
	EXPECT_EQ(0, b_thread_exit(self->c));
	EXPECT_EQ(0, b_thread_exit(self->c));
}

TEST_HARNESS_MAIN
