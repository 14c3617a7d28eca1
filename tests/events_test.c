// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's tracepoints: that what happens is told, in the order in which
 * it happens, by the numbers that debugfs has.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "ioctls.h"
#include "parcel.h"
#include "seen.h"

#define EVENTS		TRACING "events/vbinder/"
#define PTR		0x1000
#define COOKIE		0x2000
#define CODE		5
#define LEN		24
#define UNKNOWN		77

FIXTURE(events)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(events)
{
	if (access(EVENTS "enable", F_OK))
		SKIP(return, "no tracepoints in this kernel");
	SETUP_PAIR();
	ASSERT_EQ(0, b_enter_looper(self->c));
	/* Times of several CPUs are not exact enough; this clears, too. */
	ASSERT_EQ(0, write_file(TRACING "trace_clock", "counter"));
	ASSERT_EQ(0, write_file(EVENTS "enable", "1"));
}

FIXTURE_TEARDOWN(events)
{
	write_file(EVENTS "enable", "0");
	write_file(TRACING "trace_clock", "local");
	kill_all_parties();
}

/* Reads what happened since the beginning of the case. */
static long see_events(void)
{
	return read_file(TRACING "trace", seen_text, sizeof(seen_text));
}

/*
 * The next event from a place in the text on that begins with these words; the
 * place moves behind them.
 */
#define EXPECT_EVENT(at, ...) do {					\
	const char **at_ = &(at);					\
	const char *next_ = after(*at_, "vbinder_" __VA_ARGS__);	\
									\
	EXPECT_NE(NULL, next_) {					\
		TH_LOG("vbinder_" __VA_ARGS__);				\
	}								\
	if (next_)							\
		*at_ = next_;						\
} while (0)

TEST_F(events, a_call_and_its_answer)
{
	int c = self->c->pid, m = self->m->pid;
	const char *at = seen_text;
	long node, call, answer;

	ASSERT_EQ(0, exchange(self->c, self->m, 1, LEN));
	ASSERT_LT(0, see_events());
	EXPECT_EVENT(at, "ioctl: pid=%d command=0x", c);
	EXPECT_EVENT(at, "command: pid=%d command=BC_TRANSACTION\n", c);
	EXPECT_EVENT(at, "buffer_alloc: pid=%d offset=0 size=%d len=%d\n", m,
		     LEN, LEN);
	call = number_at(after(at, "vbinder_transaction: id="));
	EXPECT_EVENT(at, "transaction: id=%ld reply=0 to_pid=%d node=", call, m);
	node = number_at(at);
	EXPECT_LT(0, node);
	EXPECT_EVENT(at, "transaction_received: id=%ld pid=%d offset=0\n", call,
		     m);
	EXPECT_EVENT(at, "return: pid=%d command=BR_TRANSACTION\n", m);
	EXPECT_EVENT(at, "command: pid=%d command=BC_FREE_BUFFER\n", m);
	EXPECT_EVENT(at, "buffer_free: pid=%d offset=0 size=%d\n", m, LEN);
	EXPECT_EVENT(at, "command: pid=%d command=BC_REPLY\n", m);
	EXPECT_EVENT(at, "buffer_alloc: pid=%d offset=0 size=%d len=%d\n", c,
		     LEN, LEN);
	answer = number_at(after(at, "vbinder_transaction: id="));
	EXPECT_LT(call, answer);
	EXPECT_EVENT(at, "transaction: id=%ld reply=1 to_pid=%d node=0 code=0 flags=0x0 size=%d\n",
		     answer, c, LEN);
	EXPECT_EVENT(at, "return: pid=%d command=BR_TRANSACTION_COMPLETE\n", m);
	EXPECT_EVENT(at, "transaction_received: id=%ld pid=%d offset=0\n",
		     answer, c);
	EXPECT_EVENT(at, "return: pid=%d command=BR_TRANSACTION_COMPLETE\n", c);
	EXPECT_EVENT(at, "return: pid=%d command=BR_REPLY\n", c);
	EXPECT_EVENT(at, "buffer_free: pid=%d offset=0 size=%d\n", c, LEN);
	EXPECT_EVENT(at, "ioctl_done: pid=%d command=0x", c);
	/* The same numbers as there. */
	ASSERT_LT(0, see_proc(m));
	EXPECT_TRUE(SHOWS("  node %ld: ptr=0x0 cookie=0x0 ", node));
}

TEST_F(events, an_ioctl_that_fails)
{
	const char *at = seen_text;

	ASSERT_EQ(-EINVAL, b_ioctl(self->c, _IO('b', 99), NULL));
	ASSERT_LT(0, see_events());
	EXPECT_EVENT(at, "ioctl: pid=%d command=0x%x\n", self->c->pid,
		     _IO('b', 99));
	EXPECT_EVENT(at, "ioctl_done: pid=%d command=0x%x error=%d\n",
		     self->c->pid, _IO('b', 99), -EINVAL);
}

