// SPDX-License-Identifier: GPL-2.0
/*
 * Malformed ioctls and buffers: the right error, nothing else lost, and the
 * device works as before. What is inside a message is bad_message_test's.
 */
#include <kselftest_harness.h>
#include <linux/ioctl.h>
#include <linux/userfaultfd.h>

#include "pair.h"

FIXTURE(input)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(input)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
	ASSERT_EQ(0, b_ioctl(self->c, BINDER_VERSION, self->c->scratch));
}

FIXTURE_TEARDOWN(input)
{
	kill_all_parties();
}

#define EXPECT_STILL_WORKS() do {					\
	EXPECT_EQ(0, exchange(self->c, self->m, 33, 2 * PAGE + 3));	\
	EXPECT_EQ(0, settled("used", 0));				\
} while (0)

/* Two pages of the party's memory, of which only the first exists. */
static long op_page_edge(struct party *p, const u64 *a)
{
	long at = sys_mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)p;
	(void)a;
	if (is_error(at))
		return at;
	sys_munmap(u64_ptr(at + PAGE), PAGE);
	return at;
}

/* BINDER_WRITE_READ with the structure the test has put into p->bwr. */
static long op_raw(struct party *p, const u64 *a)
{
	(void)a;
	p->res.n = 0;
	return sys_ioctl(p->fd, BINDER_WRITE_READ, &p->bwr);
}

/* Puts the write buffer's last byte at an edge behind which nothing is. */
static long op_write_at_edge(struct party *p, const u64 *a)
{
	u64 at = a[0] + PAGE - p->wlen;

	memcpy(u64_ptr(at), p->wbuf, p->wlen);
	p->bwr = (struct binder_write_read){
		.write_size = p->wlen,
		.write_buffer = at,
	};
	p->wlen = 0;
	return op_raw(p, a);
}

/* Reads into the last a[1] bytes before an edge, of a[2] claimed ones. */
static long op_read_at_edge(struct party *p, const u64 *a)
{
	p->bwr = (struct binder_write_read){
		.read_size = a[2],
		.read_buffer = a[0] + PAGE - a[1],
	};
	return op_raw(p, a);
}

/* An ioctl whose structure is in memory that cannot be written. */
static long op_readonly_struct(struct party *p, const u64 *a)
{
	long at = sys_mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	(void)a;
	return is_error(at) ? at : sys_ioctl(p->fd, BINDER_WRITE_READ,
					     u64_ptr(at));
}

static long op_read_call(struct party *p, const u64 *a)
{
	(void)a;
	return sys_read(p->fd, p->rbuf, sizeof(p->rbuf));
}

static long op_write_call(struct party *p, const u64 *a)
{
	(void)a;
	return sys_write(p->fd, p->wbuf, sizeof(p->wbuf));
}

TEST_F(input, unknown_ioctls)
{
	static const u32 unknown[] = {
		0, ~0U, BINDER_SET_IDLE_TIMEOUT, BINDER_SET_IDLE_PRIORITY,
		_IOWR('b', 99, u64),
		/* The right numbers with the wrong size, direction, letter. */
		_IOWR('b', 1, u64), _IOW('b', 9, struct binder_version),
		_IOWR('c', 1, struct binder_write_read),
	};

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(-EINVAL, b_ioctl(self->c, unknown[i],
					   self->c->scratch)) {
			TH_LOG("ioctl %x", unknown[i]);
		}
	}
	EXPECT_STILL_WORKS();
}

TEST_F(input, ioctls_with_bad_memory)
{
	static const u32 ioctls[] = {
		BINDER_GET_NODE_DEBUG_INFO, BINDER_GET_NODE_INFO_FOR_REF,
		BINDER_FREEZE, BINDER_GET_FROZEN_INFO,
		BINDER_ENABLE_ONEWAY_SPAM_DETECTION, BINDER_GET_EXTENDED_ERROR,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		EXPECT_EQ(-EFAULT, b_ioctl(self->c, ioctls[i], NULL)) {
			TH_LOG("ioctl %x", ioctls[i]);
		}
	}
	EXPECT_EQ(-EINVAL, b_ioctl(self->c, BINDER_SET_CONTEXT_MGR_EXT, NULL));
	EXPECT_STILL_WORKS();
}

TEST_F(input, read_and_write_are_not_for_this)
{
	EXPECT_EQ(-EINVAL, ON(self->c, op_read_call));
	EXPECT_EQ(-EINVAL, ON(self->c, op_write_call));
	EXPECT_STILL_WORKS();
}

