// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes: what their owner is told about the references that others have, in
 * which order and when, and what it may say about that itself.
 */
#include <kselftest_harness.h>

#include "parcel.h"

#define PTR		0x1000
#define COOKIE		0x2000

FIXTURE(node)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(node)
{
	SETUP_PAIR();
	ASSERT_EQ(0, b_enter_looper(self->c));
}

FIXTURE_TEARDOWN(node)
{
	kill_all_parties();
}

/*
 * Sends the client's parcel to the manager, which keeps the message as it is
 * and answers. What the client was told meanwhile is in its result.
 */
static int lend(struct party *client, struct party *manager)
{
	if (b_post(client, BC_TRANSACTION, 0, 0))
		return 1;
	if (b_receive_parcel(manager) != BR_TRANSACTION)
		return 2;
	put_empty_reply(manager);
	if (b_go(manager, 0))
		return 3;
	return b_receive(client) == BR_REPLY ? 0 : 4;
}

static int lend_node(struct party *client, struct party *manager, u32 type)
{
	put_flat(parcel_new(client), type, NODE_FLAGS, PTR, COOKIE);
	return lend(client, manager);
}

/* Where a return command came first in the last reading. */
static unsigned int place(struct party *p, u32 cmd)
{
	unsigned int i = 0;

	while (i < p->res.n && p->res.br[i] != cmd)
		i++;
	return i;
}

/* The message that came last, also after its party has read on. */
static u64 message(struct party *p)
{
	return p->res.tr.data.ptr.buffer;
}

#define EXPECT_TOLD(p, cmd)						\
	EXPECT_EQ(1, times_told(p, cmd, PTR, COOKIE))

/* Where what a party was told differs from some commands, or -1. */
static long told_otherwise(struct party *p, const u32 *cmds)
{
	unsigned int i;

	for (i = 0; cmds[i]; i++)
		if (i >= p->res.nr_told || p->res.told[i].cmd != cmds[i] ||
		    p->res.told[i].ptr != PTR ||
		    p->res.told[i].cookie != COOKIE)
			return i;
	return i < p->res.nr_told ? (long)i : -1;
}

/* What a party was told is this in this order, and nothing else. */
#define EXPECT_TOLD_ONLY(p, ...)					\
	EXPECT_EQ(-1, told_otherwise(p, (const u32[]) { __VA_ARGS__, 0 }))

TEST_F(node, a_strong_one_is_announced)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	EXPECT_TOLD_ONLY(self->c, BR_INCREFS, BR_ACQUIRE);
	EXPECT_LT(place(self->c, BR_ACQUIRE),
		  place(self->c, BR_TRANSACTION_COMPLETE));
}

TEST_F(node, a_weak_one_is_announced)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_WEAK_BINDER));
	EXPECT_TOLD_ONLY(self->c, BR_INCREFS);
	EXPECT_LT(place(self->c, BR_INCREFS),
		  place(self->c, BR_TRANSACTION_COMPLETE));
}

TEST_F(node, one_in_a_oneway_message_is_announced)
{
	put_binder(parcel_new(self->c), PTR, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, TF_ONE_WAY));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_INCREFS, BR_ACQUIRE);
	EXPECT_LT(place(self->c, BR_ACQUIRE),
		  place(self->c, BR_TRANSACTION_COMPLETE));
}

TEST_F(node, one_in_an_answer_is_announced)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	put_binder(parcel_new(self->m), PTR, COOKIE);
	ASSERT_EQ(0, b_post(self->m, BC_REPLY, 0, 0));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_TOLD_ONLY(self->m, BR_INCREFS, BR_ACQUIRE);
	EXPECT_LT(place(self->m, BR_ACQUIRE),
		  place(self->m, BR_TRANSACTION_COMPLETE));
}

TEST_F(node, each_is_announced)
{
	struct parcel *q = parcel_new(self->c);

	put_binder(q, PTR, COOKIE);
	put_binder(q, PTR + 8, COOKIE + 1);
	put_weak_binder(q, PTR + 16, COOKIE + 2);
	ASSERT_EQ(0, lend(self->c, self->m));
	EXPECT_EQ(5, self->c->res.nr_told);
	EXPECT_TOLD(self->c, BR_INCREFS);
	EXPECT_TOLD(self->c, BR_ACQUIRE);
	EXPECT_EQ(1, times_told(self->c, BR_INCREFS, PTR + 8, COOKIE + 1));
	EXPECT_EQ(1, times_told(self->c, BR_ACQUIRE, PTR + 8, COOKIE + 1));
	EXPECT_EQ(1, times_told(self->c, BR_INCREFS, PTR + 16, COOKIE + 2));
}

