// SPDX-License-Identifier: GPL-2.0
/*
 * Priorities: with which nice value a thread handles a call.
 *
 * It is that of the caller, but not worse than the node's own, which is 0
 * unless the node was made with another one; and afterwards what it was
 * before. One-way messages have no caller who waits, so only the node counts.
 */
#include <kselftest_harness.h>
#include <linux/resource.h>

#include "calls.h"
#include "ioctls.h"
#include "parcel.h"

#define PRIO_PROCESS	0
#define FAST		(-10)
#define SLOW		15
#define NODES_OWN	10
#define USER		1234

FIXTURE(priority)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(priority)
{
	ASSERT_TRUE(nothing_in_use());
	self->m = party_new();
	ASSERT_NE(NULL, self->m);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	ASSERT_EQ(0, b_greet(self->c));
}

FIXTURE_TEARDOWN(priority)
{
	kill_all_parties();
}

static long set_nice(struct party *p, int nice)
{
	return _syscall(__NR_setpriority, PRIO_PROCESS, p->tid, nice);
}

static int nice_of(struct party *p)
{
	/* The system call has no negative results but errors. */
	return 20 - (int)_syscall(__NR_getpriority, PRIO_PROCESS, p->tid);
}

/* Becomes the manager at one nice value, with a node of another. */
static bool manages(struct party *m, int nice, u32 of_node)
{
	struct flat_binder_object *fbo = (void *)m->scratch;
	u64 end = now_ms() + PATIENCE_MS;
	long ret;

	if (set_nice(m, nice) || b_open(m) < 0 || b_map(m, AREA_SIZE))
		return false;
	*fbo = (struct flat_binder_object) {
		.hdr.type = BINDER_TYPE_BINDER,
		.flags = of_node,
	};
	while ((ret = b_ioctl(m, BINDER_SET_CONTEXT_MGR_EXT, fbo)) == -EBUSY &&
	       now_ms() < end)
		nap();
	return !ret && !b_enter_looper(m);
}

/* Calls with a nice value: that with which the call is handled. */
static int handled_at(struct party *c, int nice, struct party *m)
{
	if (set_nice(c, nice) || b_ask(c, 0, 1) || next_call(m) != 1)
		return 99;
	return nice_of(m);
}

static int tells_at(struct party *c, int nice, struct party *m)
{
	if (set_nice(c, nice) || b_tell(c, 0, 1) != BR_TRANSACTION_COMPLETE ||
	    next_call(m) != 1)
		return 99;
	return nice_of(m);
}

