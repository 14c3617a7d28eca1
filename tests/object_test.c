// SPDX-License-Identifier: GPL-2.0
/*
 * Nodes and handles in messages, whichever way they go: what they become for
 * the receiver, and that everything around them arrives as it was sent.
 */
#include <kselftest_harness.h>

#include "way.h"

#define PTR		0x123456789000
#define COOKIE		0xabcdef0123456789
#define FLAGS		(FLAT_BINDER_FLAG_ACCEPTS_FDS | 0x11)

FIXTURE(object)
{
	struct way w;
};

FIXTURE_VARIANT(object)
{
	bool reply;
	u32 flags;
};

FIXTURE_VARIANT_ADD(object, call) {
	.reply = false,
};

FIXTURE_VARIANT_ADD(object, oneway) {
	.flags = TF_ONE_WAY,
};

FIXTURE_VARIANT_ADD(object, reply) {
	.reply = true,
};

FIXTURE_SETUP(object)
{
	ASSERT_TRUE(way_new(&self->w, variant->reply, variant->flags));
}

FIXTURE_TEARDOWN(object)
{
	kill_all_parties();
}

#define EXPECT_OBJECT(i, type_, flags_, binder_, cookie_) do {		\
	struct flat_binder_object *got = flat(self->w.to->in, i);	\
									\
	EXPECT_EQ(type_, got->hdr.type);				\
	EXPECT_EQ(flags_, got->flags);					\
	EXPECT_EQ((u64)(binder_), got->binder);			\
	EXPECT_EQ((u64)(cookie_), got->cookie);			\
} while (0)

TEST_F(object, a_node_becomes_a_handle)
{
	struct parcel *q = parcel_new(self->w.from);

	put_flat(q, BINDER_TYPE_BINDER, FLAGS, PTR, COOKIE);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_OBJECT(0, BINDER_TYPE_HANDLE, FLAGS, 1, 0);
}

TEST_F(object, a_weak_node_becomes_a_weak_handle)
{
	struct parcel *q = parcel_new(self->w.from);

	put_flat(q, BINDER_TYPE_WEAK_BINDER, FLAGS, PTR, COOKIE);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_OBJECT(0, BINDER_TYPE_WEAK_HANDLE, FLAGS, 1, 0);
}

TEST_F(object, a_handle_of_the_receiver_s_becomes_its_node)
{
	struct parcel *q;
	long handle = node_of_receiver(&self->w, PTR, COOKIE);

	ASSERT_EQ(1, handle);
	q = parcel_new(self->w.from);
	put_flat(q, BINDER_TYPE_HANDLE, FLAGS, handle, 0);
	put_flat(q, BINDER_TYPE_WEAK_HANDLE, FLAGS, handle, 0);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_OBJECT(0, BINDER_TYPE_BINDER, FLAGS, PTR, COOKIE);
	EXPECT_OBJECT(1, BINDER_TYPE_WEAK_BINDER, FLAGS, PTR, COOKIE);
}

/* Its owner is told of no reference that is its own. */
TEST_F(object, a_node_that_comes_home_is_not_announced)
{
	long handle = node_of_receiver(&self->w, PTR, COOKIE);

	ASSERT_EQ(1, handle);
	put_handle(parcel_new(self->w.from), handle);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(0, b_drain(self->w.to));
	ASSERT_EQ(0, b_free(self->w.to));
	EXPECT_EQ(0, b_drain(self->w.to));
	EXPECT_EQ(1, b_nodes(self->w.to));
}

/* While the message is there, so is the node, whoever has handles. */
TEST_F(object, a_node_that_comes_home_is_kept_by_the_message)
{
	long handle = node_of_receiver(&self->w, PTR, COOKIE);
	u64 message;

	ASSERT_EQ(1, handle);
	put_handle(parcel_new(self->w.from), handle);
	ASSERT_EQ(0, deliver(&self->w));
	message = self->w.to->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_ref(self->w.from, BC_RELEASE, handle));
	EXPECT_EQ(0, b_drain(self->w.to));
	put_free(self->w.to, message);
	ASSERT_EQ(0, b_go(self->w.to, 0));
	EXPECT_EQ(2, b_drain(self->w.to));
	EXPECT_EQ(1, times_told(self->w.to, BR_RELEASE, PTR, COOKIE));
	EXPECT_EQ(1, times_told(self->w.to, BR_DECREFS, PTR, COOKIE));
	EXPECT_EQ(0, b_nodes(self->w.to));
}

