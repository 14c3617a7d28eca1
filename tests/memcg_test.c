// SPDX-License-Identifier: GPL-2.0
/*
 * Memory control groups: the pages of an area are the receiver's to pay for,
 * the pressure of a group takes the idle pages of that group, and a group
 * without memory makes transactions fail and nobody die.
 */
#include <kselftest_harness.h>

#include "cgroup.h"
#include "traffic.h"

/* Far above what cannot be known, and half of an area. */
#define PAGES		512L
#define LEN		(PAGES * PAGE)
#define AREA		(4 * MIB)
#define MARGIN		32L

static const char * const groups[] = { "receiver", "sender", "other" };

/* The manager pays for what is looked at; its calls come from two clients. */
FIXTURE(memcg)
{
	struct party *m;
	struct party *c;
	struct party *d;
	long receiver;		/* pages charged before the case */
	long sender;
	long empty;		/* and by the tree without processes */
	long oom_kill;
};

static struct party *member_new(const char *group, bool manages)
{
	struct party *p = party_new();

	/* Before anything is opened, so that all of it is in the group. */
	if (!p || cg_move(p->pid, group) || b_open(p) < 0 || b_map(p, AREA))
		return NULL;
	/* What it sends must not count as growth. */
	if (ON(p, op_fill, 0, LEN, 0))
		return NULL;
	if (manages && (b_become_manager(p) || b_enter_looper(p)))
		return NULL;
	return p;
}

static long oom_kills(void)
{
	return cg_number("", "memory.events", "oom_kill");
}

FIXTURE_SETUP(memcg)
{
	ASSERT_EQ(0, settled("used", 0));
	ASSERT_EQ(0, settled("idle", 0));
	ASSERT_EQ(0, cg_begin());
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
		ASSERT_EQ(0, cg_new(groups[i]));
	self->empty = cg_pages("");
	self->m = member_new("receiver", true);
	ASSERT_NE(NULL, self->m);
	self->c = member_new("sender", false);
	ASSERT_NE(NULL, self->c);
	self->d = member_new("other", false);
	ASSERT_NE(NULL, self->d);
	ASSERT_EQ(0, exchange(self->c, self->m, 1, 8));
	ASSERT_EQ(0, exchange(self->d, self->m, 1, 8));
	ASSERT_EQ(0, shrink_all());
	self->receiver = cg_pages("receiver");
	self->sender = cg_pages("sender");
	ASSERT_LT(0, self->receiver);
	ASSERT_LT(0, self->sender);
	self->oom_kill = oom_kills();
	ASSERT_LE(0, self->oom_kill);
}

FIXTURE_TEARDOWN(memcg)
{
	kill_all_parties();
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_EQ(0, settled("idle", 0));
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		long ret = cg_remove(groups[i]);

		EXPECT_TRUE(ret == 0 || ret == -ENOENT);
	}
	EXPECT_EQ(0, cg_end());
}

#define EXPECT_ABOUT(pages, seen) \
	EXPECT_LE(labs((seen) - (pages)), CHARGE_SLACK)

/* Brings pages to the manager, which has them in use then. */
static int bring(struct party *c, struct party *m, long pages)
{
	if (b_call(c, 5, pages * PAGE))
		return 1;
	if (b_receive(m) != BR_TRANSACTION)
		return 2;
	return b_mismatch(m, 5) == -1 ? 0 : 3;
}

/* The manager is done with them, and has so many idle pages. */
static int bring_and_free(struct party *c, struct party *m, long pages)
{
	if (bring(c, m, pages) || b_free(m) || b_reply(m, 0, 0))
		return 1;
	if (b_receive(c) != BR_REPLY || b_free(c))
		return 2;
	/* The answer has used a page of the caller, too. */
	return counter("idle") < pages ? 3 : 0;
}

#define SEND(pages) \
	ASSERT_EQ(0, bring(self->c, self->m, pages))

#define SEND_AND_FREE(pages) \
	ASSERT_EQ(0, bring_and_free(self->c, self->m, pages))

/* Statistics are up to two seconds late: what grew when it is enough. */
static long grown(const char *group, const char *key, long before, long pages)
{
	u64 end = now_ms() + PATIENCE_MS;
	long now;

	do {
		now = cg_number(group, "memory.stat", key) - before;
		if (now >= pages * (long)PAGE)
			break;
		nap();
	} while (now_ms() < end);
	return now / (long)PAGE;
}

