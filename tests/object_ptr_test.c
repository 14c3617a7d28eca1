// SPDX-License-Identifier: GPL-2.0
/*
 * Buffers in messages: that they are copied, and that pointers to them, in
 * the message and in other buffers, are right for the receiver.
 */
#include <kselftest_harness.h>

#include "way.h"

FIXTURE(ptr)
{
	struct way w;
	struct party *from;
	struct party *to;
};

FIXTURE_VARIANT(ptr)
{
	bool reply;
	u32 flags;
};

FIXTURE_VARIANT_ADD(ptr, call) {
	.reply = false,
};

FIXTURE_VARIANT_ADD(ptr, oneway) {
	.flags = TF_ONE_WAY,
};

FIXTURE_VARIANT_ADD(ptr, reply) {
	.reply = true,
};

FIXTURE_SETUP(ptr)
{
	ASSERT_TRUE(way_new(&self->w, variant->reply, variant->flags));
	self->from = self->w.from;
	self->to = self->w.to;
}

FIXTURE_TEARDOWN(ptr)
{
	kill_all_parties();
}

/* Sends the sender's parcel, with exactly the room that its buffers need. */
static long deliver_buffers(struct way *w)
{
	return deliver_sg(w, parcel_tr(w->from->out), w->cmd_sg);
}

/*
 * Adds a buffer that is filled after its index, and is a child unless parent
 * is negative: its index.
 */
static unsigned int put_filled(struct parcel *q, size_t len, long parent,
			       u64 offset)
{
	u8 *at = pool(q, len);

	fill(at, len, q->n);
	return parent < 0 ? put_ptr(q, at, len) :
			    put_child(q, at, len, parent, offset);
}

static struct binder_buffer_object *got(struct party *p, unsigned int i)
{
	return object(p->in, i);
}

/* Whether a buffer that came holds what put_filled() wrote, from a place on. */
static bool is_intact(struct party *p, unsigned int i, size_t from, size_t to)
{
	u8 *at = b_peek(p, got(p, i)->buffer, got(p, i)->length);

	for (size_t k = from; at && k < to; k++)
		if (at[k] != pattern(i, k))
			return false;
	return at;
}

/* What a buffer that came holds as a pointer. */
static u64 pointer_in(struct party *p, unsigned int i, u64 offset)
{
	u64 *at = b_peek(p, got(p, i)->buffer + offset, sizeof(*at));

	return at ? *at : 0;
}

static u64 round_up_8(u64 len)
{
	return (len + 7) & ~7ULL;
}

TEST_F(ptr, a_buffer_is_copied)
{
	struct binder_transaction_data *tr = &self->to->res.tr;
	struct parcel *q = parcel_new(self->from);

	put_filled(q, 100, -1, 0);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(BINDER_TYPE_PTR, got(self->to, 0)->hdr.type);
	EXPECT_EQ(0, got(self->to, 0)->flags);
	EXPECT_EQ(100, got(self->to, 0)->length);
	EXPECT_TRUE(is_intact(self->to, 0, 0, 100));
	/* Buffers follow the offsets. */
	EXPECT_EQ(tr->data.ptr.offsets + tr->offsets_size,
		  got(self->to, 0)->buffer);
}

TEST_F(ptr, buffers_of_every_length)
{
	static const size_t lengths[] = {
		1, 7, 8, 9, 15, 16, 17, 100, 255, PAGE - 1, PAGE, PAGE + 1,
	};
	struct parcel *q = parcel_new(self->from);
	u64 at;

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
		put_filled(q, lengths[i], -1, 0);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	at = got(self->to, 0)->buffer;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		EXPECT_EQ(at, got(self->to, i)->buffer);
		EXPECT_EQ(lengths[i], got(self->to, i)->length);
		EXPECT_TRUE(is_intact(self->to, i, 0, lengths[i])) {
			TH_LOG("length %zu", lengths[i]);
		}
		at += round_up_8(lengths[i]);
	}
}

TEST_F(ptr, a_large_buffer)
{
	struct parcel *q = parcel_new(self->from);
	size_t len = AREA_SIZE / 4;

	ASSERT_EQ(0, ON(self->from, op_fill, 3, len));
	put_ptr(q, self->from->payload, len);
	q->pool_len = len;
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(-1, ON(self->to, op_mismatch, got(self->to, 0)->buffer, len,
			 3));
}

