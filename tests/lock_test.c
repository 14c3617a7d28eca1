// SPDX-License-Identifier: GPL-2.0
/*
 * The VMA lock: nobody waits for it without need, whoever has to wait goes on
 * when the writer is done, and can be killed before.
 */
#include <kselftest_harness.h>

#include "mode.h"
#include "pair.h"
#include "writer.h"

#define LEN		(8 * PAGE)
#define ROUNDS		20
/* As many must do to show that something does not happen. */
#define FEW_ROUNDS	4

FIXTURE(lock)
{
	struct party *m;
	struct party *c;
	struct party *writer;	/* a thread of the manager's */
	enum mode mode;
	long fast;		/* counters before the case */
	long waited;
};

FIXTURE_SETUP(lock)
{
	ASSERT_EQ(0, settled("used", 0));
	self->mode = install_mode();
	self->m = client_new(0);
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, b_map_at(self->m, AREA_SIZE, u64_ptr(AREA_AT)));
	ASSERT_EQ(0, b_become_manager(self->m));
	ASSERT_EQ(0, b_enter_looper(self->m));
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	self->writer = party_thread(self->m);
	ASSERT_NE(NULL, self->writer);
	self->fast = counter("vma_lock_fast");
	self->waited = counter("vma_lock_waited");
}

FIXTURE_TEARDOWN(lock)
{
	kill_all_parties();
}

/* A message that needs pages which are not there, up to its being read. */
static long bring_message(struct party *c, struct party *m)
{
	long ret = b_oneway(c, 3, LEN);

	return ret ?: b_receive(m);
}

static long clean_up(struct party *m)
{
	return b_mismatch(m, 3) != -1 ? -EILSEQ : b_free(m) ?: shrink_all();
}

TEST_F(lock, nobody_waits_without_a_writer)
{
	ASSERT_EQ(BR_TRANSACTION, bring_message(self->c, self->m));
	EXPECT_EQ(self->mode == BY_FAULT ? 0 : 1,
		  counter("vma_lock_fast") - self->fast);
	EXPECT_EQ(self->waited, counter("vma_lock_waited"));
}

/* When the area gets locked cannot be seen, so it takes several attempts. */
TEST_F_TIMEOUT(lock, a_message_waits_for_a_writer, 90)
{
	const int rounds = self->mode == BY_FAULT ? FEW_ROUNDS : ROUNDS;
	int i;

	ASSERT_TRUE(make_slow(self->writer));
	for (i = 0; i < rounds; i++) {
		START(self->writer, op_fork);
		for (int n = 0; n < i % 5; n++)
			nap();
		ASSERT_EQ(BR_TRANSACTION, bring_message(self->c, self->m));
		ASSERT_LE(0, finish(self->writer));
		ASSERT_EQ(0, clean_up(self->m));
		if (counter("vma_lock_waited") > self->waited)
			break;
	}
	EXPECT_EQ(self->mode != BY_FAULT,
		  counter("vma_lock_waited") > self->waited) {
		TH_LOG("%d rounds", i);
	}
}

/* Sends what was filled before, and does not wait for that. */
static void send_later(struct party *c)
{
	struct binder_transaction_data tr = {
		.flags = TF_ONE_WAY,
		.data_size = LEN,
		.data.ptr.buffer = ptr_u64(c->payload),
	};

	put_tr(c, BC_TRANSACTION, &tr);
	START(c, op_go, 0);
}

/* Whether a party sleeps uninterruptibly, while another is busy, for long. */
static bool waits_for(struct party *p, struct party *busy)
{
	u64 since = 0;

	while (is_busy(busy) && is_busy(p)) {
		if (party_state(p) != 'D')
			since = 0;
		else if (!since)
			since = now_ms();
		else if (now_ms() > since + 2)
			return true;
		nap();
	}
	return false;
}

TEST_F_TIMEOUT(lock, a_fatal_signal_ends_the_wait, 90)
{
	bool ended = false;

	if (self->mode != BY_SENDER)
		SKIP(return, "only a sender waits for somebody else's lock");
	ASSERT_TRUE(make_slow(self->writer));
	ASSERT_EQ(0, b_set_nonblock(self->m));
	for (int i = 0; i < ROUNDS && !ended; i++) {
		struct party *c = client_new(AREA_SIZE);

		ASSERT_NE(NULL, c);
		ASSERT_EQ(0, ON(c, op_fill, 3, LEN, 0));
		START(self->writer, op_fork);
		for (int n = 0; n < i % 5; n++)
			nap();
		send_later(c);
		if (waits_for(c, self->writer)) {
			kill(c->pid, SIGKILL);
			while (is_busy(self->writer) && !ended)
				ended = has_ended(c);
		}
		ASSERT_LE(0, finish(self->writer));
		EXPECT_EQ(SIGKILL, party_kill(c));
		/* It may have been too late to keep it from sending. */
		if (b_receive(self->m) == BR_TRANSACTION)
			ASSERT_EQ(0, b_free(self->m));
		EXPECT_EQ(0, settled("used", 0));
		ASSERT_EQ(0, shrink_all());
	}
	EXPECT_TRUE(ended);
}

/* Reclaim leaves alone what a writer has locked, and comes back later. */
TEST_F_TIMEOUT(lock, reclaim_does_not_wait_for_a_writer, 90)
{
	long skipped = counter("skipped_vma_lock");
	const int rounds = self->mode == BY_FAULT ? FEW_ROUNDS : ROUNDS;
	int i;

	ASSERT_TRUE(make_slow(self->writer));
	for (i = 0; i < rounds; i++) {
		ASSERT_EQ(BR_TRANSACTION, bring_message(self->c, self->m));
		ASSERT_EQ(0, b_free(self->m));
		START(self->writer, op_fork);
		while (is_busy(self->writer) && counter("idle"))
			ASSERT_EQ(0, shrink_once());
		ASSERT_LE(0, finish(self->writer));
		EXPECT_EQ(0, shrink_all());
		if (counter("skipped_vma_lock") > skipped)
			break;
	}
	/* With a file's address space there is no area to be locked. */
	EXPECT_EQ(self->mode != BY_FAULT,
		  counter("skipped_vma_lock") > skipped) {
		TH_LOG("%d rounds", i);
	}
}

TEST_HARNESS_MAIN
