// SPDX-License-Identifier: GPL-2.0
/*
 * Calls and answers: who gets what, in which order, and that the bytes arrive.
 */
#include <kselftest_harness.h>

#include "pair.h"

FIXTURE(call)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(call)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
}

FIXTURE_TEARDOWN(call)
{
	kill_all_parties();
}

TEST_F(call, version_is_eight)
{
	ASSERT_EQ(0, b_ioctl(self->c, BINDER_VERSION, self->c->scratch));
	EXPECT_EQ(8, *(u32 *)self->c->scratch);
}

TEST_F(call, carries_what_the_protocol_says)
{
	struct binder_transaction_data *tr = &self->m->res.tr;
	u64 area = ptr_u64(self->m->area);

	ASSERT_EQ(0, b_send(self->c, BC_TRANSACTION, 0x12345678, TF_ACCEPT_FDS,
			    1, 100));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(0, tr->target.ptr);
	EXPECT_EQ(0, tr->cookie);
	EXPECT_EQ(0x12345678, tr->code);
	EXPECT_EQ(TF_ACCEPT_FDS, tr->flags);
	EXPECT_EQ(self->c->pid, tr->sender_pid);
	EXPECT_EQ(0, tr->sender_euid);
	EXPECT_EQ(100, tr->data_size);
	EXPECT_EQ(0, tr->offsets_size);
	EXPECT_LE(area, tr->data.ptr.buffer);
	EXPECT_GE(area + AREA_SIZE - 104, tr->data.ptr.buffer);
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
}

TEST_F(call, reply_carries_what_the_protocol_says)
{
	struct binder_transaction_data *tr = &self->c->res.tr;

	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_send(self->m, BC_REPLY, 9, TF_STATUS_CODE, 2, 12));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(0, tr->target.ptr);
	EXPECT_EQ(0, tr->cookie);
	EXPECT_EQ(9, tr->code);
	EXPECT_EQ(TF_STATUS_CODE, tr->flags);
	EXPECT_EQ(12, tr->data_size);
	EXPECT_EQ(0, tr->offsets_size);
	EXPECT_EQ(-1, b_mismatch(self->c, 2));
}

TEST_F(call, sender_euid_is_the_effective_one)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, ON(self->c, op_setuid, 1234));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(1234, self->m->res.tr.sender_euid);
}

TEST_F(call, returns_come_in_order)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_LE(2, self->m->res.n);
	EXPECT_EQ(BR_NOOP, self->m->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION, self->m->res.br[self->m->res.n - 1]);

	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(0, b_go(self->m, READ_SIZE));
	ASSERT_EQ(2, self->m->res.n);
	EXPECT_EQ(BR_NOOP, self->m->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, self->m->res.br[1]);

	/* A caller hears of its call's completion only with the answer. */
	ASSERT_EQ(0, b_go(self->c, READ_SIZE));
	ASSERT_EQ(3, self->c->res.n);
	EXPECT_EQ(BR_NOOP, self->c->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, self->c->res.br[1]);
	EXPECT_EQ(BR_REPLY, self->c->res.br[2]);
}

