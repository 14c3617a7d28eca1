// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that send garbage: what they do is mostly right, so that they get
 * far, and wrong in some place. Others on the same device must not notice, and
 * when all have ended nothing may be left of them.
 *
 * FUZZ_SEED in the environment repeats the rounds of a run, as far as the
 * scheduler lets it.
 */
#include <kselftest_harness.h>

#include "fuzz/bystander.h"
#include "fuzz/crew.h"

#define ROUND_MS	10000
#define SHORT_MS	6000		/* unless it is told for how long */

static bool can_fail(void)
{
	return !access(FAIL_NTH, F_OK) &&
	       !write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
	       !write_file("/sys/kernel/debug/failslab/verbose", "0") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
			   "N") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem",
			   "N") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

static unsigned int fuzz_ms(void)
{
	return getenv("STRESS_SECONDS") ? stress_ms() : SHORT_MS;
}

static unsigned int fuzz_timeout(void)
{
	return 2 * fuzz_ms() / 1000 + 120;
}

FIXTURE(fuzz)
{
	struct board *board;
	u32 *stop;
};

FIXTURE_SETUP(fuzz)
{
	const char *seed = getenv("FUZZ_SEED");

	/* A thread that is stuck for so long is stuck. */
	write_file("/proc/sys/kernel/hung_task_timeout_secs", "30");
	self->board = shared_memory(sizeof(*self->board));
	ASSERT_NE(NULL, self->board);
	self->stop = shared_memory(PAGE);
	ASSERT_NE(NULL, self->stop);
	self->board->seed = seed ? (u64)atol(seed) : now_ms();
	TH_LOG("FUZZ_SEED=%llu", self->board->seed);
}

FIXTURE_TEARDOWN(fuzz)
{
	kill_all_parties();
	print_board(self->board, getenv("STRESS_SECONDS"));
}

/* One round; the bystanders live as long as it goes on. */
static void fuzz_round(struct __test_metadata *_metadata, struct board *b,
		       u32 *stop, u64 seed, unsigned int ms)
{
	struct bystanders by;
	struct party *warden;

	ASSERT_EQ(0, bystanders_new(&by));
	warden = party_new();
	ASSERT_NE(NULL, warden);
	store(stop, 0);
	START(by.server, op_serve);
	START(by.client, op_call_object, by.handle, ptr_u64(stop));
	START(warden, op_fuzz, ptr_u64(b), ms, seed);
	EXPECT_EQ(0, finish_within(warden, 2 * ms + 2 * PATIENCE_MS));
	store(stop, 1);
	EXPECT_LT(0, finish(by.client));
	EXPECT_LT(0, bystanders_end(&by));
	kill_all_parties();
	EXPECT_EQ(0, settled("used", 0));
	EXPECT_EQ(0, settled("idle", 0));
}

TEST_F_TIMEOUT(fuzz, garbage, fuzz_timeout())
{
	struct board *b = self->board;
	bool faults = can_fail();
	u64 end = now_ms() + fuzz_ms();
	/* One at least has faults. */
	unsigned int ms = fuzz_ms() < 2 * ROUND_MS ? fuzz_ms() / 2 : ROUND_MS;

	b->cycles = getenv("FUZZ_CYCLES");
	for (u64 i = 0; i < 2 || now_ms() < end; i++) {
		b->faults = faults && i % 3 == 1;
		fuzz_round(_metadata, b, self->stop, seed_of(b->seed, i), ms);
		/* A device that has once lost its way is of no use any more. */
		ASSERT_TRUE(__test_passed(_metadata)) {
			TH_LOG("round %llu", i);
		}
	}
	/* As if nothing had been. */
	{
		struct party *m = manager_new(AREA_SIZE);
		struct party *c = client_new(AREA_SIZE);

		ASSERT_NE(NULL, m);
		ASSERT_NE(NULL, c);
		EXPECT_EQ(0, exchange(c, m, 1, 3 * PAGE));
	}
	EXPECT_LT(0, b->told[_IOC_NR(BR_REPLY)]);
	EXPECT_LT(messages(b) / 20, delivered(b));
}

TEST_HARNESS_MAIN