TEST_F(input, wild_ioctl_arguments)
{
	static const u32 with_argument[] = {
		BINDER_WRITE_READ, BINDER_SET_MAX_THREADS, BINDER_VERSION,
	};
	static const u64 wild[] = { 0, 8, PAGE - 1, WILD_KERNEL, ~0ULL - 7 };

	for (size_t i = 0; i < ARRAY_SIZE(with_argument); i++) {
		for (size_t w = 0; w < ARRAY_SIZE(wild); w++) {
			long ret = b_ioctl(self->c, with_argument[i],
					   u64_ptr(wild[w]));

			/* Binder's own choice for the two small ones: EINVAL. */
			EXPECT_TRUE(ret == -EFAULT ||
				    (i && ret == -EINVAL)) {
				TH_LOG("ioctl %x at %llx: %ld",
				       with_argument[i], wild[w], ret);
			}
		}
	}
	EXPECT_STILL_WORKS();
}

TEST_F(input, structure_that_cannot_be_written)
{
	EXPECT_EQ(-EFAULT, ON(self->c, op_readonly_struct));
	EXPECT_STILL_WORKS();
}

TEST_F(input, nothing_to_do_is_fine)
{
	self->c->bwr = (struct binder_write_read){ 0 };
	EXPECT_EQ(0, ON(self->c, op_raw));
	EXPECT_STILL_WORKS();
}

TEST_F(input, wild_write_buffer)
{
	static const u64 wild[] = { 0, 8, WILD_KERNEL, ~0ULL - 7 };

	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		self->c->bwr = (struct binder_write_read){
			.write_size = 68,
			.write_buffer = wild[i],
		};
		EXPECT_EQ(-EFAULT, ON(self->c, op_raw)) {
			TH_LOG("buffer %llx", wild[i]);
		}
		EXPECT_EQ(0, self->c->bwr.write_consumed);
	}
	EXPECT_STILL_WORKS();
}

TEST_F(input, commands_before_a_wild_page_count)
{
	long edge = ON(self->c, op_page_edge);

	ASSERT_FALSE(is_error(edge));
	put_cmd(self->c, BC_EXIT_LOOPER);
	put_cmd(self->c, BC_EXIT_LOOPER);
	ASSERT_EQ(0, ON(self->c, op_write_at_edge, edge));
	ASSERT_EQ(8, self->c->bwr.write_consumed);
	/* Now it claims to be longer than it is. */
	self->c->bwr.write_size = 100;
	self->c->bwr.write_consumed = 0;
	EXPECT_EQ(-EFAULT, ON(self->c, op_raw));
	EXPECT_EQ(8, self->c->bwr.write_consumed);
	EXPECT_STILL_WORKS();
}

TEST_F(input, truncated_commands)
{
	static const u32 cmds[] = { BC_TRANSACTION, BC_REPLY, BC_FREE_BUFFER };
	long edge = ON(self->c, op_page_edge);

	ASSERT_FALSE(is_error(edge));
	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		static const struct binder_transaction_data tr;
		size_t sizes[] = { 2, 4, 8, 4 + _IOC_SIZE(cmds[i]) - 1 };

		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
			long ret;

			put_cmd(self->c, BC_EXIT_LOOPER);
			put_tr(self->c, cmds[i], &tr);
			self->c->wlen = 4 + sizes[s];
			ret = ON(self->c, op_write_at_edge, edge);
			EXPECT_TRUE(ret == -EFAULT || ret == -EINVAL) {
				TH_LOG("command %x cut to %lu bytes: %ld",
				       cmds[i], (unsigned long)sizes[s], ret);
			}
			/* The whole one before it took effect. */
			EXPECT_EQ(4, self->c->bwr.write_consumed);
		}
	}
	EXPECT_STILL_WORKS();
}

TEST_F(input, unknown_commands)
{
	static const u32 unknown[] = {
		0, ~0U, 0xdeadbeef, BC_ACQUIRE_RESULT, BC_ATTEMPT_ACQUIRE,
		BR_TRANSACTION, _IOW('c', 3, u32), _IO('c', 63),
	};

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		put_cmd(self->c, BC_EXIT_LOOPER);
		put_cmd(self->c, unknown[i]);
		put_cmd(self->c, BC_EXIT_LOOPER);
		put(self->c, self->c->scratch, sizeof(self->c->scratch));
		EXPECT_EQ(-EINVAL, b_go(self->c, READ_SIZE)) {
			TH_LOG("command %x", unknown[i]);
		}
		EXPECT_EQ(4, self->c->bwr.write_consumed);
		EXPECT_EQ(0, self->c->bwr.read_consumed);
	}
	EXPECT_STILL_WORKS();
}

