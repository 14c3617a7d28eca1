// SPDX-License-Identifier: GPL-2.0
/*
 * Files in messages: that they arrive, who may send them to whom, and that
 * the driver lets go of them whatever becomes of the message.
 */
#include <kselftest_harness.h>

#include "files.h"

#define COOKIE		0xabcdef0123456789

FIXTURE(fd)
{
	struct way w;
	struct party *m;	/* who sends */
	struct party *c;	/* who receives */
	long files;		/* what the receiver had before */
};

FIXTURE_VARIANT(fd)
{
	bool reply;
	u32 flags;
};

FIXTURE_VARIANT_ADD(fd, call) {
	.reply = false,
};

FIXTURE_VARIANT_ADD(fd, oneway) {
	.flags = TF_ONE_WAY,
};

FIXTURE_VARIANT_ADD(fd, reply) {
	.reply = true,
};

FIXTURE_SETUP(fd)
{
	SETUP_FILES();
}

FIXTURE_TEARDOWN(fd)
{
	kill_all_parties();
}

/* Sends what is in the parcel and leaves it unread; 0 or minus the step. */
static long leave_unread(struct way *w)
{
	long ret = begin(w, TF_ACCEPT_FDS);

	if (ret)
		return ret;
	return b_post(w->from, w->cmd, w->handle, w->flags) ? -10 : 0;
}

static long read_now(struct way *w)
{
	if (b_receive_parcel(w->to) != (w->reply ? BR_REPLY : BR_TRANSACTION))
		return -11;
	return end(w);
}

/* A pipe whose writing end only the message has: the reading end's number. */
static long send_pipe_s_end(struct way *w)
{
	struct party *p = w->from;
	u32 to_read, to_write;

	if (ON(p, op_pipe))
		return -1;
	to_read = p->scratch[0];
	to_write = p->scratch[1];
	put_fd(parcel_new(p), to_write, 0);
	if (leave_unread(w))
		return -2;
	return IN(p, close, to_write) ? -3 : (long)to_read;
}

TEST_F(fd, is_the_same_file)
{
	long fd, got;

	fd = ON(self->m, op_memfd, ptr_u64("content"), 7);
	ASSERT_LE(0, fd);
	ASSERT_EQ(3, IN(self->m, lseek, fd, 3, SEEK_SET));
	put_fd(parcel_new(self->m), fd, COOKIE);
	ASSERT_EQ(0, deliver(&self->w));
	got = fd_object(self->c->in, 0)->fd;
	EXPECT_EQ('t', ON(self->c, op_read_byte, got));
	/* Its position is shared, both ways. */
	EXPECT_EQ('e', ON(self->m, op_read_byte, fd));
	EXPECT_EQ('n', ON(self->c, op_read_byte, got));
	EXPECT_EQ(1, ON(self->c, op_write_byte, got, 'x'));
	ASSERT_EQ(6, IN(self->m, lseek, fd, 6, SEEK_SET));
	EXPECT_EQ('x', ON(self->m, op_read_byte, fd));
}

TEST_F(fd, object_keeps_what_is_not_the_number)
{
	struct binder_fd_object *got;

	put_object(parcel_new(self->m), &(struct binder_fd_object) {
		.hdr.type = BINDER_TYPE_FD,
		.pad_flags = 0x12345678,
		.pad_binder = 0xdeadbeefULL << 32 | ANY_FILE,
		.cookie = COOKIE,
	}, sizeof(*got));
	ASSERT_EQ(0, deliver(&self->w));
	got = fd_object(self->c->in, 0);
	EXPECT_EQ(BINDER_TYPE_FD, got->hdr.type);
	EXPECT_EQ(0x12345678, got->pad_flags);
	EXPECT_EQ(COOKIE, got->cookie);
	EXPECT_EQ(got->fd, got->pad_binder);
}

TEST_F(fd, is_closed_on_exec)
{
	put_fd(parcel_new(self->m), ANY_FILE, 0);
	ASSERT_EQ(0, IN(self->m, fcntl, ANY_FILE, F_SETFD, 0));
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(FD_CLOEXEC, IN(self->c, fcntl,
				 fd_object(self->c->in, 0)->fd, F_GETFD));
	/* That of the sender is as it was. */
	EXPECT_EQ(0, IN(self->m, fcntl, ANY_FILE, F_GETFD));
}

TEST_F(fd, has_the_lowest_free_number)
{
	long next = next_file(self->c);

	ASSERT_LT(0, next);
	put_fd(parcel_new(self->m), ANY_FILE, 0);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(next, fd_object(self->c->in, 0)->fd);
}