TEST_F(priority, a_fast_caller)
{
	ASSERT_TRUE(manages(self->m, 0, 0));
	EXPECT_EQ(FAST, handled_at(self->c, FAST, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(0, nice_of(self->m));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_EQ(FAST, nice_of(self->c));
}

TEST_F(priority, a_slow_caller)
{
	ASSERT_TRUE(manages(self->m, 5, 0));
	EXPECT_EQ(0, handled_at(self->c, SLOW, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(5, nice_of(self->m));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_EQ(SLOW, nice_of(self->c));
}

TEST_F(priority, a_slow_node_and_a_slower_caller)
{
	ASSERT_TRUE(manages(self->m, 0, NODES_OWN));
	EXPECT_EQ(NODES_OWN, handled_at(self->c, SLOW, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(0, nice_of(self->m));
}

TEST_F(priority, a_slow_node_and_a_faster_caller)
{
	ASSERT_TRUE(manages(self->m, 0, NODES_OWN));
	EXPECT_EQ(5, handled_at(self->c, 5, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(0, nice_of(self->m));
}

TEST_F(priority, it_is_that_of_the_call)
{
	ASSERT_TRUE(manages(self->m, 0, 0));
	ASSERT_EQ(0, set_nice(self->c, FAST));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(0, set_nice(self->c, SLOW));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(FAST, nice_of(self->m));
}

TEST_F(priority, each_thread_has_its_caller_s)
{
	struct party *other = client_new(AREA_SIZE);
	struct party *t;

	ASSERT_NE(NULL, other);
	ASSERT_TRUE(manages(self->m, 0, 0));
	t = party_thread(self->m);
	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	EXPECT_EQ(FAST, handled_at(self->c, FAST, self->m));
	EXPECT_EQ(-5, handled_at(other, -5, t));
	EXPECT_EQ(FAST, nice_of(self->m));
	ASSERT_EQ(0, b_answer(t, 2));
	EXPECT_EQ(0, nice_of(t));
	EXPECT_EQ(FAST, nice_of(self->m));
}

TEST_F(priority, it_is_passed_on)
{
	struct party *d = looper_new(AREA_SIZE);
	long handle;

	ASSERT_NE(NULL, d);
	ASSERT_TRUE(manages(self->m, 0, 0));
	handle = give_node(d, self->m, 0x1000, 0x77);
	ASSERT_LT(0, handle);
	ASSERT_EQ(FAST, handled_at(self->c, FAST, self->m));
	ASSERT_EQ(0, b_ask(self->m, handle, 2));
	ASSERT_EQ(2, next_call(d));
	EXPECT_EQ(FAST, nice_of(d));
	ASSERT_EQ(0, b_answer(d, 3));
	EXPECT_EQ(0, nice_of(d));
	ASSERT_EQ(3, next_answer(self->m));
	EXPECT_EQ(FAST, nice_of(self->m));
	ASSERT_EQ(0, b_answer(self->m, 4));
	EXPECT_EQ(0, nice_of(self->m));
}

/* The caller serves its callee then, and becomes what it was. */
TEST_F(priority, a_callback)
{
	long handle;

	ASSERT_TRUE(manages(self->m, 0, 0));
	handle = give_node(self->c, self->m, 0x1000, 0x77);
	ASSERT_LT(0, handle);
	ASSERT_EQ(0, handled_at(self->c, 5, self->m));
	ASSERT_EQ(0, b_ask(self->m, handle, 2));
	ASSERT_EQ(2, next_call(self->c));
	EXPECT_EQ(0, nice_of(self->c));
	ASSERT_EQ(0, b_answer(self->c, 3));
	EXPECT_EQ(5, nice_of(self->c));
}

TEST_F(priority, a_oneway_does_not_pass_it_on)
{
	ASSERT_TRUE(manages(self->m, 0, 0));
	EXPECT_EQ(0, tells_at(self->c, FAST, self->m));
}

TEST_F(priority, a_oneway_to_a_fast_node)
{
	ASSERT_TRUE(manages(self->m, 5, 0));
	EXPECT_EQ(0, tells_at(self->c, SLOW, self->m));
	/* Nobody is answered: it ends when the thread looks for more. */
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	EXPECT_EQ(5, nice_of(self->m));
}

TEST_F(priority, a_oneway_to_a_slow_node)
{
	ASSERT_TRUE(manages(self->m, 0, NODES_OWN));
	EXPECT_EQ(0, tells_at(self->c, SLOW, self->m));
}

/* Threads that look for work do so as the process did when it opened. */
TEST_F(priority, who_waits_has_the_process_s)
{
	ASSERT_TRUE(manages(self->m, 5, 0));
	ASSERT_EQ(0, set_nice(self->m, SLOW));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
	EXPECT_EQ(5, nice_of(self->m));
	ASSERT_EQ(0, set_nice(self->m, SLOW));
	START(self->m, op_await, BR_MESSAGE);
	ASSERT_TRUE(falls_asleep(self->m));
	EXPECT_EQ(5, nice_of(self->m));
}

TEST_F(priority, who_waits_for_an_answer_keeps_its_own)
{
	ASSERT_TRUE(manages(self->m, 0, 0));
	ASSERT_EQ(FAST, handled_at(self->c, FAST, self->m));
	ASSERT_EQ(0, set_nice(self->c, SLOW));
	EXPECT_EQ(-EAGAIN, b_look(self->c));
	EXPECT_EQ(SLOW, nice_of(self->c));
	ASSERT_EQ(0, b_answer(self->m, 2));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_EQ(SLOW, nice_of(self->c));
}

/* What a thread makes of itself meanwhile ends with the call, too. */
TEST_F(priority, it_is_what_it_was_after_the_call)
{
	ASSERT_TRUE(manages(self->m, 5, 0));
	ASSERT_EQ(FAST, handled_at(self->c, FAST, self->m));
	ASSERT_EQ(0, set_nice(self->m, SLOW));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(5, nice_of(self->m));
}

static long limit_nice(struct party *p, u64 limit)
{
	const u64 both[2] = { limit, limit };

	return _syscall(__NR_prlimit64, p->pid, RLIMIT_NICE, both, NULL);
}

TEST_F(priority, not_without_the_right)
{
	ASSERT_TRUE(manages(self->m, 0, 0));
	ASSERT_EQ(0, limit_nice(self->m, 0));
	ASSERT_EQ(0, ON(self->m, op_setuid, USER));
	EXPECT_EQ(0, handled_at(self->c, FAST, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(0, nice_of(self->m));
}

/* The limit counts from 20 downwards: 25 is -5. */
TEST_F(priority, as_far_as_there_is_the_right)
{
	ASSERT_TRUE(manages(self->m, 0, 0));
	ASSERT_EQ(0, limit_nice(self->m, 25));
	ASSERT_EQ(0, ON(self->m, op_setuid, USER));
	EXPECT_EQ(-5, handled_at(self->c, FAST, self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(0, nice_of(self->m));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_EQ(-3, handled_at(self->c, -3, self->m));
}

TEST_HARNESS_MAIN
