// SPDX-License-Identifier: GPL-2.0
/*
 * Messages whose sizes or pointers are wrong, as calls, as one-way messages
 * and as replies: they fail, nobody is left waiting, no page stays in use.
 */
#include <kselftest_harness.h>

#include "pair.h"

FIXTURE(message)
{
	struct party *m;
	struct party *c;
};

FIXTURE_VARIANT(message)
{
	u32 cmd;
	u32 flags;
};

FIXTURE_VARIANT_ADD(message, call) {
	.cmd = BC_TRANSACTION,
};

FIXTURE_VARIANT_ADD(message, oneway) {
	.cmd = BC_TRANSACTION,
	.flags = TF_ONE_WAY,
};

FIXTURE_VARIANT_ADD(message, reply) {
	.cmd = BC_REPLY,
};

FIXTURE_SETUP(message)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
	/* Memory to point at, in both. */
	ASSERT_EQ(0, ON(self->c, op_fill, 1, 2 * AREA_SIZE));
	ASSERT_EQ(0, ON(self->m, op_fill, 1, 2 * AREA_SIZE));
}

FIXTURE_TEARDOWN(message)
{
	kill_all_parties();
}

/*
 * Sends a message that must fail. As a reply its failure is the caller's: the
 * one who replies is told that it is done with it. 0, or the step that failed.
 */
static int fails(struct party *c, struct party *m, u32 cmd, u32 flags,
		 struct binder_transaction_data tr)
{
	tr.flags = flags;
	if (cmd == BC_REPLY) {
		if (b_call(c, 5, 8) || b_receive(m) != BR_TRANSACTION ||
		    b_free(m))
			return 1;
		put_tr(m, BC_REPLY, &tr);
		if (b_go(m, 0))
			return 2;
		if (b_receipt(m) != BR_TRANSACTION_COMPLETE)
			return 3;
		if (b_receive(c) != BR_FAILED_REPLY)
			return 4;
	} else {
		put_tr(c, BC_TRANSACTION, &tr);
		if (b_go(c, 0))
			return 5;
		if (b_receipt(c) != BR_FAILED_REPLY)
			return 6;
	}
	return counter("used") ? 7 : 0;
}

#define EXPECT_FAILS(...)						\
	EXPECT_EQ(0, fails(self->c, self->m, variant->cmd, variant->flags, \
			   (struct binder_transaction_data){ __VA_ARGS__ }))

#define EXPECT_STILL_WORKS()						\
	EXPECT_EQ(0, exchange(self->c, self->m, 33, 2 * PAGE + 3))

TEST_F(message, too_big)
{
	static const u64 sizes[] = {
		AREA_SIZE + 1, AREA_SIZE + 8, 4 * MIB, 1ULL << 31, 1ULL << 32,
		1ULL << 62, 1ULL << 63, ~0ULL - PAGE, ~0ULL - 7, ~0ULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		EXPECT_FAILS(.data_size = sizes[i],
			     .data.ptr.buffer = ptr_u64(self->c->payload)) {
			TH_LOG("size %llx", sizes[i]);
		}
	}
	EXPECT_STILL_WORKS();
}

TEST_F(message, wild_data)
{
	static const u64 wild[] = {
		0, 8, WILD_KERNEL, 0xdeadbeef00000000ULL, ~0ULL - 7,
	};

	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		EXPECT_FAILS(.data_size = 3 * PAGE,
			     .data.ptr.buffer = wild[i]) {
			TH_LOG("data at %llx", wild[i]);
		}
	}
	EXPECT_STILL_WORKS();
}

/* The first pages are there, so some is copied before it goes wrong. */
TEST_F(message, data_that_ends_too_soon)
{
	static const size_t missing[] = { 1, 8, PAGE, 3 * PAGE };
	struct party *sender = variant->cmd == BC_REPLY ? self->m : self->c;
	u64 end = ptr_u64(sender->payload) + PAYLOAD_MAX;

	/* What follows the payload may be mapped; make sure it is not. */
	ON(sender, op_munmap, end - PAGE, PAGE);
	end -= PAGE;
	for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
		EXPECT_FAILS(.data_size = 4 * PAGE,
			     .data.ptr.buffer = end - 4 * PAGE + missing[i]) {
			TH_LOG("%lu bytes missing", (unsigned long)missing[i]);
		}
	}
	EXPECT_STILL_WORKS();
}

TEST_F(message, no_data_has_no_pointer)
{
	struct binder_transaction_data tr = {
		.flags = variant->flags,
		.data.ptr.buffer = WILD_KERNEL,
		.data.ptr.offsets = WILD_KERNEL,
	};

	if (variant->cmd == BC_REPLY) {
		ASSERT_EQ(0, b_call(self->c, 1, 8));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		put_tr(self->m, BC_REPLY, &tr);
		ASSERT_EQ(0, b_go(self->m, 0));
		EXPECT_EQ(BR_REPLY, b_receive(self->c));
	} else {
		put_tr(self->c, BC_TRANSACTION, &tr);
		ASSERT_EQ(0, b_go(self->c, 0));
		EXPECT_EQ(BR_TRANSACTION, b_receive(self->m));
	}
}

/*
 * Each of these is wrong for a driver that knows objects as well as for one
 * that refuses them all.
 */
TEST_F(message, bad_offsets)
{
	struct party *sender = variant->cmd == BC_REPLY ? self->m : self->c;
	u64 data = ptr_u64(sender->payload);

	/* An "object" of pattern bytes, which is no type there is. */
	EXPECT_FAILS(.data_size = 64, .offsets_size = 8, .data.ptr = {
		     .buffer = data, .offsets = data });
	/* A list of offsets that is not a multiple of one. */
	EXPECT_FAILS(.data_size = 64, .offsets_size = 7, .data.ptr = {
		     .buffer = data, .offsets = data });
	EXPECT_FAILS(.data_size = 64, .offsets_size = 8, .data.ptr = {
		     .buffer = data, .offsets = WILD_KERNEL });
	EXPECT_FAILS(.data_size = 0, .offsets_size = 8, .data.ptr = {
		     .buffer = data, .offsets = data });
	EXPECT_STILL_WORKS();
}

TEST_F(message, too_many_offsets)
{
	static const u64 sizes[] = {
		AREA_SIZE, 1ULL << 31, 1ULL << 63, ~0ULL - 63, ~0ULL - 7, ~0ULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 data = ptr_u64(self->c->payload);

		EXPECT_FAILS(.data_size = 64, .offsets_size = sizes[i],
			     .data.ptr = { .buffer = data, .offsets = data }) {
			TH_LOG("offsets of %llx bytes", sizes[i]);
		}
	}
	EXPECT_STILL_WORKS();
}

/* Many failures in a row leave as much room as none. */
TEST_F(message, failures_do_not_add_up)
{
	for (int i = 0; i < 50; i++) {
		EXPECT_FAILS(.data_size = AREA_SIZE / 2,
			     .data.ptr.buffer = WILD_KERNEL) {
			TH_LOG("failure %d", i);
		}
	}
	EXPECT_EQ(0, exchange(self->c, self->m, 6, AREA_SIZE));
}

TEST_HARNESS_MAIN
