// SPDX-License-Identifier: GPL-2.0
/*
 * Handles: their numbers, the commands that count references, and what a
 * handle is good for while it is strong, weak or gone.
 */
#include <kselftest_harness.h>

#include "parcel.h"

#define PTR		0x1000
#define COOKIE		0x2000
#define UNKNOWN		77

FIXTURE(ref)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(ref)
{
	SETUP_PAIR();
	ASSERT_EQ(0, b_enter_looper(self->c));
}

FIXTURE_TEARDOWN(ref)
{
	kill_all_parties();
}

/* Node number n of a client, each with another ptr: the manager's handle. */
static long give_nth(struct party *client, struct party *manager,
		     unsigned int n)
{
	return give_node(client, manager, PTR + 16 * n, COOKIE + n);
}

/* What sending an empty message to a handle gives. */
static long try_call(struct party *p, u32 handle)
{
	parcel_new(p);
	return b_post(p, BC_TRANSACTION, handle, TF_ONE_WAY) ?: b_receipt(p);
}

/* A file that is closed is cleaned up some time after. */
static bool turns_out_dead(struct party *p, u32 handle)
{
	u64 end = now_ms() + PATIENCE_MS;
	long got;

	while ((got = try_call(p, handle)) == BR_TRANSACTION_COMPLETE &&
	       now_ms() < end)
		nap();
	return got == BR_DEAD_REPLY;
}

/* What sending a handle to the manager gives. */
static long try_send(struct party *p, u32 type, u32 handle)
{
	put_flat(parcel_new(p), type, 0, handle, 0);
	return b_post(p, BC_TRANSACTION, 0, TF_ONE_WAY) ?: b_receipt(p);
}

/* Commands that are carried out whole, whatever they do, and tell nothing. */
#define EXPECT_SILENT(p) do {						\
	struct party *party_ = (p);					\
									\
	EXPECT_EQ(0, b_go(party_, 0));					\
	EXPECT_EQ(party_->bwr.write_size, party_->bwr.write_consumed);	\
	EXPECT_EQ(0, b_drain(party_));					\
} while (0)

static void put_all_four(struct party *p, u32 handle)
{
	put_ref(p, BC_INCREFS, handle);
	put_ref(p, BC_ACQUIRE, handle);
	put_ref(p, BC_RELEASE, handle);
	put_ref(p, BC_DECREFS, handle);
}

/* Numbers. */

TEST_F(ref, numbers_begin_with_one)
{
	EXPECT_EQ(1, give_nth(self->c, self->m, 0));
	EXPECT_EQ(2, give_nth(self->c, self->m, 1));
	EXPECT_EQ(3, give_nth(self->c, self->m, 2));
}

TEST_F(ref, numbers_are_each_process_s_own)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	ASSERT_EQ(2, give_nth(self->c, self->m, 1));
	EXPECT_EQ(1, hand_handle(self->m, other, 2));
	EXPECT_EQ(2, hand_handle(self->m, other, 1));
}

TEST_F(ref, numbers_are_used_again_from_the_lowest)
{
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(i + 1, give_nth(self->c, self->m, i));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, 4));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, 2));
	EXPECT_EQ(2, give_nth(self->c, self->m, 6));
	EXPECT_EQ(4, give_nth(self->c, self->m, 7));
	EXPECT_EQ(6, give_nth(self->c, self->m, 8));
}

TEST_F(ref, numbers_are_used_again_when_all_were_gone)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(1, give_nth(self->c, self->m, i));
		ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, 1));
	}
}

TEST_F(ref, a_number_is_kept_by_a_weak_reference)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	ASSERT_EQ(0, b_ref(self->m, BC_INCREFS, 1));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, 1));
	EXPECT_EQ(2, give_nth(self->c, self->m, 1));
	ASSERT_EQ(0, b_ref(self->m, BC_DECREFS, 1));
	EXPECT_EQ(1, give_nth(self->c, self->m, 2));
}

TEST_F(ref, a_number_is_kept_by_a_message)
{
	put_binder(parcel_new(self->c), PTR, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, TF_ONE_WAY));
	ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(self->m));
	EXPECT_EQ(1, flat(self->m->in, 0)->handle);
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	EXPECT_EQ(2, give_nth(self->c, self->m, 1));
}

TEST_F(ref, a_number_is_gone_with_the_message)
{
	for (int i = 0; i < 3; i++) {
		put_binder(parcel_new(self->c), PTR + 16 * i, COOKIE);
		ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, TF_ONE_WAY));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
		ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(self->m));
		EXPECT_EQ(1, flat(self->m->in, 0)->handle);
		ASSERT_EQ(0, b_free(self->m));
	}
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
}

TEST_F(ref, the_same_node_has_the_same_number)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	ASSERT_EQ(2, give_nth(self->c, self->m, 1));
	EXPECT_EQ(1, give_nth(self->c, self->m, 0));
	put_weak_binder(parcel_new(self->c), PTR, COOKIE);
	ASSERT_EQ(0, carry(self->c, self->m));
	EXPECT_EQ(1, flat(self->m->in, 0)->handle);
	EXPECT_EQ(3, give_nth(self->c, self->m, 2));
}

