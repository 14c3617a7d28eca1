// SPDX-License-Identifier: GPL-2.0
/*
 * Areas that the driver learns of when they are there: confirmed, refused, and
 * those that never come about. Of the crate vmarea, through the device that is
 * its example of the hook mmap_prepare.
 */
#include <kselftest_harness.h>

#include "vma.h"
#include "vmarea.h"

FIXTURE(prepared)
{
	int fd;
};

FIXTURE_SETUP(prepared)
{
	ASSERT_TRUE(all_is_gone());
	self->fd = sys_open(PREPARED, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(prepared)
{
	kill_all_parties();
}

/* The owners that there are, each of which is kept by an area or by a try. */
#define EXPECT_OWNERS(number)	EXPECT_EQ(number, tally("owners"))

/* NULL if it cannot be mapped. */
static u8 *map_new(int fd)
{
	long at = map_all(fd);

	return is_error(at) ? NULL : u64_ptr(at);
}

TEST_F(prepared, an_area_is_confirmed)
{
	u8 *at;

	EXPECT_OWNERS(0);
	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	EXPECT_OWNERS(1);
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(0, put(at, 1));
	/* It is the same page everywhere. */
	EXPECT_EQ(1, get(at + 7 * PAGE));
	ASSERT_EQ(0, sys_munmap(at, SIZE));
	EXPECT_OWNERS(0);
	EXPECT_EQ(0, areas(self->fd));
}

TEST_F(prepared, mappings_have_their_own_owners)
{
	u8 *at[3];

	for (int i = 0; i < 3; i++) {
		at[i] = map_new(self->fd);
		ASSERT_NE(NULL, at[i]);
		EXPECT_EQ(0, put(at[i], 10 + i));
	}
	EXPECT_OWNERS(3);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(10 + i, get(at[i] + PAGE));
	ASSERT_EQ(0, sys_munmap(at[1], SIZE));
	EXPECT_OWNERS(2);
	EXPECT_EQ(2, areas(self->fd));
	EXPECT_EQ(12, get(at[2]));
}

TEST_F(prepared, an_area_outlives_its_file)
{
	u8 *at;

	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_EQ(0, put(at, 5));
	EXPECT_EQ(5, get(at + PAGE));
	EXPECT_OWNERS(1);
	EXPECT_EQ(1, tally("files"));
	ASSERT_EQ(0, sys_munmap(at, SIZE));
	EXPECT_TRUE(all_is_gone());
}

static const int errors[] = { EPERM, ENOMEM, EAGAIN, EINTR, EINVAL, EBUSY };
#define NR_ERRORS	(sizeof(errors) / sizeof(*errors))

TEST_F(prepared, mapped_fails_and_nothing_is_there)
{
	long hole = map_memory(PAGES);
	u8 *at;

	ASSERT_EQ(0, sys_munmap(u64_ptr(hole), SIZE));
	for (unsigned int i = 0; i < NR_ERRORS; i++) {
		ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_MAPPED,
				     errors[i]));
		EXPECT_EQ(-errors[i], map_over(self->fd, u64_ptr(hole), PAGES));
		EXPECT_OWNERS(0);
		EXPECT_EQ(0, areas(self->fd));
		EXPECT_EQ(SIGSEGV, touch(u64_ptr(hole), false));
	}
	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	EXPECT_OWNERS(1);
	EXPECT_EQ(0, get(at));
}

TEST_F(prepared, mapped_fails_and_what_was_there_is_gone)
{
	long memory = map_memory(PAGES);
	u8 *middle = u64_ptr(memory + 2 * PAGE);

	*middle = 1;
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_MAPPED, ENOMEM));
	EXPECT_EQ(-ENOMEM, map_over(self->fd, middle, 2));
	EXPECT_EQ(SIGSEGV, touch(middle, false));
	EXPECT_EQ(SIGSEGV, touch(middle + PAGE, false));
	EXPECT_EQ(0, touch(middle - PAGE, true));
	EXPECT_EQ(0, touch(middle + 2 * PAGE, true));
	EXPECT_OWNERS(0);
	EXPECT_EQ((long)middle, map_over(self->fd, middle, 2));
	EXPECT_OWNERS(1);
}

TEST_F(prepared, mapped_fails_over_own_areas)
{
	u8 *at;

	/* All of it: it is closed before the hook is called. */
	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_MAPPED, EPERM));
	EXPECT_EQ(-EPERM, map_over(self->fd, at, PAGES));
	EXPECT_OWNERS(0);
	EXPECT_EQ(0, areas(self->fd));

	/* A part of it. */
	ASSERT_EQ((long)at, map_over(self->fd, at, PAGES));
	EXPECT_EQ(0, put(at, 7));
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_MAPPED, EPERM));
	EXPECT_EQ(-EPERM, map_over(self->fd, at + PAGE, 2));
	EXPECT_OWNERS(1);
	EXPECT_EQ(2, areas(self->fd));
	EXPECT_EQ(7, get(at));
	EXPECT_EQ(7, get(at + 3 * PAGE));
	EXPECT_EQ(SIGSEGV, touch(at + PAGE, false));
	ASSERT_EQ((long)at + (long)PAGE, map_over(self->fd, at + PAGE, 2));
	EXPECT_OWNERS(2);
	EXPECT_EQ(0, get(at + PAGE));
	ASSERT_EQ(0, sys_munmap(at, SIZE));
	EXPECT_OWNERS(0);
}

