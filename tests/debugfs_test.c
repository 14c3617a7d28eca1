// SPDX-License-Identifier: GPL-2.0
/*
 * The files in debugfs: that they show what there is, forget what is gone, and
 * can be read while everything changes.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "death.h"
#include "ioctls.h"
#include "parcel.h"
#include "seen.h"
#include "traffic.h"

#define PTR		0x1000
#define COOKIE		0x2000
#define WATCH		0x77
#define CODE		5
#define ROUNDS		20

static const char *const kinds[] = {
	"processes", "threads", "nodes", "references", "deaths", "freezes",
	"transactions", "buffers",
};

FIXTURE(seen)
{
	struct party *m;
	struct party *c;
	int readers[2];
};

FIXTURE_SETUP(seen)
{
	/* The dead of the case before may be shown for a moment. */
	ASSERT_EQ(0, things("processes", 0));
	self->readers[0] = 0;
	self->readers[1] = 0;
	SETUP_PAIR();
}

FIXTURE_TEARDOWN(seen)
{
	for (int i = 0; i < 2; i++) {
		if (self->readers[i]) {
			kill(self->readers[i], SIGKILL);
			waitpid(self->readers[i], NULL, 0);
		}
	}
	kill_all_parties();
}

/* Processes. */

TEST_F(seen, a_process_is_shown_while_it_has_a_file)
{
	int pid = self->c->pid;

	ASSERT_EQ(0, b_greet(self->c));
	ASSERT_LT(0, see("state"));
	EXPECT_TRUE(SHOWS("process %d: device=vbinder file=", pid));
	EXPECT_TRUE(SHOWS("  thread %d: looper=none waiting=0", pid));
	ASSERT_LT(0, see_proc(pid));
	EXPECT_TRUE(SHOWS("process %d: device=vbinder file=", pid));
	EXPECT_FALSE(SHOWS("process %d:", self->m->pid));
	ASSERT_EQ(0, ON(self->c, op_leave));
	EXPECT_TRUE(proc_goes(pid));
	ASSERT_LT(0, see("state"));
	EXPECT_FALSE(SHOWS("process %d:", pid));
}

TEST_F(seen, a_file_about_two_openings)
{
	int pid = self->c->pid;
	const char *first;
	int fd = self->c->fd;

	ASSERT_LT(0, b_open(self->c));
	ASSERT_LT(0, see_proc(pid));
	first = after(seen_text, "process %d: device=vbinder", pid);
	EXPECT_NE(NULL, after(first, "process %d: device=vbinder", pid));
	ASSERT_EQ(0, ON(self->c, op_close));
	self->c->fd = fd;
	ASSERT_LT(0, see_proc(pid));
	EXPECT_TRUE(SHOWS("process %d:", pid));
	ASSERT_EQ(0, ON(self->c, op_leave));
	EXPECT_TRUE(proc_goes(pid));
}

TEST_F(seen, the_threads_of_a_process)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_set_max_threads(self->m, 7));
	ASSERT_EQ(0, b_greet(t));
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_TRUE(SHOWS("  pool: max=7 requested=0 started=0 waiting=0"));
	EXPECT_TRUE(SHOWS("  thread %d: looper=entered", self->m->pid));
	EXPECT_TRUE(SHOWS("  thread %d: looper=none", t->tid));
	ASSERT_EQ(0, b_thread_exit(t));
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_FALSE(SHOWS("  thread %d:", t->tid));
}

TEST_F(seen, a_frozen_process)
{
	ASSERT_EQ(0, b_freeze(self->c, self->m->pid, true, 0));
	ASSERT_EQ(BR_TRANSACTION_PENDING_FROZEN, b_tell(self->c, 0, CODE));
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_TRUE(SHOWS("  frozen=1 refused_calls=0 kept_oneways=1 outstanding=1"));
	ASSERT_EQ(0, b_thaw(self->c, self->m->pid));
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_TRUE(SHOWS("  frozen=0 refused_calls=0 kept_oneways=0 outstanding=1"));
}

/* Nodes and references. */

