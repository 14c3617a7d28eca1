// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a driver's area that is split, moved and inherited.
 */
#include "vmarea_buffer.h"

/* Splitting. */

TEST_F(buffer, unmapping_a_part_makes_two)
{
	ASSERT_EQ(0, sys_munmap(PAGE_AT(3), PAGE));
	EXPECT_EQ(2, areas(self->fd));
	EXPECT_EQ(1, tally("owners"));
	EXPECT_EQ(2, get(PAGE_AT(2)));
	EXPECT_EQ(4, get(PAGE_AT(4)));
	EXPECT_EQ(SIGSEGV, touch(PAGE_AT(3), false));
	/* Each half knows where it is. */
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP,
				   ptr_u64(PAGE_AT(4)), 1));
	EXPECT_EQ(1, request_range(self->fd, VMAREA_TEST_INSERT,
				   ptr_u64(PAGE_AT(4)), 1));
	EXPECT_EQ(4, get(PAGE_AT(4)));
	EXPECT_EQ(-ENOENT, request_range(self->fd, VMAREA_TEST_ZAP,
					 ptr_u64(PAGE_AT(3)), 1));

	ASSERT_EQ(0, sys_munmap(PAGE_AT(0), 2 * PAGE));
	EXPECT_EQ(2, areas(self->fd));
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	EXPECT_EQ(0, areas(self->fd));
	EXPECT_EQ(1, tally("owners"));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F(buffer, protecting_a_part_makes_three)
{
	EXPECT_EQ(0, put(PAGE_AT(2), 22));
	ASSERT_EQ(0, sys_mprotect(PAGE_AT(2), PAGE, PROT_READ));
	EXPECT_EQ(3, areas(self->fd));
	EXPECT_EQ(-EFAULT, put(PAGE_AT(2), 23));
	EXPECT_EQ(0, put(PAGE_AT(1), 11));
	EXPECT_EQ(0, put(PAGE_AT(4), 44));
	EXPECT_EQ(22, get(PAGE_AT(2)));

	ASSERT_EQ(0, sys_mprotect(self->at, SIZE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(3, areas(self->fd));
	EXPECT_EQ(0, put(PAGE_AT(2), 24));
	EXPECT_EQ(24, get(PAGE_AT(2)));
	ASSERT_EQ(0, sys_mprotect(self->at, SIZE, PROT_NONE));
	EXPECT_EQ(-EFAULT, get(PAGE_AT(2)));
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	EXPECT_EQ(0, areas(self->fd));
}

TEST_F(buffer, mapping_over_a_part_makes_two)
{
	ASSERT_EQ((long)PAGE_AT(2),
		  sys_mmap(PAGE_AT(2), 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(2, areas(self->fd));
	EXPECT_EQ(0, get(PAGE_AT(2)));
	/* What is there now is not unmapped with the file's pages. */
	PAGE_AT(2)[0] = 99;
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, 0, PAGES));
	EXPECT_EQ(99, PAGE_AT(2)[0]);
	EXPECT_EQ(1, get(PAGE_AT(1)));
	EXPECT_EQ(4, get(PAGE_AT(4)));
}

/* Moving. */

TEST_F(buffer, a_moved_area_is_the_same)
{
	long room = map_memory(PAGES);
	u8 *to = u64_ptr(room);
	long faults;

	EXPECT_EQ(0, put(PAGE_AT(1), 11));
	faults = tally("faults");
	ASSERT_EQ(room, sys_mremap(self->at, SIZE, SIZE,
				   MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(SIGSEGV, touch(self->at, false));
	/* The entries went with it. */
	EXPECT_EQ(11, get(to + PAGE));
	EXPECT_EQ(faults, tally("faults"));
	EXPECT_EQ(2, get(to + 2 * PAGE));
	EXPECT_EQ(faults + 1, tally("faults"));
	EXPECT_EQ(SIGBUS, touch(to + VMAREA_TEST_HOLE_PAGE * PAGE, false));

	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP, room, PAGES));
	EXPECT_EQ(11, get(to + PAGE));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, 1, 1));
	EXPECT_EQ(11, get(to + PAGE));
	EXPECT_EQ(-ENOENT, request_range(self->fd, VMAREA_TEST_ZAP,
					 ptr_u64(self->at), 1));
	ASSERT_EQ(0, sys_munmap(to, SIZE));
	EXPECT_EQ(0, areas(self->fd));
}