/* Has a group reclaimed until no more than that is idle in the device. */
static long reclaim_until(const char *group, long idle)
{
	u64 end = now_ms() + PATIENCE_MS;
	long now;

	/* It says EAGAIN, because what shrinkers free it does not count. */
	while ((now = counter("idle")) > idle && now_ms() < end)
		cg_write_pages(group, "memory.reclaim", now);
	return now;
}

static long op_allocate(struct party *p, const u64 *a)
{
	long at = sys_mmap(NULL, a[0], PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	(void)p;
	if (is_error(at))
		return at;
	memset(u64_ptr(at), 1, a[0]);
	return 0;
}

#define EXPECT_NOBODY_KILLED() do {					\
	EXPECT_EQ(self->oom_kill, oom_kills());				\
	EXPECT_FALSE(has_ended(self->m));				\
	EXPECT_FALSE(has_ended(self->c));				\
	EXPECT_FALSE(has_ended(self->d));				\
} while (0)

TEST_F(memcg, the_receiver_pays)
{
	long kernel = cg_number("receiver", "memory.stat", "kernel");

	ASSERT_LE(0, kernel);
	SEND(PAGES);
	EXPECT_ABOUT(PAGES, cg_pages("receiver") - self->receiver);
	EXPECT_ABOUT(0, cg_pages("sender") - self->sender);
	EXPECT_ABOUT(PAGES, grown("receiver", "kernel", kernel, PAGES));
}

TEST_F(memcg, a_caller_pays_for_its_answer)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 6, LEN));
	EXPECT_ABOUT(0, cg_pages("receiver") - self->receiver);
	EXPECT_ABOUT(PAGES, cg_pages("sender") - self->sender);
}

TEST_F(memcg, mapped_pages_are_counted)
{
	long receiver = cg_number("receiver", "memory.stat", "file_mapped");
	long sender = cg_number("sender", "memory.stat", "file_mapped");

	ASSERT_LE(0, receiver);
	SEND(PAGES);
	EXPECT_ABOUT(PAGES, grown("receiver", "file_mapped", receiver, PAGES));
	EXPECT_ABOUT(0, grown("sender", "file_mapped", sender, 0));
}

TEST_F(memcg, idle_pages_count_as_reclaimable)
{
	long before = misc_reclaimable(MEMINFO);
	long node = misc_reclaimable(NODE_MEMINFO);

	ASSERT_LE(0, before);
	SEND(PAGES);
	EXPECT_GT(PAGES / 2, misc_reclaimable(MEMINFO) - before);
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(counter("idle"), misc_reclaimable(MEMINFO) - before);
	/* Only kernels with NUMA have these files. */
	if (node >= 0)
		EXPECT_EQ(counter("idle"),
			  misc_reclaimable(NODE_MEMINFO) - node);
	ASSERT_EQ(0, shrink_all());
	EXPECT_EQ(before, misc_reclaimable(MEMINFO));
}

/*
 * Those that are used again are not any more when reclaim has met them, and
 * those that go with their file are not at once.
 */
TEST_F(memcg, reclaimable_only_while_idle)
{
	long before = misc_reclaimable(MEMINFO);
	long used;

	ASSERT_LE(0, before);
	SEND_AND_FREE(PAGES);
	SEND(PAGES);
	used = counter("used");
	EXPECT_LE(counter("idle"), misc_reclaimable(MEMINFO) - before);
	EXPECT_GE(counter("idle") + used, misc_reclaimable(MEMINFO) - before);
	ASSERT_EQ(0, drop_slab());
	EXPECT_EQ(0, counter("idle"));
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(before, misc_reclaimable(MEMINFO));
	EXPECT_EQ(-1, b_mismatch(self->m, 5));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_LE(PAGES, misc_reclaimable(MEMINFO) - before);
	kill_all_parties();
	ASSERT_EQ(0, settled("idle", 0));
	EXPECT_EQ(before, misc_reclaimable(MEMINFO));
}