TEST_F(ptr, an_empty_buffer)
{
	struct parcel *q = parcel_new(self->from);

	put_filled(q, 8, -1, 0);
	put_filled(q, 0, -1, 0);
	put_filled(q, 8, -1, 0);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(0, got(self->to, 1)->length);
	EXPECT_EQ(got(self->to, 0)->buffer + 8, got(self->to, 2)->buffer);
	EXPECT_TRUE(is_intact(self->to, 2, 0, 8));
}

TEST_F(ptr, an_empty_buffer_needs_no_room)
{
	put_filled(parcel_new(self->from), 0, -1, 0);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(0, got(self->to, 0)->length);
}

TEST_F(ptr, more_room_than_is_needed)
{
	struct parcel *q = parcel_new(self->from);

	put_filled(q, 20, -1, 0);
	q->pool_len += 8 * PAGE;
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_TRUE(is_intact(self->to, 0, 0, 20));
}

TEST_F(ptr, room_without_buffers)
{
	struct parcel *q = parcel_new(self->from);

	put_bytes(q, "message", 7);
	q->pool_len = 64;
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(7, self->to->in->len);
	EXPECT_EQ(0, memcmp("message", self->to->in->data, 7));
}

TEST_F(ptr, the_same_memory_twice)
{
	struct parcel *q = parcel_new(self->from);
	u8 *at = pool(q, 16);

	fill(at, 16, 0);
	put_ptr(q, at, 16);
	put_ptr(q, at, 16);
	pool(q, 16);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(got(self->to, 0)->buffer + 16, got(self->to, 1)->buffer);
	EXPECT_TRUE(is_intact(self->to, 0, 0, 16));
	EXPECT_EQ(0, memcmp(b_peek(self->to, got(self->to, 1)->buffer, 16), at,
			    16));
}

/*
 * Trees. The in-tree driver takes no children of a buffer whose object is at
 * the very beginning, so here there is always something before.
 */
static struct parcel *tree_new(struct party *p)
{
	struct parcel *q = parcel_new(p);

	put_bytes(q, "beginning", 9);
	return q;
}

#define EXPECT_POINTS_TO(parent, offset, child)				\
	EXPECT_EQ(got(self->to, child)->buffer,				\
		  pointer_in(self->to, parent, offset))

TEST_F(ptr, a_child)
{
	static const u64 offsets[] = { 0, 8, 40, 92 };

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct parcel *q = tree_new(self->from);
		u64 at = offsets[i];

		put_filled(q, 100, -1, 0);
		put_filled(q, 24, 0, at);
		ASSERT_EQ(0, deliver_buffers(&self->w));
		EXPECT_POINTS_TO(0, at, 1);
		/* What is around the pointer is as it was sent. */
		EXPECT_TRUE(is_intact(self->to, 0, 0, at));
		EXPECT_TRUE(is_intact(self->to, 0, at + 8, 100));
		EXPECT_TRUE(is_intact(self->to, 1, 0, 24));
		EXPECT_EQ(BINDER_BUFFER_FLAG_HAS_PARENT,
			  got(self->to, 1)->flags);
		EXPECT_EQ(0, got(self->to, 1)->parent);
		EXPECT_EQ(at, got(self->to, 1)->parent_offset);
		ASSERT_EQ(0, b_free(self->to));
	}
}

TEST_F(ptr, a_child_at_a_multiple_of_four)
{
	struct parcel *q = tree_new(self->from);

	put_filled(q, 32, -1, 0);
	put_filled(q, 8, 0, 4);
	put_filled(q, 8, 0, 12);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_POINTS_TO(0, 4, 1);
	EXPECT_POINTS_TO(0, 12, 2);
	EXPECT_TRUE(is_intact(self->to, 0, 0, 4));
	EXPECT_TRUE(is_intact(self->to, 0, 20, 32));
}

TEST_F(ptr, an_empty_child)
{
	struct parcel *q = tree_new(self->from);

	put_filled(q, 8, -1, 0);
	put_filled(q, 0, 0, 0);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_POINTS_TO(0, 0, 1);
}

TEST_F(ptr, without_the_flag_it_is_no_child)
{
	struct parcel *q = tree_new(self->from);
	struct binder_buffer_object *child;

	put_filled(q, 8, -1, 0);
	child = object(q, put_filled(q, 8, 99, 99));
	child->flags = 0;
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_TRUE(is_intact(self->to, 0, 0, 8));
	EXPECT_EQ(99, got(self->to, 1)->parent);
}

