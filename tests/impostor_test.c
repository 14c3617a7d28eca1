// SPDX-License-Identifier: GPL-2.0
/*
 * Insertion into a place that is no longer the area: the receiver has unmapped
 * it, something else is there, and a message comes. It must fail, and what is
 * there must stay as it was, down to its page table.
 */
#include <kselftest_harness.h>
#include <linux/userfaultfd.h>

#include "pair.h"
#include "vma.h"

/* One huge page of the smaller kind, on both machines. */
#define PLACE_SIZE	(2 * MIB)
#define LOOKED_AT	64
#define FILLED		(4 * PAGE)

enum impostor {
	NOTHING, ANON, ANON_SHARED, MEMFD_SHARED, MEMFD_PRIVATE, UNREADABLE,
	HUGETLB, PFNMAP, UFFD, VBINDER,
};

FIXTURE(impostor)
{
	struct party *m;
	struct party *c;
};

FIXTURE_VARIANT(impostor)
{
	enum impostor kind;
};

FIXTURE_VARIANT_ADD(impostor, nothing) {
	.kind = NOTHING,
};

FIXTURE_VARIANT_ADD(impostor, anonymous) {
	.kind = ANON,
};

FIXTURE_VARIANT_ADD(impostor, anonymous_shared) {
	.kind = ANON_SHARED,
};

FIXTURE_VARIANT_ADD(impostor, memfd_shared) {
	.kind = MEMFD_SHARED,
};

FIXTURE_VARIANT_ADD(impostor, memfd_private) {
	.kind = MEMFD_PRIVATE,
};

FIXTURE_VARIANT_ADD(impostor, unreadable) {
	.kind = UNREADABLE,
};

FIXTURE_VARIANT_ADD(impostor, hugetlb) {
	.kind = HUGETLB,
};

FIXTURE_VARIANT_ADD(impostor, pfnmap) {
	.kind = PFNMAP,
};

FIXTURE_VARIANT_ADD(impostor, userfaultfd) {
	.kind = UFFD,
};

FIXTURE_VARIANT_ADD(impostor, vbinder) {
	.kind = VBINDER,
};

/* Reserves an aligned place, so that even a huge page fits there. */
static long op_place(struct party *p, const u64 *a)
{
	long at = sys_mmap(NULL, 2 * PLACE_SIZE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)a;
	if (!is_error(at))
		p->area = u64_ptr((at + PLACE_SIZE - 1) & -PLACE_SIZE);
	return is_error(at) ? at : 0;
}

FIXTURE_SETUP(impostor)
{
	ASSERT_EQ(0, settled("used", 0));
	self->m = client_new(0);
	ASSERT_NE(NULL, self->m);
	ASSERT_EQ(0, ON(self->m, op_place));
	ASSERT_EQ(0, b_map_at(self->m, PLACE_SIZE, self->m->area));
	ASSERT_EQ(0, b_become_manager(self->m));
	ASSERT_EQ(0, b_enter_looper(self->m));
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
}

FIXTURE_TEARDOWN(impostor)
{
	kill_all_parties();
	write_file("/proc/sys/vm/nr_hugepages", "0");
}

static long map_here(struct party *p, int prot, int flags, int fd)
{
	long at = sys_mmap(p->area, PLACE_SIZE, prot, flags | MAP_FIXED, fd, 0);

	return is_error(at) ? at : 0;
}