TEST_F(events, a_call_that_cannot_be_sent)
{
	const char *at = seen_text;

	ASSERT_EQ(0, b_ask(self->c, UNKNOWN, CODE));
	ASSERT_EQ(-BR_FAILED_REPLY, next_answer(self->c));
	ASSERT_LT(0, see_events());
	EXPECT_EVENT(at, "command: pid=%d command=BC_TRANSACTION\n",
		     self->c->pid);
	EXPECT_EVENT(at, "transaction_failed: id=");
	EXPECT_NE(NULL, after(at, " pid=%d command=BR_FAILED_REPLY error=%d\n",
			      self->c->pid, -EINVAL));
	EXPECT_EVENT(at, "return: pid=%d command=BR_FAILED_REPLY\n",
		     self->c->pid);
	EXPECT_FALSE(SHOWS("vbinder_buffer_alloc:"));
}

TEST_F(events, a_call_to_one_who_dies)
{
	const char *at = seen_text;
	long call;

	ASSERT_EQ(0, b_ask(self->c, 0, CODE));
	ASSERT_EQ(CODE, next_call(self->m));
	party_kill(self->m);
	ASSERT_EQ(-BR_DEAD_REPLY, next_answer(self->c));
	ASSERT_LT(0, see_events());
	call = NUMBER("vbinder_transaction: id=");
	EXPECT_EVENT(at, "transaction: id=%ld reply=0 to_pid=%d ", call,
		     self->m->pid);
	EXPECT_EVENT(at, "thread_exit: pid=%d tid=%d\n", self->m->pid,
		     self->m->pid);
	EXPECT_EVENT(at, "call_failed: id=%ld pid=%d command=BR_DEAD_REPLY\n",
		     call, self->c->pid);
	EXPECT_EVENT(at, "return: pid=%d command=BR_DEAD_REPLY\n",
		     self->c->pid);
}

TEST_F(events, the_life_of_a_node)
{
	int c = self->c->pid, m = self->m->pid;
	const char *at = seen_text;
	long node;

	ASSERT_EQ(1, give_node(self->c, self->m, PTR, COOKIE));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, 1));
	ASSERT_LT(0, b_drain(self->c));
	ASSERT_LT(0, see_events());
	node = NUMBER("vbinder_node_made: id=");
	ASSERT_LT(0, node);
	EXPECT_EVENT(at, "node_made: id=%ld pid=%d ptr=0x%x cookie=0x%x\n",
		     node, c, PTR, COOKIE);
	EXPECT_EVENT(at, "node_refs: id=%ld strong=0 weak=0 remote_strong=1 refs=1\n",
		     node);
	EXPECT_EVENT(at, "ref_made: pid=%d handle=1 node=%ld strong=1\n", m,
		     node);
	EXPECT_EVENT(at, "return: pid=%d command=BR_INCREFS\n", c);
	EXPECT_EVENT(at, "return: pid=%d command=BR_ACQUIRE\n", c);
	EXPECT_EVENT(at, "command: pid=%d command=BC_RELEASE\n", m);
	EXPECT_EVENT(at, "ref_ended: pid=%d handle=1 node=%ld\n", m, node);
	EXPECT_EVENT(at, "node_refs: id=%ld strong=0 weak=0 remote_strong=0 refs=0\n",
		     node);
	EXPECT_EVENT(at, "node_ended: id=%ld pid=%d\n", node, c);
	EXPECT_EVENT(at, "return: pid=%d command=BR_RELEASE\n", c);
	EXPECT_EVENT(at, "return: pid=%d command=BR_DECREFS\n", c);
}

/* Whether a thread of a process begins to wait for anything. */
static bool waits(int pid)
{
	u64 end = now_ms() + PATIENCE_MS;

	while (see_events() >= 0 && now_ms() < end) {
		if (SHOWS("vbinder_thread_wait: pid=%d shared=1\n", pid))
			return true;
		nap();
	}
	return false;
}

TEST_F(events, threads_wait_are_asked_for_and_leave)
{
	int m = self->m->pid;
	const char *at = seen_text;

	ASSERT_EQ(0, b_set_max_threads(self->m, 1));
	START(self->m, op_await, BR(BR_TRANSACTION));
	ASSERT_TRUE(waits(m));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, CODE));
	ASSERT_EQ(BR_TRANSACTION, finish(self->m));
	ASSERT_EQ(0, b_thread_exit(self->m));
	ASSERT_LT(0, see_events());
	EXPECT_EVENT(at, "thread_wait: pid=%d shared=1\n", m);
	EXPECT_EVENT(at, "thread_spawn: pid=%d\n", m);
	EXPECT_EVENT(at, "return: pid=%d command=BR_SPAWN_LOOPER\n", m);
	EXPECT_EVENT(at, "thread_exit: pid=%d tid=%d\n", m, m);
}

/* What nobody traces is not there. */
TEST_F(events, silence)
{
	ASSERT_EQ(0, write_file(EVENTS "enable", "0"));
	ASSERT_EQ(0, write_file(TRACING "trace_clock", "local"));
	ASSERT_EQ(0, exchange(self->c, self->m, 1, LEN));
	ASSERT_LT(0, see_events());
	EXPECT_FALSE(SHOWS("vbinder_"));
}

TEST_HARNESS_MAIN
