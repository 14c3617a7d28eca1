// SPDX-License-Identifier: GPL-2.0
/*
 * The shrinker: idle pages go, used pages stay, and nothing that somebody else
 * put at a page's old address is touched.
 */
#include <kselftest_harness.h>

#include "pair.h"

#define LEN	(64 * KIB)
#define PAGES	((long)(LEN / PAGE))

/*
 * The area looked at is the client's: a manager's stays out of the way, and
 * nothing is sent to a client but the answers it asked for.
 */
FIXTURE(reclaim)
{
	struct party *m;
	struct party *c;
	long mapped;		/* counters before the case */
	long unmapped;
};

FIXTURE_SETUP(reclaim)
{
	ASSERT_EQ(0, settled("used", 0));
	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(4 * MIB);
	ASSERT_NE(NULL, self->c);
	/* What the warm-up leaves idle must not blur the counts. */
	ASSERT_EQ(0, exchange(self->c, self->m, 1, 8));
	ASSERT_EQ(0, shrink_all());
	self->mapped = counter("reclaimed_mapped");
	self->unmapped = counter("reclaimed_unmapped");
	ASSERT_LE(0, self->mapped);
	ASSERT_LE(0, self->unmapped);
}

FIXTURE_TEARDOWN(reclaim)
{
	kill_all_parties();
}

static long reclaimed(long before, const char *name)
{
	return counter(name) - before;
}

/* Fills an anonymous private mapping over the party's old area. */
static long op_impostor(struct party *p, const u64 *a)
{
	long at = sys_mmap(p->area, p->area_len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (is_error(at))
		return at;
	fill(u64_ptr(at), a[1], a[0]);
	return 0;
}

static long op_splice_out(struct party *p, const u64 *a)
{
	struct iovec iov = { .iov_base = u64_ptr(a[0]), .iov_len = a[1] };
	int fds[2];
	long ret = _syscall(__NR_pipe2, fds, 0);

	if (ret)
		return ret;
	p->scratch[0] = fds[0];
	return sys_vmsplice(fds[1], &iov, 1);
}

/* Where what is in the pipe differs from the pattern, or -1. */
static long op_pipe_mismatch(struct party *p, const u64 *a)
{
	static u8 buf[PAGE];
	long ret = sys_read(p->scratch[0], buf, sizeof(buf));

	return ret == (long)sizeof(buf) ? mismatch(buf, sizeof(buf), a[0]) :
					  -EIO;
}

/* How many of the bytes from a[0] up to the end of that page are not zero. */
static long op_dirty_rest(struct party *p, const u64 *a)
{
	u8 *at = u64_ptr(a[0]);
	long dirty = 0;

	(void)p;
	for (; ptr_u64(at) % PAGE; at++)
		dirty += *at != 0;
	return dirty;
}

TEST_F(reclaim, freed_pages_are_idle)
{
	long used;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	used = counter("used");
	EXPECT_LE(PAGES, used);
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(0, counter("used"));
	EXPECT_LE(PAGES, counter("idle"));
	EXPECT_GE(used, PAGES);
}

TEST_F(reclaim, shrinker_counts_what_is_idle)
{
	long count;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	count = shrinker_count();
	if (count == -ENOENT)
		SKIP(return, "no shrinker debugfs in this kernel");
	EXPECT_EQ(counter("idle"), count);
}

/* What is used again may still be counted, until the shrinker has met it. */
TEST_F(reclaim, shrinker_forgets_what_is_used)
{
	long used, count;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, fetch(self->c, self->m, 3, LEN));
	count = shrinker_count();
	if (count == -ENOENT)
		SKIP(return, "no shrinker debugfs in this kernel");
	used = counter("used");
	EXPECT_LE(PAGES, used);
	EXPECT_LE(counter("idle"), count);
	EXPECT_GE(counter("idle") + used, count);
	ASSERT_EQ(0, shrink_once());
	EXPECT_EQ(0, shrinker_count());
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
	/* It is idle again, and found. */
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(used, counter("idle"));
	EXPECT_EQ(used, shrinker_count());
	EXPECT_EQ(0, shrink_all());
}

/* In demand to the last: each has a second chance, and no more. */
TEST_F(reclaim, one_scan_takes_pages_in_demand)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, fetch(self->c, self->m, i, 3 * MIB));
		ASSERT_EQ(0, b_free(self->c));
	}
	ASSERT_LE((long)(3 * MIB / PAGE), counter("idle"));
	if (shrink_once() == -ENOENT)
		ASSERT_EQ(0, drop_slab());
	EXPECT_EQ(0, counter("idle"));
}

