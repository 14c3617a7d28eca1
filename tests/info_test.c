// SPDX-License-Identifier: GPL-2.0
/*
 * What a process can learn of its nodes and, as the manager, of the nodes that
 * it has handles of; and the same ioctls from a 32-bit program.
 */
#include <kselftest_harness.h>

#include "ioctls.h"
#include "parcel.h"

#define NODE		0x1000
#define COOKIE		0x8000000000000077ULL

FIXTURE(info)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(info)
{
	ASSERT_TRUE(nothing_in_use());
	SETUP_PAIR();
	ASSERT_EQ(0, b_enter_looper(self->c));
}

FIXTURE_TEARDOWN(info)
{
	kill_all_parties();
}

/* The first node behind an address; in the scratch memory. */
static const struct binder_node_debug_info *node_after(struct party *p, u64 ptr)
{
	struct binder_node_debug_info *info = (void *)p->scratch;

	/* What the driver has to fill in begins as something else. */
	*info = (struct binder_node_debug_info) {
		.ptr = ptr,
		.cookie = 99,
		.has_strong_ref = 99,
		.has_weak_ref = 99,
	};
	return b_ioctl(p, BINDER_GET_NODE_DEBUG_INFO, info) ? NULL : info;
}

static void expect_node(struct __test_metadata *_metadata, struct party *p,
			u64 behind, u64 ptr, u64 cookie, u32 strong, u32 weak)
{
	const struct binder_node_debug_info *info = node_after(p, behind);

	ASSERT_NE(NULL, info);
	EXPECT_EQ(ptr, info->ptr);
	EXPECT_EQ(cookie, info->cookie);
	EXPECT_EQ(strong, info->has_strong_ref);
	EXPECT_EQ(weak, info->has_weak_ref);
}

#define EXPECT_NODE(...)		expect_node(_metadata, __VA_ARGS__)
#define EXPECT_NO_NODE(p, behind)	EXPECT_NODE(p, behind, 0, 0, 0, 0)

/* Of a handle, as the manager is told; in the scratch memory. */
static struct binder_node_info_for_ref *about(struct party *p, u32 handle)
{
	struct binder_node_info_for_ref *info = (void *)p->scratch;

	*info = (struct binder_node_info_for_ref) { .handle = handle };
	return info;
}

static long b_about(struct party *p, u32 handle)
{
	return b_ioctl(p, BINDER_GET_NODE_INFO_FOR_REF, about(p, handle));
}

static void expect_counts(struct __test_metadata *_metadata, struct party *p,
			  u32 handle, u32 strong, u32 weak)
{
	const struct binder_node_info_for_ref *info = (void *)p->scratch;

	ASSERT_EQ(0, b_about(p, handle));
	EXPECT_EQ(handle, info->handle);
	EXPECT_EQ(strong, info->strong_count);
	EXPECT_EQ(weak, info->weak_count);
	EXPECT_EQ(0, info->reserved1 | info->reserved2 | info->reserved3);
}

#define EXPECT_COUNTS(...)	expect_counts(_metadata, __VA_ARGS__)

TEST_F(info, a_process_without_nodes)
{
	EXPECT_NO_NODE(self->c, 0);
	EXPECT_NO_NODE(self->c, ~0ULL);
}

/* The list begins behind 0, so what is at 0 is not in it. */
TEST_F(info, the_manager_s_node_is_at_zero)
{
	EXPECT_NO_NODE(self->m, 0);
}

TEST_F(info, a_node_that_was_announced)
{
	ASSERT_LT(0, give_node(self->c, self->m, NODE, COOKIE));
	EXPECT_NODE(self->c, 0, NODE, COOKIE, 1, 1);
	EXPECT_NODE(self->c, NODE - 1, NODE, COOKIE, 1, 1);
	EXPECT_NO_NODE(self->c, NODE);
}

