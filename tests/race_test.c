// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once: messages while the receiver's address space changes,
 * while it dies, while the shrinker runs. Bounded by time, so a slow machine
 * tries less, not longer; what arrives must always be what was sent.
 */
#include <kselftest_harness.h>

#include "pair.h"

#define RACE_MS		2500
#define ROUNDS		12
#define LEN		(8 * PAGE)

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

/* Serves until told otherwise by a signal or an error; checks what comes. */
static long op_serve(struct party *p, const u64 *a)
{
	static const struct binder_transaction_data empty;

	(void)a;
	for (;;) {
		struct binder_transaction_data *tr = &p->res.tr;
		long ret = op_await(p, ARGS(BR(BR_TRANSACTION)));

		if (ret < 0)
			return ret;
		if (mismatch(u64_ptr(tr->data.ptr.buffer), tr->data_size,
			     tr->code) != -1)
			return -EILSEQ;
		put_free(p, tr->data.ptr.buffer);
		put_tr(p, BC_REPLY, &empty);
		ret = op_go(p, ARGS(0));
		if (ret)
			return ret;
	}
}

/*
 * Calls for a[0] ms. The number of calls that were answered; with a[1], calls
 * may also fail cleanly, and a dead manager ends it.
 */
static long op_call_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long answered = 0;

	for (u32 n = 0; now_ms() < end; n++) {
		struct binder_transaction_data tr = {
			.code = n,
			.data_size = 1 + (n * 1237) % LEN,
		};
		long ret;

		op_fill(p, ARGS(n, tr.data_size, 0));
		tr.data.ptr.buffer = ptr_u64(p->payload);
		put_tr(p, BC_TRANSACTION, &tr);
		ret = op_go(p, ARGS(0));
		if (!ret)
			ret = op_await(p, ARGS(BR_MESSAGE));
		if (ret == BR_REPLY) {
			answered++;
			put_free(p, p->res.tr.data.ptr.buffer);
			ret = op_go(p, ARGS(0));
			if (ret)
				return ret;
		} else if (a[1] && ret == BR_DEAD_REPLY) {
			break;
		} else if (!a[1] || ret != BR_FAILED_REPLY) {
			return ret < 0 ? ret : -EPROTO;
		}
	}
	return answered;
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

/* Runs the shrinker for a[0] ms. */
static long op_shrink_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long rounds = 0;

	(void)p;
	while (now_ms() < end) {
		long ret = shrink_once();

		if (ret)
			return ret;
		rounds++;
	}
	return rounds;
}

/* Throws the area's mappings away for a[0] ms. */
static long op_dontneed_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long rounds = 0;

	while (now_ms() < end) {
		long ret = sys_madvise(p->area, p->area_len, MADV_DONTNEED);

		if (ret)
			return ret;
		rounds++;
	}
	return rounds;
}

TEST_F(race, insertion_and_mmap_storm)
{
	struct party *t[2];
	struct party *s = party_new();

	ASSERT_NE(NULL, s);
	for (int i = 0; i < 2; i++) {
		t[i] = party_thread(self->m);
		ASSERT_NE(NULL, t[i]);
		START(t[i], op_storm, RACE_MS);
	}
	START(self->m, op_serve);
	/* Without the shrinker no page would ever be inserted twice. */
	START(s, op_shrink_for, RACE_MS);
	EXPECT_LT(0, ON(self->c, op_call_for, RACE_MS, 0));
	EXPECT_LT(0, finish(s));
	EXPECT_LT(0, finish(t[0]));
	EXPECT_LT(0, finish(t[1]));
	EXPECT_TRUE(is_busy(self->m)) {
		TH_LOG("server: %ld", self->m->ret);
	}
	EXPECT_EQ(0, settled("used", 0));
}

TEST_F(race, insertion_and_reclaim)
{
	struct party *s = party_new();

	ASSERT_NE(NULL, s);
	START(self->m, op_serve);
	START(s, op_shrink_for, RACE_MS);
	EXPECT_LT(0, ON(self->c, op_call_for, RACE_MS, 0));
	EXPECT_LT(0, finish(s));
	EXPECT_TRUE(is_busy(self->m)) {
		TH_LOG("server: %ld", self->m->ret);
	}
	EXPECT_EQ(0, settled("used", 0));
}

TEST_F(race, insertion_and_dontneed)
{
	struct party *t = party_thread(self->m);

	ASSERT_NE(NULL, t);
	START(self->m, op_serve);
	START(t, op_dontneed_for, RACE_MS);
	EXPECT_LT(0, ON(self->c, op_call_for, RACE_MS, 0));
	EXPECT_LT(0, finish(t));
	EXPECT_TRUE(is_busy(self->m)) {
		TH_LOG("server: %ld", self->m->ret);
	}
}

/* A reclaimer that two processes run at once, against two areas. */
TEST_F(race, two_shrinkers)
{
	struct party *s[2] = { party_new(), party_new() };

	ASSERT_NE(NULL, s[0]);
	ASSERT_NE(NULL, s[1]);
	START(self->m, op_serve);
	START(s[0], op_shrink_for, RACE_MS);
	START(s[1], op_shrink_for, RACE_MS);
	EXPECT_LT(0, ON(self->c, op_call_for, RACE_MS, 0));
	EXPECT_LT(0, finish(s[0]));
	EXPECT_LT(0, finish(s[1]));
	EXPECT_EQ(0, settled("used", 0));
}

/* Kills everybody, so that the next round starts from nothing. */
static bool next_round(struct party **m, struct party **c)
{
	kill_all_parties();
	*m = manager_new(AREA_SIZE);
	*c = client_new(AREA_SIZE);
	return *m && *c;
}

TEST_F_TIMEOUT(race, insertion_and_receiver_exit, 60)
{
	for (int i = 0; i < ROUNDS; i++) {
		START(self->m, op_serve);
		START(self->c, op_call_for, RACE_MS, 1);
		for (int n = 0; n < i; n++)
			nap();
		ASSERT_EQ(SIGKILL, party_kill(self->m));
		EXPECT_LE(0, finish(self->c));
		EXPECT_EQ(0, settled("used", 0));
		ASSERT_TRUE(next_round(&self->m, &self->c));
	}
}

TEST_F_TIMEOUT(race, insertion_and_munmap, 60)
{
	for (int i = 0; i < ROUNDS; i++) {
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

TEST_F_TIMEOUT(race, reclaim_and_munmap, 60)
{
	for (int i = 0; i < ROUNDS; i++) {
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

TEST_F_TIMEOUT(race, reclaim_and_exit, 60)
{
	for (int i = 0; i < ROUNDS; i++) {
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
TEST_F_TIMEOUT(race, fatal_signal_while_sending, 60)
{
	struct party *s = party_new();

	ASSERT_NE(NULL, s);
	START(self->m, op_serve);
	START(s, op_shrink_for, RACE_MS);
	for (int i = 0; i < ROUNDS; i++) {
		struct party *c = client_new(AREA_SIZE);

		if (!c)
			break;
		START(c, op_call_for, RACE_MS, 0);
		for (int n = 0; n < i % 5; n++)
			nap();
		EXPECT_EQ(SIGKILL, party_kill(c));
	}
	EXPECT_TRUE(is_busy(self->m)) {
		TH_LOG("server: %ld", self->m->ret);
	}
	EXPECT_LT(0, ON(self->c, op_call_for, 200, 0));
	EXPECT_EQ(0, settled("used", 0));
}

TEST_HARNESS_MAIN
