// SPDX-License-Identifier: GPL-2.0
/*
 * Freezing a process: when it can be done, what becomes of messages to it, and
 * what is known of them afterwards.
 *
 * f freezes the manager m, or the client c, and is not concerned otherwise.
 * Nobody reads while it is frozen, just as if it were stopped.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "death.h"
#include "ioctls.h"
#include "sigs.h"

#define SYNC_RECEIVED	1
#define TXNS_PENDING	2
#define ASYNC_RECEIVED	1
#define NODE		0x1000
#define COOKIE		0x77

FIXTURE(freeze)
{
	struct party *m;
	struct party *c;
	struct party *f;
};

FIXTURE_SETUP(freeze)
{
	ASSERT_TRUE(nothing_in_use());
	SETUP_PAIR();
	ASSERT_EQ(0, b_enter_looper(self->c));
	self->f = client_new(0);
	ASSERT_NE(NULL, self->f);
	ASSERT_EQ(0, b_greet(self->f));
}

FIXTURE_TEARDOWN(freeze)
{
	kill_all_parties();
}

static long b_freeze_now(struct party *f, struct party *p)
{
	return b_freeze(f, p->pid, true, 0);
}

/* Begins to freeze and waits until it has to wait. */
static bool starts_to_freeze(struct party *f, struct party *p)
{
	struct binder_freeze_info *info = (void *)f->scratch;

	*info = (struct binder_freeze_info) {
		.pid = p->pid,
		.enable = 1,
		.timeout_ms = PATIENCE_MS,
	};
	START(f, op_ioctl, BINDER_FREEZE, ptr_u64(info));
	return falls_asleep(f);
}

/* Both numbers of BINDER_GET_FROZEN_INFO. */
#define EXPECT_INFO(p, sync, async) do {				\
	const struct binder_frozen_status_info *info =			\
		(void *)self->f->scratch;				\
									\
	ASSERT_EQ(0, b_frozen_info(self->f, (p)->pid));			\
	EXPECT_EQ(sync, info->sync_recv);				\
	EXPECT_EQ(async, info->async_recv);				\
} while (0)

TEST_F(freeze, an_idle_process_can_be_frozen)
{
	EXPECT_EQ(0, b_freeze_now(self->f, self->m));
	EXPECT_EQ(0, b_thaw(self->f, self->m->pid));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(freeze, a_process_without_a_file_is_unknown)
{
	struct party *other = party_new();

	ASSERT_NE(NULL, other);
	EXPECT_EQ(-EINVAL, b_freeze(self->f, other->pid, true, 0));
	EXPECT_EQ(-EINVAL, b_freeze(self->f, other->pid, false, 0));
	EXPECT_EQ(-EINVAL, b_frozen_info(self->f, other->pid));
}

TEST_F(freeze, no_process_is_unknown)
{
	EXPECT_EQ(-EINVAL, b_freeze(self->f, 0, true, 0));
	EXPECT_EQ(-EINVAL, b_frozen_info(self->f, 0));
}

TEST_F(freeze, bad_pointers_are_refused)
{
	EXPECT_EQ(-EFAULT, b_ioctl(self->f, BINDER_FREEZE, NULL));
	EXPECT_EQ(-EFAULT, b_ioctl(self->f, BINDER_GET_FROZEN_INFO, NULL));
}

TEST_F(freeze, thawing_what_is_not_frozen)
{
	EXPECT_EQ(0, b_thaw(self->f, self->m->pid));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(freeze, freezing_twice)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
	/* It need not be thawed as often. */
	ASSERT_EQ(0, b_thaw(self->f, self->m->pid));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(freeze, calls_fail)
{
	const struct binder_extended_error *ee;

	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(0, b_go(self->c, READ_SIZE));
	ASSERT_EQ(2, self->c->res.n);
	EXPECT_EQ(BR_NOOP, self->c->res.br[0]);
	EXPECT_EQ(BR_FROZEN_REPLY, self->c->res.br[1]);
	ee = b_error(self->c);
	ASSERT_NE(NULL, ee);
	EXPECT_EQ(BR_FROZEN_REPLY, ee->command);
	/* It is not tried again later. */
	ASSERT_EQ(0, b_thaw(self->f, self->m->pid));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(freeze, calls_to_all_its_nodes_fail)
{
	long node = hand_node(self->m, self->c, NODE, COOKIE);

	ASSERT_LT(0, node);
	ASSERT_EQ(0, b_freeze_idle(self->f, self->m->pid));
	ASSERT_EQ(0, b_ask(self->c, node, 1));
	EXPECT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
}

/* A thread with a file of its own: another client in the same process. */
static struct party *second_file(struct party *p)
{
	struct party *t = party_thread(p);

	if (!t || b_open(t) < 0 || b_map(t, AREA_SIZE) || b_enter_looper(t))
		return NULL;
	return t;
}

TEST_F(freeze, all_its_files_are_frozen)
{
	struct party *t = second_file(self->c);
	long node[2];

	ASSERT_NE(NULL, t);
	node[0] = give_node(self->c, self->m, NODE, COOKIE);
	ASSERT_LT(0, node[0]);
	node[1] = give_node(t, self->m, NODE, COOKIE);
	ASSERT_LT(0, node[1]);
	ASSERT_EQ(0, b_freeze_idle(self->f, self->c->pid));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, b_ask(self->m, node[i], 1));
		EXPECT_EQ(BR_FROZEN_REPLY, b_receive(self->m));
	}
	ASSERT_EQ(0, b_thaw(self->f, self->c->pid));
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->m, node[i], 2));
	EXPECT_EQ(2, next_call(self->c));
	EXPECT_EQ(2, next_call(t));
}

