// SPDX-License-Identifier: GPL-2.0
/*
 * What things cost when there are many nodes, references and buffers.
 *
 * Each case does the same a hundred times among ten of them and among ten
 * thousand. In a guest whose time counts instructions (scripts/boot --icount,
 * which tests/run uses for this program) the second may take little more than
 * the first: a tree is deeper, nothing else is longer. Elsewhere the times are
 * printed only.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "parcel.h"

#define FEW		10
#define MANY		10000
#define BATCH		8
#define ROUNDS		100
/* Ten steps more in each of several trees, among thousands of instructions. */
#define MORE_PERCENT	25

#define NODE(i)		(0x100000ULL + 0x10 * (i))
#define COOKIE		0x77

FIXTURE(scale)
{
	struct party *m;
	struct party *c;
	unsigned int nodes;
	bool counts;
};

FIXTURE_SETUP(scale)
{
	char line[1024];

	ASSERT_LT(0, read_file("/proc/cmdline", line, sizeof(line)));
	self->counts = strstr(line, "icount=1");
	self->m = manager_new(4 * MIB);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(4 * MIB);
	ASSERT_NE(NULL, self->c);
	ASSERT_EQ(0, b_enter_looper(self->c));
	self->nodes = 0;
}

FIXTURE_TEARDOWN(scale)
{
	kill_all_parties();
}

/* Lets the manager have references to so many nodes of the client. */
static int have_nodes(FIXTURE_DATA(scale) * self, unsigned int count)
{
	int ret = 0;

	while (!ret && self->nodes < count) {
		struct parcel *q = parcel_new(self->c);

		for (int i = 0; i < BATCH && self->nodes < count; i++)
			put_binder(q, NODE(self->nodes++), COOKIE);
		ret = carry(self->c, self->m);
	}
	return ret;
}

static long once(struct party *p, size_t read_size)
{
	const u64 size[] = { read_size };

	return op_go(p, size);
}

/* So many calls to a handle, each answered. */
static long op_calls(struct party *p, const u64 *a)
{
	const u64 reply[] = { BR(BR_REPLY) | BR_FAILURE };

	for (u64 i = 0; i < a[0]; i++) {
		struct binder_transaction_data tr = { .target.handle = a[1] };

		put_tr(p, BC_TRANSACTION, &tr);
		if (once(p, 0) || op_await(p, reply) != BR_REPLY)
			return -EPROTO;
		put_free(p, p->res.tr.data.ptr.buffer);
	}
	return once(p, 0);
}

/* Answers so many calls, and keeps their messages if it should. */
static long op_answers(struct party *p, const u64 *a)
{
	const u64 call[] = { BR(BR_TRANSACTION) };

	for (u64 i = 0; i < a[0]; i++) {
		if (op_await(p, call) != BR_TRANSACTION)
			return -EPROTO;
		if (!a[1])
			put_free(p, p->res.tr.data.ptr.buffer);
		put_empty_reply(p);
		if (once(p, 0))
			return -EPROTO;
	}
	return 0;
}

/* The nanoseconds that one of a hundred calls takes, or an error. */
static long call_cost(struct party *from, struct party *to, u32 handle)
{
	u64 begun = now_ns();
	long ret;

	START(to, op_answers, ROUNDS, false);
	ret = ON(from, op_calls, ROUNDS, handle) ?: finish(to);
	return ret ?: (long)((now_ns() - begun) / ROUNDS);
}

/* The same for a party that does something by itself. */
static long cost(struct party *p, party_op op, u64 a, u64 b)
{
	u64 begun = now_ns();
	long ret = ON(p, op, a, b);

	return ret ?: (long)((now_ns() - begun) / ROUNDS);
}

#define EXPECT_LITTLE_MORE(one, other) do {				\
	long _few = (one), _many = (other);				\
									\
	ASSERT_LT(0, _few);						\
	ASSERT_LT(0, _many);						\
	TH_LOG("%ld ns among %d, %ld ns among %d", _few, FEW, _many,	\
	       MANY);							\
	if (self->counts)						\
		EXPECT_GE(_few + _few * MORE_PERCENT / 100, _many);	\
} while (0)

TEST_F(scale, a_call_to_one_of_many_handles)
{
	long few, many;

	ASSERT_EQ(0, have_nodes(self, FEW));
	few = call_cost(self->m, self->c, FEW / 2);
	ASSERT_EQ(0, have_nodes(self, MANY));
	many = call_cost(self->m, self->c, MANY / 2);
	EXPECT_LITTLE_MORE(few, many);
}

