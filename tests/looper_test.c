// SPDX-License-Identifier: GPL-2.0
/*
 * Threads: registering them, asking for more, waiting with and without
 * blocking, and being interrupted.
 */
#include <kselftest_harness.h>
#include <linux/poll.h>

#include "pair.h"
#include "sigs.h"

FIXTURE(looper)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(looper)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
	/* The first ioctl of a thread may cut a wait short; get it over. */
	ASSERT_EQ(0, b_ioctl(self->c, BINDER_VERSION, self->c->scratch));
}

FIXTURE_TEARDOWN(looper)
{
	kill_all_parties();
}

/* Takes one call and answers it: the first return command of that read. */
static long serve_one(struct party *c, struct party *m)
{
	u32 first;

	if (b_call(c, 1, 8) || b_go(m, READ_SIZE))
		return -EPROTO;
	first = m->res.br[0];
	if (!(seen(&m->res) & BR(BR_TRANSACTION)) || b_free(m) ||
	    b_reply(m, 2, 8) || b_receipt(m) != BR_TRANSACTION_COMPLETE ||
	    b_receive(c) != BR_REPLY || b_free(c))
		return -EPROTO;
	return first;
}

static long op_poll(struct party *p, const u64 *a)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };
	long ret = _sys_poll(&pfd, 1, a[0]);

	return ret == 1 ? pfd.revents : ret;
}

TEST_F(looper, no_more_threads_than_allowed)
{
	ASSERT_EQ(0, b_ioctl_u32(self->m, BINDER_SET_MAX_THREADS, 0));
	EXPECT_EQ(BR_NOOP, serve_one(self->c, self->m));
	EXPECT_EQ(BR_NOOP, serve_one(self->c, self->m));
}

TEST_F(looper, asks_for_a_thread_once)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_ioctl_u32(self->m, BINDER_SET_MAX_THREADS, 1));
	/* Takes the place of BR_NOOP when no thread waits for work. */
	EXPECT_EQ(BR_SPAWN_LOOPER, serve_one(self->c, self->m));
	EXPECT_EQ(BR_NOOP, serve_one(self->c, self->m));
	put_cmd(t, BC_REGISTER_LOOPER);
	ASSERT_EQ(0, b_go(t, 0));
	/* That was the one that was allowed. */
	EXPECT_EQ(BR_NOOP, serve_one(self->c, self->m));
	EXPECT_EQ(BR_NOOP, serve_one(self->c, t));
}

TEST_F(looper, asks_again_when_more_are_allowed)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_ioctl_u32(self->m, BINDER_SET_MAX_THREADS, 2));
	EXPECT_EQ(BR_SPAWN_LOOPER, serve_one(self->c, self->m));
	put_cmd(t, BC_REGISTER_LOOPER);
	ASSERT_EQ(0, b_go(t, 0));
	EXPECT_EQ(BR_SPAWN_LOOPER, serve_one(self->c, self->m));
	EXPECT_EQ(BR_NOOP, serve_one(self->c, self->m));
}

TEST_F(looper, no_thread_wanted_while_one_waits)
{
	struct party *t = party_thread(self->m);
	struct party *busy;
	struct party *free;

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, b_ioctl_u32(self->m, BINDER_SET_MAX_THREADS, 1));
	START(self->m, op_await, BR_MESSAGE);
	START(t, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(self->m));
	ASSERT_TRUE(falls_asleep(t));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	for (u64 end = now_ms() + PATIENCE_MS; now_ms() < end; nap()) {
		if (!is_busy(self->m) || !is_busy(t))
			break;
	}
	busy = is_busy(self->m) ? t : self->m;
	free = busy == t ? self->m : t;
	ASSERT_EQ(BR_TRANSACTION, finish(busy));
	EXPECT_TRUE(is_busy(free));
	EXPECT_FALSE(seen(&busy->res) & BR(BR_SPAWN_LOOPER));
}