static long register_here(struct party *p)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = {
		.range = { .start = ptr_u64(p->area), .len = PLACE_SIZE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	long fd = _syscall(__NR_userfaultfd, O_CLOEXEC);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_ioctl(fd, UFFDIO_API, &api);
	/* The descriptor stays open: closing it would undo this. */
	return ret ? ret : sys_ioctl(fd, UFFDIO_REGISTER, &reg);
}

/* Whether the impostor has memory of its own, with a pattern in it. */
static bool is_filled(enum impostor kind)
{
	return kind != NOTHING && kind != UNREADABLE && kind != PFNMAP &&
	       kind != VBINDER;
}

/* Puts an impostor of kind a[0] where the party's area was. */
static long op_impostor(struct party *p, const u64 *a)
{
	const int rw = PROT_READ | PROT_WRITE;
	long ret = -EINVAL;
	long fd;

	switch ((enum impostor)a[0]) {
	case NOTHING:
		return 0;
	case ANON:
	case UFFD:
		ret = map_here(p, rw, MAP_PRIVATE | MAP_ANONYMOUS, -1);
		break;
	case ANON_SHARED:
		ret = map_here(p, rw, MAP_SHARED | MAP_ANONYMOUS, -1);
		break;
	case MEMFD_SHARED:
	case MEMFD_PRIVATE:
		fd = memfd_new("impostor", PLACE_SIZE);
		if (fd < 0)
			return fd;
		ret = map_here(p, rw, a[0] == MEMFD_SHARED ? MAP_SHARED :
							     MAP_PRIVATE, fd);
		break;
	case UNREADABLE:
		return map_here(p, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	case HUGETLB:
		if (write_file("/proc/sys/vm/nr_hugepages", "2"))
			return -ENODEV;
		ret = map_here(p, rw, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
			       -1);
		/* No huge page, or no hugetlb at all: nothing to test. */
		if (ret == -ENOMEM || ret == -EINVAL)
			return -ENODEV;
		break;
	case PFNMAP:
		fd = sys_open("/dev/mem", O_RDONLY);
		if (fd < 0)
			return -ENODEV;
		return map_here(p, PROT_READ, MAP_SHARED, fd) ? -ENODEV : 0;
	case VBINDER:
		fd = sys_open(device(), O_RDWR);
		return fd < 0 ? fd : map_here(p, PROT_READ, MAP_PRIVATE, fd);
	}
	if (ret)
		return ret;
	fill((u8 *)p->area, FILLED, 7);
	if (a[0] == UFFD && !has_userfaultfd())
		return -ENODEV;
	if (a[0] == UFFD)
		ret = register_here(p);
	return ret;
}

/* What can be seen of an impostor from outside. */
struct look {
	u64 entries[LOOKED_AT];
	char flags[256];
};

static int look_at(struct party *m, struct look *look)
{
	memset(look, 0, sizeof(*look));
	/* Where nothing is there are no flags. */
	vma_flags(m->pid, m->area, look->flags, sizeof(look->flags));
	return vma_pagemap(m->pid, m->area, look->entries, LOOKED_AT);
}

static void expect_unchanged(struct __test_metadata *_metadata,
			     struct party *m, const struct look *before,
			     enum impostor kind)
{
	struct look after;

	ASSERT_EQ(0, look_at(m, &after));
	EXPECT_STREQ(before->flags, after.flags);
	for (int i = 0; i < LOOKED_AT; i++) {
		EXPECT_EQ(before->entries[i], after.entries[i]) {
			TH_LOG("page table entry %d", i);
		}
	}
	if (is_filled(kind))
		EXPECT_EQ(-1, ON(m, op_mismatch, ptr_u64(m->area), FILLED, 7));
	/* What another area has is not in this one. */
	if (kind == VBINDER)
		EXPECT_EQ(-EFAULT, b_probe(m, m->area));
}

/* Sends a message that must not arrive, and looks at what it left. */
static void send_against(struct __test_metadata *_metadata, struct party *c,
			 struct party *m, enum impostor kind)
{
	struct look before;
	long inserted;
	long got;
	long ret = ON(m, op_impostor, kind);

	if (ret == -ENODEV)
		SKIP(return, "this kernel or machine cannot make one");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, look_at(m, &before));
	inserted = counter("inserted");

	ASSERT_EQ(0, b_call(c, 3, 8 * PAGE));
	got = b_receive(c);
	EXPECT_TRUE(got == BR_DEAD_REPLY || got == BR_FAILED_REPLY) {
		TH_LOG("got %lx", got);
	}
	EXPECT_EQ(inserted, counter("inserted"));
	EXPECT_EQ(0, counter("used"));

	/* The same for a reclaim that comes now. */
	shrink_all();
	expect_unchanged(_metadata, m, &before, kind);
}

/* No page was ever there: the driver would have to insert them all. */
TEST_F(impostor, in_a_fresh_area)
{
	ASSERT_EQ(0, b_unmap(self->m));
	send_against(_metadata, self->c, self->m, variant->kind);
}

/* Some pages are idle: the driver has them, but not their mappings. */
TEST_F(impostor, in_an_area_with_idle_pages)
{
	ASSERT_EQ(0, exchange(self->c, self->m, 1, 4 * PAGE));
	ASSERT_EQ(0, b_unmap(self->m));
	send_against(_metadata, self->c, self->m, variant->kind);
}

/* Replaced in one step instead of unmapped and then mapped. */
TEST_F(impostor, mapped_over)
{
	if (variant->kind == NOTHING)
		SKIP(return, "nothing cannot be mapped over something");
	ASSERT_EQ(0, exchange(self->c, self->m, 1, 4 * PAGE));
	send_against(_metadata, self->c, self->m, variant->kind);
}

/* Accepted while the area was there; whoever maps its pages must look again. */
TEST_F(impostor, before_the_message_is_read)
{
	struct look before;
	long inserted;
	long ret;

	ASSERT_EQ(0, b_call(self->c, 3, 8 * PAGE));
	ASSERT_EQ(0, b_unmap(self->m));
	ret = ON(self->m, op_impostor, variant->kind);
	if (ret == -ENODEV)
		SKIP(return, "this kernel or machine cannot make one");
	ASSERT_EQ(0, ret);
	ASSERT_EQ(0, look_at(self->m, &before));
	inserted = counter("inserted");

	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(inserted, counter("inserted"));
	expect_unchanged(_metadata, self->m, &before, variant->kind);
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(0, counter("used"));
	EXPECT_EQ(0, shrink_all());
	expect_unchanged(_metadata, self->m, &before, variant->kind);
}

TEST_HARNESS_MAIN