TEST_F(freeze, oneway_messages_wait)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(0, b_oneway(self->c, 1, 100));
	ASSERT_EQ(0, b_go(self->c, READ_SIZE));
	ASSERT_EQ(2, self->c->res.n);
	EXPECT_EQ(BR_NOOP, self->c->res.br[0]);
	EXPECT_EQ(BR_TRANSACTION_PENDING_FROZEN, self->c->res.br[1]);
	EXPECT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_tell(self->c, 0, 2));
	ASSERT_EQ(0, b_thaw(self->f, self->m->pid));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 3));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(2, next_call(self->m));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(3, next_call(self->m));
}

TEST_F(freeze, its_own_calls_go_on)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 2));
}

/* Frozen or not, whoever it calls may call back only when it is not. */
TEST_F(freeze, callbacks_fail)
{
	long node = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, node);
	ASSERT_EQ(0, b_freeze_idle(self->f, self->c->pid));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, node, 2));
	EXPECT_EQ(BR_FROZEN_REPLY, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(3, next_answer(self->c));
}

TEST_F(freeze, not_with_an_unread_call)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_EQ(-EAGAIN, b_freeze_now(self->f, self->m));
	/* It is as it was before. */
	EXPECT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(freeze, not_while_it_handles_a_call)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(-EAGAIN, b_freeze_now(self->f, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(0, b_freeze_idle(self->f, self->m->pid));
}

TEST_F(freeze, not_with_an_unread_oneway)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 1));
	EXPECT_EQ(-EAGAIN, b_freeze_now(self->f, self->m));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(0, b_freeze_idle(self->f, self->m->pid));
}

TEST_F(freeze, not_while_it_waits_for_an_answer)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_EQ(-EAGAIN, b_freeze_now(self->f, self->c));
	/* Waiting for that would be in vain: it is not c that has to act. */
	EXPECT_EQ(-EAGAIN, b_freeze(self->f, self->c->pid, true, PATIENCE_MS));
}

TEST_F(freeze, not_with_an_unread_answer)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(-EAGAIN, b_freeze_now(self->f, self->c));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_EQ(0, b_freeze_idle(self->f, self->c->pid));
}

TEST_F(freeze, it_waits_for_an_answer)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_TRUE(starts_to_freeze(self->f, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(0, finish(self->f));
	EXPECT_EQ(2, next_answer(self->c));
	ASSERT_EQ(0, b_ask(self->c, 0, 3));
	EXPECT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
}

TEST_F(freeze, it_waits_for_a_oneway_to_be_read)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 1));
	ASSERT_TRUE(starts_to_freeze(self->f, self->m));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(0, finish(self->f));
}

