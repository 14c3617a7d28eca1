// SPDX-License-Identifier: GPL-2.0
/*
 * Messages whose objects are wrong, or are not where the message says: they
 * are refused whole, whichever way they go, and leave nothing behind.
 */
#include <kselftest_harness.h>

#include "way.h"

#define PTR		0x1000
#define COOKIE		0x2000

FIXTURE(bad)
{
	struct way w;
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
}

FIXTURE_TEARDOWN(bad)
{
	kill_all_parties();
}

#define EXPECT_NOTHING_LEFT()	EXPECT_EQ(0, left_behind(&self->w))

/* Refuses what is in the sender's parcel. */
#define EXPECT_REFUSED()	EXPECT_EQ(0, refused(&self->w))

/* The same with some fields of the transaction changed. */
#define EXPECT_REFUSED_TR(field, value) do {				\
	struct binder_transaction_data_sg sg_ =				\
		parcel_tr(self->w.from->out);				\
	u64 value_ = (value);						\
									\
	sg_.transaction_data.field = value_;				\
	EXPECT_EQ(0, refused_sg(&self->w, sg_, self->w.cmd)) {		\
		TH_LOG("%s %llx", #field, value_);			\
	}								\
} while (0)

static const u32 types[] = {
	BINDER_TYPE_BINDER, BINDER_TYPE_WEAK_BINDER, BINDER_TYPE_HANDLE,
	BINDER_TYPE_WEAK_HANDLE, BINDER_TYPE_FD, BINDER_TYPE_FDA,
	BINDER_TYPE_PTR,
};

