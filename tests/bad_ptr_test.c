// SPDX-License-Identifier: GPL-2.0
/*
 * Messages whose buffers are wrong, or belong together in a wrong way: they
 * are refused whole, whichever way they go, and leave nothing behind.
 */
#include <kselftest_harness.h>

#include "way.h"

FIXTURE(bad)
{
	struct way w;
	struct party *from;
};

FIXTURE_VARIANT(bad)
{
	bool reply;
	u32 flags;
};

FIXTURE_VARIANT_ADD(bad, call) {
	.reply = false,
};

FIXTURE_VARIANT_ADD(bad, oneway) {
	.flags = TF_ONE_WAY,
};

FIXTURE_VARIANT_ADD(bad, reply) {
	.reply = true,
};

FIXTURE_SETUP(bad)
{
	ASSERT_TRUE(way_new(&self->w, variant->reply, variant->flags));
	self->from = self->w.from;
}

FIXTURE_TEARDOWN(bad)
{
	kill_all_parties();
}

#define EXPECT_NOTHING_LEFT()	EXPECT_EQ(0, left_behind(&self->w))

/* Refuses what is in the sender's parcel. */
static long refused_buffers(struct way *w)
{
	return refused_sg(w, parcel_tr(w->from->out), w->cmd_sg);
}

/* The same with another size of all buffers together. */
static long refused_with_room(struct way *w, u64 room)
{
	struct binder_transaction_data_sg sg = parcel_tr(w->from->out);

	sg.buffers_size = room;
	return refused_sg(w, sg, w->cmd_sg);
}

#define EXPECT_REFUSED()	EXPECT_EQ(0, refused_buffers(&self->w))

/* A parcel with something before the first object. */
static struct parcel *tree_new(struct party *p)
{
	struct parcel *q = parcel_new(p);

	put_bytes(q, "beginning", 9);
	return q;
}

static unsigned int put_root(struct parcel *q, size_t len)
{
	return put_ptr(q, pool(q, len), len);
}

static unsigned int put_leaf(struct parcel *q, size_t len, u64 parent,
			     u64 offset)
{
	return put_child(q, pool(q, len), len, parent, offset);
}