TEST_F(ref, equal_pointers_of_two_processes_are_two_nodes)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	EXPECT_EQ(1, give_nth(self->c, self->m, 0));
	EXPECT_EQ(2, give_nth(other, self->m, 0));
}

TEST_F(ref, many_numbers)
{
	enum { N = 300 };

	for (int i = 0; i < N; i++)
		ASSERT_EQ(i + 1, give_nth(self->c, self->m, i));
	for (int i = N; i > 1; i--)
		ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, i));
	EXPECT_EQ(2, give_nth(self->c, self->m, N));
}

/* Counting. */

TEST_F(ref, as_many_as_were_taken)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	put_ref(self->m, BC_ACQUIRE, 1);
	put_ref(self->m, BC_ACQUIRE, 1);
	put_ref(self->m, BC_INCREFS, 1);
	put_ref(self->m, BC_RELEASE, 1);
	put_ref(self->m, BC_RELEASE, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, try_call(self->m, 1));
	put_ref(self->m, BC_RELEASE, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
	/* The weak one is still there. */
	EXPECT_EQ(2, give_nth(self->c, self->m, 1));
	ASSERT_EQ(0, b_ref(self->m, BC_DECREFS, 1));
	EXPECT_EQ(1, give_nth(self->c, self->m, 2));
}

TEST_F(ref, an_unknown_handle)
{
	put_all_four(self->m, UNKNOWN);
	put_all_four(self->m, ~0U);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, UNKNOWN));
	EXPECT_EQ(1, give_nth(self->c, self->m, 0));
}

TEST_F(ref, a_handle_that_is_gone)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, 1));
	ASSERT_EQ(2, b_drain(self->c));
	put_all_four(self->m, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(ref, more_weak_ones_than_there_are)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	put_ref(self->m, BC_DECREFS, 1);
	put_ref(self->m, BC_DECREFS, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, try_call(self->m, 1));
}

TEST_F(ref, more_strong_ones_than_there_are)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	ASSERT_EQ(0, b_ref(self->m, BC_INCREFS, 1));
	put_ref(self->m, BC_RELEASE, 1);
	put_ref(self->m, BC_RELEASE, 1);
	put_ref(self->m, BC_RELEASE, 1);
	EXPECT_SILENT(self->m);
	/* The weak one is still there. */
	EXPECT_EQ(1, b_nodes(self->c));
	EXPECT_EQ(2, give_nth(self->c, self->m, 1));
}

TEST_F(ref, somebody_else_s_handle)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	put_all_four(other, 1);
	put_ref(other, BC_RELEASE, 1);
	EXPECT_SILENT(other);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, try_call(self->m, 1));
}

/* Strong and weak. */

/* Leaves the manager with a handle that is weak only: its number. */
static long give_weak(struct party *client, struct party *manager)
{
	int step;

	put_weak_binder(parcel_new(client), PTR, COOKIE);
	step = carry(client, manager);
	return step ? -step : (long)flat(manager->in, 0)->handle;
}

TEST_F(ref, a_weak_one_cannot_be_called)
{
	ASSERT_EQ(1, give_weak(self->c, self->m));
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
	parcel_new(self->m);
	ASSERT_EQ(0, b_post(self->m, BC_TRANSACTION, 1, 0));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->m));
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(ref, a_weak_one_cannot_be_made_strong_by_its_holder)
{
	ASSERT_EQ(1, give_weak(self->c, self->m));
	put_ref(self->m, BC_ACQUIRE, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(0, b_drain(self->c));
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
	/* Nor was anything taken that would now be left over. */
	put_ref(self->m, BC_DECREFS, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(1, b_drain(self->c));
	EXPECT_EQ(0, b_nodes(self->c));
}

TEST_F(ref, a_weak_one_is_made_strong_by_the_owner)
{
	ASSERT_EQ(1, give_weak(self->c, self->m));
	EXPECT_EQ(1, give_node(self->c, self->m, PTR, COOKIE));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, try_call(self->m, 1));
}

TEST_F(ref, a_strong_one_becomes_weak)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	put_ref(self->m, BC_INCREFS, 1);
	put_ref(self->m, BC_RELEASE, 1);
	put_ref(self->m, BC_ACQUIRE, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
}

TEST_F(ref, a_strong_one_can_be_sent_either_way)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(1, introduce(self->c, self->m, other, PTR, COOKIE));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE,
		  try_send(other, BINDER_TYPE_HANDLE, 1));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE,
		  try_send(other, BINDER_TYPE_WEAK_HANDLE, 1));
}

TEST_F(ref, a_weak_one_can_be_sent_as_weak_only)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(1, introduce(self->c, self->m, other, PTR, COOKIE));
	ASSERT_EQ(0, b_ref(other, BC_INCREFS, 1));
	ASSERT_EQ(0, b_ref(other, BC_RELEASE, 1));
	EXPECT_EQ(BR_FAILED_REPLY, try_send(other, BINDER_TYPE_HANDLE, 1));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE,
		  try_send(other, BINDER_TYPE_WEAK_HANDLE, 1));
}

