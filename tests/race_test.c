// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once: messages while the receiver's address space changes,
 * while it dies, while the shrinker runs. Bounded by time, so a slow machine
 * tries less, not longer; what arrives must always be what was sent, and stay
 * so until it is freed.
 */
#include <kselftest_harness.h>

#include "traffic.h"

#define ROUNDS		12
#define LEN		TRAFFIC_LEN

FIXTURE(race)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
}

FIXTURE_TEARDOWN(race)
{
	kill_all_parties();
}

/* Maps, touches and unmaps for a[0] ms: every round takes the mmap lock. */
static long op_storm(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long rounds = 0;

	(void)p;
	while (now_ms() < end) {
		long at = sys_mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (is_error(at))
			return at;
		__atomic_store_n((u8 *)u64_ptr(at), 1, __ATOMIC_RELAXED);
		sys_mprotect(u64_ptr(at), PAGE, PROT_READ);
		sys_munmap(u64_ptr(at), 4 * PAGE);
		rounds++;
	}
	return rounds;
}

/* Forks for a[0] ms: every round write-locks all areas for a while. */
static long op_fork_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long rounds = 0;

	(void)p;
	while (now_ms() < end) {
		int status;
		int pid = fork();

		if (pid == 0)
			_exit(0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return -ECHILD;
		rounds++;
	}
	return rounds;
}

/* The client calls the manager while the others do what they were told to. */
static void expect_traffic(struct __test_metadata *_metadata, struct party *c,
			   struct party *m, struct party **others, int n)
{
	START(m, op_serve);
	START(c, op_call_for, stress_ms(), 0);
	EXPECT_LT(0, finish_stress(c));
	for (int i = 0; i < n; i++) {
		EXPECT_LT(0, finish_stress(others[i])) {
			TH_LOG("number %d of those that disturb", i);
		}
	}
	EXPECT_LT(0, stop_serving(c, m));
	EXPECT_EQ(0, settled("used", 0));
}

TEST_F_STRESS(race, insertion_and_mmap_storm)
{
	struct party *other[] = {
		party_new(), party_thread(self->m), party_thread(self->m),
	};

	for (int i = 0; i < 3; i++)
		ASSERT_NE(NULL, other[i]);
	/* Without the shrinker no page would ever be inserted twice. */
	START(other[0], op_shrink_for, stress_ms());
	START(other[1], op_storm, stress_ms());
	START(other[2], op_storm, stress_ms());
	expect_traffic(_metadata, self->c, self->m, other, 3);
}

TEST_F_STRESS(race, insertion_and_fork)
{
	struct party *other[] = { party_new(), party_thread(self->m) };

	ASSERT_NE(NULL, other[0]);
	ASSERT_NE(NULL, other[1]);
	START(other[0], op_shrink_for, stress_ms());
	START(other[1], op_fork_for, stress_ms());
	expect_traffic(_metadata, self->c, self->m, other, 2);
}

TEST_F_STRESS(race, insertion_and_reclaim)
{
	struct party *s = party_new();

	ASSERT_NE(NULL, s);
	START(s, op_shrink_for, stress_ms());
	expect_traffic(_metadata, self->c, self->m, &s, 1);
}

TEST_F_STRESS(race, insertion_and_dontneed)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	START(t, op_dontneed_for, stress_ms());
	expect_traffic(_metadata, self->c, self->m, &t, 1);
}

/* Every page that is touched comes from a fault, while its neighbours go. */
TEST_F_STRESS(race, faults_and_reclaim)
{
	struct party *other[] = { party_new(), party_thread(self->m) };

	ASSERT_NE(NULL, other[0]);
	ASSERT_NE(NULL, other[1]);
	START(other[0], op_shrink_for, stress_ms());
	START(other[1], op_dontneed_for, stress_ms());
	expect_traffic(_metadata, self->c, self->m, other, 2);
}

/* A reclaimer that two processes run at once, against two areas. */
TEST_F_STRESS(race, two_shrinkers)
{
	struct party *s[2] = { party_new(), party_new() };

	for (int i = 0; i < 2; i++) {
		ASSERT_NE(NULL, s[i]);
		START(s[i], op_shrink_for, stress_ms());
	}
	expect_traffic(_metadata, self->c, self->m, s, 2);
}

/* Kills everybody, so that the next round starts from nothing. */
static bool next_round(struct party **m, struct party **c)
{
	kill_all_parties();
	*m = manager_new(AREA_SIZE);
	*c = client_new(AREA_SIZE);
	return *m && *c;
}

