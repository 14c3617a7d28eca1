// SPDX-License-Identifier: GPL-2.0
/*
 * Unloading the module while others are busy with what goes: the shrinker and
 * its pages, the files in debugfs, processes that have just been killed.
 */
#include <kselftest_harness.h>

#include "reload.h"
#include "seen.h"
#include "traffic.h"

#define ROUNDS		5
#define LEN		(64 * PAGE)

FIXTURE(unload)
{
	struct party *m;
	struct party *c;
	char params[48];	/* what the module was loaded with */
	int disturber;
};

FIXTURE_SETUP(unload)
{
	ASSERT_EQ(0, module_params(self->params, sizeof(self->params)));
	self->disturber = 0;
}

FIXTURE_TEARDOWN(unload)
{
	kill_all_parties();
	if (self->disturber) {
		kill(self->disturber, SIGKILL);
		waitpid(self->disturber, NULL, 0);
	}
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load(self->params));
}

/* A process that does something again and again. No party: those are killed. */
static int disturb(void (*something)(void))
{
	int pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		something();
}

static void shrink(void)
{
	shrink_once();
	drop_slab();
}

static void look(void)
{
	char text[256];

	static const char *const files[] = { "state", "stats", "transactions" };

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
		see(files[i]);
	for (int pid = getpid(); pid < getpid() + 8; pid++)
		see_proc(pid);
	counter("idle");
	shrinker_count();
	read_file(MODE_FILE, text, sizeof(text));
}

/* Leaves pages in use, idle pages, and a message nobody has read. */
static int make_pages(struct party **m, struct party **c)
{
	*m = manager_new(AREA_SIZE);
	*c = client_new(AREA_SIZE);
	if (!*m || !*c)
		return 1;
	if (exchange(*c, *m, 1, LEN))
		return 2;
	return b_call(*c, 2, LEN / 2) ? 3 : 0;
}

static void expect_rounds(struct __test_metadata *_metadata,
			  const char *params)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *m, *c;

		ASSERT_EQ(0, make_pages(&m, &c)) {
			TH_LOG("round %d", i);
		}
		EXPECT_LT(0, counter("used"));
		kill_all_parties();
		ASSERT_EQ(0, module_unload());
		ASSERT_NE(0, access(STATS_FILE, F_OK));
		ASSERT_EQ(0, module_load(params));
	}
}

TEST_F_STRESS(unload, right_after_a_kill)
{
	expect_rounds(_metadata, self->params);
}

TEST_F_STRESS(unload, while_the_shrinker_runs)
{
	self->disturber = disturb(shrink);
	ASSERT_LT(0, self->disturber);
	expect_rounds(_metadata, self->params);
}

TEST_F_STRESS(unload, while_somebody_reads_debugfs)
{
	self->disturber = disturb(look);
	ASSERT_LT(0, self->disturber);
	expect_rounds(_metadata, self->params);
}

/* What is open keeps it, and the refusal does no harm to what goes on. */
TEST_F_STRESS(unload, is_refused_while_messages_come)
{
	u64 began = now_ms();

	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	START(self->m, op_serve);
	START(self->c, op_call_for, stress_ms(), 0);
	while (now_ms() < began + stress_ms() && is_busy(self->c))
		ASSERT_EQ(-EAGAIN, module_try_unload());
	EXPECT_LT(0, finish_stress(self->c));
	EXPECT_LT(0, stop_serving(self->c, self->m));
}

TEST_HARNESS_MAIN
