// SPDX-License-Identifier: GPL-2.0
/*
 * TF_UPDATE_TXN: a one-way message to a frozen process takes the place of an
 * older one that has become pointless by it.
 *
 * The first message to a node is on its way already, so it is never replaced.
 * Each case begins with one, code 1, and ends with a look at what is left of
 * those that came after it.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "ioctls.h"
#include "parcel.h"

#define SMALL_AREA	(64 * KIB)
#define UPDATE		(TF_ONE_WAY | TF_UPDATE_TXN)

FIXTURE(update)
{
	struct party *m;
	struct party *c;
	struct party *d;
	u32 node;		/* c's handle of another node of m's */
};

FIXTURE_SETUP(update)
{
	long handle;

	ASSERT_TRUE(nothing_in_use());
	self->m = manager_new(SMALL_AREA);
	ASSERT_NE(NULL, self->m);
	self->c = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	self->d = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->d);
	handle = hand_node(self->m, self->c, 0x1000, 0x77);
	ASSERT_LT(0, handle);
	self->node = handle;
	ASSERT_EQ(0, b_freeze_idle(self->c, self->m->pid));
}

FIXTURE_TEARDOWN(update)
{
	kill_all_parties();
}

static long post(struct party *p, u32 handle, u32 code, u32 flags)
{
	long ret = b_say(p, BC_TRANSACTION, handle, code, flags);

	return ret ? ret : b_receipt(p);
}

/* Frees each message after it has come. */
static long next_and_free(struct party *m)
{
	long code = next_call(m);

	return code > 0 && b_free(m) ? -EPROTO : code;
}

#define EXPECT_PENDING(p, handle, code, flags)				\
	EXPECT_EQ(BR_TRANSACTION_PENDING_FROZEN,			\
		  post(p, handle, code, flags))

/* What the manager gets after the thaw, the first message included. */
#define EXPECT_DELIVERED(...) do {					\
	const int codes[] = { 1, __VA_ARGS__ };				\
									\
	ASSERT_EQ(0, b_thaw(self->c, self->m->pid));			\
	for (unsigned int i = 0; i < ARRAY_SIZE(codes); i++)		\
		EXPECT_EQ(codes[i], next_and_free(self->m));		\
	EXPECT_EQ(-EAGAIN, b_look(self->m));				\
} while (0)

TEST_F(update, takes_the_place_of_an_older_one)
{
	u64 data[2] = { 5, 6 };

	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	for (int i = 0; i < 2; i++) {
		put_bytes(parcel_new(self->c), &data[i], 8);
		ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, UPDATE));
		ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_receipt(self->c));
	}
	ASSERT_EQ(0, b_thaw(self->c, self->m->pid));
	ASSERT_EQ(1, next_and_free(self->m));
	ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(self->m));
	EXPECT_EQ(6, *(u64 *)self->m->in->data);
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
}

TEST_F(update, only_the_last_of_many_is_left)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	for (int i = 0; i < 100; i++)
		EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_DELIVERED(2);
}

TEST_F(update, its_place_is_the_end_of_the_queue)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_PENDING(self->c, 0, 3, UPDATE);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_DELIVERED(3, 2);
}

TEST_F(update, not_the_first_of_a_node)
{
	EXPECT_PENDING(self->c, 0, 1, UPDATE);
	EXPECT_PENDING(self->c, 0, 1, UPDATE);
	EXPECT_PENDING(self->c, 0, 1, UPDATE);
	EXPECT_DELIVERED(1);
}

TEST_F(update, not_of_another_code)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_PENDING(self->c, 0, 3, UPDATE);
	EXPECT_DELIVERED(2, 3);
}

TEST_F(update, not_with_other_flags)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_PENDING(self->c, 0, 2, UPDATE | TF_ACCEPT_FDS);
	EXPECT_DELIVERED(2, 2);
}

TEST_F(update, not_one_that_was_no_update)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_DELIVERED(2, 2);
}

TEST_F(update, not_by_one_that_is_no_update)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_PENDING(self->c, 0, 2, TF_ONE_WAY);
	EXPECT_DELIVERED(2, 2);
}

TEST_F(update, not_of_another_sender)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_PENDING(self->d, 0, 2, UPDATE);
	EXPECT_DELIVERED(2, 2);
}

TEST_F(update, of_another_thread_of_the_sender)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_PENDING(t, 0, 2, UPDATE);
	EXPECT_DELIVERED(2);
}

TEST_F(update, not_of_another_node)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, self->node, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	EXPECT_PENDING(self->c, self->node, 2, UPDATE);
	/* Both nodes begin at once, and then each goes on. */
	EXPECT_DELIVERED(1, 2, 2);
}

TEST_F(update, the_older_one_s_space_comes_back)
{
	size_t len = SMALL_AREA / 8;

	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, b_send(self->c, BC_TRANSACTION, 2, UPDATE, i,
				    len));
		ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_receipt(self->c)) {
			TH_LOG("message %d", i);
		}
	}
	ASSERT_EQ(0, b_thaw(self->c, self->m->pid));
	ASSERT_EQ(1, next_and_free(self->m));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 19));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
}

/* Both have to fit at the same time. */
TEST_F(update, the_older_one_stays_if_there_is_no_space)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	ASSERT_EQ(0, b_send(self->c, BC_TRANSACTION, 2, UPDATE, 7,
			    SMALL_AREA / 4));
	ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_receipt(self->c));
	ASSERT_EQ(0, b_send(self->c, BC_TRANSACTION, 2, UPDATE, 8,
			    SMALL_AREA / 4));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->c));
	ASSERT_EQ(0, b_thaw(self->c, self->m->pid));
	ASSERT_EQ(1, next_and_free(self->m));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 7));
}

/* The handle that it brought is gone with it. */
TEST_F(update, the_older_one_s_references_are_dropped)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	put_binder(parcel_new(self->c), 0xc000, 0xcc);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, UPDATE));
	ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_receipt(self->c));
	EXPECT_EQ(1, b_nodes(self->c));
	put_dones(self->c);
	ASSERT_EQ(0, b_go(self->c, 0));
	put_bytes(parcel_new(self->c), "nothing", 8);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, UPDATE));
	ASSERT_EQ(BR_RELEASE, b_await(self->c, BR(BR_RELEASE)));
	EXPECT_EQ(1, times_told(self->c, BR_RELEASE, 0xc000, 0xcc));
	EXPECT_DELIVERED(1);
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(update, nothing_is_replaced_unless_it_is_frozen)
{
	ASSERT_EQ(0, b_thaw(self->c, self->m->pid));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, post(self->c, 0, 1, TF_ONE_WAY));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, post(self->c, 0, 2, UPDATE));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, post(self->c, 0, 2, UPDATE));
	EXPECT_DELIVERED(2, 2);
}

TEST_F(update, nothing_is_replaced_after_the_thaw)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	ASSERT_EQ(0, b_thaw(self->c, self->m->pid));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, post(self->c, 0, 2, UPDATE));
	EXPECT_DELIVERED(2, 2);
}

/* It only says something about one-way messages. */
TEST_F(update, the_flag_does_nothing_for_calls)
{
	EXPECT_PENDING(self->c, 0, 1, TF_ONE_WAY);
	EXPECT_PENDING(self->c, 0, 2, UPDATE);
	ASSERT_EQ(0, b_say(self->c, BC_TRANSACTION, 0, 2, TF_UPDATE_TXN));
	EXPECT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
	EXPECT_DELIVERED(2);
}

TEST_HARNESS_MAIN