TEST_F(looper, other_threads_are_not_asked)
{
	ASSERT_EQ(0, b_ioctl_u32(self->c, BINDER_SET_MAX_THREADS, 4));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	/* The client entered no loop: it is not asked to grow. */
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_FALSE(seen(&self->c->res) & BR(BR_SPAWN_LOOPER));
}

TEST_F(looper, leaving_the_loop_is_accepted)
{
	put_cmd(self->m, BC_EXIT_LOOPER);
	ASSERT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(4, self->m->bwr.write_consumed);
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(looper, a_thread_can_leave_and_come_back)
{
	ASSERT_EQ(0, b_ioctl(self->c, BINDER_THREAD_EXIT, NULL));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
	ASSERT_EQ(0, b_ioctl(self->m, BINDER_THREAD_EXIT, NULL));
	ASSERT_EQ(0, b_enter_looper(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 2, 8));
}

TEST_F(looper, a_thread_that_leaves_fails_its_caller)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_ioctl(self->m, BINDER_THREAD_EXIT, NULL));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->m));
}

TEST_F(looper, work_goes_to_any_waiting_thread)
{
	struct party *t[3];

	for (int i = 0; i < 3; i++) {
		t[i] = party_thread(self->m);
		ASSERT_NE(NULL, t[i]);
		ASSERT_EQ(0, b_enter_looper(t[i]));
		START(t[i], op_await, BR_MESSAGE);
		ASSERT_TRUE(falls_asleep(t[i]));
	}
	for (int i = 0; i < 3; i++) {
		struct party *c = client_new(AREA_SIZE);

		ASSERT_NE(NULL, c);
		ASSERT_EQ(0, b_call(c, i, 8));
	}
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(BR_TRANSACTION, finish(t[i])) {
			TH_LOG("thread %d", i);
		}
	}
}

TEST_F(looper, nonblocking_read_without_work)
{
	ASSERT_EQ(0, b_set_nonblock(self->c));
	EXPECT_EQ(-EAGAIN, b_go(self->c, READ_SIZE));
	EXPECT_EQ(0, self->c->bwr.read_consumed);
}