/* What was used twice outlives what was used once, and later. */
TEST_F(reclaim, pages_in_demand_go_last)
{
	u64 twice, once;
	long idle;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, fetch(self->c, self->m, 3, LEN));
	twice = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, fetch(self->c, self->m, 4, LEN));
	once = self->c->res.tr.data.ptr.buffer;
	put_free(self->c, twice);
	put_free(self->c, once);
	ASSERT_EQ(0, b_go(self->c, 0));
	idle = counter("idle");
	if (shrinker_scan(1) == -ENOENT)
		SKIP(return, "no shrinker debugfs in this kernel");
	EXPECT_EQ(idle - 1, counter("idle"));
	EXPECT_EQ(-EFAULT, ON(self->c, op_probe, once));
	for (u64 i = 0; i < LEN; i += PAGE) {
		EXPECT_EQ(1, ON(self->c, op_probe, twice + i)) {
			TH_LOG("page %llu", i / PAGE);
		}
	}
	EXPECT_EQ(0, shrink_all());
}

TEST_F(reclaim, drop_caches_takes_idle_pages)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	for (int i = 0; i < 20 && counter("idle"); i++)
		ASSERT_EQ(0, drop_slab());
	EXPECT_EQ(0, counter("idle"));
	EXPECT_LE(PAGES, reclaimed(self->mapped, "reclaimed_mapped"));
	EXPECT_EQ(0, reclaimed(self->unmapped, "reclaimed_unmapped"));
}

TEST_F(reclaim, scan_takes_idle_pages)
{
	long ret;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ret = shrinker_scan(1 << 20);
	if (ret == -ENOENT)
		SKIP(return, "no shrinker debugfs in this kernel");
	ASSERT_EQ(0, ret);
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, reclaimed(self->mapped, "reclaimed_mapped"));
}

TEST_F(reclaim, used_pages_stay)
{
	long used;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, shrink_all());
	used = counter("used");
	self->mapped = counter("reclaimed_mapped");
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, shrink_once());
		ASSERT_EQ(0, drop_slab());
	}
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(0, reclaimed(self->mapped, "reclaimed_mapped"));
	EXPECT_EQ(-1, b_mismatch(self->c, 2));
}

TEST_F(reclaim, pages_between_used_ones_go)
{
	u64 first;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	first = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, fetch(self->c, self->m, 3, LEN));
	put_free(self->c, first);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(0, shrink_all());
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
	EXPECT_EQ(-EFAULT, ON(self->c, op_probe, first));
}

TEST_F(reclaim, a_page_shared_with_a_used_buffer_stays)
{
	u64 first;

	/* Two messages in one page; one of them goes. */
	ASSERT_EQ(0, fetch(self->c, self->m, 2, 64));
	first = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, fetch(self->c, self->m, 3, 64));
	put_free(self->c, first);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(0, shrink_all());
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
}

TEST_F(reclaim, reclaimed_pages_are_not_mapped)
{
	u64 at;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	at = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, shrink_all());
	for (u64 i = 0; i < LEN; i += PAGE) {
		ASSERT_EQ(-EFAULT, ON(self->c, op_probe, at + i)) {
			TH_LOG("page %llu", i / PAGE);
		}
	}
}

TEST_F(reclaim, reuse_brings_the_right_bytes)
{
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, fetch(self->c, self->m, i, LEN + i));
		ASSERT_EQ(0, b_free(self->c));
		ASSERT_EQ(0, shrink_all());
	}
}

TEST_F(reclaim, reuse_shows_nothing_old)
{
	u64 end;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, shrink_all());
	ASSERT_EQ(0, fetch(self->c, self->m, 3, PAGE + 8));
	end = self->c->res.tr.data.ptr.buffer + self->c->res.tr.data_size;
	EXPECT_EQ(0, ON(self->c, op_dirty_rest, end));
}

/*
 * A message that fails half way leaves pages whose rest nobody wrote. Whoever
 * gets them next must not see what the allocator found in them.
 */