/* References count from when the owner is told of them. */
TEST_F(info, a_node_that_is_not_announced_yet)
{
	put_binder(parcel_new(self->c), NODE, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	EXPECT_NODE(self->c, 0, NODE, COOKIE, 0, 0);
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	put_empty_reply(self->m);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_NODE(self->c, 0, NODE, COOKIE, 1, 1);
}

TEST_F(info, a_node_with_a_weak_reference)
{
	put_weak_binder(parcel_new(self->c), NODE, COOKIE);
	ASSERT_EQ(0, carry(self->c, self->m));
	EXPECT_NODE(self->c, 0, NODE, COOKIE, 0, 1);
}

TEST_F(info, a_node_that_was_let_go)
{
	long handle = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, handle));
	EXPECT_NODE(self->c, 0, NODE, COOKIE, 1, 1);
	ASSERT_EQ(2, b_drain(self->c));
	EXPECT_NO_NODE(self->c, 0);
}

TEST_F(info, nodes_come_in_order)
{
	static const u64 at[] = { 0x5000, 0x1000, ~0ULL, 0x3000, 1 };
	static const u64 sorted[] = { 1, 0x1000, 0x3000, 0x5000, ~0ULL };
	u64 behind = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++)
		ASSERT_LT(0, give_node(self->c, self->m, at[i], at[i] + 1));
	for (unsigned int i = 0; i < ARRAY_SIZE(sorted); i++) {
		EXPECT_NODE(self->c, behind, sorted[i], sorted[i] + 1, 1, 1);
		behind = sorted[i];
	}
	EXPECT_NO_NODE(self->c, behind);
	EXPECT_NODE(self->c, 0x2fff, 0x3000, 0x3001, 1, 1);
}

/* Each file has its own, even within a process. */
TEST_F(info, nodes_of_others_are_not_told)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	ASSERT_LE(0, b_open(t));
	ASSERT_LT(0, give_node(self->c, self->m, NODE, COOKIE));
	EXPECT_NO_NODE(t, 0);
	EXPECT_NO_NODE(self->m, 0);
}

TEST_F(info, a_bad_pointer_is_refused)
{
	EXPECT_EQ(-EFAULT, b_ioctl(self->c, BINDER_GET_NODE_DEBUG_INFO, NULL));
	EXPECT_EQ(-EFAULT,
		  b_ioctl(self->m, BINDER_GET_NODE_INFO_FOR_REF, NULL));
}

/* Two of each while the owner is told of them, one afterwards. */
TEST_F(info, counts_of_a_node)
{
	u32 handle;

	put_binder(parcel_new(self->c), NODE, COOKIE);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	ASSERT_EQ(BR_TRANSACTION, b_receive_parcel(self->m));
	handle = flat(self->m->in, 0)->handle;
	EXPECT_COUNTS(self->m, handle, 1, 0);
	put_empty_reply(self->m);
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_REPLY, b_receive(self->c));
	EXPECT_COUNTS(self->m, handle, 2, 1);
	ASSERT_EQ(0, b_done(self->c, BC_INCREFS_DONE, NODE, COOKIE));
	EXPECT_COUNTS(self->m, handle, 2, 0);
	ASSERT_EQ(0, b_done(self->c, BC_ACQUIRE_DONE, NODE, COOKIE));
	EXPECT_COUNTS(self->m, handle, 1, 0);
}

/* A process counts as one, however often it has acquired the handle. */
TEST_F(info, counts_are_of_processes)
{
	struct party *d = client_new(AREA_SIZE);
	long handle = give_node(self->c, self->m, NODE, COOKIE);
	long theirs;

	ASSERT_NE(NULL, d);
	ASSERT_LT(0, handle);
	EXPECT_COUNTS(self->m, handle, 1, 0);
	ASSERT_EQ(0, b_ref(self->m, BC_ACQUIRE, handle));
	EXPECT_COUNTS(self->m, handle, 1, 0);
	theirs = hand_handle(self->m, d, handle);
	ASSERT_LT(0, theirs);
	EXPECT_COUNTS(self->m, handle, 2, 0);
	ASSERT_EQ(0, b_ref(d, BC_ACQUIRE, theirs));
	EXPECT_COUNTS(self->m, handle, 2, 0);
	ASSERT_EQ(0, b_ref(d, BC_RELEASE, theirs));
	ASSERT_EQ(0, b_ref(d, BC_RELEASE, theirs));
	EXPECT_COUNTS(self->m, handle, 1, 0);
}