TEST_F(call, one_read_gives_one_transaction)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(0, b_call(other, 2, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_reply(self->m, 3, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 2));
	ASSERT_EQ(0, b_reply(self->m, 4, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
	ASSERT_EQ(BR_REPLY, b_receive(other));
	EXPECT_EQ(-1, b_mismatch(other, 4));
}

TEST_F(call, an_empty_message_has_an_address)
{
	u64 first;

	ASSERT_EQ(0, b_call(self->c, 1, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(0, self->m->res.tr.data_size);
	first = self->m->res.tr.data.ptr.buffer;
	ASSERT_NE(0, first);
	ASSERT_EQ(0, b_reply(self->m, 1, 0));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_call(self->c, 1, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_NE(first, self->m->res.tr.data.ptr.buffer);
}

TEST_F(call, other_threads_cannot_reply)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(t, 2, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(t));
	ASSERT_EQ(0, b_reply(self->m, 3, 8));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
}

TEST_F(call, nothing_to_reply_to)
{
	ASSERT_EQ(0, b_reply(self->m, 1, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 2, 8));
}

TEST_F(call, a_second_reply_fails)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	ASSERT_EQ(0, b_reply(self->m, 3, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->m));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(-1, b_mismatch(self->c, 2));
}

TEST_F(call, a_caller_must_wait_for_its_answer)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(0, b_call(self->c, 2, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_reply(self->m, 3, 8));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
}

TEST_F(call, only_handle_zero_exists)
{
	struct binder_transaction_data tr = { .target.handle = 1 };

	put_tr(self->c, BC_TRANSACTION, &tr);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(call, the_manager_cannot_call_itself)
{
	ASSERT_EQ(0, b_call(self->m, 1, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->m));
	ASSERT_EQ(0, b_oneway(self->m, 1, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 2, 8));
}

TEST_F(call, there_is_one_manager)
{
	EXPECT_EQ(-EBUSY, b_ioctl_u32(self->c, BINDER_SET_CONTEXT_MGR, 0));
	EXPECT_EQ(-EBUSY, b_ioctl_u32(self->m, BINDER_SET_CONTEXT_MGR, 0));
	EXPECT_EQ(0, exchange(self->c, self->m, 2, 8));
}

TEST_F(call, nobody_to_call)
{
	ASSERT_EQ(0, ON(self->m, op_leave));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_oneway(self->c, 1, 8));
	EXPECT_EQ(BR_DEAD_REPLY, b_receipt(self->c));
}

TEST_F(call, the_next_manager_has_the_same_user)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, ON(self->m, op_leave));
	ASSERT_EQ(0, ON(other, op_setuid, 1234));
	EXPECT_EQ(-EPERM, b_become_manager(other));
	ASSERT_EQ(0, b_become_manager(self->c));
	ASSERT_EQ(0, ON(other, op_setuid, 0));
	ASSERT_EQ(0, b_enter_looper(self->c));
	EXPECT_EQ(0, exchange(other, self->c, 1, PAGE));
}

TEST_F(call, manager_without_area)
{
	struct party *m;
	long got;

	ASSERT_EQ(0, ON(self->m, op_leave));
	m = manager_new(0);
	ASSERT_NE(NULL, m);
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	got = b_receive(self->c);
	EXPECT_TRUE(got == BR_DEAD_REPLY || got == BR_FAILED_REPLY);
	/* It is not too late to map one. */
	ASSERT_EQ(0, b_map(m, AREA_SIZE));
	EXPECT_EQ(0, exchange(self->c, m, 2, 8));
}

TEST_F(call, client_without_area)
{
	struct party *c = client_new(0);
	long got;

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, b_call(c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	got = b_receive(c);
	EXPECT_TRUE(got == BR_DEAD_REPLY || got == BR_FAILED_REPLY);
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 8));
}

TEST_F(call, buffers_can_be_freed_once)
{
	u64 buffer;

	ASSERT_EQ(0, b_call(self->c, 1, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	buffer = self->m->res.tr.data.ptr.buffer;
	put_free(self->m, buffer);
	put_free(self->m, buffer);
	EXPECT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(self->m->bwr.write_size, self->m->bwr.write_consumed);
	EXPECT_EQ(0, counter("used"));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
}

TEST_F(call, unknown_buffers_are_not_freed)
{
	ASSERT_EQ(0, b_call(self->c, 1, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	put_free(self->m, 0);
	put_free(self->m, self->m->res.tr.data.ptr.buffer + 8);
	put_free(self->m, ptr_u64(self->m->area) + AREA_SIZE);
	put_free(self->m, ~0ULL);
	EXPECT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(self->m->bwr.write_size, self->m->bwr.write_consumed);
	EXPECT_LT(0, counter("used"));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
}

TEST_F(call, undelivered_buffers_are_not_freed)
{
	u64 place;

	/* Learn where a message of this size goes in an empty area. */
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	place = self->m->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));

	ASSERT_EQ(0, b_call(self->c, 3, 8));
	put_free(self->m, place);
	EXPECT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(place, self->m->res.tr.data.ptr.buffer);
	EXPECT_EQ(-1, b_mismatch(self->m, 3));
}

TEST_F(call, freed_before_replying)
{
	ASSERT_EQ(0, b_call(self->c, 1, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, PAGE));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(-1, b_mismatch(self->c, 2));
}

TEST_F(call, write_and_read_in_one_ioctl)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	/* Free, reply and fetch the next work, as real servers do. */
	put_free(self->m, self->m->res.tr.data.ptr.buffer);
	put_tr(self->m, BC_REPLY, &(struct binder_transaction_data){ 0 });
	ASSERT_EQ(0, b_go(self->m, READ_SIZE));
	EXPECT_EQ(self->m->bwr.write_size, self->m->bwr.write_consumed);
	EXPECT_EQ(BR(BR_NOOP) | BR(BR_TRANSACTION_COMPLETE),
		  seen(&self->m->res));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(0, settled("used", 0));
}

TEST_HARNESS_MAIN
