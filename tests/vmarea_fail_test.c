// SPDX-License-Identifier: GPL-2.0
/*
 * Each allocation in what is done with a driver's area fails once: whatever was
 * half done is undone, and nothing is left of it. For kernels that can inject
 * faults.
 */
#include <kselftest_harness.h>

#include "vmarea.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
/* More than any of these calls allocates. */
#define MOST		300

static bool can_fail(void)
{
	/* All kinds of allocations, and without a report of each. */
	return !access(FAIL_NTH, F_OK) &&
	       !write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
	       !write_file("/sys/kernel/debug/failslab/verbose", "0") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait",
			   "N") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem",
			   "N") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0") &&
	       !write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0");
}

/* Lets the n-th allocation of this thread from now on fail; 0: none. */
static void fail_nth(int fd, unsigned int n)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", n);
	__nolibc_syscall4(__NR_pwrite64, fd, text, strlen(text), 0);
}

/* Whether there was no n-th allocation. Then none fails any more. */
static bool none_failed(int fd)
{
	char text[16] = "";

	sys_pread(fd, text, sizeof(text) - 1, 0);
	fail_nth(fd, 0);
	return atol(text) > 0;
}

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

/*
 * Does a call again and again, each time with the next allocation failing, until
 * there is no next one. The call must fail with ENOMEM or succeed; after each,
 * AFTER is done with the result.
 */
#define FOR_EACH_FAILURE(ret, CALL, AFTER) do {				\
	bool done = false;						\
	int failed = 0;							\
									\
	for (int n = 1; n < MOST && !done; n++) {			\
		fail_nth(self->nth, n);					\
		ret = CALL;						\
		done = none_failed(self->nth);				\
		if (is_error(ret)) {					\
			ASSERT_EQ(-ENOMEM, ret) TH_LOG("at %d", n);	\
			failed++;					\
		}							\
		AFTER;							\
	}								\
	EXPECT_TRUE(done);						\
	/* Or there was nothing that could fail. */			\
	EXPECT_LT(0, failed);						\
	EXPECT_FALSE(is_error(ret));					\
} while (0)

TEST_F_TIMEOUT(failure, open, 120)
{
	long ret;

	ASSERT_EQ(0, sys_close(self->fd));
	FOR_EACH_FAILURE(ret, sys_open(variant->device, O_RDWR), {
		if (!is_error(ret))
			sys_close(ret);
		ASSERT_TRUE(all_is_gone());
	});
}

/* A try that was not confirmed leaves its owner to the next one. */
TEST_F_TIMEOUT(failure, map, 120)
{
	long left = strcmp(variant->device, BUFFER) ? 1 : 0;
	long before = tally("owners");
	long ret;

	FOR_EACH_FAILURE(ret, map_all(self->fd), {
		if (!is_error(ret))
			sys_munmap(u64_ptr(ret), SIZE);
		ASSERT_EQ(0, areas(self->fd));
		ASSERT_GE(before + left, tally("owners"));
	});
	EXPECT_EQ(before, tally("owners"));
	/* The last that is left over goes with the file. */
	fail_nth(self->nth, 2);
	ret = map_all(self->fd);
	fail_nth(self->nth, 0);
	if (!is_error(ret))
		sys_munmap(u64_ptr(ret), SIZE);
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, map_over_areas, 120)
{
	long at = map_all(self->fd);
	u8 *middle = u64_ptr(at + 2 * PAGE);
	long ret;

	ASSERT_FALSE(is_error(at));
	FOR_EACH_FAILURE(ret, map_over(self->fd, middle, 2), {
		/* Two parts and the new one, or a hole, or nothing changed. */
		ASSERT_TRUE(is_error(ret) || areas(self->fd) == 3);
		ASSERT_EQ(at, map_over(self->fd, u64_ptr(at), PAGES));
		ASSERT_EQ(1, areas(self->fd));
	});
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, split, 120)
{
	long at = map_all(self->fd);
	long ret;

	ASSERT_FALSE(is_error(at));
	FOR_EACH_FAILURE(ret, sys_munmap(u64_ptr(at + 2 * PAGE), PAGE), {
		/* A failure may come when one of the two splits is done. */
		ASSERT_GE(2, areas(self->fd));
		ASSERT_LE(1, areas(self->fd));
		ASSERT_EQ(at, map_over(self->fd, u64_ptr(at), PAGES));
	});
	FOR_EACH_FAILURE(ret, sys_mprotect(u64_ptr(at + 2 * PAGE), PAGE,
					   PROT_READ), {
		ASSERT_GE(3, areas(self->fd));
		ASSERT_EQ(at, map_over(self->fd, u64_ptr(at), PAGES));
	});
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, move, 120)
{
	long room = map_memory(PAGES);
	long at = map_all(self->fd);
	long ret;

	ASSERT_FALSE(is_error(at));
	ASSERT_EQ(0, get(u64_ptr(at)));
	FOR_EACH_FAILURE(ret, sys_mremap(u64_ptr(at), SIZE, SIZE,
					 MREMAP_MAYMOVE | MREMAP_FIXED,
					 u64_ptr(room)), {
		/* An allocation may be one that can be done without. */
		if (!is_error(ret)) {
			room = at;
			at = ret;
		}
		ASSERT_EQ(1, areas(self->fd));
		ASSERT_EQ(0, get(u64_ptr(at)));
	});
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F_TIMEOUT(failure, fork, 120)
{
	long at = map_all(self->fd);
	long ret;

	ASSERT_FALSE(is_error(at));
	ASSERT_EQ(0, get(u64_ptr(at)));
	ASSERT_EQ(0, sys_munmap(u64_ptr(at + 4 * PAGE), PAGE));
	FOR_EACH_FAILURE(ret, ({
		long pid = _syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0);

		if (pid == 0)
			_exit(0);
		pid;
	}), {
		ASSERT_TRUE(is_error(ret) || waitpid(ret, NULL, 0) == ret);
		ASSERT_EQ(2, tally_settles("areas", 2));
	});
	ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

/* A fault that finds no memory is repeated: the program notices nothing. */
TEST_F_TIMEOUT(failure, touch, 120)
{
	u8 byte = 0;
	bool done = false;

	for (int n = 1; n < MOST && !done; n++) {
		long at = map_all(self->fd);

		ASSERT_FALSE(is_error(at));
		fail_nth(self->nth, n);
		byte += *(volatile u8 *)u64_ptr(at);
		*(volatile u8 *)u64_ptr(at) = 0;
		done = none_failed(self->nth);
		ASSERT_EQ(0, sys_munmap(u64_ptr(at), SIZE));
	}
	EXPECT_TRUE(done);
	EXPECT_EQ(0, byte);
}

VMAREA_TEST_MAIN
