// SPDX-License-Identifier: GPL-2.0
/*
 * The driver knows only as many pages of an area as messages have needed: what
 * comes of those beyond, and of messages that need more of them.
 */
#include <kselftest_harness.h>

#include "fail.h"
#include "traffic.h"

#define ROUNDS		12
#define SENDERS		3

FIXTURE(growth)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(growth)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
}

FIXTURE_TEARDOWN(growth)
{
	kill_all_parties();
}

/* Touches an address of the manager's, which dies of it. */
#define EXPECT_SIGBUS_AT(at) do {					\
	START(self->m, op_touch, ptr_u64(at));				\
	EXPECT_EQ(-ESRCH, finish(self->m));				\
	ASSERT_TRUE(WIFSIGNALED(self->m->status));			\
	EXPECT_EQ(SIGBUS, WTERMSIG(self->m->status));			\
} while (0)

TEST_F(growth, next_to_a_message_is_sigbus)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_SIGBUS_AT(self->m->area + PAGE);
}

TEST_F(growth, far_from_a_message_is_sigbus)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_SIGBUS_AT(self->m->area + self->m->area_len - PAGE);
}

/* Each needs as many pages as all before, and those stay as they are. */
TEST_F(growth, messages_of_twice_the_size)
{
	struct binder_transaction_data tr[7];
	size_t len = PAGE;

	for (int i = 0; i < 7; i++, len *= 2) {
		ASSERT_EQ(0, b_call(self->c, i, len));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		tr[i] = self->m->res.tr;
		ASSERT_EQ(0, b_reply(self->m, 0, 8));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
		ASSERT_EQ(0, b_free(self->c));
		/* Idle pages between them. */
		ASSERT_EQ(0, exchange(self->c, self->m, 20 + i, len / 2));
		EXPECT_EQ(0, shrink_all());
	}
	for (int i = 0; i < 7; i++) {
		EXPECT_EQ(-1, ON(self->m, op_mismatch, tr[i].data.ptr.buffer,
				 tr[i].data_size, i)) {
			TH_LOG("message %d", i);
		}
	}
}

/*
 * Sends a one-way message of a[1] bytes, with the a[0]-th allocation failing.
 * 1 if there were not so many.
 */
static long op_send_failing(struct party *p, const u64 *a)
{
	struct binder_transaction_data tr = {
		.flags = TF_ONE_WAY,
		.data_size = a[1],
	};
	int nth = sys_open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	long ret = nth < 0 ? nth : op_fill(p, ARGS(a[0], a[1], 0));
	bool all;

	if (ret)
		return ret;
	tr.data.ptr.buffer = ptr_u64(p->payload);
	put_tr(p, BC_TRANSACTION, &tr);
	fail_nth(nth, a[0]);
	ret = op_go(p, ARGS(0));
	all = none_failed(nth);
	sys_close(nth);
	return ret ?: all;
}

/*
 * A message for which there is no memory is refused, and nothing is left of it:
 * the next one arrives.
 */
TEST_F_TIMEOUT(growth, without_memory_nothing_is_lost, 300)
{
	const size_t len = 20 * PAGE;
	long all = 0;
	int refused = 0;

	if (!can_fail())
		SKIP(return, "no fault injection in this kernel");
	for (int n = 1; n <= MOST && !all; n++) {
		long got;

		/* The driver knows the thread before. */
		ASSERT_EQ(0, b_enter_looper(self->c));
		all = ON(self->c, op_send_failing, n, len);
		ASSERT_LE(0, all);
		got = b_receipt(self->c);
		if (got == BR_FAILED_REPLY) {
			refused++;
			EXPECT_EQ(0, settled("used", 0));
			ASSERT_EQ(0, exchange(self->c, self->m, n, 3 * len));
		}
		kill_all_parties();
		EXPECT_EQ(0, settled("used", 0));
		EXPECT_EQ(0, settled("idle", 0));
		SETUP_PAIR();
	}
	EXPECT_EQ(1, all);
	/* The pages, and what the driver keeps of them. */
	EXPECT_LE(20, refused);
}

/* All of them need pages that the driver does not know yet. */
TEST_F_STRESS(growth, first_messages_at_once)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *c[SENDERS];

		for (int j = 0; j < SENDERS; j++) {
			c[j] = client_new(AREA_SIZE);
			ASSERT_NE(NULL, c[j]);
		}
		START(self->m, op_serve);
		for (int j = 0; j < SENDERS; j++)
			START(c[j], op_call, i + j, (1 + 12 * j) * PAGE);
		for (int j = 0; j < SENDERS; j++)
			EXPECT_EQ(BR_REPLY, finish(c[j]));
		EXPECT_EQ(SENDERS, stop_serving(self->c, self->m));
		kill_all_parties();
		EXPECT_EQ(0, settled("used", 0));
		EXPECT_EQ(0, settled("idle", 0));
		SETUP_PAIR();
	}
}

TEST_HARNESS_MAIN