TEST_F(prepared, the_hook_fails_and_nothing_is_there)
{
	u8 *at;

	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	for (unsigned int i = 0; i < NR_ERRORS; i++) {
		ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_HOOK,
				     errors[i]));
		EXPECT_EQ(-errors[i], map_all(self->fd));
		EXPECT_OWNERS(1);
		EXPECT_EQ(1, areas(self->fd));
	}
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_FAIL_HOOK, EPERM));
	EXPECT_EQ(-EPERM, map_over(self->fd, at + PAGE, PAGES - 1));
	EXPECT_EQ(0, get(at));
	EXPECT_EQ(SIGSEGV, touch(at + PAGE, false));
	EXPECT_OWNERS(1);
	EXPECT_EQ(1, areas(self->fd));
	ASSERT_EQ((long)at, map_over(self->fd, at, PAGES));
	EXPECT_OWNERS(1);
}

TEST_F(prepared, its_flags_are_what_was_asked_for)
{
	int write = PROT_READ | PROT_WRITE;
	char flags[256];
	long at;

	EXPECT_EQ(-EINVAL, map_part(self->fd, write, MAP_PRIVATE, 0, 1));
	EXPECT_OWNERS(0);
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_READ_ONLY |
			     VMAREA_TEST_MODE_NO_EXEC |
			     VMAREA_TEST_MODE_DONT_COPY));
	EXPECT_EQ(-EPERM, map_part(self->fd, write, MAP_SHARED, 0, 1));
	EXPECT_EQ(-EPERM, map_part(self->fd, PROT_READ | PROT_EXEC, MAP_SHARED,
				   0, 1));
	EXPECT_OWNERS(0);
	at = map_part(self->fd, PROT_READ, MAP_PRIVATE, 5, 1);
	ASSERT_FALSE(is_error(at));
	EXPECT_EQ(-EACCES, sys_mprotect(u64_ptr(at), PAGE, write));
	EXPECT_EQ(-EACCES, sys_mprotect(u64_ptr(at), PAGE,
					PROT_READ | PROT_EXEC));
	ASSERT_EQ(0, vma_flags(getpid(), u64_ptr(at), flags, sizeof(flags)));
	EXPECT_NE(NULL, strstr(flags, " mm")) TH_LOG("%s", flags);
	EXPECT_NE(NULL, strstr(flags, " dc")) TH_LOG("%s", flags);
	EXPECT_NE(NULL, strstr(flags, " de")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " mw")) TH_LOG("%s", flags);
	EXPECT_EQ(0, get(u64_ptr(at)));
}

TEST_F(prepared, a_child_cannot_map_it)
{
	struct party *c = party_new();
	u8 *at;

	ASSERT_NE(NULL, c);
	EXPECT_EQ(-EINVAL, ON(c, op_map_all, self->fd));
	EXPECT_OWNERS(0);
	EXPECT_EQ(0, ON(c, op_open_and_map, ptr_u64(PREPARED)));
	EXPECT_OWNERS(1);
	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	EXPECT_OWNERS(2);
	EXPECT_EQ(0, get(at));
	party_kill(c);
	EXPECT_EQ(1, tally_settles("owners", 1));
}

/* Areas that may change, and others. */

TEST_F(prepared, parts_and_copies_keep_their_owner)
{
	struct party *c;
	u8 *at;

	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(0, put(at, 3));
	ASSERT_EQ(0, sys_munmap(at + 2 * PAGE, PAGE));
	ASSERT_EQ(0, sys_mprotect(at, PAGE, PROT_READ));
	EXPECT_EQ(3, areas(self->fd));
	EXPECT_OWNERS(1);
	c = party_new();
	ASSERT_NE(NULL, c);
	EXPECT_EQ(6, areas(self->fd));
	ASSERT_EQ(0, sys_munmap(at, SIZE));
	EXPECT_EQ(3, areas(self->fd));
	EXPECT_OWNERS(1);
	EXPECT_EQ(3, ON(c, op_get, ptr_u64(at)));
	EXPECT_EQ(0, ON(c, op_unmap, ptr_u64(at), SIZE));
	EXPECT_OWNERS(0);
	EXPECT_EQ(0, areas(self->fd));
}

