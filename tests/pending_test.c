// SPDX-License-Identifier: GPL-2.0
/*
 * The end of a process, by close and by kill, with something in each of the
 * places where work can wait: everybody else goes on, and nothing is left.
 *
 * Calls and one-way messages that wait are in teardown_test, callbacks in
 * nested_test.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "death.h"
#include "ioctls.h"

#define NODE		0x1000
#define COOKIE		0x77
#define NOTICE		0x55

FIXTURE(pending)
{
	struct party *m;
	struct party *o;
	struct party *c;	/* the one who ends */
	u32 node;		/* c's handle of a node of o's */
	u32 node_of_c;		/* m's handle; m watches it */
};

FIXTURE_VARIANT(pending)
{
	bool killed;
};

FIXTURE_VARIANT_ADD(pending, closed) {
	.killed = false,
};

FIXTURE_VARIANT_ADD(pending, killed) {
	.killed = true,
};

FIXTURE_SETUP(pending)
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
	handle = give_node(self->c, self->m, 2 * NODE, COOKIE);
	ASSERT_LT(0, handle);
	self->node_of_c = handle;
	ASSERT_EQ(0, b_watch(self->m, handle, NOTICE));
}

FIXTURE_TEARDOWN(pending)
{
	kill_all_parties();
}

static bool ends(struct party *c, bool killed)
{
	return killed ? party_kill(c) == SIGKILL : !ON(c, op_leave);
}

/* m hears of the end, and can still talk with whoever is left. */
static void expect_clean_end(struct __test_metadata *_metadata,
			     struct party *c, struct party *m, bool killed)
{
	struct party *other;

	ASSERT_TRUE(ends(c, killed));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(m, BR(BR_DEAD_BINDER)));
	EXPECT_EQ(1, times_told(m, BR_DEAD_BINDER, 0, NOTICE));
	other = client_new(AREA_SIZE);
	ASSERT_NE(NULL, other);
	EXPECT_EQ(0, exchange(other, m, 1, 8));
	EXPECT_TRUE(nothing_in_use());
}

#define EXPECT_CLEAN_END()						\
	expect_clean_end(_metadata, self->c, self->m, variant->killed)

/* A node goes when its owner has read that nobody wants it any more. */
static long nodes_left(struct party *p)
{
	u64 end = now_ms() + PATIENCE_MS / 2;
	long n;

	while ((n = b_nodes(p)) > 0 && now_ms() < end) {
		b_drain(p);
		nap();
	}
	return n;
}

static long b_notice(struct party *p, u32 cmd, u32 handle)
{
	put_handle_cookie(p, cmd, handle, COOKIE);
	return b_go(p, 0);
}

TEST_F(pending, a_receipt)
{
	ASSERT_EQ(0, b_say(self->c, BC_TRANSACTION, self->node, 1, TF_ONE_WAY));
	ASSERT_EQ(1, next_call(self->o));
	ASSERT_EQ(0, b_free(self->o));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_failure)
{
	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_receipt_and_a_failure)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 2));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_CLEAN_END();
}

/* The manager gets its own reference back. */
TEST_F(pending, an_answer_with_a_node)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_free(self->m));
	put_binder(parcel_new(self->m), 3 * NODE, COOKIE);
	ASSERT_EQ(0, b_post(self->m, BC_REPLY, 0, 0));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	put_dones(self->m);
	ASSERT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(1, b_nodes(self->m));
	EXPECT_CLEAN_END();
	EXPECT_EQ(0, nodes_left(self->m));
}

TEST_F(pending, an_announcement)
{
	put_binder(parcel_new(self->c), 3 * NODE, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, TF_ONE_WAY));
	ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(self->m));
	put_own(self->m);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_CLEAN_END();
	ASSERT_EQ(0, b_ask(self->m, flat(self->m->in, 0)->handle, 1));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->m));
}

TEST_F(pending, an_announcement_in_a_message_that_was_not_read)
{
	put_binder(parcel_new(self->c), 3 * NODE, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, self->node, TF_ONE_WAY));
	ASSERT_TRUE(ends(self->c, variant->killed));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->m, BR(BR_DEAD_BINDER)));
	/* It arrives all the same, with the handle of a dead node. */
	ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(self->o));
	ASSERT_EQ(0, b_ask(self->o, flat(self->o->in, 0)->handle, 1));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->o));
}

