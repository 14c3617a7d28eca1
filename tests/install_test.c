// SPDX-License-Identifier: GPL-2.0
/*
 * Where and when pages get into the receiver's page table, for each value of
 * the module's parameter "install", and what the driver counts then.
 */
#include <kselftest_harness.h>

#include "mode.h"
#include "pair.h"
#include "vma.h"

#define AREA_PAGES	64
#define PAGES		8
#define LEN		(PAGES * PAGE)

/* Where fault-around may begin; it maps no more than this at once. */
#define AROUND_FILE	"/sys/kernel/debug/fault_around_bytes"
#define AROUND_MAX	(64 * KIB)

/*
 * The area looked at is that of p, which everything is sent to: the manager's
 * own, or that of a client that gets answers.
 */
FIXTURE(install)
{
	struct party *m;
	struct party *c;
	struct party *p;
	enum mode mode;
	long inserted;		/* counters before the case */
	long batches;
	long faults;
};

FIXTURE_VARIANT(install)
{
	bool answer;
};

FIXTURE_VARIANT_ADD(install, calls) {
	.answer = false,
};

FIXTURE_VARIANT_ADD(install, answers) {
	.answer = true,
};

/* An aligned place for an area, so that faults have the same neighbours. */
static long op_place(struct party *p, const u64 *a)
{
	long at = sys_mmap(NULL, 2 * AROUND_MAX + a[0], PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)p;
	return is_error(at) ? at : (long)((at + AROUND_MAX - 1) & -AROUND_MAX);
}

static struct party *placed_new(void)
{
	struct party *p = client_new(0);
	long at;

	if (!p)
		return NULL;
	at = ON(p, op_place, AREA_PAGES * PAGE);
	if (is_error(at) || b_map_at(p, AREA_PAGES * PAGE, u64_ptr(at)))
		return NULL;
	return p;
}

/* The question that an answer needs. */
static long ask(struct party *c, struct party *m)
{
	long ret = b_call(c, 0, 8);

	if (!ret)
		ret = b_receive(m);
	return ret == BR_TRANSACTION ? b_free(m) : -EPROTO;
}

FIXTURE_SETUP(install)
{
	ASSERT_EQ(0, settled("used", 0));
	ASSERT_EQ(0, settled("idle", 0));
	self->mode = install_mode();
	ASSERT_NE(MODE_UNKNOWN, self->mode);
	self->m = placed_new();
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, b_become_manager(self->m));
	ASSERT_EQ(0, b_enter_looper(self->m));
	self->c = placed_new();
	ASSERT_NE(NULL, self->c);
	self->p = variant->answer ? self->c : self->m;
	/* The question is not what is looked at. */
	if (variant->answer)
		ASSERT_EQ(0, ask(self->c, self->m));
	self->inserted = counter("inserted");
	self->batches = counter("batches");
	self->faults = counter("faults");
}

FIXTURE_TEARDOWN(install)
{
	kill_all_parties();
}

/* How many pages of [from, to) of a party's area are in its page table. */
static long present(struct party *p, size_t from, size_t to)
{
	u64 entries[AREA_PAGES];
	long n = 0;

	if (vma_pagemap(p->pid, p->area, entries, AREA_PAGES))
		return -EIO;
	for (; from < to; from++)
		n += entries[from] >> 63;
	return n;
}

static long present_at_all(struct party *p)
{
	return present(p, 0, AREA_PAGES);
}

/* Sends to p, which is one of the others; the seed of the content is 5. */
static long send_to(struct party *p, struct party *c, struct party *m,
		    size_t len)
{
	return p == c ? b_reply(m, 5, len) : b_call(c, 5, len);
}

/* What is between two messages to p. The first keeps its place. */
static long end_call(struct party *p, struct party *c, struct party *m)
{
	if (p == c)
		return ask(c, m);
	if (b_reply(m, 0, 8) || b_receive(c) != BR_REPLY)
		return -EPROTO;
	return b_free(c);
}

#define SEND(len) \
	ASSERT_EQ(0, send_to(self->p, self->c, self->m, len))

#define RECEIVE() \
	ASSERT_EQ(variant->answer ? BR_REPLY : BR_TRANSACTION, \
		  b_receive(self->p))

#define NEXT() \
	ASSERT_EQ(0, end_call(self->p, self->c, self->m))

/* Either n, or 0, depending on what is loaded. */
#define IF_MODE(modes, n)	(self->mode & (modes) ? (long)(n) : 0L)

#define EXPECT_COUNTED(n_inserted, n_batches) do {			\
	EXPECT_EQ(n_inserted, counter("inserted") - self->inserted);	\
	EXPECT_EQ(n_batches, counter("batches") - self->batches);	\
} while (0)

TEST_F(install, before_it_is_read)
{
	SEND(LEN);
	EXPECT_EQ(IF_MODE(BY_SENDER, PAGES), present_at_all(self->p));
	EXPECT_COUNTED(IF_MODE(BY_SENDER, PAGES), IF_MODE(BY_SENDER, 1));
}

TEST_F(install, after_it_was_read)
{
	SEND(LEN);
	RECEIVE();
	EXPECT_EQ(IF_MODE(BY_SENDER | BY_RECEIVER, PAGES),
		  present_at_all(self->p));
	EXPECT_COUNTED(IF_MODE(BY_SENDER | BY_RECEIVER, PAGES),
		       IF_MODE(BY_SENDER | BY_RECEIVER, 1));
	EXPECT_EQ(self->faults, counter("faults"));
}

