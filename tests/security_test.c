// SPDX-License-Identifier: GPL-2.0
/*
 * Who may be the manager, what a receiver is told of who has sent, and that
 * nothing of a message is left behind when its sender wants that.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "child.h"
#include "death.h"
#include "ioctls.h"

#define NODE		0x1000
#define COOKIE		0x8000000000000077ULL
#define USER		1234

FIXTURE(security)
{
	struct party *m;
	struct party *c;
};

/* Not a manager yet: cases are about how it becomes one. */
FIXTURE_SETUP(security)
{
	ASSERT_TRUE(nothing_in_use());
	self->m = looper_new(AREA_SIZE);
	ASSERT_NE(NULL, self->m);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	ASSERT_EQ(0, b_enter_looper(self->c));
}

FIXTURE_TEARDOWN(security)
{
	kill_all_parties();
}

/* Becomes the manager by a node of its own choice; patient as the other way. */
static long b_manage(struct party *p, u32 flags)
{
	struct flat_binder_object *fbo = (void *)p->scratch;
	u64 end = now_ms() + PATIENCE_MS;
	long ret;

	*fbo = (struct flat_binder_object) {
		.hdr.type = BINDER_TYPE_BINDER,
		.flags = flags,
		.binder = NODE,
		.cookie = COOKIE,
	};
	while ((ret = b_ioctl(p, BINDER_SET_CONTEXT_MGR_EXT, fbo)) == -EBUSY &&
	       now_ms() < end)
		nap();
	return ret;
}

/* Whether the kernel has names for the rights of processes. */
static bool has_contexts(void)
{
	char text[64];

	return read_file("/proc/self/attr/current", text, sizeof(text)) > 0;
}

static long ioctl_now(struct party *p, u32 cmd)
{
	memset(p->scratch, 0, sizeof(struct flat_binder_object));
	return b_ioctl(p, cmd, p->scratch);
}

TEST_F(security, a_manager_with_a_node_of_its_choice)
{
	const struct binder_transaction_data *tr = &self->m->res.tr;

	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(NODE, tr->target.ptr);
	EXPECT_EQ(COOKIE, tr->cookie);
}

TEST_F(security, a_bad_pointer_makes_no_manager)
{
	EXPECT_EQ(-EINVAL, b_ioctl(self->m, BINDER_SET_CONTEXT_MGR_EXT, NULL));
	EXPECT_EQ(0, b_manage(self->m, 0));
}

TEST_F(security, there_is_one_manager_either_way)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	EXPECT_EQ(-EBUSY, ioctl_now(self->c, BINDER_SET_CONTEXT_MGR));
	EXPECT_EQ(-EBUSY, ioctl_now(self->c, BINDER_SET_CONTEXT_MGR_EXT));
	EXPECT_EQ(-EBUSY, ioctl_now(self->m, BINDER_SET_CONTEXT_MGR));
	EXPECT_EQ(-EBUSY, ioctl_now(self->m, BINDER_SET_CONTEXT_MGR_EXT));
}

/* Whoever it is, the place is taken. */
TEST_F(security, another_user_hears_of_the_manager_first)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, ON(self->c, op_setuid, USER));
	EXPECT_EQ(-EBUSY, ioctl_now(self->c, BINDER_SET_CONTEXT_MGR));
	EXPECT_EQ(-EBUSY, ioctl_now(self->c, BINDER_SET_CONTEXT_MGR_EXT));
}

TEST_F(security, the_next_manager_has_the_same_user)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, ON(self->m, op_leave));
	ASSERT_EQ(0, ON(self->c, op_setuid, USER));
	EXPECT_EQ(-EPERM, b_manage(self->c, 0));
	EXPECT_EQ(-EPERM, b_become_manager(self->c));
	ASSERT_EQ(0, ON(self->c, op_setuid, 0));
	EXPECT_EQ(0, b_manage(self->c, 0));
}

/* What cannot be told must not be left out: the call is refused. */
TEST_F(security, a_context_that_is_not_there)
{
	const struct binder_extended_error *ee;

	if (has_contexts())
		SKIP(return, "this kernel has security contexts");
	ASSERT_EQ(0, b_manage(self->m, FLAT_BINDER_FLAG_TXN_SECURITY_CTX));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	ee = b_error(self->c);
	ASSERT_NE(NULL, ee);
	EXPECT_EQ(BR_FAILED_REPLY, ee->command);
	EXPECT_EQ(-EOPNOTSUPP, ee->param);
	EXPECT_EQ(BR_FAILED_REPLY, b_tell(self->c, 0, 1));
	EXPECT_EQ(-EAGAIN, b_look(self->m));
}

