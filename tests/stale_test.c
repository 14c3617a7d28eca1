// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of others: a receiver that reads all of its area finds what was sent to
 * it, or zeroes, whatever it was sent and however that ended. Somebody who has
 * nothing to do with it has left much memory with other bytes before.
 */
#include <kselftest_harness.h>

#include "pair.h"
#include "parcel.h"

#define USER		1000
#define OLD		0xa5
/* No byte of a message is as large. */
#define TEXT_END	0x80
#define LONG		(16 * PAGE)
#define MUCH		(2 * MIB)

FIXTURE(stale)
{
	struct party *m;
	struct party *c;
	struct party *other;
};

FIXTURE_SETUP(stale)
{
	SETUP_PAIR();
	self->other = party_new();
	ASSERT_NE(NULL, self->other);
	ASSERT_EQ(0, ON(self->other, op_setuid, USER));
}

FIXTURE_TEARDOWN(stale)
{
	kill_all_parties();
}

/* Fills memory and gives it back, a[0] times. */
static long op_leave_old(struct party *p, const u64 *a)
{
	(void)p;
	for (u64 i = 0; i < a[0]; i++) {
		long mem = sys_mmap(NULL, MUCH, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (is_error(mem))
			return mem;
		memset(u64_ptr(mem), OLD, MUCH);
		sys_munmap(u64_ptr(mem), MUCH);
	}
	return 0;
}

/* Where there are a[0] bytes of text, and then nothing. */
static long op_text(struct party *p, const u64 *a)
{
	size_t len = (a[0] + PAGE - 1) / PAGE * PAGE;
	long mem;

	if (p->scratch[1])
		sys_munmap(u64_ptr(p->scratch[0]), p->scratch[1]);
	mem = sys_mmap(NULL, len + PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (is_error(mem))
		return mem;
	sys_munmap(u64_ptr(mem + len), PAGE);
	for (size_t i = 0; i < len; i++)
		((u8 *)u64_ptr(mem))[i] = i % (TEXT_END - 1) + 1;
	p->scratch[0] = mem;
	p->scratch[1] = len;
	return mem + len - a[0];
}

/*
 * How many bytes of the area are as large as that, reading as a system call
 * does: that does not mind what is not there. So many pages have to be.
 */
static long count_bytes(struct party *p, u64 pages, u8 least)
{
	static u8 page[PAGE];
	long fd = memfd_new("area", 0);
	long count = 0;
	u64 seen = 0;

	if (fd < 0)
		return fd;
	for (size_t at = 0; at < p->area_len; at += PAGE) {
		if (sys_write(fd, p->area + at, PAGE) != PAGE)
			continue;
		if (sys_pread(fd, page, PAGE, seen++ * PAGE) != PAGE)
			return -EIO;
		for (size_t i = 0; i < PAGE; i++)
			count += page[i] >= least;
	}
	sys_close(fd);
	return seen < pages ? -ENODATA : count;
}

/* How many bytes of the area are not of a message; it has a[0] pages. */
static long op_count_old(struct party *p, const u64 *a)
{
	return count_bytes(p, a[0], TEXT_END);
}

/* How many are not zero. */
static long op_count_text(struct party *p, const u64 *a)
{
	return count_bytes(p, a[0], 1);
}

/* All pages that nobody needs are given back, and others' are to be had. */
static long renew(struct party *other)
{
	drop_slab();
	return ON(other, op_leave_old, 1);
}

/*
 * Sends len bytes, of which so many are there, with room for others of which
 * nothing is sent.
 */
static long send_flagged(struct party *p, u32 cmd, u32 flags, size_t there,
			 size_t len, size_t room)
{
	struct binder_transaction_data_sg sg = {
		.transaction_data = {
			.code = 1,
			.flags = flags,
			.data_size = len,
		},
		.buffers_size = room,
	};
	long at = ON(p, op_text, there);

	if (is_error(at))
		return at;
	sg.transaction_data.data.ptr.buffer = at;
	put_message(p, cmd, &sg);
	return b_go(p, 0);
}

static long send_text(struct party *p, u32 cmd, size_t there, size_t len,
		      size_t room)
{
	return send_flagged(p, cmd, 0, there, len, room);
}

/* Sends it, looks at all of the receiver's area then and later, and ends it. */
static int show(struct party *c, struct party *m, struct party *other,
		size_t len, size_t room)
{
	size_t pages = (len + room + PAGE - 1) / PAGE;

	if (renew(other))
		return 1;
	if (send_text(c, BC_TRANSACTION_SG, len, len, room))
		return 2;
	if (b_receive(m) != BR_TRANSACTION || m->res.tr.data_size != len)
		return 3;
	if (ON(m, op_count_old, pages))
		return 4;
	if (ON(other, op_leave_old, 1))
		return 5;
	if (b_free(m) || ON(m, op_count_old, 0))
		return 6;
	if (send_text(m, BC_REPLY_SG, len, len, room))
		return 7;
	if (b_receive(c) != BR_REPLY || c->res.tr.data_size != len)
		return 8;
	if (ON(c, op_count_old, pages))
		return 9;
	return b_free(c) || ON(c, op_count_old, 0) ? 10 : 0;
}

static const size_t sizes[] = {
	1, 8, PAGE - 9, PAGE, PAGE + 1, 3 * PAGE - 4, 3 * PAGE, LONG - 1,
};

TEST_F_TIMEOUT(stale, messages_of_every_size, 90)
{
	static const size_t rooms[] = { 0, PAGE + 8 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (size_t r = 0; r < ARRAY_SIZE(rooms); r++) {
			EXPECT_EQ(0, show(self->c, self->m, self->other,
					  sizes[i], rooms[r])) {
				TH_LOG("%lu bytes and %lu",
				       (unsigned long)sizes[i],
				       (unsigned long)rooms[r]);
			}
		}
	}
}

/* At other offsets in pages, which are shared with the one before. */
TEST_F_TIMEOUT(stale, messages_behind_a_held_one, 90)
{
	static const size_t held[] = { 8, PAGE - 8 };

	for (size_t h = 0; h < ARRAY_SIZE(held); h++) {
		u64 first;

		ASSERT_EQ(0, renew(self->other));
		ASSERT_EQ(0, send_text(self->c, BC_TRANSACTION_SG, held[h],
				       held[h], 0));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		first = self->m->res.tr.data.ptr.buffer;
		ASSERT_EQ(0, b_reply(self->m, 0, 0));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
		ASSERT_EQ(0, b_free(self->c));

		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			EXPECT_EQ(0, show(self->c, self->m, self->other,
					  sizes[i], 0)) {
				TH_LOG("%lu bytes behind %lu",
				       (unsigned long)sizes[i],
				       (unsigned long)held[h]);
			}
		}
		put_free(self->m, first);
		ASSERT_EQ(0, b_go(self->m, 0));
	}
}

/* So much of a long message is there before the copy fails. */
static const size_t theres[] = {
	0, PAGE - 8, PAGE, 8 * PAGE, 9 * PAGE + 100, LONG - 1,
};

/* Calls, and has the answer, of which so many bytes are there. */
static long answer_text(struct party *c, struct party *m, size_t there,
			size_t len, size_t room)
{
	if (b_call(c, 1, 8) || b_receive(m) != BR_TRANSACTION || b_free(m))
		return -EPROTO;
	if (send_text(m, BC_REPLY_SG, there, len, room))
		return -EPROTO;
	return b_receive(c);
}

/*
 * What a message that failed has left is looked at in a message that has room for
 * as much, and writes nothing of it.
 */
TEST_F_TIMEOUT(stale, copies_that_fail, 90)
{
	for (size_t i = 0; i < ARRAY_SIZE(theres); i++) {
		ASSERT_EQ(0, renew(self->other));
		ASSERT_EQ(0, send_text(self->c, BC_TRANSACTION_SG, theres[i],
				       LONG, 0));
		ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
		EXPECT_EQ(0, ON(self->m, op_count_old, 0)) {
			TH_LOG("after %lu bytes", (unsigned long)theres[i]);
		}
		/* Not renewed: what is there stays. */
		ASSERT_EQ(0, send_text(self->c, BC_TRANSACTION_SG, 8, 8, LONG));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		EXPECT_EQ(0, ON(self->m, op_count_old, LONG / PAGE)) {
			TH_LOG("behind a message, after %lu bytes",
			       (unsigned long)theres[i]);
		}
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_reply(self->m, 0, 0));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
		ASSERT_EQ(0, b_free(self->c));
	}
}