/* Right as it is; the others differ from it in one thing. */
TEST_F(bad, not_at_all)
{
	struct parcel *q = tree_new(self->from);

	put_root(q, 32);
	put_leaf(q, 8, 0, 8);
	put_leaf(q, 8, 0, 16);
	ASSERT_EQ(0, deliver_sg(&self->w, parcel_tr(q), self->w.cmd_sg));
	ASSERT_EQ(0, b_free(self->w.to));
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, no_room_at_all)
{
	put_root(parcel_new(self->from), 8);
	EXPECT_EQ(0, refused_with_room(&self->w, 0));
	/* Commands without that size mean the same. */
	EXPECT_EQ(0, refused(&self->w));
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, too_little_room)
{
	static const u64 rooms[] = { 8, 16, 24, 32, 40 };
	struct parcel *q = parcel_new(self->from);

	/* Each begins at a multiple of 8, so together they need 48. */
	put_root(q, 17);
	put_root(q, 9);
	put_root(q, 1);
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		EXPECT_EQ(0, refused_with_room(&self->w, rooms[i])) {
			TH_LOG("room %llu", rooms[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, room_is_no_multiple_of_eight)
{
	static const u64 rooms[] = { 1, 4, 7, 9, 12, 65, 71 };

	put_root(parcel_new(self->from), 1);
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		EXPECT_EQ(0, refused_with_room(&self->w, rooms[i])) {
			TH_LOG("room %llu", rooms[i]);
		}
	}
	/* Even if nobody uses it. */
	parcel_new(self->from);
	EXPECT_EQ(0, refused_with_room(&self->w, 1));
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, room_is_huge)
{
	static const u64 rooms[] = {
		AREA_SIZE, 1ULL << 32, 1ULL << 63, ~0ULL - 71, ~0ULL - 63,
		~0ULL - 15, ~0ULL - 7, ~0ULL,
	};

	put_root(tree_new(self->from), 8);
	for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
		EXPECT_EQ(0, refused_with_room(&self->w, rooms[i])) {
			TH_LOG("room %llx", rooms[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, length)
{
	static const u64 lengths[] = {
		65, 72, PAGE, 1ULL << 32, 1ULL << 63, ~0ULL - 63, ~0ULL - 7,
		~0ULL - 6, ~0ULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct parcel *q = parcel_new(self->from);
		u8 *at = pool(q, 64);

		put_ptr(q, at, lengths[i]);
		EXPECT_REFUSED() {
			TH_LOG("length %llx", lengths[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, memory)
{
	static const u64 wild[] = {
		0, 8, WILD_KERNEL, 0xdeadbeef00000000ULL, ~0ULL - 7,
	};

	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		struct parcel *q = parcel_new(self->from);

		put_root(q, 8);
		put_ptr(q, u64_ptr(wild[i]), 8);
		pool(q, 8);
		EXPECT_REFUSED() {
			TH_LOG("memory at %llx", wild[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, memory_that_ends_too_soon)
{
	struct parcel *q = parcel_new(self->from);
	u64 hole;

	ASSERT_EQ(0, ON(self->from, op_fill, 0, 0, 0));
	hole = ptr_u64(self->from->payload) + 4 * PAGE;
	ASSERT_EQ(0, ON(self->from, op_munmap, hole, PAGE));
	put_ptr(q, u64_ptr(hole - 2 * PAGE), 2 * PAGE + 1);
	q->pool_len = 2 * PAGE + 8;
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

/* Parents. */

TEST_F(bad, parent_does_not_come_before)
{
	static const u64 parents[] = {
		1, 2, 3, 100, 1ULL << 32, 1ULL << 61, 1ULL << 63, ~0ULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
		struct parcel *q = tree_new(self->from);

		put_root(q, 32);
		put_leaf(q, 32, parents[i], 0);
		put_root(q, 32);
		EXPECT_REFUSED() {
			TH_LOG("parent %llx", parents[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, parent_is_no_buffer)
{
	struct parcel *q = tree_new(self->from);

	put_binder(q, 8, 8);
	put_root(q, 32);
	put_leaf(q, 32, 0, 0);
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, place_is_outside_the_parent)
{
	static const u64 places[] = {
		28, 32, 36, 40, 1ULL << 32, 1ULL << 63, ~0ULL - 31,
		~0ULL - 7, ~0ULL - 3,
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct parcel *q = tree_new(self->from);

		put_root(q, 32);
		put_leaf(q, 32, 0, places[i]);
		EXPECT_REFUSED() {
			TH_LOG("place %llx", places[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, place_is_no_multiple_of_four)
{
	static const u64 places[] = { 1, 2, 3, 5, 7, 9 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct parcel *q = tree_new(self->from);

		put_root(q, 32);
		put_leaf(q, 32, 0, places[i]);
		EXPECT_REFUSED() {
			TH_LOG("place %llu", places[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, parent_has_no_room_for_a_pointer)
{
	for (size_t len = 0; len < 8; len++) {
		struct parcel *q = tree_new(self->from);

		put_root(q, len);
		put_leaf(q, 8, 0, 0);
		EXPECT_REFUSED() {
			TH_LOG("a parent of %zu bytes", len);
		}
	}
	EXPECT_NOTHING_LEFT();
}

/* Order. Within a buffer, pointers come from its beginning to its end. */

TEST_F(bad, places_overlap)
{
	static const u64 places[] = { 8, 12 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct parcel *q = tree_new(self->from);

		put_root(q, 32);
		put_leaf(q, 8, 0, 8);
		put_leaf(q, 8, 0, places[i]);
		EXPECT_REFUSED() {
			TH_LOG("place %llu", places[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, places_go_down)
{
	struct parcel *q = tree_new(self->from);

	put_root(q, 32);
	put_leaf(q, 8, 0, 16);
	put_leaf(q, 8, 0, 8);
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, places_go_down_after_a_branch)
{
	static const u64 places[] = { 0, 8, 16, 20 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct parcel *q = tree_new(self->from);

		put_root(q, 32);
		put_leaf(q, 32, 0, 16);
		put_leaf(q, 32, 1, 0);
		put_leaf(q, 32, 2, 0);
		put_leaf(q, 8, 0, places[i]);
		EXPECT_REFUSED() {
			TH_LOG("place %llu", places[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, parent_is_a_brother)
{
	struct parcel *q = tree_new(self->from);

	put_root(q, 32);
	put_leaf(q, 32, 0, 0);
	put_leaf(q, 32, 0, 8);
	put_leaf(q, 32, 1, 0);
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, parent_is_of_an_earlier_tree)
{
	struct parcel *q = tree_new(self->from);

	put_root(q, 32);
	put_root(q, 32);
	put_leaf(q, 32, 0, 0);
	EXPECT_REFUSED();
	q = tree_new(self->from);
	put_root(q, 32);
	put_leaf(q, 32, 0, 0);
	put_root(q, 32);
	put_leaf(q, 32, 2, 0);
	put_leaf(q, 32, 0, 8);
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, the_last_of_many)
{
	struct parcel *q = tree_new(self->from);

	put_root(q, 8 * 100);
	for (int i = 0; i < 100; i++) {
		put_leaf(q, 9, 0, 8 * i);
		put_binder(q, 8 + 8 * i, 8);
	}
	put_leaf(q, 8, 0, 8);
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, something_behind_good_buffers)
{
	struct parcel *q = tree_new(self->from);

	put_root(q, 32);
	put_leaf(q, 32, 0, 8);
	put_handle(q, 99);
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

TEST_HARNESS_MAIN
