// SPDX-License-Identifier: GPL-2.0
/*
 * Death notifications: who is told of the end of a node, when, and once.
 *
 * The owner o has a node, of which the client c has a handle. The manager m,
 * who brought them together, lives on, except where its own death is the point.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "death.h"
#include "ioctls.h"

#define NODE		0x1000
#define COOKIE		0x77
/* What the notifications are known by. */
#define WATCH		0x8000000000000055ULL
#define WATCH_2		0x66

FIXTURE(watch)
{
	struct party *m;
	struct party *o;
	struct party *c;
	u32 node;		/* c's handle */
};

FIXTURE_SETUP(watch)
{
	long handle;

	ASSERT_TRUE(nothing_in_use());
	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->o = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->o);
	self->c = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	handle = introduce(self->o, self->m, self->c, NODE, COOKIE);
	ASSERT_LT(0, handle);
	self->node = handle;
}

FIXTURE_TEARDOWN(watch)
{
	kill_all_parties();
}

/* Waits for news of this kind: true if they are about this and nothing else. */
static bool hears(struct party *p, u32 cmd, u64 cookie)
{
	return b_await(p, BR(cmd)) == cmd && p->res.nr_told == 1 &&
	       times_told(p, cmd, 0, cookie) == 1;
}

#define EXPECT_DEATH(p, cookie)						\
	EXPECT_TRUE(hears(p, BR_DEAD_BINDER, cookie))
#define EXPECT_CLEARED(p, cookie)					\
	EXPECT_TRUE(hears(p, BR_CLEAR_DEATH_NOTIFICATION_DONE, cookie))
#define EXPECT_NO_NEWS(p)	EXPECT_EQ(0, b_drain(p))

/* Kills the owner, and a call hears of it. */
static bool ends(struct party *o, struct party *c, u32 node)
{
	return party_kill(o) == SIGKILL && !b_ask(c, node, 1) &&
	       b_receive(c) == BR_DEAD_REPLY;
}

TEST_F(watch, a_kill_is_told)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, a_close_is_told)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, ON(self->o, op_leave));
	EXPECT_DEATH(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, the_end_of_a_thread_is_not_told)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_thread_exit(self->o));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, nobody_is_told_who_did_not_ask)
{
	ASSERT_TRUE(ends(self->o, self->c, self->node));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, calls_to_the_dead_fail)
{
	ASSERT_TRUE(ends(self->o, self->c, self->node));
	ASSERT_EQ(0, b_ask(self->c, self->node, 1));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_EQ(BR_DEAD_REPLY, b_tell(self->c, self->node, 1));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(watch, an_open_call_fails_first)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_ask(self->c, self->node, 1));
	ASSERT_EQ(1, next_call(self->o));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_DEATH(self->c, WATCH);
}

TEST_F(watch, any_cookie_will_do)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, 0));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, 0);
}

TEST_F(watch, everybody_who_asked_is_told)
{
	struct party *d = looper_new(AREA_SIZE);
	long handle;

	ASSERT_NE(NULL, d);
	handle = introduce(self->o, self->m, d, NODE, COOKIE);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_watch(d, handle, WATCH_2));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	EXPECT_DEATH(d, WATCH_2);
	EXPECT_NO_NEWS(self->c);
	EXPECT_NO_NEWS(d);
}

/* What a program does about a death may be a call, so it hears of one only. */
TEST_F(watch, one_read_tells_of_one_death)
{
	long handle = introduce(self->o, self->m, self->c, 2 * NODE, COOKIE);
	u64 told = 0;

	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_watch(self->c, self->node, 1));
	ASSERT_EQ(0, b_watch(self->c, handle, 2));
	ASSERT_TRUE(ends(self->o, self->c, self->node));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, b_go(self->c, READ_SIZE));
		ASSERT_EQ(2, self->c->res.n);
		EXPECT_EQ(BR_NOOP, self->c->res.br[0]);
		EXPECT_EQ(BR_DEAD_BINDER, self->c->res.br[1]);
		told |= self->c->res.told[0].cookie;
	}
	EXPECT_EQ(3, told);
}

TEST_F(watch, the_dead_can_be_asked_about)
{
	ASSERT_TRUE(ends(self->o, self->c, self->node));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	EXPECT_DEATH(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, asking_twice_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH_2));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, asking_again_after_the_news_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH_2));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, an_unknown_handle_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, 99, WATCH));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, a_weak_reference_is_enough)
{
	put_ref(self->c, BC_INCREFS, self->node);
	put_ref(self->c, BC_RELEASE, self->node);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
}

TEST_F(watch, nobody_is_told_who_has_let_go)
{
	struct party *d = looper_new(AREA_SIZE);
	long handle;

	ASSERT_NE(NULL, d);
	handle = introduce(self->o, self->m, d, NODE, COOKIE);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, self->node));
	ASSERT_TRUE(ends(self->o, d, handle));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, letting_go_takes_the_news_back)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_TRUE(has_news(self->c));
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, self->node));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, letting_go_after_the_news)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, self->node));
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	EXPECT_NO_NEWS(self->c);
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(watch, cleared_before_the_death)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_CLEARED(self->c, WATCH);
	ASSERT_TRUE(ends(self->o, self->c, self->node));
	EXPECT_NO_NEWS(self->c);
}

/* The death may be on its way to the program, so it comes first all the same. */
TEST_F(watch, cleared_before_the_news)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_TRUE(has_news(self->c));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_DEATH(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	EXPECT_CLEARED(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, cleared_after_the_news)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	EXPECT_CLEARED(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, cleared_after_all)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_CLEARED(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, clearing_with_another_cookie_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH_2));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
}

TEST_F(watch, clearing_twice_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_CLEARED(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, clearing_what_was_not_asked_is_ignored)
{
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, clearing_an_unknown_handle_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, 99, WATCH));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, asked_again_after_clearing)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	/* Without waiting for the answer. */
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH_2));
	EXPECT_CLEARED(self->c, WATCH);
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH_2);
}

TEST_F(watch, the_dead_can_be_asked_about_again)
{
	ASSERT_TRUE(ends(self->o, self->c, self->node));
	for (u64 cookie = 1; cookie <= 3; cookie++) {
		ASSERT_EQ(0, b_watch(self->c, self->node, cookie));
		EXPECT_DEATH(self->c, cookie);
		ASSERT_EQ(0, b_noticed(self->c, cookie));
		ASSERT_EQ(0, b_unwatch(self->c, self->node, cookie));
		EXPECT_CLEARED(self->c, cookie);
	}
}

TEST_F(watch, noticing_what_was_not_told_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
}

TEST_F(watch, noticing_twice_is_ignored)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_DEATH(self->c, WATCH);
	ASSERT_EQ(0, b_unwatch(self->c, self->node, WATCH));
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	ASSERT_EQ(0, b_noticed(self->c, WATCH));
	EXPECT_CLEARED(self->c, WATCH);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(watch, the_watcher_dies_first)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, WATCH));
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_EQ(0, exchange(self->o, self->m, 1, 8));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_HARNESS_MAIN