TEST_F(node, a_known_one_is_not_announced)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	EXPECT_EQ(0, self->c->res.nr_told);
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_WEAK_BINDER));
	EXPECT_EQ(0, self->c->res.nr_told);
}

TEST_F(node, twice_in_a_message_is_announced_once)
{
	struct parcel *q = parcel_new(self->c);

	put_binder(q, PTR, COOKIE);
	put_binder(q, PTR, COOKIE);
	ASSERT_EQ(0, lend(self->c, self->m));
	EXPECT_TOLD_ONLY(self->c, BR_INCREFS, BR_ACQUIRE);
}

TEST_F(node, a_weak_one_becomes_strong)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_WEAK_BINDER));
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	EXPECT_TOLD_ONLY(self->c, BR_ACQUIRE);
}

TEST_F(node, a_refused_message_announces_nothing)
{
	struct parcel *q = parcel_new(self->c);

	put_binder(q, PTR, COOKIE);
	put_handle(q, 99);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	EXPECT_EQ(0, self->c->res.nr_told);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(node, is_released_after_its_last_handle)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);

	ASSERT_LT(0, handle);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(1, b_nodes(self->c));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, handle));
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(node, is_released_after_the_message_is_freed)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	put_dones(self->c);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(0, b_drain(self->c));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(node, a_weak_one_is_released_after_the_message_is_freed)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_WEAK_BINDER));
	put_dones(self->c);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(1, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_DECREFS);
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(node, is_released_after_the_last_of_several_messages)
{
	u64 first;

	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	put_dones(self->c);
	first = message(self->m);
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	put_free(self->m, first);
	ASSERT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(0, b_drain(self->c));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
}

TEST_F(node, is_released_after_the_last_holder)
{
	struct party *other = client_new(AREA_SIZE);
	long mine, theirs;

	ASSERT_NE(NULL, other);
	mine = give_node(self->c, self->m, PTR, COOKIE);
	ASSERT_LT(0, mine);
	theirs = hand_handle(self->m, other, mine);
	ASSERT_LT(0, theirs);
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, mine));
	EXPECT_EQ(0, b_drain(self->c));
	ASSERT_EQ(0, b_ref(other, BC_RELEASE, theirs));
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
}

TEST_F(node, a_weak_handle_keeps_it_weakly)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);

	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_ref(self->m, BC_INCREFS, handle));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, handle));
	ASSERT_EQ(1, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE);
	EXPECT_EQ(1, b_nodes(self->c));
	ASSERT_EQ(0, b_ref(self->m, BC_DECREFS, handle));
	ASSERT_EQ(1, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_DECREFS);
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(node, one_kept_weakly_can_become_strong_again)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);

	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_ref(self->m, BC_INCREFS, handle));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, handle));
	ASSERT_EQ(1, b_drain(self->c));
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	EXPECT_TOLD_ONLY(self->c, BR_ACQUIRE);
	EXPECT_EQ(handle, flat(self->m->in, 0)->handle);
}

/* Between its end and the news of it, a node can come to life again. */
TEST_F(node, one_sent_again_before_it_is_told)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);

	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, handle));
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	EXPECT_EQ(0, self->c->res.nr_told);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(1, b_nodes(self->c));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
}

/* An owner that has not yet done what it was asked for is not asked to undo. */
TEST_F(node, is_not_released_before_it_is_acquired)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(0, b_drain(self->c));
	ASSERT_EQ(0, b_done(self->c, BC_ACQUIRE_DONE, PTR, COOKIE));
	ASSERT_EQ(1, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE);
	EXPECT_EQ(1, b_nodes(self->c));
	ASSERT_EQ(0, b_done(self->c, BC_INCREFS_DONE, PTR, COOKIE));
	ASSERT_EQ(1, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_DECREFS);
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(node, done_of_an_unknown_one)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);

	ASSERT_LT(0, handle);
	put_done(self->c, BC_INCREFS_DONE, PTR + 8, COOKIE);
	put_done(self->c, BC_ACQUIRE_DONE, PTR + 8, COOKIE);
	EXPECT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(1, b_nodes(self->c));
}