TEST_F(looper, nonblocking_read_still_writes)
{
	ASSERT_EQ(0, b_call(self->c, 1, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_LT(0, counter("used"));
	ASSERT_EQ(0, b_set_nonblock(self->m));
	put_free(self->m, self->m->res.tr.data.ptr.buffer);
	EXPECT_EQ(-EAGAIN, b_go(self->m, READ_SIZE));
	EXPECT_EQ(self->m->bwr.write_size, self->m->bwr.write_consumed);
	EXPECT_EQ(0, counter("used"));
}

TEST_F(looper, nonblocking_read_with_work)
{
	ASSERT_EQ(0, b_set_nonblock(self->m));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	EXPECT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-EAGAIN, b_receive(self->m));
}

TEST_F(looper, poll_tells_of_work)
{
	EXPECT_EQ(0, ON(self->m, op_poll, 0));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	EXPECT_EQ(POLLIN, ON(self->m, op_poll, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(0, ON(self->m, op_poll, 0));
}

TEST_F(looper, poll_tells_of_a_reply)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	EXPECT_EQ(0, ON(self->c, op_poll, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(POLLIN, ON(self->c, op_poll, 0));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
}

TEST_F(looper, poll_is_woken_by_a_call)
{
	START(self->m, op_poll, PATIENCE_MS);
	ASSERT_TRUE(falls_asleep(self->m));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	EXPECT_EQ(POLLIN, finish_within(self->m, PATIENCE_MS / 2));
	EXPECT_EQ(BR_TRANSACTION, b_receive(self->m));
}

TEST_F(looper, poll_is_woken_by_a_reply)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	START(self->c, op_poll, PATIENCE_MS);
	ASSERT_TRUE(falls_asleep(self->c));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(POLLIN, finish_within(self->c, PATIENCE_MS / 2));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
}

TEST_F(looper, poll_survives_the_end_of_its_thread)
{
	struct party *t = party_thread(self->m);

	/* Leaves a wait queue behind unless the driver sees to it. */
	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, ON(t, op_poll, 0));
	ASSERT_EQ(0, b_ioctl(t, BINDER_THREAD_EXIT, NULL));
	START(self->m, op_poll, PATIENCE_MS);
	ASSERT_TRUE(falls_asleep(self->m));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	EXPECT_EQ(POLLIN, finish_within(self->m, PATIENCE_MS / 2));
}

TEST_F(looper, a_signal_interrupts_waiting_for_work)
{
	ASSERT_EQ(0, ON(self->m, op_catch, SIGUSR1, 0));
	START(self->m, op_go, READ_SIZE);
	ASSERT_TRUE(falls_asleep(self->m));
	sys_tgkill(self->m->pid, self->m->tid, SIGUSR1);
	EXPECT_EQ(-EINTR, finish(self->m));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

/*
 * The call is one ioctl that writes and then waits. Interrupted, it says that
 * the write part is done; repeated as it stands, it must not send again.
 */
TEST_F(looper, a_signal_does_not_repeat_a_call)
{
	struct binder_transaction_data tr = { .code = 5 };

	ASSERT_EQ(0, ON(self->c, op_catch, SIGUSR1, 0));
	put_tr(self->c, BC_TRANSACTION, &tr);
	START(self->c, op_go, READ_SIZE);
	ASSERT_TRUE(falls_asleep(self->c));
	sys_tgkill(self->c->pid, self->c->tid, SIGUSR1);
	ASSERT_EQ(-EINTR, finish(self->c));
	EXPECT_EQ(self->c->bwr.write_size, self->c->bwr.write_consumed);
	EXPECT_EQ(0, self->c->bwr.read_consumed);

	START(self->c, op_again);
	ASSERT_TRUE(falls_asleep(self->c));
	ASSERT_EQ(0, b_set_nonblock(self->m));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-EAGAIN, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(0, finish(self->c));
	EXPECT_TRUE(seen(&self->c->res) & BR(BR_REPLY));
	EXPECT_EQ(-EAGAIN, b_receive(self->m));
}

/* With SA_RESTART too, whoever restarts it: at most one call is sent. */
TEST_F(looper, a_restarting_signal_does_not_repeat_a_call)
{
	struct binder_transaction_data tr = { .code = 5 };

	ASSERT_EQ(0, ON(self->c, op_catch, SIGUSR1, SA_RESTART));
	put_tr(self->c, BC_TRANSACTION, &tr);
	START(self->c, op_go, READ_SIZE);
	ASSERT_TRUE(falls_asleep(self->c));
	sys_tgkill(self->c->pid, self->c->tid, SIGUSR1);
	for (u64 end = now_ms() + 5000; !caught(self->c); nap())
		ASSERT_LT(now_ms(), end);
	if (!falls_asleep(self->c)) {
		ASSERT_EQ(-EINTR, finish(self->c));
		START(self->c, op_again);
	}
	ASSERT_EQ(0, b_set_nonblock(self->m));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-EAGAIN, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(0, finish(self->c));
	EXPECT_TRUE(seen(&self->c->res) & BR(BR_REPLY));
}

TEST_F(looper, a_signal_loses_no_reply)
{
	ASSERT_EQ(0, ON(self->c, op_catch, SIGUSR1, 0));
	for (int i = 0; i < 10; i++) {
		long got;

		ASSERT_EQ(0, b_call(self->c, i, 8));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		START(self->c, op_await, BR_MESSAGE);
		ASSERT_TRUE(falls_asleep(self->c));
		/* Either may come first; the reply must come in the end. */
		sys_tgkill(self->c->pid, self->c->tid, SIGUSR1);
		ASSERT_EQ(0, b_reply(self->m, i + 1, 8));
		got = finish(self->c);
		if (got == -EINTR)
			got = b_receive(self->c);
		ASSERT_EQ(BR_REPLY, got);
		EXPECT_EQ(-1, b_mismatch(self->c, i + 1));
	}
}

TEST_HARNESS_MAIN