TEST_F(buffer, a_part_can_be_moved)
{
	long room = map_memory(2);
	u8 *to = u64_ptr(room);
	u8 byte = 0;

	/* The hole and the page after it. */
	ASSERT_EQ(room, sys_mremap(PAGE_AT(VMAREA_TEST_HOLE_PAGE), 2 * PAGE,
				   2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
				   to));
	EXPECT_EQ(3, areas(self->fd));
	EXPECT_EQ(-EFAULT, get(to));
	EXPECT_EQ(1, peek(getpid(), to + 7, &byte, 1));
	EXPECT_EQ(VMAREA_TEST_HOLE_PAGE, byte);
	EXPECT_EQ(VMAREA_TEST_HOLE_PAGE + 1, get(to + PAGE));
	EXPECT_EQ(0, put(to + PAGE, 66));
	EXPECT_EQ(7, get(PAGE_AT(7)));
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(66, get(to + PAGE));
}

TEST_F(buffer, it_shrinks_and_does_not_grow)
{
	EXPECT_EQ(-EFAULT, sys_mremap(self->at, SIZE, SIZE + PAGE,
				      MREMAP_MAYMOVE, NULL));
	EXPECT_EQ(-EFAULT, sys_mremap(self->at, 0, SIZE, MREMAP_MAYMOVE,
				      NULL));
	EXPECT_EQ(-EINVAL, sys_mremap(self->at, SIZE, SIZE,
				      MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ((long)self->at, sys_mremap(self->at, SIZE, 2 * PAGE, 0,
					     NULL));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(1, get(PAGE_AT(1)));
	EXPECT_EQ(SIGSEGV, touch(PAGE_AT(2), false));
}

/* Copies. */

TEST_F(buffer, a_child_sees_what_was_there)
{
	struct party *c;
	u64 at = ptr_u64(self->at);

	EXPECT_EQ(0, get(PAGE_AT(0)));
	EXPECT_EQ(0, put(PAGE_AT(1), 11));
	c = party_new();
	ASSERT_NE(NULL, c);
	EXPECT_EQ(2, areas(self->fd));
	EXPECT_EQ(1, tally("owners"));

	EXPECT_EQ(0, ON(c, op_get, at));
	EXPECT_EQ(11, ON(c, op_get, at + PAGE));
	EXPECT_EQ(0, put(PAGE_AT(1), 12));
	EXPECT_EQ(12, ON(c, op_get, at + PAGE));
	EXPECT_EQ(0, ON(c, op_put, at + PAGE, 13));
	EXPECT_EQ(13, get(PAGE_AT(1)));
	/* No more than that: neither faults nor rights. */
	EXPECT_EQ(-EFAULT, ON(c, op_get, at + 2 * PAGE));
	EXPECT_EQ(-EFAULT, ON(c, op_put, at, 1));
	EXPECT_EQ(0, get(PAGE_AT(0)));
	EXPECT_EQ(2, get(PAGE_AT(2)));

	EXPECT_EQ(SIGKILL, party_kill(c));
	EXPECT_EQ(1, tally_settles("areas", 1));
	EXPECT_EQ(11 + 2, get(PAGE_AT(1)));
}

TEST_F(buffer, copies_are_counted_as_they_come_and_go)
{
	struct party *c = party_new();
	struct party *d = party_new();
	u64 at = ptr_u64(self->at);

	ASSERT_NE(NULL, d);
	EXPECT_EQ(3, areas(self->fd));
	EXPECT_EQ(0, ON(c, op_unmap, at + 2 * PAGE, PAGE));
	EXPECT_EQ(4, areas(self->fd));
	/* It is the children who have the areas now, and the file. */
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_EQ(3, tally("areas"));
	EXPECT_EQ(1, tally("owners"));
	EXPECT_EQ(1, tally("files"));
	EXPECT_EQ(0, ON(c, op_unmap, at, SIZE));
	EXPECT_EQ(1, tally("areas"));
	party_kill(c);
	EXPECT_EQ(1, tally("owners"));
	party_kill(d);
	EXPECT_TRUE(all_is_gone());
}

TEST_F(buffer, a_child_maps_its_own_files)
{
	struct party *c = party_new();

	ASSERT_NE(NULL, c);
	EXPECT_EQ(-EINVAL, ON(c, op_map_all, self->fd));
	EXPECT_EQ(0, ON(c, op_open_and_map, ptr_u64(BUFFER)));
	EXPECT_EQ(2, tally("owners"));
	EXPECT_EQ(4, ON(c, op_get, ptr_u64(c->area) + 4 * PAGE));
}

/* The driver works on the area of the file's process, whoever asks for it. */
TEST_F(buffer, a_child_can_ask_for_its_parents_area)
{
	struct party *c;
	u64 at = ptr_u64(self->at);
	long faults;

	EXPECT_EQ(1, get(PAGE_AT(1)));
	c = party_new();
	ASSERT_NE(NULL, c);
	EXPECT_EQ(0, ON(c, op_request_range, self->fd, VMAREA_TEST_ZAP,
			at + PAGE, 1));
	faults = tally("faults");
	EXPECT_EQ(1, ON(c, op_get, at + PAGE));
	EXPECT_EQ(1, get(PAGE_AT(1)));
	EXPECT_EQ(faults + 1, tally("faults"));
	EXPECT_EQ(1, ON(c, op_request_range, self->fd, VMAREA_TEST_INSERT,
			at + 4 * PAGE, 1));
	EXPECT_EQ(4, get(PAGE_AT(4)));
	EXPECT_EQ(-EFAULT, ON(c, op_get, at + 4 * PAGE));
	EXPECT_EQ(faults + 1, tally("faults"));
}

TEST_F(buffer, unmapping_by_the_file_reaches_copies)
{
	struct party *c;
	u64 at = ptr_u64(self->at);

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(i, get(PAGE_AT(i)));
	c = party_new();
	ASSERT_NE(NULL, c);
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_ZAP, at, 1));
	EXPECT_EQ(0, ON(c, op_get, at));
	EXPECT_EQ(0, request_range(self->fd, VMAREA_TEST_UNMAP, 0, 2));
	EXPECT_EQ(-EFAULT, ON(c, op_get, at));
	EXPECT_EQ(-EFAULT, ON(c, op_get, at + PAGE));
	EXPECT_EQ(2, ON(c, op_get, at + 2 * PAGE));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(i, get(PAGE_AT(i)));
}

