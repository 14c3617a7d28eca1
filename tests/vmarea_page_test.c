// SPDX-License-Identifier: GPL-2.0
/*
 * What can be done with the pages of a driver's area, by programs and by
 * debuggers, and how the driver takes them away.
 */
#include "vmarea_buffer.h"

TEST_F(buffer, page_mkwrite_is_asked_once)
{
	long before = tally("mkwrites");

	EXPECT_EQ(0, get(self->at));
	EXPECT_EQ(before, tally("mkwrites"));
	EXPECT_EQ(0, put(self->at, 1));
	EXPECT_EQ(before + 1, tally("mkwrites"));
	EXPECT_EQ(0, put(self->at, 2));
	EXPECT_EQ(0, touch(self->at, true));
	EXPECT_EQ(before + 1, tally("mkwrites"));
	EXPECT_EQ(2, get(self->at));

	/* What is unmapped is forgotten. */
	ASSERT_EQ(0, sys_madvise(self->at, PAGE, MADV_DONTNEED));
	EXPECT_EQ(2, get(self->at));
	EXPECT_EQ(before + 1, tally("mkwrites"));
	EXPECT_EQ(0, put(self->at, 3));
	EXPECT_EQ(before + 2, tally("mkwrites"));
}

TEST_F(buffer, page_mkwrite_refuses)
{
	u8 *at = PAGE_AT(VMAREA_TEST_CONST_PAGE);
	u8 byte = 77;

	EXPECT_EQ(VMAREA_TEST_CONST_PAGE, get(at));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(SIGBUS, touch(at, true));
		EXPECT_EQ(-EFAULT, put(at, byte));
		EXPECT_EQ(-EIO, poke(getpid(), at, &byte, 1));
	}
	/* Not even when it is not mapped. */
	ASSERT_EQ(0, sys_madvise(at, PAGE, MADV_DONTNEED));
	EXPECT_EQ(SIGBUS, touch(at, true));
	EXPECT_EQ(VMAREA_TEST_CONST_PAGE, get(at));
	EXPECT_EQ(0, touch(at, false));
	/* The neighbours are no worse for that. */
	EXPECT_EQ(0, put(at - PAGE, byte));
	EXPECT_EQ(0, put(at + PAGE, byte));
}

TEST_F(buffer, page_mkwrite_has_it_repeated)
{
	u8 *at = PAGE_AT(VMAREA_TEST_SHY_PAGE);
	long before = tally("mkwrites");

	EXPECT_EQ(VMAREA_TEST_SHY_PAGE, get(at));
	EXPECT_EQ(0, put(at, 55));
	EXPECT_EQ(before + 2, tally("mkwrites"));
	EXPECT_EQ(55, get(at));
}

TEST_F(buffer, gup_may_write_what_page_mkwrite_allows)
{
	u8 byte = 99;

	EXPECT_EQ(1, poke(getpid(), PAGE_AT(2), &byte, 1));
	EXPECT_EQ(99, get(PAGE_AT(2)));
	EXPECT_EQ(99, gup(getpid(), PAGE_AT(2)));
}

/* Debuggers. */

TEST_F(buffer, a_hole_is_seen_by_debuggers_alone)
{
	u8 *at = PAGE_AT(VMAREA_TEST_HOLE_PAGE);
	long before = tally("accesses");
	u8 byte = 0;

	EXPECT_EQ(SIGBUS, touch(at, false));
	EXPECT_EQ(SIGBUS, touch(at, true));
	EXPECT_EQ(-EFAULT, get(at));
	/* This asks for pages, and there is none. */
	EXPECT_EQ(-EFAULT, gup(getpid(), at));
	EXPECT_EQ(before, tally("accesses"));

	EXPECT_EQ(1, peek(getpid(), at + 17, &byte, 1));
	EXPECT_EQ(VMAREA_TEST_HOLE_PAGE, byte);
	byte = 200;
	EXPECT_EQ(1, poke(getpid(), at + 17, &byte, 1));
	byte = 0;
	EXPECT_EQ(1, peek(getpid(), at + 17, &byte, 1));
	EXPECT_EQ(200, byte);
	EXPECT_EQ(before + 3, tally("accesses"));
	EXPECT_EQ(-EFAULT, get(at));
}

TEST_F(buffer, ptrace_sees_the_hole)
{
	u8 *at = PAGE_AT(VMAREA_TEST_HOLE_PAGE);
	unsigned long word = 0;
	int status;
	int pid = fork();

	/* The child is the debugger: only here the area is its owner's. */
	if (pid == 0) {
		long target = getppid();
		long ret = _syscall(__NR_ptrace, 16 /* ATTACH */, target, 0, 0);

		if (ret || waitpid(target, &status, 0) != target)
			_exit(1);
		ret = _syscall(__NR_ptrace, 2 /* PEEKDATA */, target, at,
			       &word);
		_syscall(__NR_ptrace, 17 /* DETACH */, target, 0, 0);
		_exit(ret || word != 0x0505050505050505UL ? 2 : 0);
	}
	ASSERT_LT(0, pid);
	while (waitpid(pid, &status, 0) != pid)
		;
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(0, WEXITSTATUS(status));
}