TEST_F(node, done_with_another_cookie)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	ASSERT_EQ(0, b_free(self->m));
	put_done(self->c, BC_ACQUIRE_DONE, PTR, COOKIE + 1);
	put_done(self->c, BC_INCREFS_DONE, PTR, COOKIE + 1);
	EXPECT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_EQ(0, b_drain(self->c));
	/* The right ones are still needed, and count. */
	put_done(self->c, BC_ACQUIRE_DONE, PTR, COOKIE);
	put_done(self->c, BC_INCREFS_DONE, PTR, COOKIE);
	EXPECT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(2, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
}

TEST_F(node, done_of_somebody_else_s)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	ASSERT_EQ(0, b_free(self->m));
	put_done(other, BC_ACQUIRE_DONE, PTR, COOKIE);
	put_done(self->m, BC_ACQUIRE_DONE, PTR, COOKIE);
	EXPECT_EQ(0, b_go(other, 0));
	EXPECT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(0, b_drain(self->c));
}

TEST_F(node, done_that_nobody_asked_for)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);
	long before = b_strong_count(self->m, handle);

	ASSERT_LT(0, handle);
	ASSERT_LT(0, before);
	put_done(self->c, BC_ACQUIRE_DONE, PTR, COOKIE);
	put_done(self->c, BC_INCREFS_DONE, PTR, COOKIE);
	EXPECT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(before, b_strong_count(self->m, handle));
}

/* A weak reference was asked for, so only that can be done. */
TEST_F(node, done_strongly_when_it_is_weak)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_WEAK_BINDER));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_done(self->c, BC_ACQUIRE_DONE, PTR, COOKIE));
	EXPECT_EQ(0, b_drain(self->c));
	ASSERT_EQ(0, b_done(self->c, BC_INCREFS_DONE, PTR, COOKIE));
	ASSERT_EQ(1, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_DECREFS);
}

TEST_F(node, a_message_for_it_keeps_it)
{
	struct party *user = client_new(AREA_SIZE);
	long mine, theirs;

	ASSERT_NE(NULL, user);
	mine = give_node(self->c, self->m, PTR, COOKIE);
	ASSERT_LT(0, mine);
	theirs = hand_handle(self->m, user, mine);
	ASSERT_LT(0, theirs);
	parcel_new(user);
	ASSERT_EQ(0, b_post(user, BC_TRANSACTION, theirs, TF_ONE_WAY));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, mine));
	ASSERT_EQ(0, b_ref(user, BC_RELEASE, theirs));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->c));
	EXPECT_EQ(PTR, self->c->res.tr.target.ptr);
	EXPECT_EQ(COOKIE, self->c->res.tr.cookie);
	EXPECT_EQ(0, self->c->res.nr_told);
	EXPECT_EQ(0, b_drain(self->c));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
}

TEST_F(node, is_released_when_its_holder_is_killed)
{
	struct party *user = client_new(AREA_SIZE);
	long mine, theirs;

	ASSERT_NE(NULL, user);
	mine = give_node(self->c, self->m, PTR, COOKIE);
	ASSERT_LT(0, mine);
	theirs = hand_handle(self->m, user, mine);
	ASSERT_LT(0, theirs);
	/* More than it got, of either kind. */
	ASSERT_EQ(0, b_ref(user, BC_ACQUIRE, theirs));
	ASSERT_EQ(0, b_ref(user, BC_INCREFS, theirs));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, mine));
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(SIGKILL, party_kill(user));
	ASSERT_EQ(BR_DECREFS, b_await(self->c, BR(BR_DECREFS)));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(node, is_released_when_the_message_s_reader_is_killed)
{
	ASSERT_EQ(0, lend_node(self->c, self->m, BINDER_TYPE_BINDER));
	put_dones(self->c);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(BR_DECREFS, b_await(self->c, BR(BR_DECREFS)));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
}

TEST_F(node, is_released_when_nobody_reads_the_message)
{
	put_binder(parcel_new(self->c), PTR, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, TF_ONE_WAY));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	put_dones(self->c);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(BR_DECREFS, b_await(self->c, BR(BR_DECREFS)));
	EXPECT_TOLD_ONLY(self->c, BR_RELEASE, BR_DECREFS);
}

TEST_F(node, has_another_cookie_only_in_another_life)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);

	ASSERT_LT(0, handle);
	put_binder(parcel_new(self->c), PTR, COOKIE + 1);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, handle));
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_EQ(handle, give_node(self->c, self->m, PTR, COOKIE + 1));
}

TEST_HARNESS_MAIN
