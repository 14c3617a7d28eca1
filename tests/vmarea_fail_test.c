// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation in what is done with a driver's area fails once: whatever was
 * half done is undone, and nothing is left of it. For kernels that can inject
 * faults.
 */
#include <kselftest_harness.h>

#include "fail.h"
#include "vmarea.h"

FIXTURE(failure)
{
	int nth;
	int fd;
};

FIXTURE_VARIANT(failure)
{
	const char *device;
};

FIXTURE_VARIANT_ADD(failure, mmap)
{
	.device = BUFFER,
};

FIXTURE_VARIANT_ADD(failure, mmap_prepare)
{
	.device = PREPARED,
};

FIXTURE_SETUP(failure)
{
	if (!can_fail())
		SKIP(return, "no fault injection in this kernel");
	ASSERT_TRUE(all_is_gone());
	self->nth = sys_open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth);
	self->fd = sys_open(variant->device, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(failure)
{
	kill_all_parties();
}

TEST_F_TIMEOUT(failure, open, 120)
{
	struct sweep s = { .nth = self->nth };
	long ret = 0;

	ASSERT_EQ(0, sys_close(self->fd));
	while (next(&s)) {
		ret = sys_open(variant->device, O_RDWR);
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		if (!is_error(ret))
			sys_close(ret);
		ASSERT_TRUE(all_is_gone());
	}
	EXPECT_TRUE(was_all(&s, ret));
}

/* A try that was not confirmed leaves its owner to the next one. */
TEST_F_TIMEOUT(failure, map, 120)
{
	long left = strcmp(variant->device, BUFFER) ? 1 : 0;
	struct sweep s = { .nth = self->nth };
	long before = tally("owners");
	long ret = 0;

	while (next(&s)) {
		ret = map_all(self->fd);
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		if (!is_error(ret))
			sys_munmap(u64_ptr(ret), SIZE);
		ASSERT_EQ(0, areas(self->fd));
		ASSERT_GE(before + left, tally("owners"));
	}
	EXPECT_TRUE(was_all(&s, ret));
	EXPECT_EQ(before, tally("owners"));
}

/* What a try has left over goes with the file. */
TEST_F_TIMEOUT(failure, map_and_close, 120)
{
	struct sweep s = { .nth = self->nth };
	long before = tally("owners");
	long ret = 0;

	while (next(&s)) {
		int fd;

		fail_nth(self->nth, 0);
		fd = sys_open(variant->device, O_RDWR);
		ASSERT_LE(0, fd);
		fail_nth(self->nth, s.n);
		ret = map_all(fd);
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		if (!is_error(ret))
			sys_munmap(u64_ptr(ret), SIZE);
		sys_close(fd);
		ASSERT_EQ(before, tally("owners"));
	}
	EXPECT_TRUE(was_all(&s, ret));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, map_over_areas, 120)
{
	struct sweep s = { .nth = self->nth };
	long at = map_all(self->fd);
	long ret = 0;

	ASSERT_FALSE(is_error(at));
	while (next(&s)) {
		ret = map_over(self->fd, u64_ptr(at + 2 * PAGE), 2);
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		/* Two parts and the new one, or a hole, or nothing changed. */
		ASSERT_TRUE(is_error(ret) || areas(self->fd) == 3);
		ASSERT_EQ(at, map_over(self->fd, u64_ptr(at), PAGES));
		ASSERT_EQ(1, areas(self->fd));
	}
	EXPECT_TRUE(was_all(&s, ret));
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, unmap_a_part, 120)
{
	struct sweep s = { .nth = self->nth };
	long at = map_all(self->fd);
	long ret = 0;

	ASSERT_FALSE(is_error(at));
	while (next(&s)) {
		ret = sys_munmap(u64_ptr(at + 2 * PAGE), PAGE);
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		/* A failure may come when one of the two splits is done. */
		ASSERT_GE(2, areas(self->fd));
		ASSERT_LE(1, areas(self->fd));
		ASSERT_EQ(at, map_over(self->fd, u64_ptr(at), PAGES));
	}
	EXPECT_TRUE(was_all(&s, ret));
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, protect_a_part, 120)
{
	struct sweep s = { .nth = self->nth };
	long at = map_all(self->fd);
	long ret = 0;

	ASSERT_FALSE(is_error(at));
	while (next(&s)) {
		ret = sys_mprotect(u64_ptr(at + 2 * PAGE), PAGE, PROT_READ);
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		ASSERT_GE(3, areas(self->fd));
		ASSERT_EQ(at, map_over(self->fd, u64_ptr(at), PAGES));
	}
	EXPECT_TRUE(was_all(&s, ret));
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, move, 120)
{
	struct sweep s = { .nth = self->nth };
	long room = map_memory(PAGES);
	long at = map_all(self->fd);
	long ret = 0;

	ASSERT_FALSE(is_error(at));
	ASSERT_EQ(0, get(u64_ptr(at)));
	while (next(&s)) {
		ret = sys_mremap(u64_ptr(at), SIZE, SIZE,
				 MREMAP_MAYMOVE | MREMAP_FIXED, u64_ptr(room));
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		if (!is_error(ret)) {
			room = at;
			at = ret;
		}
		ASSERT_EQ(1, areas(self->fd));
		ASSERT_EQ(0, get(u64_ptr(at)));
	}
	EXPECT_TRUE(was_all(&s, ret));
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, fork, 120)
{
	struct sweep s = { .nth = self->nth };
	long at = map_all(self->fd);
	long ret = 0;

	ASSERT_FALSE(is_error(at));
	ASSERT_EQ(0, get(u64_ptr(at)));
	ASSERT_EQ(0, sys_munmap(u64_ptr(at + 4 * PAGE), PAGE));
	while (next(&s)) {
		ret = _syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0);
		if (ret == 0)
			_exit(0);
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		ASSERT_TRUE(is_error(ret) || waitpid(ret, NULL, 0) == ret);
		ASSERT_EQ(2, tally_settles("areas", 2));
	}
	EXPECT_TRUE(was_all(&s, ret));
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

/* A fault that finds no memory is repeated: the program notices nothing. */
TEST_F_TIMEOUT(failure, touch, 120)
{
	struct sweep s = { .nth = self->nth };
	u8 byte = 0;

	while (next(&s)) {
		u8 *at;
		long ret;

		fail_nth(self->nth, 0);
		ret = map_all(self->fd);
		ASSERT_FALSE(is_error(ret));
		at = u64_ptr(ret);
		fail_nth(self->nth, s.n);
		byte |= __atomic_load_n(at, __ATOMIC_RELAXED);
		__atomic_store_n(at, 0, __ATOMIC_RELAXED);
		ASSERT_TRUE(fine(&s, 0));
		ASSERT_EQ(0, sys_munmap(at, SIZE));
	}
	EXPECT_TRUE(s.done);
	EXPECT_EQ(0, byte);
}

TEST_HARNESS_MAIN