TEST_F(buffer, access_is_asked_for_one_page)
{
	u8 *at = PAGE_AT(VMAREA_TEST_HOLE_PAGE);
	long before = tally("accesses");
	u8 text[4 * PAGE];

	/* From the page before it to the one after it. */
	memset(text, 0xff, sizeof(text));
	ASSERT_EQ(2 * (long)PAGE + 200,
		  peek(getpid(), at - 100, text, 2 * PAGE + 200));
	EXPECT_EQ(0, text[0]);
	EXPECT_EQ(VMAREA_TEST_HOLE_PAGE, text[100]);
	EXPECT_EQ(VMAREA_TEST_HOLE_PAGE, text[100 + PAGE - 1]);
	EXPECT_EQ(VMAREA_TEST_SHY_PAGE, text[100 + PAGE]);
	EXPECT_EQ(0, text[100 + PAGE + 1]);
	/* Twice, because /proc asks for so many bytes at once. */
	EXPECT_EQ(before + 2, tally("accesses"));
}

TEST_F(buffer, access_ends_with_the_area)
{
	u8 *at = PAGE_AT(VMAREA_TEST_HOLE_PAGE);
	u8 text[3 * PAGE];

	/* The hole is the last page of the area, and nothing follows. */
	ASSERT_EQ(0, sys_munmap(at + PAGE, 2 * PAGE));
	EXPECT_EQ((long)PAGE, peek(getpid(), at, text, sizeof(text)));
	EXPECT_EQ((long)PAGE, poke(getpid(), at, text, sizeof(text)));
	EXPECT_EQ(100, peek(getpid(), at + PAGE - 100, text, sizeof(text)));
}

/* Taking pages away. */

TEST_F(buffer, unmapped_pages_come_back)
{
	long before;

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(0, put(PAGE_AT(i), 10 + i));
	before = tally("faults");
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(10 + i, get(PAGE_AT(i)));
	EXPECT_EQ(before, tally("faults"));

	ASSERT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, 1, 1));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(10 + i, get(PAGE_AT(i)));
	EXPECT_EQ(before + 1, tally("faults"));

	ASSERT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP,
				   ptr_u64(PAGE_AT(1)), 2));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(10 + i, get(PAGE_AT(i)));
	EXPECT_EQ(before + 3, tally("faults"));
}

TEST_F(buffer, no_page_is_unmapped_outside)
{
	long before;

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(i, get(PAGE_AT(i)));
	before = tally("faults");
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, 0, 0));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, 3, 100));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, 1, ~0ULL));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, ~0ULL, 1));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP,
				   ptr_u64(self->at), PAGES + 1));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP,
				   ptr_u64(self->at), 0));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP,
				   ptr_u64(self->at), ~0ULL));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP,
				   ptr_u64(self->at) + 1, 1));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(i, get(PAGE_AT(i)));
	EXPECT_EQ(before, tally("faults"));
}

TEST_F(buffer, inserted_pages_need_no_fault)
{
	long before = tally("faults");

	EXPECT_EQ(4, request_range(self->fd, VMAREA_TEST_INSERT,
				   ptr_u64(PAGE_AT(1)), 4));
	for (int i = 1; i < 5; i++)
		EXPECT_EQ(i, get(PAGE_AT(i)));
	EXPECT_EQ(before, tally("faults"));
	EXPECT_EQ(-EBUSY, request_range(self->fd, VMAREA_TEST_INSERT,
					ptr_u64(PAGE_AT(1)), 1));
	EXPECT_EQ(1, request_range(self->fd, VMAREA_TEST_INSERT,
				   ptr_u64(self->at), 4));
	EXPECT_EQ(-EFAULT, request_range(self->fd, VMAREA_TEST_INSERT,
					 ptr_u64(self->at) + 1, 1));
	/* They are as read-only as others. */
	EXPECT_EQ(SIGBUS, touch(PAGE_AT(VMAREA_TEST_CONST_PAGE), true));
	EXPECT_EQ(0, touch(PAGE_AT(1), true));
}

/* What is at the place of an area that is gone. */
TEST_F(buffer, others_are_not_taken_for_it)
{
	int other = sys_open(BUFFER, O_RDWR);
	int device = sys_open(PREPARED, O_RDWR);
	u64 at = ptr_u64(self->at);

	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	EXPECT_EQ(-ENOENT, request_range(self->fd, VMAREA_TEST_ZAP, at, 1));
	EXPECT_EQ(-ENOENT, request_range(self->fd, VMAREA_TEST_INSERT, at, 1));

	ASSERT_EQ((long)at, sys_mmap(self->at, SIZE, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				     -1, 0));
	self->at[0] = 123;
	EXPECT_EQ(-EPERM, request_range(self->fd, VMAREA_TEST_ZAP, at, 1));
	EXPECT_EQ(-EPERM, request_range(self->fd, VMAREA_TEST_INSERT, at, 1));
	EXPECT_EQ(123, self->at[0]);

	ASSERT_EQ((long)at, map_over(other, self->at, PAGES));
	EXPECT_EQ(-EPERM, request_range(self->fd, VMAREA_TEST_ZAP, at, 1));
	EXPECT_EQ(-EPERM, request_range(self->fd, VMAREA_TEST_INSERT, at, 1));
	EXPECT_EQ(0, request_range(other, VMAREA_TEST_ZAP, at, 1));

	ASSERT_EQ((long)at, map_over(device, self->at, PAGES));
	EXPECT_EQ(-EPERM, request_range(self->fd, VMAREA_TEST_ZAP, at, 1));
	EXPECT_EQ(-EPERM, request_range(self->fd, VMAREA_TEST_INSERT, at, 1));

	ASSERT_EQ((long)at, map_over(self->fd, self->at, PAGES));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP, at, 1));
	EXPECT_EQ(1, request_range(self->fd, VMAREA_TEST_INSERT, at, 1));
}

TEST_HARNESS_MAIN