TEST_F(object, a_handle_of_somebody_else_s_becomes_the_receiver_s)
{
	struct party *other = client_new(AREA_SIZE);
	struct way *w = &self->w;
	struct parcel *q;
	long sender_s, receiver_s;

	ASSERT_NE(NULL, other);
	ASSERT_EQ(0, b_enter_looper(other));
	/* So that their numbers differ. */
	ASSERT_EQ(1, give_node(other, w->m, 8, 8));
	ASSERT_EQ(2, give_node(other, w->m, PTR, COOKIE));
	ASSERT_EQ(1, hand_handle(w->m, w->c, 2));
	sender_s = w->reply ? 2 : 1;
	receiver_s = w->reply ? 1 : 2;
	q = parcel_new(w->from);
	put_flat(q, BINDER_TYPE_HANDLE, FLAGS, sender_s, 0);
	put_flat(q, BINDER_TYPE_WEAK_HANDLE, FLAGS, sender_s, 0);
	ASSERT_EQ(0, deliver(w));
	EXPECT_OBJECT(0, BINDER_TYPE_HANDLE, FLAGS, receiver_s, 0);
	EXPECT_OBJECT(1, BINDER_TYPE_WEAK_HANDLE, FLAGS, receiver_s, 0);
	parcel_new(w->to);
	ASSERT_EQ(0, b_post(w->to, BC_TRANSACTION, receiver_s, TF_ONE_WAY));
	ASSERT_EQ(BR_TRANSACTION, b_receive(other));
	EXPECT_EQ(PTR, other->res.tr.target.ptr);
	EXPECT_EQ(COOKIE, other->res.tr.cookie);
}

TEST_F(object, of_a_handle_only_the_number_counts)
{
	struct parcel *q;
	long handle = node_of_receiver(&self->w, PTR, COOKIE);

	ASSERT_EQ(1, handle);
	q = parcel_new(self->w.from);
	put_flat(q, BINDER_TYPE_HANDLE, 0, 0xdeadbeefULL << 32 | handle, 77);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_OBJECT(0, BINDER_TYPE_BINDER, 0, PTR, COOKIE);
}

TEST_F(object, all_flags_are_passed_on)
{
	struct parcel *q;
	long handle = node_of_receiver(&self->w, PTR, COOKIE);

	ASSERT_EQ(1, handle);
	q = parcel_new(self->w.from);
	put_flat(q, BINDER_TYPE_BINDER, ~0U, PTR + 8, COOKIE);
	put_flat(q, BINDER_TYPE_BINDER, 0x5a5a5a5a, PTR + 8, COOKIE);
	put_flat(q, BINDER_TYPE_HANDLE, ~0U, handle, 0);
	put_flat(q, BINDER_TYPE_WEAK_HANDLE, 0x5a5a5a5a, handle, 0);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(~0U, flat(self->w.to->in, 0)->flags);
	EXPECT_EQ(0x5a5a5a5a, flat(self->w.to->in, 1)->flags);
	EXPECT_EQ(~0U, flat(self->w.to->in, 2)->flags);
	EXPECT_EQ(0x5a5a5a5a, flat(self->w.to->in, 3)->flags);
}

TEST_F(object, extreme_pointers_and_cookies)
{
	static const u64 values[] = {
		1, ~0ULL, 1ULL << 63, WILD_KERNEL, 0xffffffff,
	};
	struct parcel *q = parcel_new(self->w.from);
	long n = ARRAY_SIZE(values);

	for (long i = 0; i < n; i++)
		put_binder(q, values[i], values[n - 1 - i]);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(n, b_nodes(self->w.from));
	for (long i = 0; i < n; i++)
		EXPECT_OBJECT(i, BINDER_TYPE_HANDLE, NODE_FLAGS, i + 1, 0);
}

TEST_F(object, what_is_around_it_is_left_alone)
{
	struct parcel *q = parcel_new(self->w.from);
	struct parcel *in = self->w.to->in;
	u8 bytes[64];
	size_t places[4];

	fill(bytes, sizeof(bytes), 5);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		places[i] = put_bytes(q, bytes, 13 * i + 5);
		put_binder(q, PTR + 8 * i, COOKIE);
	}
	put_bytes(q, bytes, 3);
	ASSERT_EQ(0, deliver(&self->w));
	ASSERT_EQ(q->len, in->len);
	ASSERT_EQ(ARRAY_SIZE(places), in->n);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		EXPECT_EQ(q->offsets[i], in->offsets[i]);
		EXPECT_EQ(i + 1, flat(in, i)->handle);
		EXPECT_EQ(-1, mismatch(in->data + places[i], 13 * i + 5, 5));
	}
	EXPECT_EQ(-1, mismatch(in->data + q->len - 3, 3, 5));
	/* The list of offsets follows the data, at a multiple of 8. */
	EXPECT_EQ((self->w.to->res.tr.data.ptr.buffer + q->len + 7) & ~7ULL,
		  self->w.to->res.tr.data.ptr.offsets);
}