TEST_F(buffer, debuggers_see_no_hole_in_copies)
{
	u8 *hole = PAGE_AT(VMAREA_TEST_HOLE_PAGE);
	struct party *c;
	u8 byte = 0;

	EXPECT_EQ(1, get(PAGE_AT(1)));
	c = party_new();
	ASSERT_NE(NULL, c);
	EXPECT_EQ(1, peek(c->pid, PAGE_AT(1), &byte, 1));
	EXPECT_EQ(1, byte);
	EXPECT_EQ(-EIO, peek(c->pid, PAGE_AT(2), &byte, 1));
	EXPECT_EQ(-EIO, peek(c->pid, hole, &byte, 1));
	EXPECT_EQ(-EIO, poke(c->pid, hole, &byte, 1));
	EXPECT_EQ(1, peek(getpid(), hole, &byte, 1));
}

TEST_F(buffer, dontfork_is_per_page)
{
	struct party *c;
	u64 at = ptr_u64(self->at);

	for (int i = 0; i < 3; i++)
		EXPECT_EQ(i, get(PAGE_AT(i)));
	ASSERT_EQ(0, sys_madvise(PAGE_AT(1), PAGE, MADV_DONTFORK));
	EXPECT_EQ(3, areas(self->fd));
	c = party_new();
	ASSERT_NE(NULL, c);
	EXPECT_EQ(5, areas(self->fd));
	EXPECT_EQ(0, ON(c, op_get, at));
	EXPECT_EQ(-EFAULT, ON(c, op_get, at + PAGE));
	EXPECT_EQ(2, ON(c, op_get, at + 2 * PAGE));
	/* It cannot be taken back, because of what else the area is. */
	EXPECT_EQ(-EINVAL, sys_madvise(self->at, SIZE, MADV_DOFORK));
	EXPECT_EQ(1, get(PAGE_AT(1)));
}

TEST_F(buffer, dont_copy_stays)
{
	struct party *c;

	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_DONT_COPY));
	ASSERT_EQ((long)self->at, map_over(self->fd, self->at, PAGES));
	EXPECT_EQ(1, get(PAGE_AT(1)));
	EXPECT_EQ(-EINVAL, sys_madvise(self->at, SIZE, MADV_DOFORK));
	c = party_new();
	ASSERT_NE(NULL, c);
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(-EFAULT, ON(c, op_get, ptr_u64(PAGE_AT(1))));
}

TEST_HARNESS_MAIN
