// SPDX-License-Identifier: GPL-2.0
/*
 * How a driver's area is mapped, and what system calls make of it. Of the crate
 * vmarea, through the device that is its example of the hook mmap.
 */
#include <linux/fadvise.h>
#include <linux/userfaultfd.h>

#include "vmarea_buffer.h"

TEST_F(buffer, pages_are_shared)
{
	long again = map_part(self->fd, PROT_READ, MAP_SHARED, 0, PAGES);

	ASSERT_FALSE(is_error(again));
	EXPECT_EQ(2, areas(self->fd));
	for (int i = 0; i < PAGES; i++) {
		u8 *other = u64_ptr(again + i * PAGE);

		if (i == VMAREA_TEST_HOLE_PAGE)
			continue;
		EXPECT_EQ(i, PAGE_AT(i)[0]);
		EXPECT_EQ(0, PAGE_AT(i)[1]);
		if (i == VMAREA_TEST_CONST_PAGE)
			continue;
		PAGE_AT(i)[1] = 0x40 + i;
		EXPECT_EQ(0x40 + i, other[1]);
	}
	EXPECT_EQ(1, tally("owners"));
}

TEST_F(buffer, files_have_their_own_pages)
{
	int fd = sys_open(BUFFER, O_RDWR);
	long at = map_all(fd);

	ASSERT_FALSE(is_error(at));
	PAGE_AT(0)[9] = 1;
	EXPECT_EQ(0, ((u8 *)u64_ptr(at))[9]);
	EXPECT_EQ(2, tally("owners"));
	EXPECT_EQ(1, areas(fd));
}

TEST_F(buffer, a_part_shows_that_part)
{
	long at = map_part(self->fd, PROT_READ, MAP_SHARED, 2, 2);

	ASSERT_FALSE(is_error(at));
	EXPECT_EQ(2, get(u64_ptr(at)));
	EXPECT_EQ(3, get(u64_ptr(at + PAGE)));
}

TEST_F(buffer, there_is_nothing_beyond_the_end)
{
	EXPECT_EQ(-EINVAL, map_part(self->fd, PROT_READ, MAP_SHARED, 1, PAGES));
	EXPECT_EQ(-EINVAL, map_part(self->fd, PROT_READ, MAP_SHARED, PAGES, 1));
	EXPECT_EQ(-EINVAL,
		  map_part(self->fd, PROT_READ, MAP_SHARED, 0, PAGES + 1));
	EXPECT_EQ(-EINVAL,
		  map_part(self->fd, PROT_READ, MAP_SHARED, 1ULL << 50, 1));
	EXPECT_EQ(-EOVERFLOW,
		  map_part(self->fd, PROT_READ, MAP_SHARED, ~0ULL / PAGE, 1));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(1, tally("areas"));
}

TEST_F(buffer, neighbours_do_not_merge)
{
	long room = map_memory(4);
	char line[256];

	ASSERT_FALSE(is_error(room));
	ASSERT_EQ(room, sys_mmap(u64_ptr(room), 2 * PAGE, PROT_READ,
				 MAP_SHARED | MAP_FIXED, self->fd, 0));
	ASSERT_EQ(room + 2 * (long)PAGE,
		  sys_mmap(u64_ptr(room + 2 * PAGE), 2 * PAGE, PROT_READ,
			   MAP_SHARED | MAP_FIXED, self->fd, 2 * PAGE));
	EXPECT_EQ(3, areas(self->fd));
	EXPECT_EQ(0, vma_line(getpid(), u64_ptr(room + 2 * PAGE), line,
			      sizeof(line)));
}

TEST_F(buffer, private_copies_are_refused)
{
	int prot = PROT_READ | PROT_WRITE;

	EXPECT_EQ(-EINVAL, map_part(self->fd, prot, MAP_PRIVATE, 0, 1));
	/* It could be made writable. */
	EXPECT_EQ(-EINVAL, map_part(self->fd, PROT_READ, MAP_PRIVATE, 0, 1));
	EXPECT_EQ(-EINVAL, map_part(self->fd, PROT_NONE, MAP_PRIVATE, 0, 1));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(1, tally("owners"));
}