TEST_F(pending, an_announcement_that_was_not_acknowledged)
{
	put_binder(parcel_new(self->c), 3 * NODE, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, self->node, TF_ONE_WAY));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	EXPECT_EQ(1, times_told(self->c, BR_ACQUIRE, 3 * NODE, COOKIE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->o));
	ASSERT_EQ(0, b_free(self->o));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_release)
{
	put_binder(parcel_new(self->c), 3 * NODE, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, self->node, TF_ONE_WAY));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	put_dones(self->c);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->o));
	ASSERT_EQ(0, b_free(self->o));
	ASSERT_TRUE(has_news(self->c));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_death_that_is_not_there)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, COOKIE));
	EXPECT_CLEAN_END();
	/* Nobody is left to be told. */
	EXPECT_EQ(SIGKILL, party_kill(self->o));
}

TEST_F(pending, a_death_that_was_not_read)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, COOKIE));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_TRUE(has_news(self->c));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_death_that_was_not_read_but_cleared)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, COOKIE));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_TRUE(has_news(self->c));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, COOKIE));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_death_that_was_not_noticed)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, COOKIE));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_death_that_was_not_noticed_but_cleared)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, COOKIE));
	ASSERT_EQ(SIGKILL, party_kill(self->o));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, COOKIE));
	EXPECT_CLEAN_END();
}

TEST_F(pending, an_answer_to_clearing)
{
	ASSERT_EQ(0, b_watch(self->c, self->node, COOKIE));
	ASSERT_EQ(0, b_unwatch(self->c, self->node, COOKIE));
	EXPECT_CLEAN_END();
}

TEST_F(pending, an_answer_to_another_thread_s_clearing)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_watch(self->c, self->node, COOKIE));
	ASSERT_EQ(0, b_unwatch(t, self->node, COOKIE));
	EXPECT_CLEAN_END();
}

TEST_F(pending, a_state_that_was_not_read)
{
	ASSERT_EQ(0, b_notice(self->c, BC_REQUEST_FREEZE_NOTIFICATION,
			      self->node));
	EXPECT_CLEAN_END();
	EXPECT_EQ(0, b_freeze_idle(self->m, self->o->pid));
}

TEST_F(pending, a_state_that_was_not_heard)
{
	ASSERT_EQ(0, b_notice(self->c, BC_REQUEST_FREEZE_NOTIFICATION,
			      self->node));
	ASSERT_EQ(BR_FROZEN_BINDER, b_await(self->c, BR(BR_FROZEN_BINDER)));
	EXPECT_CLEAN_END();
	EXPECT_EQ(0, b_freeze_idle(self->m, self->o->pid));
}

TEST_F(pending, a_state_that_was_not_heard_but_cleared)
{
	ASSERT_EQ(0, b_notice(self->c, BC_REQUEST_FREEZE_NOTIFICATION,
			      self->node));
	ASSERT_EQ(BR_FROZEN_BINDER, b_await(self->c, BR(BR_FROZEN_BINDER)));
	ASSERT_EQ(0, b_notice(self->c, BC_CLEAR_FREEZE_NOTIFICATION,
			      self->node));
	EXPECT_CLEAN_END();
}

TEST_F(pending, an_answer_to_clearing_a_state)
{
	ASSERT_EQ(0, b_notice(self->c, BC_REQUEST_FREEZE_NOTIFICATION,
			      self->node));
	ASSERT_EQ(0, b_notice(self->c, BC_CLEAR_FREEZE_NOTIFICATION,
			      self->node));
	EXPECT_CLEAN_END();
}

TEST_F(pending, oneway_messages_to_the_frozen)
{
	ASSERT_EQ(0, b_freeze_idle(self->o, self->c->pid));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(BR_TRANSACTION_PENDING_FROZEN,
			  b_tell(self->m, self->node_of_c, i));
	}
	EXPECT_CLEAN_END();
}

TEST_HARNESS_MAIN