TEST_F(install, after_it_was_touched)
{
	long faults;

	SEND(LEN);
	RECEIVE();
	EXPECT_EQ(-1, b_mismatch(self->p, 5));
	EXPECT_EQ(PAGES, present_at_all(self->p));
	EXPECT_COUNTED(IF_MODE(BY_SENDER | BY_RECEIVER, PAGES),
		       IF_MODE(BY_SENDER | BY_RECEIVER, 1));
	faults = counter("faults") - self->faults;
	EXPECT_EQ(IF_MODE(BY_FAULT, 1), faults > 0) {
		TH_LOG("%ld faults", faults);
	}
}

/* More than the driver maps with one call of the kernel. */
TEST_F(install, a_long_message_too)
{
	const size_t pages = AREA_PAGES;

	SEND(pages * PAGE);
	EXPECT_EQ(IF_MODE(BY_SENDER, pages), present_at_all(self->p));
	RECEIVE();
	EXPECT_EQ(IF_MODE(BY_SENDER | BY_RECEIVER, pages),
		  present_at_all(self->p));
	EXPECT_EQ(-1, b_mismatch(self->p, 5));
	EXPECT_EQ((long)pages, present_at_all(self->p));
}

/* What is idle stays mapped, so a message in the same place is for nothing. */
TEST_F(install, again_in_the_same_place)
{
	SEND(LEN);
	RECEIVE();
	ASSERT_EQ(-1, b_mismatch(self->p, 5));
	ASSERT_EQ(0, b_free(self->p));
	EXPECT_EQ(PAGES, present_at_all(self->p));
	NEXT();
	self->inserted = counter("inserted");
	self->batches = counter("batches");
	self->faults = counter("faults");
	SEND(LEN);
	RECEIVE();
	EXPECT_EQ(-1, b_mismatch(self->p, 5));
	EXPECT_COUNTED(0, 0);
	EXPECT_EQ(self->faults, counter("faults"));
}

/* Gone and needed again: as the first time. */
TEST_F(install, again_after_reclaim)
{
	SEND(LEN);
	RECEIVE();
	ASSERT_EQ(-1, b_mismatch(self->p, 5));
	ASSERT_EQ(0, b_free(self->p));
	NEXT();
	ASSERT_EQ(0, shrink_all());
	ASSERT_EQ(0, present_at_all(self->p));
	self->inserted = counter("inserted");
	self->batches = counter("batches");
	SEND(LEN);
	EXPECT_EQ(IF_MODE(BY_SENDER, PAGES), present_at_all(self->p));
	RECEIVE();
	EXPECT_EQ(IF_MODE(BY_SENDER | BY_RECEIVER, PAGES),
		  present_at_all(self->p));
	EXPECT_COUNTED(IF_MODE(BY_SENDER | BY_RECEIVER, PAGES),
		       IF_MODE(BY_SENDER | BY_RECEIVER, 1));
	EXPECT_EQ(-1, b_mismatch(self->p, 5));
}

/* Only the first time is the driver's choice; then there is but one way. */
TEST_F(install, after_dontneed_a_fault_does_it)
{
	SEND(LEN);
	RECEIVE();
	ASSERT_EQ(-1, b_mismatch(self->p, 5));
	self->faults = counter("faults");
	ASSERT_EQ(0, b_dontneed(self->p));
	ASSERT_EQ(0, present_at_all(self->p));
	EXPECT_EQ(-1, b_mismatch(self->p, 5));
	EXPECT_EQ(PAGES, present_at_all(self->p));
	EXPECT_LT(self->faults, counter("faults"));
	EXPECT_COUNTED(IF_MODE(BY_SENDER | BY_RECEIVER, PAGES),
		       IF_MODE(BY_SENDER | BY_RECEIVER, 1));
}

/* A page in the middle: those beside it come along, as far as they may. */
TEST_F(install, a_fault_maps_neighbours)
{
	const size_t around = AROUND_MAX / PAGE;
	const size_t touched = around + 3;
	char text[32];

	if (read_file(AROUND_FILE, text, sizeof(text)) <= 0 ||
	    atol(text) != AROUND_MAX)
		SKIP(return, "this kernel faults around another number of bytes");
	SEND(3 * AROUND_MAX);
	RECEIVE();
	ASSERT_EQ(0, b_dontneed(self->p));
	self->faults = counter("faults");
	ON(self->p, op_touch, ptr_u64(self->p->area) + touched * PAGE);
	EXPECT_EQ((long)around, present(self->p, around, 2 * around));
	EXPECT_EQ((long)around, present_at_all(self->p));
	EXPECT_LT(self->faults, counter("faults"));
}

/* A neighbour that is not in use is not the process's to see. */
TEST_F(install, a_fault_maps_no_idle_neighbours)
{
	u64 first;

	SEND(PAGE);
	RECEIVE();
	first = self->p->res.tr.data.ptr.buffer;
	NEXT();
	SEND(PAGE);
	RECEIVE();
	ASSERT_EQ(first + PAGE, self->p->res.tr.data.ptr.buffer);
	put_free(self->p, first);
	ASSERT_EQ(0, b_go(self->p, 0));
	ASSERT_EQ(0, b_dontneed(self->p));
	EXPECT_EQ(-1, b_mismatch(self->p, 5));
	EXPECT_EQ(1, present_at_all(self->p));
	EXPECT_EQ(-EFAULT, ON(self->p, op_probe, first));
}

TEST_HARNESS_MAIN