TEST_F(input, commands_that_are_cut_off)
{
	static const u32 commands[] = {
		BC_INCREFS, BC_ACQUIRE, BC_RELEASE, BC_DECREFS,
		BC_INCREFS_DONE, BC_ACQUIRE_DONE,
		BC_REQUEST_DEATH_NOTIFICATION, BC_CLEAR_DEATH_NOTIFICATION,
		BC_DEAD_BINDER_DONE, BC_TRANSACTION_SG, BC_REPLY_SG,
		BC_REQUEST_FREEZE_NOTIFICATION, BC_CLEAR_FREEZE_NOTIFICATION,
		BC_FREEZE_NOTIFICATION_DONE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		put_cmd(self->c, commands[i]);
		memset(self->c->wbuf + self->c->wlen, 0, 128);
		self->c->wlen += _IOC_SIZE(commands[i]) - 1;
		EXPECT_EQ(-EFAULT, b_go(self->c, 0)) {
			TH_LOG("command %x", commands[i]);
		}
		EXPECT_EQ(0, self->c->bwr.write_consumed);
	}
	EXPECT_STILL_WORKS();
}

TEST_F(input, commands_before_an_unknown_one_take_effect)
{
	ASSERT_EQ(0, b_call(self->c, 1, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_LT(0, counter("used"));
	put_free(self->m, self->m->res.tr.data.ptr.buffer);
	put_cmd(self->m, 0xdeadbeef);
	EXPECT_EQ(-EINVAL, b_go(self->m, 0));
	EXPECT_EQ(12, self->m->bwr.write_consumed);
	EXPECT_EQ(0, counter("used"));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	EXPECT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_STILL_WORKS();
}

/* After a failure the sender must hear of it before more is done. */
TEST_F(input, commands_after_a_failure_wait)
{
	struct binder_transaction_data wrong = { .target.handle = 7 };
	struct binder_transaction_data right = { .flags = TF_ONE_WAY };
	size_t one = sizeof(u32) + sizeof(wrong);

	ASSERT_EQ(0, b_set_nonblock(self->m));
	put_tr(self->c, BC_TRANSACTION, &wrong);
	put_tr(self->c, BC_TRANSACTION, &right);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_EQ(one, self->c->bwr.write_consumed);
	EXPECT_EQ(-EAGAIN, b_receive(self->m));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->c));
	ASSERT_EQ(0, b_set_block(self->m));
	EXPECT_STILL_WORKS();
}

TEST_F(input, write_consumed_beyond_the_buffer)
{
	static const u64 consumed[] = { 5, 1000, 1ULL << 63, ~0ULL };

	for (size_t i = 0; i < ARRAY_SIZE(consumed); i++) {
		u32 cmd = BC_EXIT_LOOPER;

		memcpy(self->c->wbuf, &cmd, sizeof(cmd));
		self->c->bwr = (struct binder_write_read){
			.write_size = 4,
			.write_consumed = consumed[i],
			.write_buffer = ptr_u64(self->c->wbuf),
		};
		/* Whatever it answers, it answers. */
		EXPECT_NE(-ETIME, ON(self->c, op_raw));
	}
	EXPECT_STILL_WORKS();
}

TEST_F(input, wild_read_buffer_loses_nothing)
{
	static const u64 wild[] = { 0, WILD_KERNEL };

	ASSERT_EQ(0, b_call(self->c, 1, 100));
	for (size_t i = 0; i < ARRAY_SIZE(wild); i++) {
		self->m->bwr = (struct binder_write_read){
			.read_size = READ_SIZE,
			.read_buffer = wild[i],
		};
		EXPECT_EQ(-EFAULT, ON(self->m, op_raw)) {
			TH_LOG("buffer %llx", wild[i]);
		}
		EXPECT_EQ(0, self->m->bwr.read_consumed);
	}
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_STILL_WORKS();
}

/*
 * The message fits by its claimed size, but its memory ends half way. Either
 * it can be read again or its sender hears that it failed.
 */
