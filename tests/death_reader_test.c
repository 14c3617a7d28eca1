// SPDX-License-Identifier: GPL-2.0
/*
 * Death notifications: which thread of a process reads them; and the death of
 * a context manager, whose handle everybody has.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "death.h"
#include "ioctls.h"

#define NODE		0x1000
#define COOKIE		0x77
#define WATCH		0x55

FIXTURE(reader)
{
	struct party *m;
	struct party *o;
	struct party *c;
	struct party *t;	/* another thread of c's */
	u32 node;		/* c's handle of a node of o's */
};

FIXTURE_SETUP(reader)
{
	long handle;

	ASSERT_TRUE(nothing_in_use());
	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->o = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->o);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	self->t = party_thread(self->c);
	ASSERT_NE(NULL, self->t);
	ASSERT_EQ(0, b_greet(self->t));
	handle = introduce(self->o, self->m, self->c, NODE, COOKIE);
	ASSERT_LT(0, handle);
	self->node = handle;
}

FIXTURE_TEARDOWN(reader)
{
	kill_all_parties();
}

TEST_F(reader, a_looper_that_waits)
{
	ASSERT_EQ(0, b_enter_looper(self->t));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	START(self->t, op_await, BR(BR_DEAD_BINDER));
	ASSERT_TRUE(falls_asleep(self->t));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(BR_DEAD_BINDER, finish(self->t));
	EXPECT_EQ(1, times_told(self->t, BR_DEAD_BINDER, 0, WATCH));
	EXPECT_EQ(0, b_drain(self->c));
}

TEST_F(reader, a_thread_outside_the_loop)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	START(self->t, op_await, BR(BR_DEAD_BINDER));
	ASSERT_TRUE(falls_asleep(self->t));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(BR_DEAD_BINDER, finish(self->t));
}

/* Whoever waits for an answer hears nothing else. */
TEST_F(reader, not_a_caller)
{
	ASSERT_EQ(0, b_enter_looper(self->t));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	START(self->t, op_await, BR(BR_DEAD_BINDER));
	ASSERT_TRUE(falls_asleep(self->t));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(BR_DEAD_BINDER, finish(self->t));
	EXPECT_EQ(-EAGAIN, b_look(self->c));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->c));
}

TEST_F(reader, a_caller_after_its_answer)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->c));
	EXPECT_FALSE(seen(&self->c->res) & BR(BR_DEAD_BINDER));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
}

TEST_F(reader, the_end_of_the_asking_thread_changes_nothing)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_watch(self->t, self->node, WATCH));
	ASSERT_EQ(0, b_thread_exit(self->t));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
}

TEST_F(reader, any_thread_may_notice_and_clear)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_enter_looper(self->t));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_noticed(self->t, WATCH));
	ASSERT_EQ(0, b_unwatch(self->t, self->node, WATCH));
	EXPECT_EQ(BR_CLEAR_DEATH_NOTIFICATION_DONE,
		  b_await(self->t, BR(BR_CLEAR_DEATH_NOTIFICATION_DONE)));
}

/* The answer to a looper is for itself. */
TEST_F(reader, a_looper_that_clears)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_EQ(0, b_drain(self->t));
	EXPECT_EQ(1, b_drain(self->c));
	EXPECT_EQ(1, times_told(self->c, BR_CLEAR_DEATH_NOTIFICATION_DONE, 0,
				WATCH));
}

TEST_F(reader, a_looper_that_notices_what_was_cleared)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	EXPECT_EQ(0, b_drain(self->t));
	EXPECT_EQ(1, b_drain(self->c));
	EXPECT_EQ(1, times_told(self->c, BR_CLEAR_DEATH_NOTIFICATION_DONE, 0,
				WATCH));
}

/* The answer to another thread is for anybody who listens. */
TEST_F(reader, a_thread_outside_the_loop_that_clears)
{
	ASSERT_EQ(0, b_enter_looper(self->t));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_EQ(1, b_drain(self->t));
	EXPECT_EQ(1, times_told(self->t, BR_CLEAR_DEATH_NOTIFICATION_DONE, 0,
				WATCH));
	EXPECT_EQ(0, b_drain(self->c));
}

TEST_F(reader, poll_is_woken_by_a_death)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, ON(self->c, op_poll, 0));
	START(self->c, op_poll, PATIENCE_MS);
	ASSERT_TRUE(falls_asleep(self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(POLLIN, finish_within(self->c, PATIENCE_MS / 2));
	EXPECT_EQ(1, b_drain(self->c));
	EXPECT_EQ(1, times_told(self->c, BR_DEAD_BINDER, 0, WATCH));
	EXPECT_EQ(0, ON(self->c, op_poll, 0));
}

TEST_F(reader, poll_tells_of_an_answer_to_clearing)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_EQ(POLLIN, ON(self->c, op_poll, 0));
	EXPECT_EQ(1, b_drain(self->c));
	EXPECT_EQ(0, ON(self->c, op_poll, 0));
}

TEST_F(reader, the_manager_s_death_is_told)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_EQ(0, b_watch(self->c, 0, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	EXPECT_EQ(1, times_told(self->c, BR_DEAD_BINDER, 0, WATCH));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
}

TEST_F(reader, handle_zero_without_a_reference_is_ignored)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_watch(self->c, 0, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(0, b_become_manager(self->o));
	EXPECT_EQ(0, b_drain(self->c));
}

/* Calls to handle 0 are for whoever is the manager, the notification is not. */
TEST_F(reader, another_manager_is_not_the_dead_one)
{
	ASSERT_EQ(0, b_enter_looper(self->o));
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_EQ(0, b_watch(self->c, 0, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(0, b_become_manager(self->o));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_EQ(1, next_call(self->o));
	ASSERT_EQ(0, b_answer(self->o, 2));
	EXPECT_EQ(2, next_answer(self->c));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_EQ(0, b_become_manager(self->c));
	EXPECT_EQ(0, b_drain(self->c));
}

TEST_F(reader, another_manager_s_death_is_told_to_who_asks_again)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_EQ(0, b_watch(self->c, 0, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, 0));
	ASSERT_EQ(0, b_become_manager(self->o));
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_EQ(0, b_watch(self->c, 0, WATCH + 1));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	EXPECT_EQ(1, times_told(self->c, BR_DEAD_BINDER, 0, WATCH + 1));
}

TEST_HARNESS_MAIN