TEST_F(freeze, nothing_new_comes_in_while_it_waits)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_TRUE(starts_to_freeze(self->f, self->m));
	ASSERT_EQ(0, b_ask(other, 0, 2));
	EXPECT_EQ(BR_FROZEN_REPLY, b_receive(other));
	EXPECT_TRUE(is_busy(self->f));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_EQ(0, finish(self->f));
}

TEST_F(freeze, it_gives_up_waiting)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(-EAGAIN, b_freeze(self->f, self->m->pid, true, 1));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(freeze, a_signal_ends_the_wait)
{
	ASSERT_EQ(0, ON(self->f, op_catch, SIGUSR1, 0));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_TRUE(starts_to_freeze(self->f, self->m));
	sys_tgkill(self->f->pid, self->f->tid, SIGUSR1);
	EXPECT_EQ(-EINTR, finish(self->f));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(freeze, its_end_ends_the_wait)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_TRUE(starts_to_freeze(self->f, self->m));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_NE(-ETIME, finish_within(self->f, 2 * PATIENCE_MS));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
}

TEST_F(freeze, the_frozen_can_die)
{
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_EQ(0, b_watch(self->c, 0, COOKIE));
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	EXPECT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_tell(self->c, 0, 1));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_become_manager(self->f));
}

TEST_F(freeze, info_of_what_is_idle)
{
	EXPECT_INFO(self->m, 0, 0);
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	EXPECT_INFO(self->m, 0, 0);
}

TEST_F(freeze, info_of_a_refused_call)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
	EXPECT_INFO(self->m, SYNC_RECEIVED, 0);
	/* Asking does not change it. */
	EXPECT_INFO(self->m, SYNC_RECEIVED, 0);
}

/* A message that waits is pending as well. */
TEST_F(freeze, info_of_a_oneway)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_tell(self->c, 0, 1));
	EXPECT_INFO(self->m, TXNS_PENDING, ASYNC_RECEIVED);
}

TEST_F(freeze, info_of_both)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_tell(self->c, 0, 1));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
	EXPECT_INFO(self->m, SYNC_RECEIVED | TXNS_PENDING, ASYNC_RECEIVED);
}

TEST_F(freeze, info_of_all_its_files)
{
	struct party *t = second_file(self->c);
	long node[2];

	ASSERT_NE(NULL, t);
	node[0] = give_node(self->c, self->m, NODE, COOKIE);
	ASSERT_LT(0, node[0]);
	node[1] = give_node(t, self->m, NODE, COOKIE);
	ASSERT_LT(0, node[1]);
	ASSERT_EQ(0, b_freeze_idle(self->f, self->c->pid));
	ASSERT_EQ(0, b_ask(self->m, node[0], 1));
	ASSERT_EQ(BR_FROZEN_REPLY, b_receive(self->m));
	EXPECT_INFO(self->c, SYNC_RECEIVED, 0);
	ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_tell(self->m, node[1], 1));
	EXPECT_INFO(self->c, SYNC_RECEIVED | TXNS_PENDING, ASYNC_RECEIVED);
}

TEST_F(freeze, info_of_its_own_call)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->c));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_INFO(self->c, TXNS_PENDING, 0);
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_INFO(self->c, TXNS_PENDING, 0);
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_INFO(self->c, 0, 0);
}

TEST_F(freeze, info_of_who_is_not_frozen)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_INFO(self->m, TXNS_PENDING, 0);
	EXPECT_INFO(self->c, TXNS_PENDING, 0);
}

TEST_F(freeze, info_begins_anew_with_each_freeze)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	EXPECT_INFO(self->m, 0, 0);
}

TEST_F(freeze, info_ends_with_the_thaw)
{
	ASSERT_EQ(0, b_freeze_now(self->f, self->m));
	ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_tell(self->c, 0, 1));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(BR_FROZEN_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_thaw(self->f, self->m->pid));
	EXPECT_INFO(self->m, TXNS_PENDING, 0);
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_INFO(self->m, 0, 0);
}

TEST_HARNESS_MAIN