/*
 * Of a secret message nothing is left, as far as it came: first in pages that
 * come with it, then in those that are there.
 */
TEST_F_TIMEOUT(stale, secrets_that_fail, 90)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(theres); i++) {
		size_t there = theres[i % ARRAY_SIZE(theres)];

		if (i < ARRAY_SIZE(theres))
			ASSERT_EQ(0, renew(self->other));
		ASSERT_EQ(0, send_flagged(self->c, BC_TRANSACTION_SG,
					  TF_CLEAR_BUF, there, LONG, 0));
		ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
		/* Short, with room where the other was. */
		ASSERT_EQ(0, send_flagged(self->c, BC_TRANSACTION_SG,
					  TF_CLEAR_BUF, 8, 8, LONG));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		EXPECT_EQ(8, ON(self->m, op_count_text, LONG / PAGE)) {
			TH_LOG("after %lu bytes, pages %s",
			       (unsigned long)there,
			       i < ARRAY_SIZE(theres) ? "fresh" : "there");
		}
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_reply(self->m, 0, 0));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
		ASSERT_EQ(0, b_free(self->c));
	}
}

/* As copies_that_fail for answers, with some pages that are there before. */
TEST_F_TIMEOUT(stale, answers_that_fail, 90)
{
	for (size_t i = 0; i < ARRAY_SIZE(theres); i++) {
		ASSERT_EQ(0, renew(self->other));
		ASSERT_EQ(BR_REPLY, answer_text(self->c, self->m, 5 * PAGE,
						5 * PAGE, 0));
		ASSERT_EQ(0, b_free(self->c));
		EXPECT_EQ(BR_FAILED_REPLY, answer_text(self->c, self->m,
						       theres[i], LONG, 0));
		EXPECT_EQ(0, ON(self->c, op_count_old, 0)) {
			TH_LOG("after %lu bytes", (unsigned long)theres[i]);
		}
		ASSERT_EQ(BR_REPLY, answer_text(self->c, self->m, 8, 8, LONG));
		EXPECT_EQ(0, ON(self->c, op_count_old, LONG / PAGE)) {
			TH_LOG("behind an answer, after %lu bytes",
			       (unsigned long)theres[i]);
		}
		ASSERT_EQ(0, b_free(self->c));
	}
}

/* Memory comes and goes all the time, and so do pages. */
TEST_F_TIMEOUT(stale, while_memory_is_given_back, 90)
{
	START(self->other, op_leave_old, 50);
	for (u64 i = 0; is_busy(self->other); i++) {
		size_t len = i * 5417 % (LONG + 1);

		drop_slab();
		ASSERT_EQ(0, send_text(self->c, BC_TRANSACTION_SG, len, len,
				       i % 3 * PAGE));
		ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
		ASSERT_EQ(0, ON(self->m, op_count_old, len / PAGE)) {
			TH_LOG("%lu bytes", (unsigned long)len);
		}
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_reply(self->m, 0, 0));
		ASSERT_EQ(BR_REPLY, b_receive(self->c));
		ASSERT_EQ(0, b_free(self->c));
	}
	EXPECT_EQ(0, finish_within(self->other, PATIENCE_MS));
}

TEST_HARNESS_MAIN
