// SPDX-License-Identifier: GPL-2.0
/*
 * Real memory pressure: what kswapd takes when memory is short, and what not.
 *
 * Memory is made short by raising the watermark below which kswapd works, to
 * just under what is free. So the pressure is real, but nothing runs out of
 * memory, and nobody can be killed for it.
 */
#include <kselftest_harness.h>

#include "pair.h"

#define WATERMARK	"/proc/sys/vm/min_free_kbytes"
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

/* Nine tenths of the memory that is free, in KiB. */
static long nearly_free_kib(void)
{
	char text[2048];
	char *s;

	if (read_file("/proc/meminfo", text, sizeof(text)) <= 0)
		return -EIO;
	s = strstr(text, "MemFree:");
	if (!s)
		return -EINVAL;
	for (s += strlen("MemFree:"); *s == ' '; s++)
		;
	return atol(s) / 10 * 9;
}

/* kswapd is woken by whoever allocates while memory is short. */
static void allocate_a_little(void)
{
	long at = sys_mmap(NULL, MIB, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (!is_error(at))
		sys_munmap(u64_ptr(at), MIB);
}

TEST_F(pressure, kswapd_takes_idle_pages_and_no_used_ones)
{
	u64 end = now_ms() + PATIENCE_MS;
	char text[32];
	long kib;
	long used;

	/* A large buffer that is idle again, and a small one that is in use. */
	ASSERT_EQ(0, fetch(self->c, self->m, 2, IDLE_LEN));
	ASSERT_EQ(0, b_free(self->c));
	ASSERT_EQ(0, fetch(self->c, self->m, 3, USED_LEN));
	used = counter("used");
	ASSERT_LE((long)((IDLE_LEN - USED_LEN) / PAGE), counter("idle"));

	kib = nearly_free_kib();
	ASSERT_LT(0, kib);
	snprintf(text, sizeof(text), "%ld", kib);
	ASSERT_EQ(0, write_file(WATERMARK, text));
	while (counter("idle") > 0 && now_ms() < end) {
		allocate_a_little();
		nap();
	}

	EXPECT_EQ(0, counter("idle"));
	EXPECT_EQ(used, counter("used"));
	EXPECT_EQ(-1, b_mismatch(self->c, 3));
}

TEST_HARNESS_MAIN