/* Handle 0. */

TEST_F(ref, the_manager_is_zero_with_or_without)
{
	put_ref(self->c, BC_INCREFS, 0);
	put_ref(self->c, BC_ACQUIRE, 0);
	EXPECT_SILENT(self->c);
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
	put_ref(self->c, BC_RELEASE, 0);
	put_ref(self->c, BC_DECREFS, 0);
	EXPECT_SILENT(self->c);
	EXPECT_EQ(0, exchange(self->c, self->m, 2, 8));
	/* Beyond what it has. */
	put_ref(self->c, BC_RELEASE, 0);
	put_ref(self->c, BC_DECREFS, 0);
	EXPECT_SILENT(self->c);
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 8));
	/* The manager's node is always there, so it hears nothing of it. */
	EXPECT_EQ(0, b_drain(self->m));
}

TEST_F(ref, zero_is_no_other_node)
{
	EXPECT_EQ(1, hand_node(self->m, self->c, PTR, COOKIE));
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	EXPECT_EQ(2, hand_node(self->m, self->c, PTR + 16, COOKIE));
	ASSERT_EQ(0, b_ref(self->c, BC_RELEASE, 0));
	EXPECT_EQ(3, hand_node(self->m, self->c, PTR + 32, COOKIE));
}

TEST_F(ref, zero_is_weak_if_taken_weakly)
{
	ASSERT_EQ(0, b_ref(self->c, BC_INCREFS, 0));
	EXPECT_EQ(BR_FAILED_REPLY, try_send(self->c, BINDER_TYPE_HANDLE, 0));
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE,
		  try_send(self->c, BINDER_TYPE_HANDLE, 0));
}

TEST_F(ref, zero_can_be_passed_on)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, b_enter_looper(other));
	ASSERT_EQ(1, introduce(other, self->m, self->c, PTR, COOKIE));
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	put_handle(parcel_new(self->c), 0);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 1, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(other));
	EXPECT_EQ(BINDER_TYPE_HANDLE, flat(other->in, 0)->hdr.type);
	EXPECT_EQ(0, flat(other->in, 0)->handle);
}

TEST_F(ref, the_manager_cannot_take_zero)
{
	static const u32 cmds[] = { BC_INCREFS, BC_ACQUIRE };

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		EXPECT_EQ(-EINVAL, b_ref(self->m, cmds[i], 0));
		EXPECT_EQ(0, self->m->bwr.write_consumed);
	}
	put_ref(self->m, BC_RELEASE, 0);
	put_ref(self->m, BC_DECREFS, 0);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(ref, zero_without_a_manager)
{
	ASSERT_EQ(0, ON(self->m, op_leave));
	ASSERT_TRUE(turns_out_dead(self->c, 0));
	put_all_four(self->c, 0);
	EXPECT_SILENT(self->c);
	EXPECT_EQ(BR_DEAD_REPLY, try_call(self->c, 0));
}

/* Death. */

TEST_F(ref, a_dead_node_s_handle)
{
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	EXPECT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_TRUE(turns_out_dead(self->m, 1));
	put_ref(self->m, BC_ACQUIRE, 1);
	put_ref(self->m, BC_INCREFS, 1);
	put_ref(self->m, BC_RELEASE, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(BR_DEAD_REPLY, try_call(self->m, 1));
	put_ref(self->m, BC_RELEASE, 1);
	put_ref(self->m, BC_DECREFS, 1);
	EXPECT_SILENT(self->m);
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
}

TEST_F(ref, a_dead_node_s_handle_can_be_passed_on)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(1, give_nth(self->c, self->m, 0));
	ASSERT_EQ(0, ON(self->c, op_leave));
	ASSERT_TRUE(turns_out_dead(self->m, 1));
	EXPECT_EQ(1, hand_handle(self->m, other, 1));
	EXPECT_EQ(BR_DEAD_REPLY, try_call(other, 1));
}

TEST_F(ref, a_message_whose_sender_has_died)
{
	u64 message;

	put_binder(parcel_new(self->c), PTR, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, TF_ONE_WAY));
	ASSERT_EQ(0, ON(self->c, op_leave));
	ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(self->m));
	EXPECT_EQ(BINDER_TYPE_HANDLE, flat(self->m->in, 0)->hdr.type);
	EXPECT_EQ(1, flat(self->m->in, 0)->handle);
	message = self->m->res.tr.data.ptr.buffer;
	EXPECT_TRUE(turns_out_dead(self->m, 1));
	put_free(self->m, message);
	ASSERT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(BR_FAILED_REPLY, try_call(self->m, 1));
}

TEST_F(ref, old_handles_of_a_manager_that_was_replaced)
{
	struct party *next;

	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_EQ(1, hand_node(self->m, self->c, PTR, COOKIE));
	ASSERT_EQ(0, ON(self->m, op_leave));
	next = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, next);
	EXPECT_TRUE(turns_out_dead(self->c, 1));
	EXPECT_EQ(0, exchange(self->c, next, 1, 8));
}

TEST_HARNESS_MAIN
