// SPDX-License-Identifier: GPL-2.0
/*
 * Freeze notifications: who hears that the owner of a node was frozen or
 * thawed, and that nobody hears of the next change before he has said that he
 * has heard of the last.
 *
 * The owner o has a node, of which the client c has a handle; f freezes o.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "death.h"
#include "ioctls.h"

#define NODE		0x1000
#define COOKIE		0x77
#define NOTICE		0x8000000000000055ULL
#define NOTICE_2	0x66

FIXTURE(notice)
{
	struct party *m;
	struct party *o;
	struct party *c;
	struct party *f;
	u32 node;		/* c's handle */
};

FIXTURE_SETUP(notice)
{
	long handle;

	ASSERT_TRUE(nothing_in_use());
	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->o = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->o);
	self->c = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	self->f = client_new(0);
	ASSERT_NE(NULL, self->f);
	handle = introduce(self->o, self->m, self->c, NODE, COOKIE);
	ASSERT_LT(0, handle);
	self->node = handle;
}

FIXTURE_TEARDOWN(notice)
{
	kill_all_parties();
}

static long b_request(struct party *p, u32 handle, u64 cookie)
{
	put_handle_cookie(p, BC_REQUEST_FREEZE_NOTIFICATION, handle, cookie);
	return b_go(p, 0);
}

static long b_clear(struct party *p, u32 handle, u64 cookie)
{
	put_handle_cookie(p, BC_CLEAR_FREEZE_NOTIFICATION, handle, cookie);
	return b_go(p, 0);
}

static long b_heard(struct party *p, u64 cookie)
{
	put_cookie(p, BC_FREEZE_NOTIFICATION_DONE, cookie);
	return b_go(p, 0);
}

/* What comes next: whether the owner is frozen, and nothing else. */
static bool hears_state(struct party *p, u64 cookie, u32 frozen)
{
	return b_await(p, BR(BR_FROZEN_BINDER)) == BR_FROZEN_BINDER &&
	       p->res.nr_told == 1 && p->res.told[0].value == frozen &&
	       times_told(p, BR_FROZEN_BINDER, 0, cookie) == 1;
}

static bool hears_cleared(struct party *p, u64 cookie)
{
	const u32 cmd = BR_CLEAR_FREEZE_NOTIFICATION_DONE;

	return b_await(p, BR(cmd)) == cmd && p->res.nr_told == 1 &&
	       times_told(p, cmd, 0, cookie) == 1;
}

#define EXPECT_STATE(p, cookie, frozen)					\
	EXPECT_TRUE(hears_state(p, cookie, frozen))
#define EXPECT_CLEARED(p, cookie)	EXPECT_TRUE(hears_cleared(p, cookie))
#define EXPECT_NO_NEWS(p)		EXPECT_EQ(0, b_drain(p))

/* Asks, hears that the owner is not frozen, and says so. */
static bool listens(struct party *p, u32 handle, u64 cookie)
{
	return !b_request(p, handle, cookie) && hears_state(p, cookie, 0) &&
	       !b_heard(p, cookie);
}

#define ASSERT_FREEZES()						\
	ASSERT_EQ(0, b_freeze_idle(self->f, self->o->pid))
#define ASSERT_THAWS()							\
	ASSERT_EQ(0, b_thaw(self->f, self->o->pid))

TEST_F(notice, who_asks_is_told_the_state_at_once)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, who_asks_about_the_frozen_is_told_so)
{
	ASSERT_FREEZES();
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 1);
}

TEST_F(notice, each_change_is_told)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	for (int i = 0; i < 3; i++) {
		ASSERT_FREEZES();
		EXPECT_STATE(self->c, NOTICE, 1);
		ASSERT_EQ(0, b_heard(self->c, NOTICE));
		ASSERT_THAWS();
		EXPECT_STATE(self->c, NOTICE, 0);
		ASSERT_EQ(0, b_heard(self->c, NOTICE));
	}
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, nobody_is_told_who_did_not_ask)
{
	ASSERT_FREEZES();
	ASSERT_THAWS();
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, a_freeze_that_fails_is_not_told)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_ask(self->c, self->node, 1));
	ASSERT_EQ(-EAGAIN, b_freeze(self->f, self->o->pid, true, 1));
	ASSERT_EQ(1, next_call(self->o));
	ASSERT_EQ(0, b_answer(self->o, 2));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, everybody_who_asked_is_told)
{
	struct party *d = looper_new(AREA_SIZE);
	long handle;

	ASSERT_NE(NULL, d);
	handle = introduce(self->o, self->m, d, NODE, COOKIE);
	ASSERT_LT(0, handle);
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_TRUE(listens(d, handle, NOTICE_2));
	ASSERT_FREEZES();
	EXPECT_STATE(self->c, NOTICE, 1);
	EXPECT_STATE(d, NOTICE_2, 1);
}

