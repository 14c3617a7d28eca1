// SPDX-License-Identifier: GPL-2.0
/*
 * The area: who may map it, how big, how often, and what may not be done to it.
 */
#include <kselftest_harness.h>
#include <linux/userfaultfd.h>

#include "pair.h"
#include "vma.h"

/* The driver uses no more of an area than this. */
#define AREA_MAX	(4 * MIB)

FIXTURE(area)
{
	struct party *m;	/* the manager, whose area is looked at */
	struct party *c;	/* somebody who calls it */
};

FIXTURE_SETUP(area)
{
	ASSERT_EQ(0, settled("used", 0));
	SETUP_PAIR();
}

FIXTURE_TEARDOWN(area)
{
	kill_all_parties();
}

/* The area is whole and the driver still knows that it is mapped. */
#define EXPECT_AREA_WORKS()					\
	EXPECT_EQ(0, exchange(self->c, self->m, 77, 3 * PAGE + 5))

static long op_mprotect(struct party *p, const u64 *a)
{
	(void)p;
	return sys_mprotect(u64_ptr(a[0]), a[1], a[2]);
}

static long op_mremap(struct party *p, const u64 *a)
{
	(void)p;
	return sys_mremap(u64_ptr(a[0]), a[1], a[2], a[3], u64_ptr(a[4]));
}

/* What a child of the party sees at an address: 1 = readable, 0 = not. */
static long op_child_sees(struct party *p, const u64 *a)
{
	int status = 0;
	int pid = fork();

	if (pid == 0)
		_exit(op_probe(p, a) == 1);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

/* What mmap() of the party's file gives a child of the party. */
static long op_child_maps(struct party *p, const u64 *a)
{
	int status = 0;
	int pid = fork();

	if (pid == 0) {
		long at = op_mmap(p, a);

		_exit(is_error(at) ? -at : 0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* A registration of the party's area with userfaultfd, in mode a[0]. */
static long op_register_uffd(struct party *p, const u64 *a)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = ptr_u64(p->area), .len = p->area_len },
		.mode = a[0],
	};
	long fd = _syscall(__NR_userfaultfd, O_CLOEXEC);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_ioctl(fd, UFFDIO_API, &api);
	if (!ret)
		ret = sys_ioctl(fd, UFFDIO_REGISTER, &reg);
	sys_close(fd);
	return ret;
}

TEST_F(area, one_page_is_enough)
{
	struct party *p = client_new(PAGE);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, exchange(p, self->m, 1, PAGE));
}

TEST_F(area, no_length_is_refused)
{
	struct party *p = client_new(0);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(-EINVAL, b_map(p, 0));
}

TEST_F(area, four_mib_can_be_used_whole)
{
	struct party *p = client_new(AREA_MAX);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, fetch(p, self->m, 3, AREA_MAX));
}

TEST_F(area, more_than_four_mib_is_clamped)
{
	struct party *p = client_new(AREA_MAX + MIB);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, b_call(p, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_reply(self->m, 2, AREA_MAX + 8));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(p));
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(0, fetch(p, self->m, 3, AREA_MAX));
	EXPECT_EQ(-EFAULT, b_probe(p, p->area + AREA_MAX));
}

TEST_F(area, second_mmap_is_busy)
{
	EXPECT_EQ(-EBUSY, ON(self->m, op_mmap, AREA_SIZE, PROT_READ));
	EXPECT_AREA_WORKS();
}

TEST_F(area, second_mmap_is_busy_after_munmap)
{
	ASSERT_EQ(0, b_unmap(self->m));
	EXPECT_EQ(-EBUSY, ON(self->m, op_mmap, AREA_SIZE, PROT_READ));
}