TEST_F(fd, several)
{
	struct parcel *q = parcel_new(self->m);
	struct parcel *in = self->c->in;
	long next = next_file(self->c);

	ASSERT_EQ(0, ON(self->m, op_pipe));
	put_fd(q, self->m->scratch[0], 1);
	put_bytes(q, "between", 7);
	put_fd(q, self->m->scratch[1], 2);
	put_binder(q, 16, 16);
	put_fd(q, self->m->scratch[1], 3);
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(self->files + 3, files_of(self->c));
	EXPECT_EQ(next, fd_object(in, 0)->fd);
	EXPECT_NE(fd_object(in, 1)->fd, fd_object(in, 3)->fd);
	EXPECT_EQ(3, fd_object(in, 3)->cookie);
	EXPECT_EQ(1, ON(self->c, op_write_byte, fd_object(in, 1)->fd, 'a'));
	EXPECT_EQ(1, ON(self->c, op_write_byte, fd_object(in, 3)->fd, 'b'));
	EXPECT_EQ('a', ON(self->m, op_read_byte, self->m->scratch[0]));
	EXPECT_EQ('b', ON(self->c, op_read_byte, fd_object(in, 0)->fd));
}

TEST_F(fd, comes_when_the_message_is_read)
{
	put_fd(parcel_new(self->m), ANY_FILE, 0);
	ASSERT_EQ(0, leave_unread(&self->w));
	EXPECT_EQ(self->files, files_of(self->c));
	ASSERT_EQ(0, read_now(&self->w));
	EXPECT_EQ(self->files + 1, files_of(self->c));
}

TEST_F(fd, outlives_the_message)
{
	long to_read = send_pipe_s_end(&self->w);
	u32 got;

	ASSERT_LE(0, to_read);
	ASSERT_EQ(0, read_now(&self->w));
	got = fd_object(self->c->in, 0)->fd;
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(self->files + 1, files_of(self->c));
	EXPECT_EQ(1, ON(self->c, op_write_byte, got, 'a'));
	EXPECT_EQ('a', ON(self->m, op_read_byte, to_read));
	EXPECT_EQ(-EAGAIN, ON(self->m, op_read_byte, to_read));
	EXPECT_EQ(0, IN(self->c, close, got));
	EXPECT_TRUE(is_let_go(self->m, to_read));
}

