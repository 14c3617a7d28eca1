// SPDX-License-Identifier: GPL-2.0
/*
 * Death: kill -9 of either side at every point of a call. Nobody is left
 * waiting, no page stays, and the device serves the next ones.
 */
#include <kselftest_harness.h>
#include <linux/poll.h>

#include "pair.h"

#define LEN	(5 * PAGE)

FIXTURE(death)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(death)
{
	ASSERT_EQ(0, settled("used", 0));
	ASSERT_EQ(0, settled("idle", 0));
	SETUP_PAIR();
	ASSERT_EQ(0, b_ioctl(self->c, BINDER_VERSION, self->c->scratch));
}

FIXTURE_TEARDOWN(death)
{
	kill_all_parties();
}

/* With everybody dead no page is left; then life begins anew. */
#define EXPECT_NOTHING_LEFT() do {					\
	struct party *m, *c;						\
									\
	kill_all_parties();						\
	EXPECT_EQ(0, settled("used", 0));				\
	EXPECT_EQ(0, settled("idle", 0));				\
	m = manager_new(AREA_SIZE);					\
	ASSERT_NE(NULL, m);						\
	c = client_new(AREA_SIZE);					\
	ASSERT_NE(NULL, c);						\
	EXPECT_EQ(0, exchange(c, m, 1, LEN));				\
} while (0)

#define EXPECT_DIES(p)	EXPECT_EQ(SIGKILL, party_kill(p))

TEST_F(death, of_an_opened_file)
{
	struct party *p = client_new(0);

	ASSERT_NE(NULL, p);
	EXPECT_DIES(p);
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_waiting_server)
{
	START(self->m, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(self->m));
	EXPECT_DIES(self->m);
	EXPECT_NOTHING_LEFT();
}

static long op_poll(struct party *p, const u64 *a)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	return _sys_poll(&pfd, 1, a[0]);
}

TEST_F(death, of_a_polling_server)
{
	START(self->m, op_poll, PATIENCE_MS);
	ASSERT_TRUE(falls_asleep(self->m));
	EXPECT_DIES(self->m);
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_with_an_unread_call)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	EXPECT_DIES(self->m);
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_with_many_unread_calls)
{
	struct party *c[4];

	for (int i = 0; i < 4; i++) {
		c[i] = client_new(AREA_SIZE);
		ASSERT_NE(NULL, c[i]);
		ASSERT_EQ(0, b_call(c[i], i, LEN));
		START(c[i], op_await, BR_MESSAGE);
	}
	EXPECT_DIES(self->m);
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(BR_DEAD_REPLY, finish(c[i])) {
			TH_LOG("caller %d", i);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_that_handles_a_call)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	START(self->c, op_await, BR_MESSAGE);
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_DIES(self->m);
	EXPECT_EQ(BR_DEAD_REPLY, finish(self->c));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_that_has_freed_but_not_replied)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_DIES(self->m);
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_that_has_replied)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, LEN));
	EXPECT_DIES(self->m);
	/* The answer was given; whose it was does not matter any more. */
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(-1, b_mismatch(self->c, 2));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_with_one_of_many_threads_busy)
{
	struct party *t[3];

	for (int i = 0; i < 3; i++) {
		t[i] = party_thread(self->m);
		ASSERT_NE(NULL, t[i]);
		ASSERT_EQ(0, b_enter_looper(t[i]));
		START(t[i], op_await, BR_MESSAGE);
		ASSERT_TRUE(falls_asleep(t[i]));
	}
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	START(self->c, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(self->c));
	EXPECT_DIES(self->m);
	EXPECT_EQ(BR_DEAD_REPLY, finish(self->c));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_with_oneway_messages_queued)
{
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, b_oneway(self->c, i, LEN));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	}
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_DIES(self->m);
	EXPECT_EQ(0, settled("used", 0));
	/* Whoever sent them hears of it only when it speaks again. */
	ASSERT_EQ(0, b_oneway(self->c, 1, LEN));
	EXPECT_EQ(BR_DEAD_REPLY, b_receipt(self->c));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_server_with_oneway_messages_unread)
{
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, b_oneway(self->c, i, LEN));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	}
	EXPECT_DIES(self->m);
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