TEST_F(buffer, without_pages_copies_are_harmless)
{
	int prot = PROT_READ | PROT_WRITE;
	long at;

	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_NO_PAGES));
	at = map_part(self->fd, prot, MAP_PRIVATE, 0, 1);
	ASSERT_FALSE(is_error(at));
	EXPECT_EQ(-EFAULT, get(u64_ptr(at)));
	EXPECT_EQ(SIGBUS, touch(u64_ptr(at), true));
	EXPECT_EQ(-EPERM, request_range(self->fd, VMAREA_TEST_INSERT, at, 1));
}

TEST_F(buffer, read_only_is_for_ever)
{
	int write = PROT_READ | PROT_WRITE;
	u8 byte = 1;
	long at;

	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_READ_ONLY));
	EXPECT_EQ(-EPERM, map_part(self->fd, write, MAP_SHARED, 0, 1));
	EXPECT_EQ(-EPERM, map_part(self->fd, write, MAP_PRIVATE, 0, 1));
	for (int flags = MAP_SHARED; flags <= MAP_PRIVATE; flags++) {
		at = map_part(self->fd, PROT_READ, flags, 1, 1);
		ASSERT_FALSE(is_error(at));
		EXPECT_EQ(1, get(u64_ptr(at)));
		EXPECT_EQ(-EACCES, sys_mprotect(u64_ptr(at), PAGE, write));
		EXPECT_EQ(-EFAULT, put(u64_ptr(at), 2));
		EXPECT_EQ(SIGSEGV, touch(u64_ptr(at), true));
		/* A debugger may write to what is read-only, but not to this. */
		EXPECT_EQ(-EIO, poke(getpid(), u64_ptr(at), &byte, 1));
		EXPECT_EQ(1, get(u64_ptr(at)));
	}
	/* What was mapped before is as it was. */
	EXPECT_EQ(0, put(PAGE_AT(1), 3));
}

TEST_F(buffer, no_exec_is_for_ever)
{
	int exec = PROT_READ | PROT_EXEC;
	long at;

	at = map_part(self->fd, exec, MAP_SHARED, 0, 1);
	EXPECT_FALSE(is_error(at));
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_NO_EXEC));
	EXPECT_EQ(-EPERM, map_part(self->fd, exec, MAP_SHARED, 0, 1));
	at = map_part(self->fd, PROT_READ, MAP_SHARED, 0, 1);
	ASSERT_FALSE(is_error(at));
	EXPECT_EQ(-EACCES, sys_mprotect(u64_ptr(at), PAGE, exec));
}

TEST_F(buffer, its_flags_are_what_was_asked_for)
{
	char flags[256];
	long at;

	ASSERT_EQ(0, vma_flags(getpid(), self->at, flags, sizeof(flags)));
	EXPECT_NE(NULL, strstr(flags, " mm")) TH_LOG("%s", flags);
	EXPECT_NE(NULL, strstr(flags, " de")) TH_LOG("%s", flags);
	EXPECT_NE(NULL, strstr(flags, " sh")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " dc")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " dd")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " pf")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " io")) TH_LOG("%s", flags);

	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_DONT_COPY |
			     VMAREA_TEST_MODE_DONT_DUMP |
			     VMAREA_TEST_MODE_READ_ONLY |
			     VMAREA_TEST_MODE_NO_PAGES));
	at = map_part(self->fd, PROT_READ, MAP_SHARED, 0, 1);
	ASSERT_FALSE(is_error(at));
	ASSERT_EQ(0, vma_flags(getpid(), u64_ptr(at), flags, sizeof(flags)));
	EXPECT_NE(NULL, strstr(flags, " dc")) TH_LOG("%s", flags);
	EXPECT_NE(NULL, strstr(flags, " dd")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " mm")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " mw")) TH_LOG("%s", flags);
}