TEST_F(bad, type)
{
	static const u32 wrong[] = {
		0, 1, ~0U, BINDER_TYPE_BINDER + 1, BINDER_TYPE_BINDER & ~0xff,
		__builtin_bswap32(BINDER_TYPE_BINDER),
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		put_flat(parcel_new(self->w.from), wrong[i], 0, PTR, COOKIE);
		EXPECT_REFUSED();
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, offsets_size_is_no_multiple_of_eight)
{
	static const u64 sizes[] = { 1, 4, 7, 9, 12, 15 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct parcel *q = parcel_new(self->w.from);

		put_binder(q, PTR, COOKIE);
		put_binder(q, PTR, COOKIE);
		EXPECT_REFUSED_TR(offsets_size, sizes[i]);
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, offsets_size_is_huge)
{
	static const u64 sizes[] = {
		AREA_SIZE, AREA_SIZE + 8, 1ULL << 32, 1ULL << 62, 1ULL << 63,
		~0ULL - 23, ~0ULL - 7, ~0ULL,
	};

	put_binder(parcel_new(self->w.from), PTR, COOKIE);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_REFUSED_TR(offsets_size, sizes[i]);
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, data_size_is_huge)
{
	static const u64 sizes[] = {
		AREA_SIZE, 1ULL << 32, 1ULL << 63, ~0ULL - 15, ~0ULL - 7,
		~0ULL - 6, ~0ULL,
	};

	put_binder(parcel_new(self->w.from), PTR, COOKIE);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		EXPECT_REFUSED_TR(data_size, sizes[i]);
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, sum_of_sizes_overflows)
{
	static const u64 sizes[] = { 8, 16, 1ULL << 63, ~0ULL - 7 };

	put_binder(parcel_new(self->w.from), PTR, COOKIE);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct binder_transaction_data_sg sg =
			parcel_tr(self->w.from->out);

		sg.transaction_data.offsets_size = sizes[i];
		sg.transaction_data.data_size = -sizes[i];
		EXPECT_EQ(0, refused_sg(&self->w, sg, self->w.cmd)) {
			TH_LOG("offsets_size %llx", sizes[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, offsets_are_nowhere)
{
	static const u64 wild[] = { 0, 8, WILD_KERNEL, ~0ULL - 7 };

	put_binder(parcel_new(self->w.from), PTR, COOKIE);
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++)
		EXPECT_REFUSED_TR(data.ptr.offsets, wild[i]);
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, data_is_nowhere)
{
	static const u64 wild[] = { 0, 8, WILD_KERNEL, ~0ULL - 7 };

	put_binder(parcel_new(self->w.from), PTR, COOKIE);
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++)
		EXPECT_REFUSED_TR(data.ptr.buffer, wild[i]);
	EXPECT_NOTHING_LEFT();
}

static long op_place(struct party *p, const u64 *a)
{
	memcpy(u64_ptr(a[0]), p->out->data, p->out->len);
	return 0;
}

/* Its object is there, what follows is not. */
TEST_F(bad, data_ends_behind_the_object)
{
	struct party *p = self->w.from;
	struct binder_transaction_data_sg sg;
	u64 at, hole;

	ASSERT_EQ(0, ON(p, op_fill, 0, 0, 0));
	hole = ptr_u64(p->payload) + 4 * PAGE;
	ASSERT_EQ(0, ON(p, op_munmap, hole, PAGE));
	put_binder(parcel_new(p), PTR, COOKIE);
	at = hole - 64;
	ASSERT_EQ(0, ON(p, op_place, at));
	sg = parcel_tr(p->out);
	sg.transaction_data.data_size = PAGE;
	sg.transaction_data.data.ptr.buffer = at;
	EXPECT_EQ(0, refused_sg(&self->w, sg, self->w.cmd));
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, offset_is_no_multiple_of_four)
{
	for (u64 shift = 1; shift < 8; shift++) {
		struct parcel *q = parcel_new(self->w.from);

		if (shift == 4)
			continue;
		put_binder(q, PTR, COOKIE);
		memmove(q->data + shift, q->data, q->len);
		q->len += 8;
		q->offsets[0] = shift;
		EXPECT_REFUSED();
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, offset_is_outside)
{
	static const u64 offsets[] = {
		64, 68, 72, PAGE, AREA_SIZE, 1ULL << 32, 1ULL << 63,
		~0ULL - 23, ~0ULL - 7, ~0ULL - 3,
	};

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		struct parcel *q = parcel_new(self->w.from);

		put_binder(q, PTR, COOKIE);
		q->len = 64;
		put_offset(q, offsets[i]);
		EXPECT_REFUSED() {
			TH_LOG("offset %llx", offsets[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, object_is_cut_off)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct parcel *q = parcel_new(self->w.from);
		size_t size = types[i] == BINDER_TYPE_PTR ?
				      sizeof(struct binder_buffer_object) :
			      types[i] == BINDER_TYPE_FDA ?
				      sizeof(struct binder_fd_array_object) :
				      sizeof(struct flat_binder_object);

		memset(q->data, 0, 64);
		put_bytes(q, &types[i], sizeof(types[i]));
		put_offset(q, 0);
		for (q->len = 0; q->len < size; q->len++) {
			EXPECT_REFUSED() {
				TH_LOG("type %x, %zu bytes", types[i], q->len);
			}
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, object_is_cut_off_behind_others)
{
	struct parcel *q = parcel_new(self->w.from);

	put_binder(q, PTR, COOKIE);
	put_binder(q, PTR + 8, COOKIE);
	for (size_t cut = 1; cut <= sizeof(struct flat_binder_object); cut++) {
		q->len--;
		EXPECT_REFUSED() {
			TH_LOG("%zu bytes are missing", cut);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, objects_overlap)
{
	static const u64 shifts[] = { 0, 4, 8, 20 };

	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
		struct parcel *q = parcel_new(self->w.from);
		u32 type = BINDER_TYPE_BINDER;

		put_binder(q, PTR, COOKIE);
		q->len = 64;
		memcpy(q->data + shifts[i], &type, sizeof(type));
		put_offset(q, shifts[i]);
		EXPECT_REFUSED() {
			TH_LOG("shifted by %llu", shifts[i]);
		}
	}
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, offsets_go_down)
{
	struct parcel *q = parcel_new(self->w.from);

	put_binder(q, PTR, COOKIE);
	put_binder(q, PTR + 8, COOKIE);
	q->offsets[0] = sizeof(struct flat_binder_object);
	q->offsets[1] = 0;
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, handle)
{
	static const u32 unknown[] = { 0, 1, 2, 99, 1U << 31, ~0U };

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		put_handle(parcel_new(self->w.from), unknown[i]);
		EXPECT_REFUSED();
		put_weak_handle(parcel_new(self->w.from), unknown[i]);
		EXPECT_REFUSED();
	}
	EXPECT_NOTHING_LEFT();
}

/* It does not matter how the others got it. */
TEST_F(bad, cookie)
{
	static const u32 kinds[] = {
		BINDER_TYPE_BINDER, BINDER_TYPE_WEAK_BINDER,
	};

	ASSERT_EQ(1, node_of_sender(&self->w, PTR, COOKIE));
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		put_flat(parcel_new(self->w.from), kinds[i], 0, PTR, 0);
		EXPECT_REFUSED();
		put_flat(parcel_new(self->w.from), kinds[i], 0, PTR, ~COOKIE);
		EXPECT_REFUSED();
	}
	ASSERT_EQ(0, b_ref(self->w.to, BC_RELEASE, 1));
	ASSERT_EQ(2, b_drain(self->w.from));
	EXPECT_NOTHING_LEFT();
}

TEST_F(bad, cookie_within_a_message)
{
	struct parcel *q = parcel_new(self->w.from);

	put_binder(q, PTR, COOKIE);
	put_binder(q, PTR, COOKIE + 1);
	EXPECT_REFUSED();
	EXPECT_NOTHING_LEFT();
}

/* What the good ones have taken is given back, strong and weak. */
TEST_F(bad, the_last_of_many)
{
	struct way *w = &self->w;
	struct parcel *q;
	long theirs = node_of_receiver(w, PTR, COOKIE);

	ASSERT_EQ(1, theirs);
	q = parcel_new(w->from);
	for (int i = 0; i < 50; i++) {
		put_binder(q, PTR + 8 * i, COOKIE);
		put_weak_binder(q, PTR + 8 * i, COOKIE);
		put_handle(q, theirs);
		put_weak_handle(q, theirs);
	}
	put_handle(q, 99);
	EXPECT_REFUSED();
	EXPECT_EQ(0, b_drain(w->from));
	EXPECT_EQ(0, b_nodes(w->from));
	/* No reference more or less: the first release is the last. */
	EXPECT_EQ(0, b_drain(w->to));
	ASSERT_EQ(0, b_ref(w->from, BC_RELEASE, theirs));
	EXPECT_EQ(2, b_drain(w->to));
	EXPECT_NOTHING_LEFT();
}

/* A handle that the receiver already had is as strong as before. */
TEST_F(bad, does_not_change_what_is_there)
{
	struct way *w = &self->w;
	struct parcel *q;

	ASSERT_EQ(1, node_of_sender(w, PTR, COOKIE));
	q = parcel_new(w->from);
	put_binder(q, PTR, COOKIE);
	put_weak_binder(q, PTR, COOKIE);
	put_flat(q, 0, 0, 0, 0);
	EXPECT_REFUSED();
	EXPECT_EQ(0, b_drain(w->from));
	parcel_new(w->to);
	EXPECT_EQ(0, b_post(w->to, BC_TRANSACTION, 1, TF_ONE_WAY));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(w->to));
	ASSERT_EQ(BR_TRANSACTION, b_receive(w->from));
	ASSERT_EQ(0, b_free(w->from));
	ASSERT_EQ(0, b_ref(w->to, BC_RELEASE, 1));
	EXPECT_EQ(2, b_drain(w->from));
	EXPECT_NOTHING_LEFT();
}

TEST_HARNESS_MAIN