TEST_F(area, a_failed_mmap_can_be_repeated)
{
	struct party *p = client_new(0);

	ASSERT_NE(NULL, p);
	ASSERT_EQ(-EPERM, ON(p, op_mmap, PAGE, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, b_map(p, AREA_SIZE));
	EXPECT_EQ(0, exchange(p, self->m, 4, PAGE));
}

TEST_F(area, only_the_opener_may_map)
{
	struct party *p = client_new(0);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(-EINVAL, ON(p, op_child_maps, PAGE, PROT_READ));
	/* The refusal did not use up the opener's one mapping. */
	EXPECT_EQ(0, b_map(p, PAGE));
}

TEST_F(area, writable_is_refused)
{
	struct party *p = client_new(0);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(-EPERM, ON(p, op_mmap, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(-EPERM, ON(p, op_mmap, PAGE, PROT_WRITE));
}

TEST_F(area, cannot_become_writable)
{
	u64 at = ptr_u64(self->m->area);

	EXPECT_EQ(-EACCES, ON(self->m, op_mprotect, at, AREA_SIZE,
			      PROT_READ | PROT_WRITE));
	EXPECT_AREA_WORKS();
}

TEST_F(area, partial_mprotect_is_refused)
{
	u64 at = ptr_u64(self->m->area);

	EXPECT_EQ(-EINVAL, ON(self->m, op_mprotect, at, PAGE, PROT_NONE));
	EXPECT_EQ(-EINVAL, ON(self->m, op_mprotect, at + PAGE, PAGE,
			      PROT_NONE));
	EXPECT_AREA_WORKS();
}

TEST_F(area, partial_munmap_is_refused)
{
	u64 at = ptr_u64(self->m->area);
	u64 end = at + AREA_SIZE;

	EXPECT_EQ(-EINVAL, ON(self->m, op_munmap, at, PAGE));
	EXPECT_EQ(-EINVAL, ON(self->m, op_munmap, end - PAGE, PAGE));
	EXPECT_EQ(-EINVAL, ON(self->m, op_munmap, at + PAGE, PAGE));
	EXPECT_AREA_WORKS();
}

TEST_F(area, cannot_be_mapped_over_in_part)
{
	/* A page in the middle, so that it would have to be split twice. */
	EXPECT_EQ(-EINVAL, ON(self->m, op_mmap, PAGE, PROT_READ,
			      ptr_u64(self->m->area) + PAGE,
			      MAP_FIXED | MAP_ANONYMOUS, -1));
	EXPECT_AREA_WORKS();
}

TEST_F(area, mremap_cannot_grow)
{
	u64 at = ptr_u64(self->m->area);

	EXPECT_GT(0, ON(self->m, op_mremap, at, AREA_SIZE, 2 * AREA_SIZE, 0));
	EXPECT_GT(0, ON(self->m, op_mremap, at, AREA_SIZE, 2 * AREA_SIZE,
			MREMAP_MAYMOVE));
	EXPECT_AREA_WORKS();
}

TEST_F(area, mremap_cannot_shrink)
{
	EXPECT_EQ(-EINVAL, ON(self->m, op_mremap, ptr_u64(self->m->area),
			      AREA_SIZE, PAGE, 0));
	EXPECT_AREA_WORKS();
}

TEST_F(area, mremap_cannot_move)
{
	u64 at = ptr_u64(self->m->area);
	long elsewhere = ON(self->m, op_mmap, AREA_SIZE, PROT_NONE, 0,
			    MAP_ANONYMOUS, -1);

	ASSERT_FALSE(is_error(elsewhere));
	/* A page in use moves along before a driver may say no. */
	ASSERT_EQ(0, b_call(self->c, 5, 2 * PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_GT(0, ON(self->m, op_mremap, at, AREA_SIZE, AREA_SIZE,
			MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere));
	EXPECT_EQ(-EFAULT, ON(self->m, op_probe, elsewhere));
	EXPECT_EQ(-1, b_mismatch(self->m, 5));
	ASSERT_EQ(0, b_reply(self->m, 6, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	/* The copy that was made and undone must not count as an unmapping. */
	EXPECT_AREA_WORKS();
}

TEST_F(area, mremap_cannot_move_and_leave)
{
	EXPECT_GT(0, ON(self->m, op_mremap, ptr_u64(self->m->area), AREA_SIZE,
			AREA_SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
	EXPECT_AREA_WORKS();
}

TEST_F(area, dontneed_pages_come_back)
{
	long faults;

	ASSERT_EQ(0, b_call(self->c, 6, 4 * PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(-1, b_mismatch(self->m, 6));
	faults = counter("faults");
	ASSERT_EQ(0, b_dontneed(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 6));
	EXPECT_LT(faults, counter("faults"));
}

TEST_F(area, dontneed_then_next_message)
{
	ASSERT_EQ(0, exchange(self->c, self->m, 7, 4 * PAGE));
	ASSERT_EQ(0, b_dontneed(self->m));
	/* The pages are there, their mapping is not: neither may be assumed. */
	EXPECT_EQ(0, exchange(self->c, self->m, 8, 6 * PAGE));
}

TEST_F(area, never_used_page_is_sigbus)
{
	START(self->m, op_touch, ptr_u64(self->m->area));
	EXPECT_EQ(-ESRCH, finish(self->m));
	ASSERT_TRUE(WIFSIGNALED(self->m->status));
	EXPECT_EQ(SIGBUS, WTERMSIG(self->m->status));
}

TEST_F(area, idle_page_is_not_mapped_again)
{
	char *at;

	ASSERT_EQ(0, b_call(self->c, 9, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	at = u64_ptr(self->m->res.tr.data.ptr.buffer);
	ASSERT_EQ(1, b_probe(self->m, at));
	ASSERT_EQ(0, b_free(self->m));
	ASSERT_EQ(0, b_dontneed(self->m));
	EXPECT_EQ(-EFAULT, b_probe(self->m, at));
}

TEST_F(area, fork_leaves_it_behind)
{
	ASSERT_EQ(0, b_call(self->c, 10, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(0, ON(self->m, op_child_sees,
			self->m->res.tr.data.ptr.buffer));
	EXPECT_EQ(-1, b_mismatch(self->m, 10));
	ASSERT_EQ(0, b_reply(self->m, 1, 8));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_AREA_WORKS();
}

TEST_F(area, dofork_is_refused)
{
	ASSERT_EQ(0, b_call(self->c, 11, PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-EINVAL, ON(self->m, op_madvise, ptr_u64(self->m->area),
			      AREA_SIZE, MADV_DOFORK));
	EXPECT_EQ(0, ON(self->m, op_child_sees,
			self->m->res.tr.data.ptr.buffer));
	EXPECT_EQ(-1, b_mismatch(self->m, 11));
}

TEST_F(area, userfaultfd_is_refused)
{
	if (!has_userfaultfd())
		SKIP(return, "no userfaultfd in this kernel");
	EXPECT_EQ(-EINVAL, ON(self->m, op_register_uffd,
			      UFFDIO_REGISTER_MODE_MISSING));
	EXPECT_EQ(-EINVAL, ON(self->m, op_register_uffd,
			      UFFDIO_REGISTER_MODE_WP));
	EXPECT_AREA_WORKS();
}

TEST_F(area, populate_and_lock_do_no_harm)
{
	struct party *p = client_new(0);
	long at;

	ASSERT_NE(NULL, p);
	at = ON(p, op_mmap, AREA_SIZE, PROT_READ, 0, MAP_POPULATE | MAP_LOCKED);
	ASSERT_FALSE(is_error(at));
	EXPECT_EQ(0, exchange(p, self->m, 12, 2 * PAGE));
}

TEST_F(area, maps_shows_it)
{
	char line[256];

	ASSERT_EQ(0, vma_line(self->m->pid, self->m->area, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, " r--p ")) TH_LOG("%s", line);
	EXPECT_NE(NULL, strstr(line, DEVICE)) TH_LOG("%s", line);
}

TEST_F(area, smaps_shows_its_flags)
{
	char flags[256];

	ASSERT_EQ(0, b_call(self->c, 13, 2 * PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, vma_flags(self->m->pid, self->m->area, flags,
			       sizeof(flags)));
	EXPECT_NE(NULL, strstr(flags, " mm")) TH_LOG("%s", flags);
	EXPECT_NE(NULL, strstr(flags, " dc")) TH_LOG("%s", flags);
	EXPECT_NE(NULL, strstr(flags, " de")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " wr")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " mw")) TH_LOG("%s", flags);
	EXPECT_NULL(strstr(flags, " pf")) TH_LOG("%s", flags);
}

TEST_F(area, smaps_counts_its_pages)
{
	char line[128];
	long kib = -1;

	ASSERT_EQ(0, b_call(self->c, 13, 3 * PAGE));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(-1, b_mismatch(self->m, 13));
	ASSERT_EQ(0, vma_text(self->m->pid, "smaps", self->m->area, "Rss:",
			      line, sizeof(line)));
	for (char *s = line; *s && kib < 0; s++)
		if (*s >= '0' && *s <= '9')
			kib = atol(s);
	EXPECT_EQ((long)(3 * PAGE / KIB), kib) TH_LOG("%s", line);
}

TEST_F(area, two_files_have_two_areas)
{
	struct party *p = client_new(AREA_SIZE);
	int first;

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, exchange(p, self->m, 14, PAGE));
	first = p->fd;
	ASSERT_LE(0, b_open(p));
	ASSERT_NE(first, p->fd);
	ASSERT_EQ(0, b_map(p, AREA_SIZE));
	EXPECT_EQ(0, exchange(p, self->m, 15, PAGE));
	p->fd = first;
	EXPECT_EQ(0, exchange(p, self->m, 16, PAGE));
}

/* A mapping alone keeps the module, whose code its faults run. */
TEST_F(area, keeps_the_module)
{
	ASSERT_EQ(0, ON(self->c, op_close));
	ASSERT_EQ(0, b_unmap(self->c));
	ASSERT_EQ(0, ON(self->m, op_close));
	EXPECT_EQ(-EAGAIN, _syscall(__NR_delete_module, "vbinder", O_NONBLOCK));
	EXPECT_EQ(-EFAULT, b_probe(self->m, self->m->area));
}

TEST_HARNESS_MAIN