TEST_F(security, a_node_that_wants_contexts)
{
	if (has_contexts())
		SKIP(return, "this kernel has security contexts");
	ASSERT_EQ(0, b_manage(self->m, 0));
	put_flat(parcel_new(self->c), BINDER_TYPE_BINDER,
		 FLAT_BINDER_FLAG_TXN_SECURITY_CTX, NODE, COOKIE);
	ASSERT_EQ(0, carry(self->c, self->m));
	ASSERT_EQ(0, b_ask(self->m, flat(self->m->in, 0)->handle, 1));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->m));
	EXPECT_EQ(-EAGAIN, b_look(self->c));
	/* Only calls to that node tell: its owner may call and answer. */
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(security, a_oneway_tells_the_user_only)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, ON(self->c, op_setuid, USER));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(USER, self->m->res.tr.sender_euid);
	EXPECT_EQ(0, self->m->res.tr.sender_pid);
}

TEST_F(security, an_answer_tells_the_user_only)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, ON(self->m, op_setuid, USER));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_EQ(USER, self->c->res.tr.sender_euid);
	EXPECT_EQ(0, self->c->res.tr.sender_pid);
}

/* It is that of the call, whatever becomes of the caller afterwards. */
TEST_F(security, the_user_is_that_of_the_call)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, ON(self->c, op_setuid, USER));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(0, ON(self->c, op_setuid, 0));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(USER, self->m->res.tr.sender_euid);
}

TEST_F(security, users_are_told_as_the_receiver_knows_them)
{
	char path[64];
	long ret;

	ASSERT_EQ(0, b_manage(self->m, 0));
	ret = ON(self->m, op_unshare, CLONE_NEWUSER);
	if (ret == -EINVAL)
		SKIP(return, "this kernel has no user namespaces");
	ASSERT_EQ(0, ret);
	snprintf(path, sizeof(path), "/proc/%d/uid_map", self->m->pid);
	ASSERT_EQ(0, write_file(path, "77 1234 1"));
	ASSERT_EQ(0, ON(self->c, op_setuid, USER));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(77, self->m->res.tr.sender_euid);
	ASSERT_EQ(0, b_answer(self->m, 2));
	ASSERT_EQ(2, next_answer(self->c));
	/* 0 is nobody in there. */
	ASSERT_EQ(0, ON(self->c, op_setuid, 0));
	ASSERT_EQ(0, b_ask(self->c, 0, 3));
	ASSERT_EQ(3, next_call(self->m));
	EXPECT_EQ(~0U, self->m->res.tr.sender_euid);
}

/* A process with the device open, in the namespace that another has made. */
static struct party *client_in(struct party *parent)
{
	struct party *p = party_child(parent);

	if (!p || b_open(p) < 0 || b_map(p, AREA_SIZE) || b_enter_looper(p))
		return NULL;
	return p;
}

TEST_F(security, processes_are_told_as_the_receiver_knows_them)
{
	struct party *parent = party_new();
	struct party *in;
	struct party *beside;
	long ret;

	ASSERT_NE(NULL, parent);
	ret = ON(parent, op_unshare, CLONE_NEWPID);
	if (ret == -EINVAL)
		SKIP(return, "this kernel has no pid namespaces");
	ASSERT_EQ(0, ret);
	in = client_in(parent);
	ASSERT_NE(NULL, in);
	beside = client_in(parent);
	ASSERT_NE(NULL, beside);
	ASSERT_EQ(0, b_manage(in, 0));
	/* The first there is 1, the second is 2. */
	ASSERT_EQ(0, b_ask(beside, 0, 1));
	ASSERT_EQ(1, next_call(in));
	EXPECT_EQ(2, in->res.tr.sender_pid);
	ASSERT_EQ(0, b_answer(in, 2));
	/* Those outside have no number in there. */
	ASSERT_EQ(0, b_ask(self->c, 0, 3));
	ASSERT_EQ(3, next_call(in));
	EXPECT_EQ(0, in->res.tr.sender_pid);
}

