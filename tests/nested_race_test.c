// SPDX-License-Identifier: GPL-2.0
/*
 * Calls back into a caller, as fast as both sides can. The caller is told that
 * its answer to the callback is complete before it is told the answer to its
 * own call, however fast that comes: clients that match receipts with what they
 * have sent wait for ever if it is the other way round.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "parcel.h"
#include "stress.h"

#define NODE		0x1000
#define COOKIE		0x77
#define CHUNK		100

FIXTURE(nested_race)
{
	struct party *m;
	struct party *c;
	u32 node;		/* the manager's handle of c's node */
};

FIXTURE_SETUP(nested_race)
{
	long handle;

	self->m = manager_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	handle = give_node(self->c, self->m, NODE, COOKIE);
	ASSERT_LT(0, handle);
	self->node = handle;
}

FIXTURE_TEARDOWN(nested_race)
{
	kill_all_parties();
}

static long awaits(struct party *p, u64 set)
{
	const u64 a[6] = { set };

	return op_await(p, a);
}

static long goes(struct party *p)
{
	const u64 a[6] = { 0 };

	return op_go(p, a);
}

static long says(struct party *p, u32 cmd, u32 handle)
{
	put_tr(p, cmd, &(struct binder_transaction_data) {
		.target.handle = handle,
	});
	return goes(p);
}

/* So many calls to the manager, each with a callback. 0, or the step. */
static long op_call(struct party *p, const u64 *a)
{
	for (u64 i = 0; i < a[0]; i++) {
		if (says(p, BC_TRANSACTION, 0))
			return 1;
		if (awaits(p, BR(BR_TRANSACTION) | BR_FAILURE) != BR_TRANSACTION)
			return 2;
		put_free(p, p->res.tr.data.ptr.buffer);
		if (says(p, BC_REPLY, 0))
			return 3;
		if (awaits(p, BR_MESSAGE | BR_RECEIPT) != BR_TRANSACTION_COMPLETE)
			return 4;
		if (!(seen(&p->res) & BR(BR_REPLY)) &&
		    awaits(p, BR_MESSAGE) != BR_REPLY)
			return 5;
		put_free(p, p->res.tr.data.ptr.buffer);
	}
	return goes(p);
}

static long op_call_back(struct party *p, const u64 *a)
{
	for (u64 i = 0; i < a[0]; i++) {
		if (awaits(p, BR_MESSAGE) != BR_TRANSACTION)
			return 1;
		put_free(p, p->res.tr.data.ptr.buffer);
		if (says(p, BC_TRANSACTION, a[1]))
			return 2;
		if (awaits(p, BR_MESSAGE) != BR_REPLY)
			return 3;
		put_free(p, p->res.tr.data.ptr.buffer);
		if (says(p, BC_REPLY, 0))
			return 4;
		if (awaits(p, BR_RECEIPT) != BR_TRANSACTION_COMPLETE)
			return 5;
	}
	return goes(p);
}

TEST_F_STRESS(nested_race, receipts_come_before_answers)
{
	u64 end = now_ms() + stress_ms();

	do {
		START(self->m, op_call_back, CHUNK, self->node);
		ASSERT_EQ(0, ON(self->c, op_call, CHUNK));
		ASSERT_EQ(0, finish(self->m));
	} while (now_ms() < end);
}

TEST_HARNESS_MAIN