/* As with deaths: what a program does about it may be a call. */
TEST_F(notice, one_read_tells_of_one_node)
{
	long handle = introduce(self->o, self->m, self->c, 2 * NODE, COOKIE);
	u64 told = 0;

	ASSERT_LT(0, handle);
	ASSERT_TRUE(listens(self->c, self->node, 1));
	ASSERT_TRUE(listens(self->c, handle, 2));
	ASSERT_FREEZES();
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, b_go(self->c, READ_SIZE));
		ASSERT_EQ(2, self->c->res.n);
		EXPECT_EQ(BR_NOOP, self->c->res.br[0]);
		EXPECT_EQ(BR_FROZEN_BINDER, self->c->res.br[1]);
		EXPECT_EQ(1, self->c->res.told[0].value);
		told |= self->c->res.told[0].cookie;
	}
	EXPECT_EQ(3, told);
}

TEST_F(notice, what_was_not_read_is_brought_up_to_date)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	ASSERT_FREEZES();
	EXPECT_STATE(self->c, NOTICE, 1);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, two_changes_that_were_not_read_are_none)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	ASSERT_FREEZES();
	ASSERT_THAWS();
	EXPECT_STATE(self->c, NOTICE, 0);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, the_next_waits_until_the_last_was_heard)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
	ASSERT_FREEZES();
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 1);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, hearing_what_was_not_told_is_refused)
{
	EXPECT_EQ(-EINVAL, b_heard(self->c, NOTICE));
	EXPECT_EQ(0, self->c->bwr.write_consumed);
}

TEST_F(notice, hearing_before_reading_is_refused)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_EQ(-EINVAL, b_heard(self->c, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
}

TEST_F(notice, hearing_with_another_cookie_is_refused)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
	EXPECT_EQ(-EINVAL, b_heard(self->c, NOTICE_2));
	EXPECT_EQ(0, b_heard(self->c, NOTICE));
}

TEST_F(notice, hearing_twice_is_refused)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	EXPECT_EQ(-EINVAL, b_heard(self->c, NOTICE));
}

TEST_F(notice, asking_twice_is_refused)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_EQ(-EINVAL, b_request(self->c, self->node, NOTICE_2));
	EXPECT_EQ(0, self->c->bwr.write_consumed);
	EXPECT_STATE(self->c, NOTICE, 0);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, an_unknown_handle_is_refused)
{
	EXPECT_EQ(-EINVAL, b_request(self->c, 99, NOTICE));
	EXPECT_EQ(0, self->c->bwr.write_consumed);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, handle_zero_without_a_reference_is_refused)
{
	EXPECT_EQ(-EINVAL, b_request(self->c, 0, NOTICE));
}

TEST_F(notice, handle_zero_with_a_reference)
{
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_TRUE(listens(self->c, 0, NOTICE));
	ASSERT_EQ(0, b_freeze_idle(self->f, self->m->pid));
	EXPECT_STATE(self->c, NOTICE, 1);
}

TEST_F(notice, a_weak_reference_is_enough)
{
	put_ref(self->c, BC_INCREFS, self->node);
	put_ref(self->c, BC_RELEASE, self->node);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_FREEZES();
	EXPECT_STATE(self->c, NOTICE, 1);
}

/* What comes before a refused command has been done, what follows has not. */
TEST_F(notice, a_refusal_ends_the_writing)
{
	put_handle_cookie(self->c, BC_REQUEST_FREEZE_NOTIFICATION, self->node,
			  NOTICE);
	put_handle_cookie(self->c, BC_REQUEST_FREEZE_NOTIFICATION, 99, NOTICE);
	put_ref(self->c, BC_RELEASE, self->node);
	EXPECT_EQ(-EINVAL, b_go(self->c, READ_SIZE));
	EXPECT_EQ(sizeof(u32) + sizeof(struct binder_handle_cookie),
		  self->c->bwr.write_consumed);
	EXPECT_EQ(0, self->c->bwr.read_consumed);
	EXPECT_STATE(self->c, NOTICE, 0);
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, self->node, 1));
}