TEST_F(memcg, what_is_reclaimed_is_paid_back)
{
	SEND_AND_FREE(PAGES);
	EXPECT_ABOUT(PAGES, cg_pages("receiver") - self->receiver);
	ASSERT_EQ(0, shrink_all());
	EXPECT_ABOUT(0, cg_pages("receiver") - self->receiver);
}

/* What the pressure of the receiver's group must leave alone, in pages. */
static long make_idle(struct party *d, struct party *m)
{
	if (fetch(d, m, 7, LEN) || shrink_all() || b_free(d))
		return -EPROTO;
	return counter("idle");
}

TEST_F(memcg, proactive_reclaim_takes_the_group_s)
{
	long others = make_idle(self->d, self->m);

	ASSERT_LE(PAGES, others);
	SEND(PAGES);
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(others + PAGES, counter("idle"));
	EXPECT_EQ(others, reclaim_until("receiver", others));
	EXPECT_ABOUT(0, cg_pages("receiver") - self->receiver);
}

TEST_F(memcg, a_lower_high_takes_the_group_s)
{
	long others = make_idle(self->d, self->m);
	u64 end = now_ms() + PATIENCE_MS;

	ASSERT_LE(PAGES, others);
	SEND(PAGES);
	ASSERT_EQ(0, b_free(self->m));
	while (counter("idle") > others && now_ms() < end)
		ASSERT_EQ(0, cg_write("receiver", "memory.high", "0"));
	ASSERT_EQ(0, cg_write("receiver", "memory.high", "max"));
	EXPECT_EQ(others, counter("idle"));
}

TEST_F(memcg, allocations_at_the_limit_take_the_group_s)
{
	long others = make_idle(self->d, self->m);

	ASSERT_LE(PAGES, others);
	SEND(PAGES);
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, cg_write_pages("receiver", "memory.max",
				    cg_pages("receiver") + MARGIN));
	EXPECT_EQ(0, ON(self->m, op_allocate, LEN / 2));
	EXPECT_GE(others + PAGES / 2 + CHARGE_SLACK, counter("idle"));
	EXPECT_LE(others, counter("idle"));
	EXPECT_NOBODY_KILLED();
}

/* Further up, what all below have is meant. */
TEST_F(memcg, reclaim_of_the_parent_takes_everybody_s)
{
	long others = make_idle(self->d, self->m);

	ASSERT_LE(PAGES, others);
	SEND(PAGES);
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_LE(2 * PAGES, counter("idle"));
	EXPECT_EQ(0, reclaim_until("", 0));
}

TEST_F(memcg, used_pages_stay)
{
	long used;

	SEND(PAGES);
	used = counter("used");
	for (int i = 0; i < 3; i++) {
		cg_write_pages("receiver", "memory.reclaim", PAGES);
		ASSERT_EQ(0, cg_write("receiver", "memory.high", "0"));
		ASSERT_EQ(0, cg_write("receiver", "memory.high", "max"));
	}
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(-1, b_mismatch(self->m, 5));
	EXPECT_ABOUT(PAGES, cg_pages("receiver") - self->receiver);
}

TEST_F(memcg, no_memory_fails_the_transaction)
{
	long used;

	SEND(PAGES);
	used = counter("used");
	ASSERT_EQ(0, cg_write_pages("receiver", "memory.max",
				    cg_pages("receiver") + MARGIN));
	ASSERT_EQ(0, b_call(self->d, 8, 3 * LEN / 4));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->d));
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(-1, b_mismatch(self->m, 5));
	EXPECT_NOBODY_KILLED();

	ASSERT_EQ(0, cg_write("receiver", "memory.max", "max"));
	ASSERT_EQ(0, b_reply(self->m, 0, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_EQ(0, exchange(self->d, self->m, 8, 3 * LEN / 4));
}

/* Only the one who has no memory is refused. */
TEST_F(memcg, others_go_on_meanwhile)
{
	ASSERT_EQ(0, cg_write_pages("sender", "memory.max",
				    cg_pages("sender") + MARGIN));
	SEND(PAGES);
	ASSERT_EQ(0, b_reply(self->m, 6, LEN));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	EXPECT_EQ(0, exchange(self->d, self->m, 9, LEN));
	EXPECT_NOBODY_KILLED();
}

/* The group's own idle pages are memory that a transaction can have. */
TEST_F(memcg, idle_pages_make_room_for_a_transaction)
{
	const long hole = PAGES / 2;
	u64 first;

	/* The message after the hole needs fresh pages, more than there are. */
	SEND(hole);
	first = self->m->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_reply(self->m, 0, 0));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_free(self->c));
	SEND(8);
	ASSERT_EQ(0, b_reply(self->m, 0, 0));
	put_free(self->m, first);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_LE(hole, counter("idle"));
	ASSERT_EQ(0, cg_write_pages("receiver", "memory.max",
				    cg_pages("receiver") + MARGIN));
	ASSERT_EQ(0, b_call(self->d, 8, (hole + 8) * PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 8));
	EXPECT_GT(hole, counter("idle"));
	EXPECT_NOBODY_KILLED();
}

