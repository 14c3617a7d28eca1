// SPDX-License-Identifier: GPL-2.0
/*
 * Real memory pressure: what kswapd takes when memory is short, and what not.
 *
 * Memory is made short by raising the watermark below which kswapd works, to
 * just under what is free. So the pressure is real, but nothing runs out of
 * memory, and nobody can be killed for it.
 */
#include <kselftest_harness.h>

#include "cgroup.h"
#include "traffic.h"

#define WATERMARK	"/proc/sys/vm/min_free_kbytes"
#define ROOT_RECLAIM	CGROUPS "/memory.reclaim"
#define IDLE_LEN	(2 * MIB)
#define USED_LEN	(64 * KIB)

FIXTURE(pressure)
{
	struct party *m;
	struct party *c;
	char watermark[32];	/* before the case */
};

FIXTURE_SETUP(pressure)
{
	ASSERT_EQ(0, settled("used", 0));
	ASSERT_EQ(0, cg_mount());
	ASSERT_LT(0, read_file(WATERMARK, self->watermark,
			       sizeof(self->watermark)));
	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(4 * MIB);
	ASSERT_NE(NULL, self->c);
}

FIXTURE_TEARDOWN(pressure)
{
	EXPECT_EQ(0, write_file(WATERMARK, self->watermark));
	kill_all_parties();
}

/* Nine tenths of the memory that is free become too little. */
static long make_memory_short(void)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld",
		 file_number(MEMINFO, "MemFree") / 10 * 9);
	return write_file(WATERMARK, text);
}

static long allocate(size_t size)
{
	return sys_mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

/* kswapd is woken by whoever allocates while memory is short. */
static void allocate_a_little(void)
{
	long at = allocate(MIB);

	if (!is_error(at))
		sys_munmap(u64_ptr(at), MIB);
}

/*
 * kswapd gives a node up after 16 runs that brought nothing, of which there
 * are some in every case here, until something is reclaimed while there is
 * enough memory. Without swap or disks that can be pages that nobody wants.
 */
static long revive_kswapd(void)
{
	long at = allocate(MIB);
	long ret;

	if (is_error(at))
		return at;
	ret = sys_madvise(u64_ptr(at), MIB, MADV_FREE);
	if (!ret)
		write_file(ROOT_RECLAIM, "1M");
	sys_munmap(u64_ptr(at), MIB);
	return ret;
}

/* What is idle when kswapd has taken all, or that time is over. */
static long wait_for_kswapd(unsigned int ms)
{
	u64 end = now_ms() + ms;

	while (counter("idle") > 0 && now_ms() < end) {
		allocate_a_little();
		nap();
	}
	return counter("idle");
}

TEST_F(pressure, kswapd_takes_idle_pages_and_no_used_ones)
{
	long used;

	ASSERT_EQ(0, revive_kswapd());
	/* A large buffer that is idle again, and a small one that is in use. */
	ASSERT_EQ(0, fetch(self->c, self->m, 2, IDLE_LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, fetch(self->c, self->m, 3, USED_LEN));
	used = counter("used");
	ASSERT_LE((long)((IDLE_LEN - USED_LEN) / PAGE), counter("idle"));

	ASSERT_EQ(0, make_memory_short());
	EXPECT_EQ(0, wait_for_kswapd(PATIENCE_MS));
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
}

/* Memory is short again and again while messages come and go. */
TEST_F_STRESS(pressure, traffic_goes_on)
{
	long taken = counter("reclaimed_mapped");

	START(self->m, op_serve);
	START(self->c, op_call_for, stress_ms(), 0);
	while (is_busy(self->c) && !has_ended(self->c)) {
		ASSERT_EQ(0, revive_kswapd());
		ASSERT_EQ(0, make_memory_short());
		wait_for_kswapd(50);
		ASSERT_EQ(0, write_file(WATERMARK, self->watermark));
	}
	EXPECT_LT(0, finish(self->c));
	EXPECT_LT(0, stop_serving(self->c, self->m));
	EXPECT_LT(taken, counter("reclaimed_mapped"));
	EXPECT_EQ(0, settled("used", 0));
}

TEST_HARNESS_MAIN