TEST_F(info, counts_of_a_dead_node)
{
	long handle = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, handle);
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	put_tr(self->m, BC_TRANSACTION, &(struct binder_transaction_data) {
		.target.handle = handle,
	});
	ASSERT_EQ(0, b_go(self->m, 0));
	ASSERT_EQ(BR_DEAD_REPLY, b_receive(self->m));
	EXPECT_COUNTS(self->m, handle, 1, 0);
}

TEST_F(info, counts_are_for_the_manager)
{
	long handle = hand_node(self->m, self->c, NODE, COOKIE);

	ASSERT_LT(0, handle);
	EXPECT_EQ(-EPERM, b_about(self->c, handle));
}

TEST_F(info, counts_are_for_nobody_without_a_manager)
{
	ASSERT_EQ(0, ON(self->m, op_leave));
	EXPECT_EQ(-EPERM, b_about(self->c, 0));
}

TEST_F(info, counts_of_an_unknown_handle)
{
	EXPECT_EQ(-EINVAL, b_about(self->m, 99));
}

TEST_F(info, counts_of_the_manager_itself)
{
	EXPECT_EQ(-EINVAL, b_about(self->m, 0));
}

TEST_F(info, counts_need_a_strong_reference)
{
	long handle = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, handle);
	put_ref(self->m, BC_INCREFS, handle);
	put_ref(self->m, BC_RELEASE, handle);
	ASSERT_EQ(0, b_go(self->m, 0));
	EXPECT_EQ(-EINVAL, b_about(self->m, handle));
}

TEST_F(info, strong_count_must_be_zero)
{
	long handle = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, handle);
	about(self->m, handle)->strong_count = 1;
	EXPECT_EQ(-EINVAL, b_ioctl(self->m, BINDER_GET_NODE_INFO_FOR_REF,
				   self->m->scratch));
}

TEST_F(info, weak_count_must_be_zero)
{
	long handle = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, handle);
	about(self->m, handle)->weak_count = 1;
	EXPECT_EQ(-EINVAL, b_ioctl(self->m, BINDER_GET_NODE_INFO_FOR_REF,
				   self->m->scratch));
}

TEST_F(info, reserved_fields_must_be_zero)
{
	long handle = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, handle);
	about(self->m, handle)->reserved1 = 1;
	EXPECT_EQ(-EINVAL, b_ioctl(self->m, BINDER_GET_NODE_INFO_FOR_REF,
				   self->m->scratch));
	about(self->m, handle)->reserved2 = 1;
	EXPECT_EQ(-EINVAL, b_ioctl(self->m, BINDER_GET_NODE_INFO_FOR_REF,
				   self->m->scratch));
	about(self->m, handle)->reserved3 = 1;
	EXPECT_EQ(-EINVAL, b_ioctl(self->m, BINDER_GET_NODE_INFO_FOR_REF,
				   self->m->scratch));
	EXPECT_EQ(0, b_about(self->m, handle));
}

#ifdef __x86_64__
/*
 * The system call as a 32-bit program makes it: the structures are the same,
 * but their addresses have 32 bits. Gives -ENODEV where the kernel runs none.
 */
static long op_compat_version(struct party *p, const u64 *a)
{
	long at = sys_mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	struct binder_version *version = u64_ptr(at);
	int pid;
	int ret;

	(void)a;
	if (is_error(at))
		return at;
	pid = fork();
	if (pid == 0) {
		/* A kernel without it kills the child. */
		__asm__ volatile("int $0x80" : "=a" (ret) :
				 "a" (54), "b" (p->fd), "c" (BINDER_VERSION),
				 "d" (at) : "memory", "r8", "r9", "r10", "r11");
		_exit(ret ? -ret : version->protocol_version + 100);
	}
	if (pid < 0 || waitpid(pid, &ret, 0) != pid)
		return -ECHILD;
	return WIFSIGNALED(ret) ? -ENODEV : WEXITSTATUS(ret);
}

TEST_F(info, version_for_32_bit_programs)
{
	long ret = ON(self->c, op_compat_version);

	if (ret == -ENODEV)
		SKIP(return, "this kernel runs no 32-bit programs");
	EXPECT_EQ(108, ret);
}
#endif

TEST_HARNESS_MAIN