/* Threads end without a word to the driver; only the process counts. */
static long op_end_thread(struct party *p, const u64 *a)
{
	(void)a;
	store(&p->done, p->told);
	futex_wake(&p->done);
	_syscall(__NR_exit, 0);
	return 0;
}

TEST_F(death, of_a_thread_that_handles_a_call)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(t));
	START(t, op_end_thread);
	EXPECT_DIES(self->m);
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_waiting_client)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	START(self->c, op_await, BR_MESSAGE);
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_TRUE(falls_asleep(self->c));
	EXPECT_DIES(self->c);
	/* A reply to the dead is done with, like any other. */
	ASSERT_EQ(0, b_reply(self->m, 2, LEN));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_client_whose_call_is_unread)
{
	long got;

	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	EXPECT_DIES(self->c);
	ASSERT_EQ(0, b_set_nonblock(self->m));
	/* Whether the server still sees it is open; that it can go on is not. */
	got = b_receive(self->m);
	ASSERT_TRUE(got == BR_TRANSACTION || got == -EAGAIN);
	if (got == BR_TRANSACTION) {
		EXPECT_EQ(-1, b_mismatch(self->m, 1));
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_reply(self->m, 2, LEN));
		EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	}
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_client_whose_reply_is_unread)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, LEN));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	ASSERT_LT(0, counter("used"));
	EXPECT_DIES(self->c);
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_client_that_holds_a_buffer)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 1, LEN));
	EXPECT_DIES(self->c);
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_a_client_whose_oneway_messages_are_queued)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, b_oneway(self->c, i, LEN));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
	}
	EXPECT_DIES(self->c);
	/* They were sent; a one-way message needs no sender any more. */
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		EXPECT_EQ(-1, b_mismatch(self->m, i));
		ASSERT_EQ(0, b_free(self->m));
	}
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_both_in_a_call)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	START(self->c, op_await, BR_MESSAGE);
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_TRUE(falls_asleep(self->c));
	kill(self->c->pid, SIGKILL);
	kill(self->m->pid, SIGKILL);
	EXPECT_NOTHING_LEFT();
}

TEST_F(death, of_both_with_a_reply_on_its_way)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, LEN));
	kill(self->m->pid, SIGKILL);
	kill(self->c->pid, SIGKILL);
	EXPECT_NOTHING_LEFT();
}

/* Closing is dying for the others, whatever the process does next. */
TEST_F(death, by_close)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_unmap(self->m));
	ASSERT_EQ(0, ON(self->m, op_close));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOTHING_LEFT();
}

/* A file lives as long as its mapping does: closing alone is not the end. */
TEST_F(death, not_by_close_while_mapped)
{
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, ON(self->m, op_close));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_unmap(self->m));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_NOTHING_LEFT();
}

/* A thread asleep in the driver is sent back when the file is closed. */
TEST_F(death, by_close_wakes_the_sleepers)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	START(t, op_go, READ_SIZE);
	ASSERT_TRUE(falls_asleep(t));
	ASSERT_EQ(0, ON(self->m, op_close));
	EXPECT_NE(-ETIME, finish_within(t, 5000));
	EXPECT_NOTHING_LEFT();
}

/* A copy of the descriptor in a child keeps the file, not the process. */
TEST_F(death, of_a_server_whose_file_lives_on)
{
	struct party *other = client_new(AREA_SIZE);
	long got;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, ON(self->m, op_leave_a_child));
	ASSERT_EQ(0, b_call(self->c, 1, LEN));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_DIES(self->m);
	/* Its memory is gone, so nothing can be delivered any more. */
	ASSERT_EQ(0, b_call(other, 2, LEN));
	got = b_receive(other);
	EXPECT_TRUE(got == BR_DEAD_REPLY || got == BR_FAILED_REPLY);
	kill(self->m->scratch[0], SIGKILL);
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_NOTHING_LEFT();
}

TEST_HARNESS_MAIN