TEST_F(notice, cleared_while_there_is_no_news)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_clear(self->c, self->node, NOTICE));
	EXPECT_CLEARED(self->c, NOTICE);
	ASSERT_FREEZES();
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, cleared_before_the_news_was_read)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_clear(self->c, self->node, NOTICE));
	EXPECT_CLEARED(self->c, NOTICE);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, cleared_before_the_news_was_heard)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
	ASSERT_EQ(0, b_clear(self->c, self->node, NOTICE));
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	EXPECT_CLEARED(self->c, NOTICE);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, asked_again_after_clearing)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_clear(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE_2));
	ASSERT_EQ(BR_FROZEN_BINDER, b_await(self->c, BR(BR_FROZEN_BINDER)));
	EXPECT_EQ(2, self->c->res.nr_told);
	EXPECT_EQ(1, times_told(self->c, BR_CLEAR_FREEZE_NOTIFICATION_DONE, 0,
				NOTICE));
	EXPECT_EQ(1, times_told(self->c, BR_FROZEN_BINDER, 0, NOTICE_2));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, clearing_what_was_not_asked_is_refused)
{
	EXPECT_EQ(-EINVAL, b_clear(self->c, self->node, NOTICE));
	EXPECT_EQ(0, self->c->bwr.write_consumed);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, clearing_twice_is_refused)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_clear(self->c, self->node, NOTICE));
	EXPECT_EQ(-EINVAL, b_clear(self->c, self->node, NOTICE));
	EXPECT_CLEARED(self->c, NOTICE);
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, clearing_with_another_cookie_is_refused)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	EXPECT_EQ(-EINVAL, b_clear(self->c, self->node, NOTICE_2));
	EXPECT_NO_NEWS(self->c);
	ASSERT_FREEZES();
	EXPECT_STATE(self->c, NOTICE, 1);
}

TEST_F(notice, clearing_an_unknown_handle_is_refused)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	EXPECT_EQ(-EINVAL, b_clear(self->c, 99, NOTICE));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, nobody_is_told_who_has_let_go)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, self->node));
	ASSERT_FREEZES();
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, letting_go_takes_the_news_back)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, self->node));
	EXPECT_NO_NEWS(self->c);
}

TEST_F(notice, what_was_let_go_need_not_be_heard)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, self->node));
	EXPECT_EQ(-EINVAL, b_heard(self->c, NOTICE));
}

/* Deaths are another kind of news, and are told apart by the command only. */
TEST_F(notice, a_death_is_not_a_thaw)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_watch(self->c, self->node, NOTICE));
	ASSERT_FREEZES();
	EXPECT_STATE(self->c, NOTICE, 1);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	EXPECT_EQ(1, self->c->res.nr_told);
	EXPECT_NO_NEWS(self->c);
	ASSERT_EQ(0, b_clear(self->c, self->node, NOTICE));
	EXPECT_CLEARED(self->c, NOTICE);
}

TEST_F(notice, the_dead_have_no_state)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, NOTICE));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_NO_NEWS(self->c);
	EXPECT_EQ(-EINVAL, b_request(self->c, self->node, NOTICE));
	ASSERT_EQ(0, b_clear(self->c, self->node, NOTICE));
	EXPECT_CLEARED(self->c, NOTICE);
}

TEST_F(notice, any_thread_may_read_and_hear)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(t, NOTICE, 0);
	ASSERT_EQ(0, b_heard(self->c, NOTICE));
	START(t, op_await, BR(BR_FROZEN_BINDER));
	ASSERT_TRUE(falls_asleep(t));
	ASSERT_FREEZES();
	EXPECT_EQ(BR_FROZEN_BINDER, finish(t));
}

TEST_F(notice, poll_is_woken_by_a_change)
{
	ASSERT_TRUE(listens(self->c, self->node, NOTICE));
	START(self->c, op_poll, PATIENCE_MS);
	ASSERT_TRUE(falls_asleep(self->c));
	ASSERT_FREEZES();
	EXPECT_EQ(POLLIN, finish_within(self->c, PATIENCE_MS / 2));
	EXPECT_STATE(self->c, NOTICE, 1);
}

TEST_F(notice, the_listener_dies)
{
	ASSERT_EQ(0, b_request(self->c, self->node, NOTICE));
	EXPECT_STATE(self->c, NOTICE, 0);
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	ASSERT_FREEZES();
	ASSERT_THAWS();
	EXPECT_EQ(0, exchange(self->o, self->m, 1, 8));
}

TEST_HARNESS_MAIN