TEST_F(prepared, it_moves_if_it_may)
{
	long room = map_memory(PAGES);
	u8 *at;

	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(0, put(at, 4));
	ASSERT_EQ(room, sys_mremap(at, SIZE, SIZE,
				   MREMAP_MAYMOVE | MREMAP_FIXED,
				   u64_ptr(room)));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_EQ(4, get(u64_ptr(room + PAGE)));
	ASSERT_EQ(0, sys_munmap(u64_ptr(room), SIZE));
	EXPECT_OWNERS(0);
}

TEST_F(prepared, it_stays_as_it_is_if_it_must)
{
	long room = map_memory(PAGES);
	u8 *at;

	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	EXPECT_EQ(0, put(at, 4));
	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_ATOMIC));
	EXPECT_EQ(-EPERM, sys_munmap(at + PAGE, PAGE));
	EXPECT_EQ(-EPERM, sys_munmap(at, PAGE));
	EXPECT_EQ(-EPERM, sys_mprotect(at, PAGE, PROT_READ));
	EXPECT_EQ(-EPERM, sys_madvise(at, PAGE, MADV_DONTFORK));
	EXPECT_EQ(-EPERM, map_over(self->fd, at + PAGE, 1));
	EXPECT_EQ(-EPERM, sys_mremap(at, SIZE, PAGE, 0, NULL));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(-EPERM, sys_mremap(at, SIZE, SIZE,
					     MREMAP_MAYMOVE | MREMAP_FIXED,
					     u64_ptr(room)));
	EXPECT_EQ(1, areas(self->fd));
	EXPECT_OWNERS(1);
	EXPECT_EQ(4, get(at));
	EXPECT_EQ(4, get(at + SIZE - PAGE));
	/* As a whole it can go. */
	EXPECT_EQ(0, sys_mprotect(at, SIZE, PROT_READ));
	EXPECT_EQ((long)at, map_over(self->fd, at, PAGES));
	EXPECT_EQ(0, get(at));
	EXPECT_OWNERS(1);
	EXPECT_EQ(0, sys_munmap(at, SIZE));
	EXPECT_OWNERS(0);
}

/* Several threads. */

/* So many times: maps and unmaps; with a[2] every second one is refused. */
static long op_map_and_unmap(struct party *p, const u64 *a)
{
	for (u64 i = 0; i < a[1]; i++) {
		long at;

		if (a[2] && i % 2)
			request(a[0], a[2], EPERM);
		at = map_all(a[0]);
		/* The refusal that it asks for may meet another thread. */
		if (at == -EPERM)
			continue;
		if (is_error(at))
			return at;
		if (get(u64_ptr(at)) != 0)
			return -EILSEQ;
		sys_munmap(u64_ptr(at), SIZE);
	}
	(void)p;
	return a[1];
}

TEST_F_TIMEOUT(prepared, threads_map_one_file, 120)
{
	struct party *leader = party_new();
	struct party *p[4];
	int fd;

	ASSERT_NE(NULL, leader);
	ASSERT_EQ(0, ON(leader, op_open_and_map, ptr_u64(PREPARED)));
	fd = leader->fd;
	for (int i = 0; i < 4; i++) {
		p[i] = party_thread(leader);
		ASSERT_NE(NULL, p[i]);
	}
	START(p[0], op_map_and_unmap, fd, 300, 0);
	START(p[1], op_map_and_unmap, fd, 300, VMAREA_TEST_FAIL_HOOK);
	START(p[2], op_map_and_unmap, fd, 300, VMAREA_TEST_FAIL_MAPPED);
	START(p[3], op_map_and_unmap, fd, 300, 0);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(300, finish_within(p[i], 60000));
	EXPECT_OWNERS(1);
	EXPECT_EQ(1, tally("areas"));
	party_kill(leader);
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

TEST_F(prepared, processes_map_at_once)
{
	struct party *p[4];

	for (int i = 0; i < 4; i++) {
		p[i] = party_new();
		ASSERT_NE(NULL, p[i]);
		ASSERT_EQ(0, ON(p[i], op_open_and_map, ptr_u64(PREPARED)));
	}
	for (int i = 0; i < 4; i++)
		START(p[i], op_map_and_unmap, p[i]->fd, 100,
		      VMAREA_TEST_FAIL_MAPPED);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(100, finish(p[i]));
	EXPECT_OWNERS(4);
	kill_all_parties();
	EXPECT_EQ(0, tally_settles("owners", 0));
}

TEST_F(prepared, a_mapping_keeps_the_module)
{
	u8 *at;

	at = map_new(self->fd);
	ASSERT_NE(NULL, at);
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_EQ(-EAGAIN, unload_module());
	EXPECT_EQ(0, get(at));
	ASSERT_EQ(0, sys_munmap(at, SIZE));
	EXPECT_EQ(0, unload_module_soon());
	EXPECT_EQ(0, load_module());
	EXPECT_TRUE(all_is_gone());
}

TEST_HARNESS_MAIN