TEST_F(reclaim, failed_copies_show_nothing_old)
{
	struct binder_transaction_data tr = { .data_size = 4 * PAGE };
	u64 end;

	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	tr.data.ptr.buffer = WILD_KERNEL;
	put_tr(self->m, BC_REPLY, &tr);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	ASSERT_EQ(0, fetch(self->c, self->m, 3, 2 * PAGE + 16));
	end = self->c->res.tr.data.ptr.buffer + self->c->res.tr.data_size;
	EXPECT_EQ(0, ON(self->c, op_dirty_rest, end));
}

TEST_F(reclaim, a_spliced_page_keeps_its_content)
{
	u64 at;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, PAGE));
	at = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, at % PAGE);
	ASSERT_EQ(PAGE, ON(self->c, op_splice_out, at, PAGE));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, shrink_all());
	/* The same slot again, with other bytes: it must be another page. */
	ASSERT_EQ(0, fetch(self->c, self->m, 3, PAGE));
	EXPECT_EQ(at, self->c->res.tr.data.ptr.buffer);
	EXPECT_EQ(-1, ON(self->c, op_pipe_mismatch, 2));
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
}

TEST_F(reclaim, after_munmap)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, b_unmap(self->c));
	ASSERT_LE(PAGES, counter("idle"));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, reclaimed(self->unmapped, "reclaimed_unmapped"));
}

TEST_F(reclaim, used_pages_stay_after_munmap)
{
	u64 buffer;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	buffer = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_unmap(self->c));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, counter("used"));
	/* Freeing by address still works; then they go. */
	put_free(self->c, buffer);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(0, counter("used"));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, reclaimed(self->unmapped, "reclaimed_unmapped"));
}

TEST_F(reclaim, an_anonymous_impostor_is_left_alone)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, b_unmap(self->c));
	ASSERT_EQ(0, ON(self->c, op_impostor, 9, LEN));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, reclaimed(self->unmapped, "reclaimed_unmapped"));
	EXPECT_EQ(-1, ON(self->c, op_mismatch, ptr_u64(self->c->area), LEN, 9));
}

/* Mapped over it in one step, so that close and map are one operation. */
TEST_F(reclaim, an_impostor_mapped_over_it_is_left_alone)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, ON(self->c, op_impostor, 9, LEN));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, reclaimed(self->unmapped, "reclaimed_unmapped"));
	EXPECT_EQ(-1, ON(self->c, op_mismatch, ptr_u64(self->c->area), LEN, 9));
}

TEST_F(reclaim, another_vbinder_area_is_left_alone)
{
	void *area = self->c->area;
	long used;

	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, b_unmap(self->c));
	/* The same process, the same address, another file. */
	ASSERT_LE(0, b_open(self->c));
	ASSERT_EQ(0, b_map_at(self->c, 4 * MIB, area));
	ASSERT_EQ(0, fetch(self->c, self->m, 4, LEN));
	used = counter("used");
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, reclaimed(self->unmapped, "reclaimed_unmapped"));
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(-1, b_mismatch(self->c, 4));
}

/* 3 MiB is what the project promises to give back in each situation. */
TEST_F(reclaim, three_mib_while_mapped)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, 3 * MIB));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE((long)(3 * MIB / PAGE),
		  reclaimed(self->mapped, "reclaimed_mapped"));
}

TEST_F(reclaim, three_mib_behind_an_impostor)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, 3 * MIB));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, ON(self->c, op_impostor, 9, 3 * MIB));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE((long)(3 * MIB / PAGE),
		  reclaimed(self->unmapped, "reclaimed_unmapped"));
	EXPECT_EQ(-1, ON(self->c, op_mismatch, ptr_u64(self->c->area), 3 * MIB,
			 9));
}

/* Closing gives everything back without any shrinker. */
TEST_F(reclaim, close_leaves_no_idle_page)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, b_unmap(self->c));
	ASSERT_EQ(0, ON(self->c, op_close));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(0, settled("idle", 0));
	EXPECT_EQ(0, settled("used", 0));
}

/* The owner's memory is gone, its file is not: the pages must still go. */
TEST_F(reclaim, a_file_that_outlives_its_owner)
{
	ASSERT_EQ(0, fetch(self->c, self->m, 2, LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, ON(self->c, op_leave_a_child));
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	ASSERT_LE(PAGES, counter("idle"));
	EXPECT_EQ(0, shrink_all());
	EXPECT_LE(PAGES, reclaimed(self->unmapped, "reclaimed_unmapped"));
	kill(self->c->scratch[0], SIGKILL);
}

TEST_HARNESS_MAIN