TEST_F(security, processes_of_a_namespace_are_known_outside)
{
	struct party *parent = party_new();
	struct party *in;
	long ret;

	ASSERT_NE(NULL, parent);
	ASSERT_EQ(0, b_manage(self->m, 0));
	ret = ON(parent, op_unshare, CLONE_NEWPID);
	if (ret == -EINVAL)
		SKIP(return, "this kernel has no pid namespaces");
	ASSERT_EQ(0, ret);
	in = client_in(parent);
	ASSERT_NE(NULL, in);
	ASSERT_EQ(0, b_ask(in, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(in->pid, self->m->res.tr.sender_pid);
}

/* Where memory first is not zero, or -1. */
static long op_first_byte(struct party *p, const u64 *a)
{
	const u8 *at = u64_ptr(a[0]);

	(void)p;
	for (u64 i = 0; i < a[1]; i++)
		if (at[i])
			return i;
	return -1;
}

/*
 * A cleared message of some length between two that stay, so that the pages
 * that they share stay as well.
 */
static void expect_cleared(struct __test_metadata *_metadata, struct party *m,
			   struct party *c, size_t len)
{
	u64 buffer[3];
	u64 page;

	for (int i = 0; i < 3; i++) {
		size_t size = i == 1 ? len : 8;

		ASSERT_EQ(0, b_send(c, BC_TRANSACTION, 1, i == 1 ?
				    TF_CLEAR_BUF : 0, 1 + i, size));
		ASSERT_EQ(BR_TRANSACTION, b_receive(m));
		EXPECT_EQ(-1, b_mismatch(m, 1 + i));
		buffer[i] = m->res.tr.data.ptr.buffer;
		ASSERT_EQ(0, b_answer(m, 2));
		ASSERT_EQ(2, next_answer(c));
	}
	ASSERT_EQ(buffer[0] + 8, buffer[1]);
	ASSERT_EQ(buffer[1] + len, buffer[2]);
	put_free(m, buffer[1]);
	ASSERT_EQ(0, b_go(m, 0));
	/* What lies in pages of its own may have gone with them. */
	for (u64 at = buffer[1]; at < buffer[2]; at = page) {
		page = (at & -PAGE) + PAGE;
		if (page > buffer[2])
			page = buffer[2];
		if (b_probe(m, u64_ptr(at)) == -EFAULT)
			continue;
		EXPECT_EQ(-1, ON(m, op_first_byte, at, page - at));
	}
	EXPECT_EQ(-1, ON(m, op_mismatch, buffer[0], 8, 1));
	EXPECT_EQ(-1, ON(m, op_mismatch, buffer[2], 8, 3));
}

TEST_F(security, a_cleared_message_leaves_nothing)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	expect_cleared(_metadata, self->m, self->c, 1000);
}

TEST_F(security, a_long_cleared_message_leaves_nothing)
{
	ASSERT_EQ(0, b_manage(self->m, 0));
	expect_cleared(_metadata, self->m, self->c, 3 * PAGE);
}

TEST_F(security, a_cleared_answer_leaves_nothing)
{
	u64 held;
	u64 cleared;

	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, fetch(self->c, self->m, 1, 8));
	held = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_send(self->m, BC_REPLY, 2, TF_CLEAR_BUF, 2, 1000));
	ASSERT_EQ(2, next_answer(self->c));
	EXPECT_EQ(-1, b_mismatch(self->c, 2));
	cleared = self->c->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_free(self->c));
	EXPECT_EQ(-1, ON(self->c, op_first_byte, cleared, 1000));
	EXPECT_EQ(-1, ON(self->c, op_mismatch, held, 8, 1));
}

TEST_F(security, a_cleared_oneway_leaves_nothing)
{
	u64 cleared;

	ASSERT_EQ(0, b_manage(self->m, 0));
	ASSERT_EQ(0, b_call(self->c, 1, 8));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 1));
	ASSERT_EQ(1, next_answer(self->c));
	ASSERT_EQ(0, b_send(self->c, BC_TRANSACTION, 1,
			    TF_ONE_WAY | TF_CLEAR_BUF, 2, 1000));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 2));
	cleared = self->m->res.tr.data.ptr.buffer;
	ASSERT_EQ(0, b_free(self->m));
	EXPECT_EQ(-1, ON(self->m, op_first_byte, cleared, 1000));
}

TEST_HARNESS_MAIN