/* Each failure of the hook, and what was mapped there before. */
TEST_F(buffer, a_hook_that_fails_leaves_nothing)
{
	static const int errors[] = { EPERM, ENOMEM, EAGAIN, EINTR, EINVAL };

	for (unsigned int i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_HOOK,
				     errors[i]));
		EXPECT_EQ(-errors[i], map_all(self->fd));
		EXPECT_EQ(1, areas(self->fd));
	}
	/* The one that was to be replaced is gone, as after a munmap. */
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_HOOK, EPERM));
	EXPECT_EQ(-EPERM, map_over(self->fd, self->at, PAGES));
	EXPECT_EQ(0, areas(self->fd));
	EXPECT_EQ(SIGSEGV, touch(self->at, false));

	EXPECT_EQ((long)self->at, map_over(self->fd, self->at, PAGES));
	EXPECT_EQ(2, get(PAGE_AT(2)));
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

static long register_uffd(void *at, size_t len, u64 mode)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = ptr_u64(at), .len = len },
		.mode = mode,
	};
	long fd = _syscall(__NR_userfaultfd, UFFD_USER_MODE_ONLY);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_ioctl(fd, UFFDIO_API, &api) ?:
	      sys_ioctl(fd, UFFDIO_REGISTER, &reg);
	sys_close(fd);
	return ret;
}

TEST_F(buffer, userfaultfd_is_refused)
{
	if (!has_userfaultfd())
		SKIP(return, "no userfaultfd in this kernel");
	EXPECT_EQ(-EINVAL, register_uffd(self->at, SIZE,
					 UFFDIO_REGISTER_MODE_MISSING));
	EXPECT_EQ(-EINVAL, register_uffd(self->at, SIZE,
					 UFFDIO_REGISTER_MODE_WP));
	EXPECT_EQ(-EINVAL, register_uffd(self->at, SIZE,
					 UFFDIO_REGISTER_MODE_MINOR));
	EXPECT_EQ(1, get(PAGE_AT(1)));
}

TEST_F(buffer, populate_and_lock_do_no_harm)
{
	int flags = MAP_SHARED | MAP_POPULATE;
	long before = tally("faults");
	long at;

	at = map_part(self->fd, PROT_READ, flags, 0, 3);
	ASSERT_FALSE(is_error(at));
	EXPECT_EQ(before + 3, tally("faults"));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(i, get(u64_ptr(at + i * PAGE)));
	EXPECT_EQ(before + 3, tally("faults"));
	/* With a hole, and pages that are not for writing. */
	EXPECT_FALSE(is_error(map_part(self->fd, PROT_READ | PROT_WRITE,
				       flags | MAP_LOCKED, 0, PAGES)));
}

/* The file has a mapping of its own, which those who sync may look at. */
TEST_F(buffer, calls_about_files_are_answered)
{
	u8 byte = 0;

	EXPECT_EQ(0, put(self->at, 1));
	EXPECT_EQ(-EINVAL, _syscall(__NR_fsync, self->fd));
	EXPECT_EQ(-EINVAL, _syscall(__NR_fdatasync, self->fd));
	EXPECT_EQ(-EINVAL, _syscall(__NR_msync, self->at, SIZE, MS_SYNC));
	EXPECT_EQ(0, _syscall(__NR_msync, self->at, SIZE, MS_ASYNC));
	EXPECT_EQ(-ESPIPE, _syscall(__NR_sync_file_range, self->fd, 0, SIZE, 7));
	for (int advice = POSIX_FADV_NORMAL; advice <= POSIX_FADV_NOREUSE;
	     advice++)
		EXPECT_EQ(0, _syscall(__NR_fadvise64, self->fd, 0, SIZE,
				      advice));
	EXPECT_EQ(-EINVAL, _syscall(__NR_ftruncate, self->fd, SIZE));
	EXPECT_EQ(-EINVAL, sys_read(self->fd, &byte, 1));
	EXPECT_EQ(-EINVAL, sys_write(self->fd, &byte, 1));
	EXPECT_EQ(-ENOTTY, request(self->fd, _IO('V', 99), 0));
	EXPECT_EQ(-EFAULT, sys_ioctl(self->fd, VMAREA_TEST_ZAP, NULL));
	EXPECT_EQ(1, get(self->at));
}

TEST_HARNESS_MAIN