/* Messages while the group is always short of memory. */
TEST_F_STRESS(memcg, traffic_at_the_limit)
{
	long taken;

	/* The page tables are the process's own: without them it would die. */
	SEND_AND_FREE(PAGES);
	ASSERT_EQ(0, shrink_all());
	taken = counter("reclaimed_mapped");
	/* Not always enough for all that the manager holds. */
	ASSERT_EQ(0, cg_write_pages("receiver", "memory.max",
				    cg_settle("receiver") + 2 * MARGIN));
	START(self->m, op_serve);
	START(self->c, op_call_for, stress_ms(), 1);
	START(self->d, op_call_for, stress_ms(), 1);
	EXPECT_LT(0, finish_stress(self->c));
	EXPECT_LT(0, finish_stress(self->d));
	ASSERT_EQ(0, cg_write("receiver", "memory.max", "max"));
	EXPECT_LT(0, stop_serving(self->c, self->m));
	EXPECT_LT(taken, counter("reclaimed_mapped"));
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_NOBODY_KILLED();
}

/* What is left of a group is its parent's. */

static long leave_and_remove(int pid)
{
	return cg_move(pid, "other") ?: cg_remove("receiver");
}

TEST_F(memcg, idle_pages_of_a_removed_group)
{
	SEND_AND_FREE(PAGES);
	ASSERT_EQ(0, leave_and_remove(self->m->pid));
	EXPECT_LE(PAGES, counter("idle"));
	EXPECT_EQ(0, reclaim_until("", 0));
}

TEST_F(memcg, idle_pages_of_a_removed_group_and_drop_caches)
{
	SEND_AND_FREE(PAGES);
	ASSERT_EQ(0, leave_and_remove(self->m->pid));
	EXPECT_LE(PAGES, counter("idle"));
	for (int i = 0; i < 20 && counter("idle"); i++)
		ASSERT_EQ(0, drop_slab());
	EXPECT_EQ(0, counter("idle"));
}

TEST_F(memcg, used_pages_of_a_removed_group)
{
	SEND(PAGES);
	ASSERT_EQ(0, leave_and_remove(self->m->pid));
	cg_write_pages("", "memory.reclaim", PAGES);
	EXPECT_EQ(-1, b_mismatch(self->m, 5));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_LE(PAGES, counter("idle"));
	EXPECT_EQ(0, reclaim_until("", 0));
}

TEST_F(memcg, reuse_after_the_group_was_removed)
{
	SEND_AND_FREE(PAGES);
	ASSERT_EQ(0, leave_and_remove(self->m->pid));
	SEND(2 * PAGES);
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_LE(2 * PAGES, counter("idle"));
	EXPECT_EQ(0, reclaim_until("", 0));
}

TEST_F(memcg, a_group_removed_after_its_process_has_ended)
{
	int child;

	SEND_AND_FREE(PAGES);
	ASSERT_EQ(0, ON(self->m, op_leave_a_child));
	child = self->m->scratch[0];
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(0, leave_and_remove(child));
	EXPECT_LE(PAGES, counter("idle"));
	EXPECT_EQ(0, reclaim_until("", 0));
	kill(child, SIGKILL);
}

TEST_F(memcg, the_dead_leave_nothing_charged)
{
	SEND_AND_FREE(PAGES);
	SEND(PAGES / 2);
	kill_all_parties();
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_EQ(0, settled("idle", 0));
	EXPECT_GE(self->empty + MARGIN, cg_settle(""));
}

TEST_HARNESS_MAIN
