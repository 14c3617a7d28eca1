// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays of files that are wrong, or in the wrong place: the message is
 * refused, nobody gets any file, and the driver keeps none.
 */
#include <kselftest_harness.h>

#include "files.h"

FIXTURE(bad)
{
	struct way w;
	struct party *m;	/* who sends */
	struct party *c;	/* who receives */
	long files;		/* what the receiver had before */
	u32 to_read;		/* a pipe of the sender's */
	u32 to_write;
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
	SETUP_FILES();
	ASSERT_EQ(0, ON(self->m, op_pipe));
	self->to_read = self->m->scratch[0];
	self->to_write = self->m->scratch[1];
}

FIXTURE_TEARDOWN(bad)
{
	kill_all_parties();
}

static long refused_buffers(struct way *w)
{
	return refused_sg(w, parcel_tr(w->from->out), w->cmd_sg);
}

#define EXPECT_REFUSED()	EXPECT_EQ(0, refused_buffers(&self->w))

/* Nobody has files that he should not have, and the pipe is only ours. */
#define EXPECT_NO_FILES() do {						\
	EXPECT_EQ(self->files, files_of(self->c));			\
	EXPECT_EQ(-EAGAIN, ON(self->m, op_read_byte, self->to_read));	\
	EXPECT_EQ(0, IN(self->m, close, self->to_write));		\
	EXPECT_TRUE(is_let_go(self->m, self->to_read));			\
} while (0)

TEST_F(bad, a_file_that_is_not_open)
{
	for (int i = 0; i < 5; i++) {
		struct parcel *q = files_new(self->m, 5, self->to_write);
		u32 fd = i % 2 ? NO_FILE : ~0U;

		memcpy(q->pool + PLACE + 4 * i, &fd, sizeof(fd));
		put_fda(q, 5, 0, PLACE);
		EXPECT_REFUSED() {
			TH_LOG("number %d", i);
		}
	}
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, something_behind_good_files)
{
	struct parcel *q = files_new(self->m, 3, self->to_write);

	put_fda(q, 3, 0, PLACE);
	put_handle(q, 99);
	EXPECT_REFUSED();
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, more_files_than_the_buffer_holds)
{
	static const u64 numbers[] = {
		(LEN - PLACE) / 4 + 1, LEN / 4 + 1, 1ULL << 32, 1ULL << 61,
		1ULL << 62, (1ULL << 62) - 1, (1ULL << 62) + 1, 1ULL << 63,
		(1ULL << 63) + 1, ~0ULL - 1, ~0ULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct parcel *q = files_new(self->m, 3, self->to_write);

		put_fda(q, numbers[i], 0, PLACE);
		EXPECT_REFUSED() {
			TH_LOG("%llx files", numbers[i]);
		}
	}
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, place_is_outside_the_buffer)
{
	static const u64 places[] = {
		LEN - 8, LEN - 4, LEN, LEN + 4, 1ULL << 32, 1ULL << 63,
		~0ULL - 11, ~0ULL - 3,
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		put_fda(files_new(self->m, 3, self->to_write), 3, 0,
			places[i]);
		EXPECT_REFUSED() {
			TH_LOG("place %llx", places[i]);
		}
	}
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, place_is_no_multiple_of_four)
{
	for (u64 shift = 1; shift < 4; shift++) {
		struct parcel *q = parcel_new(self->m);
		u64 place = PLACE + shift;

		put_bytes(q, "beginning", 9);
		put_ptr(q, put_numbers(q, LEN, place, 1, self->to_write), LEN);
		put_fda(q, 1, 0, place);
		EXPECT_REFUSED();
	}
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

/* Neither may it be one only for the receiver. */
TEST_F(bad, sender_s_place_is_no_multiple_of_four)
{
	struct parcel *q = parcel_new(self->m);
	u8 *at;

	put_bytes(q, "beginning", 9);
	at = put_numbers(q, LEN + 8, PLACE + 1, 1, self->to_write);
	put_ptr(q, at + 1, LEN);
	put_fda(q, 1, 0, PLACE);
	EXPECT_REFUSED();
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, buffer_does_not_come_before)
{
	static const u64 parents[] = {
		1, 2, 3, 100, 1ULL << 32, 1ULL << 61, 1ULL << 63, ~0ULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(parents); i++) {
		struct parcel *q = files_new(self->m, 1, self->to_write);

		put_fda(q, 1, parents[i], PLACE);
		put_ptr(q, put_numbers(q, LEN, PLACE, 1, self->to_write), LEN);
		EXPECT_REFUSED() {
			TH_LOG("parent %llx", parents[i]);
		}
	}
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, buffer_is_none)
{
	struct parcel *q = files_new(self->m, 1, self->to_write);

	put_fd(q, self->to_write, 0);
	put_fda(q, 1, 1, 0);
	EXPECT_REFUSED();
	q = files_new(self->m, 1, self->to_write);
	put_fda(q, 1, 0, PLACE);
	put_fda(q, 1, 1, 0);
	EXPECT_REFUSED();
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, buffer_is_of_an_earlier_tree)
{
	struct parcel *q = files_new(self->m, 1, self->to_write);

	put_ptr(q, pool(q, 8), 8);
	put_fda(q, 1, 0, PLACE);
	EXPECT_REFUSED();
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, arrays_overlap)
{
	static const u64 places[] = { 0, PLACE - 4, PLACE, PLACE + 4 };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct parcel *q = files_new(self->m, 4, self->to_write);

		put_fda(q, 2, 0, PLACE);
		put_fda(q, 2, 0, places[i]);
		EXPECT_REFUSED() {
			TH_LOG("place %llu", places[i]);
		}
	}
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, an_array_overlaps_a_pointer)
{
	struct parcel *q = files_new(self->m, 4, self->to_write);

	put_fda(q, 2, 0, PLACE);
	put_child(q, pool(q, 8), 8, 0, PLACE + 4);
	EXPECT_REFUSED();
	q = files_new(self->m, 4, self->to_write);
	put_child(q, pool(q, 8), 8, 0, PLACE);
	put_fda(q, 2, 0, PLACE + 4);
	EXPECT_REFUSED();
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, memory_is_nowhere)
{
	struct parcel *q = parcel_new(self->m);

	put_bytes(q, "beginning", 9);
	put_ptr(q, u64_ptr(WILD_KERNEL), LEN);
	pool(q, LEN);
	put_fda(q, 1, 0, PLACE);
	EXPECT_REFUSED();
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(bad, not_for_who_takes_none)
{
	struct party *other = client_new(AREA_SIZE);

	ASSERT_NE(NULL, other);
	put_fda(files_new(self->m, 1, self->to_write), 1, 0, PLACE);
	ASSERT_EQ(0, b_enter_looper(other));
	if (self->w.reply) {
		ASSERT_EQ(0, begin(&self->w, 0));
		ASSERT_EQ(0, b_post(self->m, self->w.cmd_sg, 0, 0));
		ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
		EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	} else {
		put_flat(parcel_new(other), BINDER_TYPE_BINDER, 0, 8, 8);
		ASSERT_EQ(0, carry(other, self->m));
		ASSERT_EQ(0, b_post(self->m, self->w.cmd_sg,
				    flat(self->m->in, 0)->handle,
				    self->w.flags));
		EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->m));
	}
	EXPECT_NO_FILES();
}

TEST_HARNESS_MAIN