TEST_F(seen, a_node_and_who_refers_to_it)
{
	long handle = give_node(self->c, self->m, PTR, COOKIE);
	long node;

	ASSERT_EQ(1, handle);
	ASSERT_EQ(0, b_watch(self->m, handle, WATCH));
	ASSERT_LT(0, see_proc(self->m->pid));
	node = NUMBER("  reference 1: node=");
	ASSERT_LT(0, node);
	EXPECT_TRUE(SHOWS("node=%ld of=%d strong=1 weak=0 dead=0 death=0x%x\n",
			  node, self->c->pid, WATCH));
	ASSERT_LT(0, see_proc(self->c->pid));
	EXPECT_TRUE(SHOWS("  node %ld: ptr=0x%x cookie=0x%x strong=0 ", node,
			  PTR, COOKIE));
	EXPECT_TRUE(SHOWS(" strong=0 remote_strong=1 told_strong=1 "));
	EXPECT_TRUE(SHOWS(" weak=0 refs=1 told_weak=1 nice="));
	EXPECT_EQ(1, things("deaths", 1));
	party_kill(self->c);
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->m, BR(BR_DEAD_BINDER)));
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_TRUE(SHOWS("node=%ld of=%d strong=1 weak=0 dead=1 death=0x%x\n",
			  node, self->c->pid, WATCH));
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, handle));
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_FALSE(SHOWS("  reference "));
}

/* Transactions. */

TEST_F(seen, a_call_and_where_it_is)
{
	static const char *const files[] = { "state", "transactions" };
	int c = self->c->pid;

	ASSERT_EQ(0, b_ask(self->c, 0, CODE));
	for (int i = 0; i < 2; i++) {
		ASSERT_LT(0, see(files[i]));
		EXPECT_TRUE(SHOWS("    outgoing call "));
		EXPECT_TRUE(SHOWS("  queued call "));
		EXPECT_TRUE(SHOWS(" from=%d:%d node=", c, c));
		EXPECT_TRUE(SHOWS(" code=%d flags=0x0 size=0\n", CODE));
	}
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_TRUE(SHOWS("  buffer 0: size=8 oneway=0 delivered=0\n"));
	ASSERT_EQ(CODE, next_call(self->m));
	for (int i = 0; i < 2; i++) {
		ASSERT_LT(0, see(files[i]));
		EXPECT_TRUE(SHOWS("    outgoing call "));
		EXPECT_TRUE(SHOWS("    incoming call "));
		EXPECT_FALSE(SHOWS("queued call"));
	}
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_TRUE(SHOWS("  buffer 0: size=8 oneway=0 delivered=1 node="));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_answer(self->m, CODE));
	ASSERT_LT(0, see_proc(self->m->pid));
	EXPECT_FALSE(SHOWS("  buffer "));
	EXPECT_TRUE(SHOWS("    queued BR_TRANSACTION_COMPLETE count=1\n"));
	ASSERT_LT(0, see("transactions"));
	EXPECT_FALSE(SHOWS(" call "));
	EXPECT_TRUE(SHOWS("    queued reply "));
}

TEST_F(seen, one_way_transactions_that_wait)
{
	long first, second;

	for (int i = 0; i < 2; i++)
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, CODE + i));
	ASSERT_LT(0, see("transactions"));
	first = NUMBER("  queued oneway ");
	second = NUMBER("    later oneway ");
	EXPECT_LT(0, first);
	EXPECT_LT(first, second);
	EXPECT_TRUE(SHOWS("oneway %ld from=%d:0 ", second, self->c->pid));
	ASSERT_EQ(CODE, next_call(self->m));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_LT(0, see("transactions"));
	EXPECT_EQ(second, NUMBER("  queued oneway "));
	EXPECT_FALSE(SHOWS("later"));
}

/* Of many only some are shown. */
TEST_F(seen, a_long_queue)
{
	unsigned int shown = 0;

	for (int i = 0; i < 100; i++)
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, CODE));
	ASSERT_LT(0, see("transactions"));
	for (const char *at = seen_text; (at = after(at, "later oneway "));)
		shown++;
	EXPECT_EQ(64, shown);
	EXPECT_TRUE(SHOWS("later more\n"));
}

/* Counts. */

TEST_F(seen, commands_are_counted)
{
	long calls = number_in(SEEN "stats", "BC_TRANSACTION");
	long replies = number_in(SEEN "stats", "BR_REPLY");
	const char *c;

	ASSERT_LE(0, calls);
	ASSERT_LE(0, replies);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, exchange(self->c, self->m, i, 8));
	EXPECT_EQ(calls + 3, number_in(SEEN "stats", "BC_TRANSACTION"));
	EXPECT_EQ(replies + 3, number_in(SEEN "stats", "BR_REPLY"));
	ASSERT_LT(0, see("stats"));
	c = after(seen_text, "process %d: ", self->c->pid);
	EXPECT_EQ(3, number_at(after(c, "  BC_TRANSACTION ")));
	EXPECT_EQ(3, number_at(after(c, "  BC_FREE_BUFFER ")));
	EXPECT_EQ(3, number_at(after(c, "  BR_REPLY ")));
	/* The counts of the dead are not lost. */
	kill_all_parties();
	ASSERT_EQ(0, things("processes", 0));
	EXPECT_EQ(calls + 3, number_in(SEEN "stats", "BC_TRANSACTION"));
}