static void nap_times(int n)
{
	while (n-- > 0)
		nap();
}

TEST_F_STRESS(race, insertion_and_receiver_exit)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		START(self->m, op_serve);
		START(self->c, op_call_for, STRESS_MS, 1);
		nap_times(i % ROUNDS);
		ASSERT_EQ(SIGKILL, party_kill(self->m));
		EXPECT_LE(0, finish(self->c));
		EXPECT_EQ(0, settled("used", 0));
		ASSERT_TRUE(next_round(&self->m, &self->c));
	}
}

TEST_F_STRESS(race, insertion_and_munmap)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *t = party_thread(self->m);

		ASSERT_NE(NULL, t);
		/* Nobody reads: one-way messages fill the area meanwhile. */
		START(t, op_munmap, ptr_u64(t->area), t->area_len);
		for (int n = 0; n < 40; n++) {
			long got;

			ASSERT_EQ(0, b_oneway(self->c, n, LEN));
			got = b_receipt(self->c);
			if (got == BR_TRANSACTION_COMPLETE)
				continue;
			EXPECT_TRUE(got == BR_DEAD_REPLY ||
				    got == BR_FAILED_REPLY);
			break;
		}
		ASSERT_EQ(0, finish(t));
		ASSERT_TRUE(next_round(&self->m, &self->c));
		EXPECT_EQ(0, settled("used", 0));
	}
}

/* The receiver reads what was sent, while its area goes. */
TEST_F_STRESS(race, reading_and_munmap)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *t = party_thread(self->m);
		long got;

		ASSERT_NE(NULL, t);
		ASSERT_EQ(0, b_oneway(self->c, i, LEN));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->c));
		ASSERT_EQ(0, b_set_nonblock(self->m));
		START(t, op_munmap, ptr_u64(t->area), t->area_len);
		got = b_receive(self->m);
		EXPECT_EQ(0, finish(t));
		EXPECT_TRUE(got == BR_TRANSACTION || got == -EAGAIN) {
			TH_LOG("got %lx", got);
		}
		if (got == BR_TRANSACTION)
			ASSERT_EQ(0, b_free(self->m));
		EXPECT_EQ(0, settled("used", 0));
		EXPECT_EQ(0, shrink_all());
		ASSERT_TRUE(next_round(&self->m, &self->c));
	}
}

TEST_F_STRESS(race, reclaim_and_munmap)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *s = party_new();

		ASSERT_NE(NULL, s);
		ASSERT_EQ(0, exchange(self->c, self->m, i, 64 * PAGE));
		START(s, op_shrink_for, 20);
		EXPECT_EQ(0, b_unmap(self->m));
		EXPECT_EQ(0, b_unmap(self->c));
		EXPECT_LT(0, finish(s));
		EXPECT_EQ(0, shrink_all());
		ASSERT_TRUE(next_round(&self->m, &self->c));
	}
}

TEST_F_STRESS(race, reclaim_and_exit)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *s = party_new();

		ASSERT_NE(NULL, s);
		ASSERT_EQ(0, exchange(self->c, self->m, i, 64 * PAGE));
		START(s, op_shrink_for, 20);
		EXPECT_EQ(SIGKILL, party_kill(self->m));
		EXPECT_EQ(SIGKILL, party_kill(self->c));
		EXPECT_LT(0, finish(s));
		EXPECT_EQ(0, settled("idle", 0));
		ASSERT_TRUE(next_round(&self->m, &self->c));
	}
}

/* Senders die in the middle of what they send. */
TEST_F_STRESS(race, fatal_signal_while_sending)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, 3, began); i++) {
		struct party *s = party_new();

		ASSERT_NE(NULL, s);
		START(self->m, op_serve);
		START(s, op_shrink_for, STRESS_MS / 3);
		for (int k = 0; k < ROUNDS; k++) {
			struct party *c = client_new(AREA_SIZE);

			ASSERT_NE(NULL, c);
			START(c, op_call_for, STRESS_MS, 0);
			nap_times(k % 5);
			EXPECT_EQ(SIGKILL, party_kill(c));
		}
		EXPECT_LT(0, finish(s));
		EXPECT_LT(0, stop_serving(self->c, self->m));
		EXPECT_EQ(0, settled("used", 0));
		ASSERT_TRUE(next_round(&self->m, &self->c));
	}
}

TEST_HARNESS_MAIN