/* Children come in the order of their places, with their own between them. */
TEST_F(ptr, a_tree)
{
	struct parcel *q = tree_new(self->from);
	unsigned int a = put_filled(q, 64, -1, 0);
	unsigned int b = put_filled(q, 16, a, 0);
	unsigned int c = put_filled(q, 32, a, 16);
	unsigned int d = put_filled(q, 5, c, 8);
	unsigned int e = put_filled(q, 8, c, 16);
	unsigned int f = put_filled(q, 1, e, 0);
	unsigned int g = put_filled(q, 9, a, 24);
	unsigned int h = put_filled(q, 9, a, 56);

	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_POINTS_TO(a, 0, b);
	EXPECT_POINTS_TO(a, 16, c);
	EXPECT_POINTS_TO(c, 8, d);
	EXPECT_POINTS_TO(c, 16, e);
	EXPECT_POINTS_TO(e, 0, f);
	EXPECT_POINTS_TO(a, 24, g);
	EXPECT_POINTS_TO(a, 56, h);
	EXPECT_TRUE(is_intact(self->to, a, 8, 16));
	EXPECT_TRUE(is_intact(self->to, a, 32, 56));
	EXPECT_TRUE(is_intact(self->to, b, 0, 16));
	EXPECT_TRUE(is_intact(self->to, c, 0, 8));
	EXPECT_TRUE(is_intact(self->to, c, 24, 32));
	EXPECT_TRUE(is_intact(self->to, d, 0, 5));
	EXPECT_TRUE(is_intact(self->to, h, 0, 9));
}

TEST_F(ptr, a_deep_tree)
{
	enum { DEPTH = 40 };
	struct parcel *q = tree_new(self->from);

	for (int i = 0; i < DEPTH; i++)
		put_filled(q, 24, i - 1, 8);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	for (int i = 1; i < DEPTH; i++) {
		EXPECT_POINTS_TO(i - 1, 8, i);
		EXPECT_TRUE(is_intact(self->to, i, 0, 8));
		EXPECT_TRUE(is_intact(self->to, i, 16, 24));
	}
}

/* From the depth back to the root, past all of them. */
TEST_F(ptr, a_child_of_the_root_after_a_deep_branch)
{
	struct parcel *q = tree_new(self->from);

	put_filled(q, 24, -1, 0);
	for (int i = 1; i < 20; i++)
		put_filled(q, 24, i - 1, 8);
	put_filled(q, 8, 0, 16);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_POINTS_TO(0, 8, 1);
	EXPECT_POINTS_TO(0, 16, 20);
}

TEST_F(ptr, a_wide_tree)
{
	enum { WIDTH = 300 };
	struct parcel *q = tree_new(self->from);

	put_filled(q, 8 * WIDTH, -1, 0);
	for (int i = 0; i < WIDTH; i++)
		put_filled(q, 3, 0, 8 * i);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	for (int i = 0; i < WIDTH; i++) {
		EXPECT_POINTS_TO(0, 8 * i, i + 1);
		EXPECT_TRUE(is_intact(self->to, i + 1, 0, 3));
	}
}

TEST_F(ptr, two_trees)
{
	struct parcel *q = tree_new(self->from);

	put_filled(q, 16, -1, 0);
	put_filled(q, 8, 0, 8);
	put_filled(q, 16, -1, 0);
	put_filled(q, 8, 2, 8);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_POINTS_TO(0, 8, 1);
	EXPECT_POINTS_TO(2, 8, 3);
}

TEST_F(ptr, a_tree_with_nodes_between)
{
	struct parcel *q = tree_new(self->from);

	put_binder(q, 8, 8);
	put_filled(q, 16, -1, 0);
	put_binder(q, 16, 8);
	put_filled(q, 8, 1, 8);
	put_weak_binder(q, 8, 8);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_POINTS_TO(1, 8, 3);
	EXPECT_EQ(1, flat(self->to->in, 0)->handle);
	EXPECT_EQ(2, flat(self->to->in, 2)->handle);
	EXPECT_EQ(1, flat(self->to->in, 4)->handle);
}

TEST_F(ptr, the_sender_s_memory_stays_as_it_is)
{
	struct parcel *q = tree_new(self->from);
	struct parcel before;

	put_filled(q, 64, -1, 0);
	put_filled(q, 8, 0, 8);
	before = *q;
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(0, memcmp(&before, q, sizeof(before)));
}

TEST_HARNESS_MAIN