TEST_F(input, read_buffer_that_ends_in_a_message)
{
	long edge = ON(self->m, op_page_edge);
	long got;

	ASSERT_FALSE(is_error(edge));
	ASSERT_EQ(0, b_set_nonblock(self->m));
	ASSERT_EQ(0, b_call(self->c, 1, 100));
	EXPECT_EQ(-EFAULT, ON(self->m, op_read_at_edge, edge, 40, READ_SIZE));
	got = b_receive(self->m);
	ASSERT_TRUE(got == BR_TRANSACTION || got == -EAGAIN) {
		TH_LOG("got %lx", got);
	}
	if (got == BR_TRANSACTION) {
		EXPECT_EQ(-1, b_mismatch(self->m, 1));
		ASSERT_EQ(0, b_free(self->m));
		ASSERT_EQ(0, b_reply(self->m, 2, 8));
	}
	EXPECT_EQ(got == BR_TRANSACTION ? BR_REPLY : BR_FAILED_REPLY,
		  b_receive(self->c));
	if (got == BR_TRANSACTION)
		b_free(self->c);
	ASSERT_EQ(0, b_set_block(self->m));
	EXPECT_STILL_WORKS();
}

TEST_F(input, read_buffer_too_small_loses_nothing)
{
	static const size_t small[] = { 4, 8, 40, 68 };
	long edge = ON(self->m, op_page_edge);

	ASSERT_FALSE(is_error(edge));
	ASSERT_EQ(0, b_call(self->c, 1, 100));
	for (size_t i = 0; i < ARRAY_SIZE(small); i++) {
		EXPECT_EQ(0, ON(self->m, op_read_at_edge, edge, small[i],
				small[i])) {
			TH_LOG("room for %lu", (unsigned long)small[i]);
		}
		EXPECT_EQ(4, self->m->bwr.read_consumed);
	}
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_STILL_WORKS();
}

/* A page that is not there. Whoever touches it waits until it is no page. */
static long op_slow_page(struct party *p, const u64 *a)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range.len = PAGE,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	long at = sys_mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long fd = _syscall(__NR_userfaultfd, O_CLOEXEC);
	long ret;

	(void)a;
	if (is_error(at) || fd < 0)
		return fd < 0 ? fd : at;
	p->scratch[0] = fd;
	reg.range.start = at;
	ret = sys_ioctl(fd, UFFDIO_API, &api);
	return (ret ?: sys_ioctl(fd, UFFDIO_REGISTER, &reg)) ?: at;
}

static long op_no_page(struct party *p, const u64 *a)
{
	(void)p;
	return sys_munmap(u64_ptr(a[0]), PAGE) ?: sys_close(a[1]);
}

/* A thread frees what another cannot read yet, and gets a message there. */
TEST_F(input, a_failed_read_takes_nobody_elses_buffer_back)
{
	struct party *t = party_thread(self->m);
	struct party *d = client_new(AREA_SIZE);
	long slow;

	ASSERT_TRUE(t && d);
	if (!has_userfaultfd())
		SKIP(return, "no userfaultfd in this kernel");
	slow = ON(self->m, op_slow_page);
	ASSERT_FALSE(is_error(slow));
	ASSERT_EQ(0, b_call(self->c, 1, 10));
	START(self->m, op_read_at_edge, slow, PAGE, READ_SIZE);
	ASSERT_TRUE(falls_asleep(self->m));

	t->res.tr.data.ptr.buffer = ptr_u64(self->m->area);
	ASSERT_EQ(0, b_free(t));
	ASSERT_EQ(0, b_call(d, 2, 10));
	ASSERT_EQ(BR_TRANSACTION, b_receive(t));
	ASSERT_EQ(ptr_u64(self->m->area), t->res.tr.data.ptr.buffer);
	ASSERT_EQ(0, ON(t, op_no_page, slow, self->m->scratch[0]));
	ASSERT_EQ(-EFAULT, finish(self->m));
	EXPECT_EQ(-1, b_mismatch(t, 2));
	EXPECT_EQ(0, b_free(t));
	EXPECT_EQ(0, settled("used", 0));
}

TEST_F(input, read_consumed_beyond_the_buffer)
{
	ASSERT_EQ(0, b_set_nonblock(self->m));
	ASSERT_EQ(0, b_call(self->c, 1, 100));
	memset(self->m->rbuf, 0x5a, sizeof(self->m->rbuf));
	self->m->bwr = (struct binder_write_read){
		.read_size = 64,
		.read_consumed = 128,
		.read_buffer = ptr_u64(self->m->rbuf),
	};
	ON(self->m, op_raw);
	for (size_t i = 64; i < sizeof(self->m->rbuf); i++)
		ASSERT_EQ(0x5a, self->m->rbuf[i]);
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_STILL_WORKS();
}

TEST_HARNESS_MAIN
