// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays of files in buffers: that all of them arrive, and that they are
 * closed when the message is freed, or was never read.
 */
#include <kselftest_harness.h>

#include "files.h"

FIXTURE(fda)
{
	struct way w;
	struct party *m;	/* who sends */
	struct party *c;	/* who receives */
	long files;		/* what the receiver had before */
	u32 to_read;		/* a pipe of the sender's */
	u32 to_write;
};

FIXTURE_VARIANT(fda)
{
	bool reply;
	u32 flags;
};

FIXTURE_VARIANT_ADD(fda, call) {
	.reply = false,
};

FIXTURE_VARIANT_ADD(fda, oneway) {
	.flags = TF_ONE_WAY,
};

FIXTURE_VARIANT_ADD(fda, reply) {
	.reply = true,
};

FIXTURE_SETUP(fda)
{
	SETUP_FILES();
	ASSERT_EQ(0, ON(self->m, op_pipe));
	self->to_read = self->m->scratch[0];
	self->to_write = self->m->scratch[1];
}

FIXTURE_TEARDOWN(fda)
{
	kill_all_parties();
}

static long deliver_buffers(struct way *w)
{
	return deliver_sg(w, parcel_tr(w->from->out), w->cmd_sg);
}

/* A word of a buffer that came. */
static u32 word(struct party *p, unsigned int buffer, u64 place)
{
	struct binder_buffer_object *got = object(p->in, buffer);
	u32 *at = b_peek(p, got->buffer + place, sizeof(*at));

	return at ? *at : ~0U;
}

/* Nobody has files that he should not have, and the pipe is only ours. */
#define EXPECT_NO_FILES() do {						\
	EXPECT_EQ(self->files, files_of(self->c));			\
	EXPECT_EQ(-EAGAIN, ON(self->m, op_read_byte, self->to_read));	\
	EXPECT_EQ(0, IN(self->m, close, self->to_write));		\
	EXPECT_TRUE(is_let_go(self->m, self->to_read));			\
} while (0)

TEST_F(fda, files_arrive)
{
	struct parcel *q = files_new(self->m, 3, self->to_write);
	struct binder_fd_array_object *got;
	u32 fds[3];
	u8 *bytes;

	put_fda(q, 3, 0, PLACE);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(self->files + 3, files_of(self->c));
	for (int i = 0; i < 3; i++) {
		fds[i] = word(self->c, 0, PLACE + 4 * i);
		EXPECT_EQ(1, ON(self->c, op_write_byte, fds[i], 'a' + i));
		EXPECT_EQ('a' + i, ON(self->m, op_read_byte, self->to_read));
		EXPECT_EQ(FD_CLOEXEC, IN(self->c, fcntl, fds[i], F_GETFD));
	}
	EXPECT_NE(fds[0], fds[1]);
	EXPECT_NE(fds[1], fds[2]);
	/* All else is as it was sent. */
	got = object(self->c->in, 1);
	EXPECT_EQ(BINDER_TYPE_FDA, got->hdr.type);
	EXPECT_EQ(3, got->num_fds);
	EXPECT_EQ(0, got->parent);
	EXPECT_EQ(PLACE, got->parent_offset);
	bytes = b_peek(self->c, ((struct binder_buffer_object *)
				 object(self->c->in, 0))->buffer, LEN);
	ASSERT_NE(NULL, bytes);
	EXPECT_EQ(-1, mismatch(bytes, PLACE, 1));
	EXPECT_EQ(0, memcmp(bytes + PLACE + 12, q->pool + PLACE + 12,
			    LEN - PLACE - 12));
}