/* vbinder takes none: it could be in a message to itself. */
TEST_F(fd, the_driver_s_own)
{
	u32 *version = (void *)self->c->scratch;

	put_fd(parcel_new(self->m), self->m->fd, 0);
	if (!strcmp(device(), DEVICE)) {
		EXPECT_EQ(0, refused(&self->w));
		EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
		return;
	}
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(0, IN(self->c, ioctl, fd_object(self->c->in, 0)->fd,
			BINDER_VERSION, ptr_u64(version)));
	EXPECT_EQ(8, *version);
	EXPECT_EQ(0, IN(self->c, close, fd_object(self->c->in, 0)->fd));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

/* Refusals. What the message has taken so far is let go. */

#define EXPECT_REFUSED()	EXPECT_EQ(0, refused(&self->w))

TEST_F(fd, that_is_not_open)
{
	static const u32 numbers[] = { NO_FILE, 1U << 20, ~0U, 1U << 31 };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		put_fd(parcel_new(self->m), numbers[i], 0);
		EXPECT_REFUSED();
	}
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(fd, that_is_a_path_only)
{
	long fd;

	fd = IN(self->m, openat, AT_FDCWD, ptr_u64("/"), O_PATH);
	ASSERT_LE(0, fd);
	put_fd(parcel_new(self->m), fd, 0);
	EXPECT_REFUSED();
}

TEST_F(fd, with_one_that_is_not_open)
{
	struct parcel *q = parcel_new(self->m);
	u32 to_read, to_write;

	ASSERT_EQ(0, ON(self->m, op_pipe));
	to_read = self->m->scratch[0];
	to_write = self->m->scratch[1];
	put_fd(q, to_write, 0);
	put_fd(q, to_write, 0);
	put_fd(q, NO_FILE, 0);
	EXPECT_REFUSED();
	EXPECT_EQ(self->files, files_of(self->c));
	EXPECT_EQ(-EAGAIN, ON(self->m, op_read_byte, to_read));
	EXPECT_EQ(0, IN(self->m, close, to_write));
	EXPECT_TRUE(is_let_go(self->m, to_read));
}

/* When the receiver can have no more files, it gets none of the message's. */

static long no_room(struct way *w)
{
	long ret = leave_unread(w);

	if (ret)
		return ret;
	if (w->reply)
		return b_receive(w->to) == BR_FAILED_REPLY ? 0 : -12;
	/* The receiver never hears of it. */
	if (b_drain(w->to))
		return -13;
	if (w->flags & TF_ONE_WAY)
		return b_receipt(w->from) == BR_TRANSACTION_COMPLETE ? 0 : -14;
	return b_receive(w->from) == BR_FAILED_REPLY ? 0 : -15;
}

TEST_F(fd, no_room_for_any)
{
	long next = next_file(self->c);

	put_fd(parcel_new(self->m), ANY_FILE, 0);
	ASSERT_EQ(0, limit_files(self->c, next));
	EXPECT_EQ(0, no_room(&self->w));
	EXPECT_EQ(self->files, files_of(self->c));
	ASSERT_EQ(0, limit_files(self->c, 1024));
	ASSERT_EQ(0, deliver(&self->w));
	EXPECT_EQ(next, fd_object(self->c->in, 0)->fd);
}

TEST_F(fd, no_room_for_all)
{
	struct parcel *q = parcel_new(self->m);
	long next = next_file(self->c);
	u32 to_read, to_write;

	ASSERT_EQ(0, ON(self->m, op_pipe));
	to_read = self->m->scratch[0];
	to_write = self->m->scratch[1];
	for (int i = 0; i < 4; i++)
		put_fd(q, to_write, 0);
	ASSERT_EQ(0, limit_files(self->c, next + 3));
	EXPECT_EQ(0, no_room(&self->w));
	EXPECT_EQ(self->files, files_of(self->c));
	ASSERT_EQ(0, IN(self->m, close, to_write));
	EXPECT_TRUE(is_let_go(self->m, to_read));
	ASSERT_EQ(0, limit_files(self->c, 1024));
	EXPECT_EQ(next, next_file(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

/* Messages that are never read. */

TEST_F(fd, the_receiver_is_killed)
{
	long to_read = send_pipe_s_end(&self->w);

	ASSERT_LE(0, to_read);
	EXPECT_EQ(-EAGAIN, ON(self->m, op_read_byte, to_read));
	EXPECT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_TRUE(is_let_go(self->m, to_read));
}

TEST_F(fd, the_receiver_leaves)
{
	long to_read = send_pipe_s_end(&self->w);

	ASSERT_LE(0, to_read);
	EXPECT_EQ(0, ON(self->c, op_leave));
	EXPECT_TRUE(is_let_go(self->m, to_read));
}

/* A call does not die with its caller, nor does what it carries. */
TEST_F(fd, the_sender_is_killed)
{
	long fd;

	fd = ON(self->m, op_memfd, ptr_u64("content"), 7);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, IN(self->m, lseek, fd, 0, SEEK_SET));
	put_fd(parcel_new(self->m), fd, 0);
	ASSERT_EQ(0, leave_unread(&self->w));
	EXPECT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(variant->reply ? BR_REPLY : BR_TRANSACTION,
		  b_receive_parcel(self->c));
	EXPECT_EQ('c', ON(self->c, op_read_byte,
			  fd_object(self->c->in, 0)->fd));
}

/* Who takes files. */

FIXTURE(consent)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(consent)
{
	SETUP_PAIR();
}

FIXTURE_TEARDOWN(consent)
{
	kill_all_parties();
}

TEST_F(consent, of_a_caller)
{
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	put_fd(parcel_new(self->m), ANY_FILE, 0);
	ASSERT_EQ(0, b_post(self->m, BC_REPLY, 0, TF_ACCEPT_FDS));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
}

TEST_F(consent, of_the_manager)
{
	put_fd(parcel_new(self->c), ANY_FILE, 0);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, TF_ACCEPT_FDS));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(consent, of_a_manager_that_says_so)
{
	struct flat_binder_object *node;
	struct party *next;
	u64 end = now_ms() + PATIENCE_MS;
	long ret;

	ASSERT_EQ(0, ON(self->m, op_leave));
	next = client_new(AREA_SIZE);
	ASSERT_NE(NULL, next);
	node = (void *)next->scratch;
	*node = (struct flat_binder_object) {
		.hdr.type = BINDER_TYPE_BINDER,
		.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS,
	};
	while ((ret = b_ioctl(next, BINDER_SET_CONTEXT_MGR_EXT, node)) ==
	       -EBUSY && now_ms() < end)
		nap();
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, b_enter_looper(next));
	put_fd(parcel_new(self->c), ANY_FILE, 0);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	EXPECT_EQ(BR_TRANSACTION, b_receive_parcel(next));
}

TEST_F(consent, of_a_node)
{
	static const u32 flags[] = {
		0, ~(FLAT_BINDER_FLAG_ACCEPTS_FDS |
		     FLAT_BINDER_FLAG_TXN_SECURITY_CTX),
	};

	ASSERT_EQ(0, b_enter_looper(self->c));
	for (u32 i = 0; i < ARRAY_SIZE(flags); i++) {
		put_flat(parcel_new(self->c), BINDER_TYPE_BINDER, flags[i],
			 8 + 8 * i, 8);
		ASSERT_EQ(0, carry(self->c, self->m));
		put_fd(parcel_new(self->m), ANY_FILE, 0);
		ASSERT_EQ(0, b_post(self->m, BC_TRANSACTION, i + 1, 0));
		EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->m));
	}
}

/* What counts is what the node said when it was first sent. */
TEST_F(consent, cannot_be_given_later)
{
	ASSERT_EQ(0, b_enter_looper(self->c));
	put_flat(parcel_new(self->c), BINDER_TYPE_BINDER, 0, 8, 8);
	ASSERT_EQ(0, carry(self->c, self->m));
	ASSERT_EQ(1, give_node(self->c, self->m, 8, 8));
	put_fd(parcel_new(self->m), ANY_FILE, 0);
	ASSERT_EQ(0, b_post(self->m, BC_TRANSACTION, 1, 0));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->m));
}

TEST_HARNESS_MAIN
