// SPDX-License-Identifier: GPL-2.0
/*
 * What idle memory a binder driver gives back, looked at in ways that fit each
 * of them: vbinder, or the one that VBINDER_DEVICE names. 3 MiB of idle pages
 * must all go, whatever has become of the place where they were mapped, and
 * what is there now must stay as it is. A line "# freed" tells how many went.
 */
#include <kselftest_harness.h>

#include "meminfo.h"
#include "mode.h"
#include "pair.h"
#include "writer.h"

#define LEN		(3 * MIB)
#define PAGES		((long)(LEN / PAGE))
/* What the rest of the system takes or gives meanwhile, in pages. */
#define BLUR		128
#define IMPOSTOR	9
#define ROUNDS		20
/* So many scans must come and go while one writer has the lock. */
#define SCANS		5

FIXTURE(peers)
{
	struct party *m;
	struct party *c;
	long before;		/* idle pages to begin with */
};

/* Asks the shrinker until it has no more or gives no more: what is left. */
static long shrink_as_far_as_possible(void)
{
	long left = shrinker_count();

	for (int tries = 0; tries < 10 && left > 0; tries++) {
		long was = left;
		long ret = shrinker_scan(1 << 20);

		if (ret)
			return ret;
		left = shrinker_count();
		if (left != was)
			tries = 0;
		else
			nap();
	}
	return left;
}

FIXTURE_SETUP(peers)
{
	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(0);
	ASSERT_NE(NULL, self->c);
	ASSERT_EQ(0, b_map_at(self->c, 4 * MIB, u64_ptr(AREA_AT)));
	/* What the warm-up leaves idle must not blur the counts. */
	ASSERT_EQ(0, exchange(self->c, self->m, 1, 8));
	self->before = shrink_as_far_as_possible();
	if (self->before == -ENOENT)
		SKIP(return, "no shrinker debugfs in this kernel");
	ASSERT_LE(0, self->before);
	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_LE(PAGES, shrinker_count() - self->before);
}

FIXTURE_TEARDOWN(peers)
{
	kill_all_parties();
}

static long op_impostor(struct party *p, const u64 *a)
{
	long at = sys_mmap(p->area, p->area_len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	(void)a;
	if (is_error(at))
		return at;
	fill(u64_ptr(at), LEN, IMPOSTOR);
	return 0;
}

static void expect_all_freed(struct __test_metadata *_metadata, long before)
{
	long free = free_pages();
	long idle = shrinker_count();
	long left = shrink_as_far_as_possible();

	free = free_pages() - free;
	TH_LOG("freed %ld of %ld pages, %ld kB more are free", idle - left,
	       idle - before, free * (long)(PAGE / KIB));
	EXPECT_GE(before, left);
	/* The driver's word is checked against the page allocator's. */
	EXPECT_LE(idle - left - BLUR, free);
}

static void expect_impostor_intact(struct __test_metadata *_metadata,
				   struct party *p)
{
	EXPECT_EQ(-1, ON(p, op_mismatch, ptr_u64(p->area), LEN, IMPOSTOR)) {
		TH_LOG("damaged: what was mapped there");
	}
}

TEST_F(peers, mapped)
{
	expect_all_freed(_metadata, self->before);
}

TEST_F(peers, unmapped_and_nothing_there)
{
	ASSERT_EQ(0, b_unmap(self->c));
	expect_all_freed(_metadata, self->before);
}

TEST_F(peers, unmapped_and_anonymous_memory_there)
{
	ASSERT_EQ(0, b_unmap(self->c));
	ASSERT_EQ(0, ON(self->c, op_impostor));
	expect_all_freed(_metadata, self->before);
	expect_impostor_intact(_metadata, self->c);
}

/* Mapped over it in one step, so that close and map are one operation. */
TEST_F(peers, anonymous_memory_mapped_over_it)
{
	ASSERT_EQ(0, ON(self->c, op_impostor));
	expect_all_freed(_metadata, self->before);
	expect_impostor_intact(_metadata, self->c);
}

/*
 * One page after the other, while there are some: how many scans came back
 * with nothing before the writer was done. Who waits comes back with a page.
 */
static int scan_beside(struct party *writer, long before)
{
	int skipped = 0;
	long idle = shrinker_count();

	while (skipped < SCANS && idle > before) {
		long was = idle;

		if (shrinker_scan(1))
			break;
		idle = shrinker_count();
		if (!is_busy(writer))
			break;
		skipped += idle == was;
	}
	return skipped;
}

TEST_F_TIMEOUT(peers, a_writer_has_the_mmap_lock, 120)
{
	struct party *writer = party_thread(self->c);
	int skipped = 0;

	if (install_mode() == BY_FAULT)
		SKIP(return, "there is no area to be locked");
	ASSERT_NE(NULL, writer);
	ASSERT_TRUE(make_slow(writer));
	for (int i = 0; i < ROUNDS && skipped < SCANS; i++) {
		START(writer, op_fork);
		skipped = scan_beside(writer, self->before);
		ASSERT_LE(0, finish(writer));
		/* Something must be left for the next one. */
		ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
		ASSERT_EQ(0, b_free(self->c));
	}
	EXPECT_EQ(SCANS, skipped) {
		TH_LOG("only %d scans did not wait for the writer", skipped);
	}
	expect_all_freed(_metadata, self->before);
}

TEST_HARNESS_MAIN