TEST_F(fda, files_are_closed_with_the_message)
{
	put_fda(files_new(self->m, 3, self->to_write), 3, 0, PLACE);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(self->files + 3, files_of(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(fda, files_that_were_closed_before)
{
	put_fda(files_new(self->m, 3, self->to_write), 3, 0, PLACE);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	ASSERT_EQ(0, IN(self->c, close, word(self->c, 0, PLACE + 4)));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_NO_FILES();
	EXPECT_EQ(0, left_behind(&self->w));
}

/* To keep one, it is duplicated. */
TEST_F(fda, files_that_are_kept)
{
	long kept;

	put_fda(files_new(self->m, 1, self->to_write), 1, 0, PLACE);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	kept = IN(self->c, dup, word(self->c, 0, PLACE));
	ASSERT_LE(0, kept);
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(self->files + 1, files_of(self->c));
	EXPECT_EQ(1, ON(self->c, op_write_byte, kept, 'a'));
	EXPECT_EQ('a', ON(self->m, op_read_byte, self->to_read));
}

TEST_F(fda, files_come_when_the_message_is_read)
{
	put_fda(files_new(self->m, 3, self->to_write), 3, 0, PLACE);
	ASSERT_EQ(0, begin(&self->w, TF_ACCEPT_FDS));
	ASSERT_EQ(0, b_post(self->m, self->w.cmd_sg, self->w.handle,
			    self->w.flags));
	EXPECT_EQ(self->files, files_of(self->c));
	EXPECT_EQ(self->w.reply ? BR_REPLY : BR_TRANSACTION,
		  b_receive_parcel(self->c));
	EXPECT_EQ(self->files + 3, files_of(self->c));
}

TEST_F(fda, no_files)
{
	put_fda(files_new(self->m, 0, 0), 0, 0, PLACE);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(self->files, files_of(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(0, left_behind(&self->w));
}

TEST_F(fda, hundreds_of_files)
{
	enum { N = 300 };
	struct parcel *q = parcel_new(self->m);

	put_bytes(q, "beginning", 9);
	put_ptr(q, put_numbers(q, 4 * N, 0, N, self->to_write), 4 * N);
	put_fda(q, N, 0, 0);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(self->files + N, files_of(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_NO_FILES();
}

/* As native handles are sent: in a buffer that is a child of another. */
TEST_F(fda, an_array_in_a_child)
{
	struct parcel *q = files_new(self->m, 0, 0);

	put_child(q, put_numbers(q, LEN, PLACE, 2, self->to_write), LEN, 0, 8);
	put_fda(q, 2, 1, PLACE);
	put_child(q, pool(q, 8), 8, 1, PLACE + 8);
	put_child(q, pool(q, 8), 8, 0, PLACE);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(self->files + 2, files_of(self->c));
	EXPECT_EQ(1, ON(self->c, op_write_byte, word(self->c, 1, PLACE + 4),
			'a'));
	EXPECT_EQ('a', ON(self->m, op_read_byte, self->to_read));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_NO_FILES();
}

TEST_F(fda, several_arrays)
{
	struct parcel *q = files_new(self->m, 4, self->to_write);

	put_fda(q, 1, 0, PLACE);
	put_fda(q, 1, 0, PLACE + 4);
	put_fd(q, self->to_read, 0);
	put_fda(q, 2, 0, PLACE + 8);
	put_ptr(q, put_numbers(q, LEN, PLACE, 1, self->to_write), LEN);
	put_fda(q, 1, 5, PLACE);
	ASSERT_EQ(0, deliver_buffers(&self->w));
	EXPECT_EQ(self->files + 6, files_of(self->c));
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(1, ON(self->c, op_write_byte,
				word(self->c, 0, PLACE + 4 * i), 'a'));
	EXPECT_EQ(1, ON(self->c, op_write_byte, word(self->c, 5, PLACE), 'a'));
	ASSERT_EQ(0, b_free(self->c));
	/* Only the one that is no array's is left. */
	EXPECT_EQ(self->files + 1, files_of(self->c));
}

/* Messages that nobody reads. */

TEST_F(fda, the_receiver_is_killed)
{
	put_fda(files_new(self->m, 3, self->to_write), 3, 0, PLACE);
	ASSERT_EQ(0, begin(&self->w, TF_ACCEPT_FDS));
	ASSERT_EQ(0, b_post(self->m, self->w.cmd_sg, self->w.handle,
			    self->w.flags));
	ASSERT_EQ(0, IN(self->m, close, self->to_write));
	EXPECT_EQ(-EAGAIN, ON(self->m, op_read_byte, self->to_read));
	EXPECT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_TRUE(is_let_go(self->m, self->to_read));
}

TEST_F(fda, no_room_for_all)
{
	long next = next_file(self->c);
	long got;

	put_fda(files_new(self->m, 4, self->to_write), 4, 0, PLACE);
	ASSERT_EQ(0, begin(&self->w, TF_ACCEPT_FDS));
	ASSERT_EQ(0, limit_files(self->c, next + 3));
	ASSERT_EQ(0, b_post(self->m, self->w.cmd_sg, self->w.handle,
			    self->w.flags));
	/* The receiver of a call hears nothing of it. */
	got = self->w.reply ? b_receive(self->c) : b_drain(self->c);
	EXPECT_EQ(self->w.reply ? BR_FAILED_REPLY : 0, got);
	ASSERT_EQ(0, limit_files(self->c, 1024));
	EXPECT_NO_FILES();
}

TEST_HARNESS_MAIN