TEST_F(object, without_an_offset_it_is_only_bytes)
{
	struct parcel *q = parcel_new(self->w.from);

	put_binder(q, PTR, COOKIE);
	put_handle(q, 99);
	q->n = 0;
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(0, self->w.to->in->n);
	EXPECT_EQ(0, memcmp(q->data, self->w.to->in->data, q->len));
	EXPECT_EQ(0, b_nodes(self->w.from));
}

TEST_F(object, at_a_multiple_of_four)
{
	struct parcel *q = parcel_new(self->w.from);

	put_bytes(q, "four", 4);
	put_binder(q, PTR, COOKIE);
	memmove(q->data + 4, q->data + 8, sizeof(struct flat_binder_object));
	q->len -= 4;
	q->offsets[0] = 4;
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_OBJECT(0, BINDER_TYPE_HANDLE, NODE_FLAGS, 1, 0);
	EXPECT_EQ(0, memcmp("four", self->w.to->in->data, 4));
}

/* As many as a parcel holds: of one node, and of one handle. */
TEST_F(object, hundreds_of_objects)
{
	enum { N = PARCEL_OBJECTS / 2 };
	struct parcel *q;
	long handle = node_of_receiver(&self->w, PTR, COOKIE);

	ASSERT_EQ(1, handle);
	q = parcel_new(self->w.from);
	for (int i = 0; i < N; i++) {
		put_binder(q, PTR + 8, COOKIE);
		put_handle(q, handle);
	}
	ASSERT_EQ(0, deliver(&self->w));
	ASSERT_EQ(2 * N, self->w.to->in->n);
	for (int i = 0; i < 2 * N; i += 2) {
		EXPECT_OBJECT(i, BINDER_TYPE_HANDLE, NODE_FLAGS, 1, 0);
		EXPECT_OBJECT(i + 1, BINDER_TYPE_BINDER, 0, PTR, COOKIE);
	}
	ASSERT_EQ(0, b_free(self->w.to));
	EXPECT_EQ(2, b_drain(self->w.from));
	EXPECT_EQ(0, b_nodes(self->w.from));
	EXPECT_EQ(1, b_nodes(self->w.to));
}

/* Reads all news of nodes and answers them: how many there were. */
static long read_news(struct party *p)
{
	long got, told = 0;

	while ((got = b_drain(p)) > 0) {
		told += p->res.nr_told;
		put_dones(p);
		if (b_go(p, 0))
			return -1;
	}
	return got < 0 ? got : told;
}

TEST_F(object, hundreds_of_nodes)
{
	enum { N = 300 };
	struct way *w = &self->w;
	struct parcel *q = parcel_new(w->from);

	for (int i = 0; i < N; i++)
		put_binder(q, PTR + 8 * i, COOKIE + i);
	ASSERT_EQ(0, begin(w, 0));
	ASSERT_EQ(0, b_post(w->from, w->cmd, 0, w->flags));
	ASSERT_EQ(w->reply ? BR_REPLY : BR_TRANSACTION, b_receive_parcel(w->to));
	for (int i = 0; i < N; i++)
		EXPECT_OBJECT(i, BINDER_TYPE_HANDLE, NODE_FLAGS, i + 1, 0);
	if (!w->reply && !w->flags) {
		put_empty_reply(w->to);
		ASSERT_EQ(0, b_go(w->to, 0));
	}
	EXPECT_EQ(2 * N, read_news(w->from));
	EXPECT_EQ(N, b_nodes(w->from));
	put_free(w->to, w->to->res.tr.data.ptr.buffer);
	ASSERT_EQ(0, b_go(w->to, 0));
	EXPECT_EQ(2 * N, read_news(w->from));
	EXPECT_EQ(0, b_nodes(w->from));
}

/* Handle 0 is no different, once it is held. */

TEST_F(object, the_manager_s_handle)
{
	struct way *w = &self->w;

	if (w->reply) {
		/* It has none of itself, but it has the node. */
		put_binder(parcel_new(w->from), 0, 0);
		ASSERT_EQ(0, deliver(w));
		EXPECT_OBJECT(0, BINDER_TYPE_HANDLE, NODE_FLAGS, 0, 0);
	} else {
		ASSERT_EQ(0, b_ref(w->from, BC_ACQUIRE, 0));
		put_handle(parcel_new(w->from), 0);
		ASSERT_EQ(0, deliver(w));
		EXPECT_OBJECT(0, BINDER_TYPE_BINDER, 0, 0, 0);
	}
}

TEST_HARNESS_MAIN