static long op_references(struct party *p, const u64 *a)
{
	for (int i = 0; i < ROUNDS; i++) {
		put_ref(p, BC_INCREFS, a[0]);
		put_ref(p, BC_DECREFS, a[0]);
		if (once(p, 0))
			return -EPROTO;
	}
	return 0;
}

TEST_F(scale, a_reference_to_one_of_many)
{
	long few, many;

	ASSERT_EQ(0, have_nodes(self, FEW));
	few = cost(self->m, op_references, FEW / 2, 0);
	ASSERT_EQ(0, have_nodes(self, MANY));
	many = cost(self->m, op_references, MANY / 2, 0);
	EXPECT_LITTLE_MORE(few, many);
}

/* Sends a known node again: it is looked up, and so is its handle. */
static long op_resends(struct party *p, const u64 *a)
{
	const u64 reply[] = { BR(BR_REPLY) | BR_FAILURE };

	for (int i = 0; i < ROUNDS; i++) {
		put_binder(parcel_new(p), a[0], COOKIE);
		put_message(p, BC_TRANSACTION,
			    &(struct binder_transaction_data_sg) {
			.transaction_data = parcel_tr(p->out).transaction_data,
		});
		if (once(p, 0) || op_await(p, reply) != BR_REPLY)
			return -EPROTO;
		put_free(p, p->res.tr.data.ptr.buffer);
	}
	return once(p, 0);
}

static long resend_cost(FIXTURE_DATA(scale) * self, u64 node)
{
	long ret;

	START(self->m, op_answers, ROUNDS, false);
	ret = cost(self->c, op_resends, node, 0);
	return finish(self->m) ?: ret;
}

TEST_F(scale, one_of_many_nodes_in_a_message)
{
	long few, many;

	ASSERT_EQ(0, have_nodes(self, FEW));
	few = resend_cost(self, NODE(FEW / 2));
	ASSERT_EQ(0, have_nodes(self, MANY));
	many = resend_cost(self, NODE(MANY / 2));
	EXPECT_LITTLE_MORE(few, many);
}

static long op_watches(struct party *p, const u64 *a)
{
	const u64 done[] = { BR(BR_CLEAR_DEATH_NOTIFICATION_DONE) };

	for (int i = 0; i < ROUNDS; i++) {
		put_handle_cookie(p, BC_REQUEST_DEATH_NOTIFICATION, a[0], 1);
		put_handle_cookie(p, BC_CLEAR_DEATH_NOTIFICATION, a[0], 1);
		if (once(p, 0) || op_await(p, done) < 0)
			return -EPROTO;
	}
	return 0;
}

static long op_watch_all(struct party *p, const u64 *a)
{
	for (u64 handle = a[0]; handle <= a[1]; handle++) {
		put_handle_cookie(p, BC_REQUEST_DEATH_NOTIFICATION, handle,
				  handle);
		if (once(p, 0))
			return -EPROTO;
	}
	return 0;
}

TEST_F(scale, watching_one_more_of_many)
{
	long few, many;

	ASSERT_EQ(0, have_nodes(self, FEW));
	ASSERT_EQ(0, ON(self->m, op_watch_all, 2, FEW));
	few = cost(self->m, op_watches, 1, 0);
	ASSERT_EQ(0, have_nodes(self, MANY));
	ASSERT_EQ(0, ON(self->m, op_watch_all, FEW + 1, MANY));
	many = cost(self->m, op_watches, 1, 0);
	EXPECT_LITTLE_MORE(few, many);
}

/* Lets the manager keep the messages of so many calls. */
static long hold(FIXTURE_DATA(scale) * self, unsigned int count)
{
	START(self->m, op_answers, count, true);
	return ON(self->c, op_calls, count, 0) ?: finish(self->m);
}

TEST_F(scale, a_buffer_among_many)
{
	long few, many;

	ASSERT_EQ(0, hold(self, FEW));
	few = call_cost(self->c, self->m, 0);
	ASSERT_EQ(0, hold(self, MANY - FEW));
	many = call_cost(self->c, self->m, 0);
	EXPECT_LITTLE_MORE(few, many);
}

TEST_HARNESS_MAIN