TEST_F(seen, unknown_commands_are_not_counted)
{
	/* Numbers that are those of others, but not with this size. */
	put_cmd(self->c, _IO('c', _IOC_NR(BC_TRANSACTION)));
	EXPECT_EQ(-EINVAL, b_go(self->c, 0));
	ASSERT_LT(0, see("stats"));
	EXPECT_FALSE(SHOWS("  BC_TRANSACTION "));
}

TEST_F(seen, nothing_is_left_when_all_are_gone)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(1, give_node(self->c, self->m, PTR, COOKIE));
	ASSERT_EQ(0, b_watch(self->m, 1, WATCH));
	put_handle_cookie(self->m, BC_REQUEST_FREEZE_NOTIFICATION, 1, WATCH);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(0, b_ask(self->c, 0, CODE));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(t, 0, CODE));
	ASSERT_LT(0, see("stats"));
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_LT(0, number_in(SEEN "stats", kinds[i])) {
			TH_LOG("%s", kinds[i]);
		}
	}
	kill_all_parties();
	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_EQ(0, things(kinds[i], 0)) {
			TH_LOG("%s", kinds[i]);
		}
	}
	EXPECT_EQ(0, see("state"));
	EXPECT_EQ(0, see("transactions"));
}

/* Readers and all that changes. */

/* A process that reads all files again and again. No party: those are killed. */
static int reader(int about)
{
	int pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;) {
		see("state");
		see("stats");
		see("transactions");
		see_proc(about);
	}
}

/* Opens a device, makes itself known and closes it, a[0] times. */
static long op_come_and_go(struct party *p, const u64 *a)
{
	for (u64 i = 0; i < a[0]; i++) {
		long fd = sys_open(device(), O_RDWR | O_CLOEXEC);
		u32 max = 1;
		long ret;

		if (fd < 0)
			return fd;
		ret = sys_ioctl(fd, BINDER_SET_MAX_THREADS, &max);
		sys_close(fd);
		if (ret)
			return ret;
	}
	return p->pid > 0 ? 0 : -ESRCH;
}

TEST_F_STRESS(seen, readers_and_openings)
{
	struct party *p = party_new();
	u64 began = now_ms();

	ASSERT_NE(NULL, p);
	for (int i = 0; i < 2; i++) {
		self->readers[i] = reader(p->pid);
		ASSERT_LT(0, self->readers[i]);
	}
	for (int i = 0; another_round(i, ROUNDS, began); i++)
		ASSERT_EQ(0, ON(p, op_come_and_go, 10));
	EXPECT_TRUE(proc_goes(p->pid));
	EXPECT_EQ(2, things("processes", 2));
}

TEST_F_STRESS(seen, readers_and_traffic)
{
	self->readers[0] = reader(self->m->pid);
	self->readers[1] = reader(self->c->pid);
	ASSERT_LT(0, self->readers[0]);
	ASSERT_LT(0, self->readers[1]);
	START(self->m, op_serve);
	START(self->c, op_call_for, stress_ms(), 0);
	EXPECT_LT(0, finish_stress(self->c));
	EXPECT_LT(0, stop_serving(self->c, self->m));
}

TEST_F_STRESS(seen, readers_and_the_dying)
{
	u64 began = now_ms();

	self->readers[0] = reader(self->m->pid);
	ASSERT_LT(0, self->readers[0]);
	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *p = client_new(AREA_SIZE);

		ASSERT_NE(NULL, p);
		ASSERT_LT(0, give_node(p, self->m, PTR, COOKIE));
		ASSERT_EQ(0, b_ask(p, 0, CODE));
		party_kill(p);
		/* What it has sent is still delivered. */
		ASSERT_EQ(CODE, next_call(self->m));
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_answer(self->m, CODE));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
		EXPECT_TRUE(proc_goes(p->pid));
		/* Parties are few; this was the last one. */
		memset(p, 0, sizeof(*p));
		nr_parties--;
	}
}

TEST_HARNESS_MAIN
