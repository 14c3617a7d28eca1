// SPDX-License-Identifier: GPL-2.0
/*
 * The suspicion of spam: a sender that wants to hear of it is told when the
 * one-way messages of its process fill the receiver's area.
 *
 * Two conditions make it: less than a tenth of the area is left for one-way
 * messages, and more than 50 of those that are there already, or more than a
 * quarter of the area, are of the sender's process. The message that meets
 * them is delivered like any other.
 */
#include <kselftest_harness.h>

#include "ioctls.h"
#include "pair.h"

#define AREA		(64 * KIB)
#define HALF		(AREA / 2)
#define QUARTER		(AREA / 4)
/* Sizes go in steps of 8, and a tenth of the area is between two of them. */
#define STEP		8
#define NEARLY_A_TENTH	((AREA / 10) / STEP * STEP)
#define MANY		50

FIXTURE(spam)
{
	struct party *m;
	struct party *c;
	struct party *d;
	struct party *e;
};

FIXTURE_SETUP(spam)
{
	ASSERT_TRUE(nothing_in_use());
	self->m = manager_new(AREA);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	ASSERT_EQ(0, b_ioctl_u32(self->c, BINDER_ENABLE_ONEWAY_SPAM_DETECTION,
				 1));
	self->d = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->d);
	self->e = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->e);
}

FIXTURE_TEARDOWN(spam)
{
	kill_all_parties();
}

static long flood(struct party *p, size_t len)
{
	long ret = b_oneway(p, 1, len);

	return ret ? ret : b_receipt(p);
}

static long b_listen(struct party *p, u32 enable)
{
	return b_ioctl_u32(p, BINDER_ENABLE_ONEWAY_SPAM_DETECTION, enable);
}

/* Reads and frees so many messages: those that there were. */
static int drained(struct party *m, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (b_receive(m) != BR_TRANSACTION || b_free(m))
			break;
	return i;
}

TEST_F(spam, much_of_little_space)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->c, QUARTER - STEP - NEARLY_A_TENTH - STEP));
	/* The next leaves less than a tenth. */
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, flood(self->c, 2 * STEP));
}

TEST_F(spam, it_takes_the_place_of_the_receipt)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(0, b_oneway(self->c, 1, QUARTER - NEARLY_A_TENTH));
	ASSERT_EQ(0, b_go(self->c, READ_SIZE));
	ASSERT_EQ(2, self->c->res.n);
	EXPECT_EQ(BR_NOOP, self->c->res.br[0]);
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, self->c->res.br[1]);
	ASSERT_EQ(0, b_set_nonblock(self->c));
	EXPECT_EQ(-EAGAIN, b_go(self->c, READ_SIZE));
}

TEST_F(spam, it_is_delivered)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(BR_ONEWAY_SPAM_SUSPECT,
		  flood(self->c, QUARTER - NEARLY_A_TENTH));
	ASSERT_EQ(1, drained(self->m, 1));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(QUARTER - NEARLY_A_TENTH, self->m->res.tr.data_size);
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
}

TEST_F(spam, nothing_while_a_tenth_is_left)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->c, HALF - QUARTER - STEP - NEARLY_A_TENTH - STEP));
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, flood(self->c, STEP));
}

TEST_F(spam, a_quarter_is_not_too_much)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->d, QUARTER - NEARLY_A_TENTH));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, STEP));
	/* Now there is more than a quarter of its own. */
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, flood(self->c, STEP));
}

TEST_F(spam, fifty_are_not_too_many)
{
	/* Neither of these has more than a quarter. */
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, QUARTER - KIB));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->e, QUARTER + KIB - NEARLY_A_TENTH));
	for (int i = 0; i <= MANY; i++) {
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, STEP)) {
			TH_LOG("message %d", i);
		}
	}
	/* Now there are 51 of its own. */
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, flood(self->c, STEP));
}

TEST_F(spam, others_do_not_make_one_suspect)
{
	ASSERT_EQ(0, b_listen(self->d, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->d, QUARTER - NEARLY_A_TENTH));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, STEP));
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, flood(self->c, STEP));
}

TEST_F(spam, threads_of_a_process_are_one_sender)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT, flood(t, QUARTER - NEARLY_A_TENTH));
}

TEST_F(spam, what_was_read_still_counts)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT,
		  flood(self->c, QUARTER - NEARLY_A_TENTH));
}

TEST_F(spam, what_was_freed_does_not_count)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, STEP));
	ASSERT_EQ(1, drained(self->m, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->d, HALF - NEARLY_A_TENTH - STEP));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, STEP));
}

TEST_F(spam, calls_do_not_count)
{
	ASSERT_EQ(0, b_call(self->c, 1, QUARTER + STEP));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->d, HALF - NEARLY_A_TENTH));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, STEP));
}

TEST_F(spam, it_is_told_once)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	ASSERT_EQ(BR_ONEWAY_SPAM_SUSPECT,
		  flood(self->c, QUARTER - NEARLY_A_TENTH));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, STEP));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, STEP));
}

TEST_F(spam, it_is_told_once_of_all_senders)
{
	ASSERT_EQ(0, b_listen(self->d, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER));
	for (int i = 0; i <= MANY; i++)
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, STEP));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->c, QUARTER - (MANY + 1) * STEP - NEARLY_A_TENTH));
	ASSERT_EQ(BR_ONEWAY_SPAM_SUSPECT, flood(self->c, STEP));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, STEP));
}

TEST_F(spam, it_is_told_again_after_there_was_space)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(BR_TRANSACTION_COMPLETE,
			  flood(self->c, QUARTER + STEP));
		ASSERT_EQ(BR_ONEWAY_SPAM_SUSPECT,
			  flood(self->c, QUARTER - NEARLY_A_TENTH));
		ASSERT_EQ(2, drained(self->m, 2));
	}
}

TEST_F(spam, nobody_is_told_who_did_not_ask)
{
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, QUARTER + STEP));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->d, QUARTER - NEARLY_A_TENTH));
}

TEST_F(spam, nobody_is_told_who_stopped_asking)
{
	ASSERT_EQ(0, b_listen(self->c, 0));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->c, QUARTER + STEP));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->c, QUARTER - NEARLY_A_TENTH));
}

/* It is the sender's wish, not the receiver's. */
TEST_F(spam, the_receiver_does_not_ask)
{
	ASSERT_EQ(0, b_listen(self->m, 1));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, QUARTER + STEP));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE,
		  flood(self->d, QUARTER - NEARLY_A_TENTH));
}

TEST_F(spam, any_number_but_zero_enables)
{
	ASSERT_EQ(0, b_listen(self->d, 0x80000000));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, flood(self->d, QUARTER + STEP));
	EXPECT_EQ(BR_ONEWAY_SPAM_SUSPECT,
		  flood(self->d, QUARTER - NEARLY_A_TENTH));
}

TEST_F(spam, a_bad_pointer_is_refused)
{
	EXPECT_EQ(-EFAULT, b_ioctl(self->c, BINDER_ENABLE_ONEWAY_SPAM_DETECTION,
				   NULL));
}

TEST_HARNESS_MAIN
