// SPDX-License-Identifier: GPL-2.0
/*
 * What vbinder promises beyond what the in-tree driver does, see
 * docs/protocol.md: nobody waits for what cannot come, what could not be told
 * is not lost, and no message makes the kernel warn.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "parcel.h"

#define NODE_A		0xa000
#define NODE_C		0xc000
#define COOKIE		0x77

FIXTURE(promise)
{
	struct party *m;
	struct party *a;
	struct party *c;
	u32 c_of_m;		/* the manager's handle of c's node */
	u32 a_of_c;
};

FIXTURE_SETUP(promise)
{
	long a_of_m, handle;

	if (strcmp(device(), DEVICE))
		SKIP(return, "about vbinder only");
	self->m = manager_new(4 * MIB);
	ASSERT_NE(NULL, self->m);
	self->a = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->a);
	self->c = client_new(AREA_SIZE);
	ASSERT_NE(NULL, self->c);
	a_of_m = give_node(self->a, self->m, NODE_A, COOKIE);
	ASSERT_LT(0, a_of_m);
	handle = hand_handle(self->m, self->c, a_of_m);
	ASSERT_LT(0, handle);
	self->a_of_c = handle;
	handle = give_node(self->c, self->m, NODE_C, COOKIE);
	ASSERT_LT(0, handle);
	self->c_of_m = handle;
}

FIXTURE_TEARDOWN(promise)
{
	kill_all_parties();
}

TEST_F(promise, a_callback_does_not_go_to_who_waits_no_more)
{
	struct party *t = party_thread(self->a);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_enter_looper(t));
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->a));
	ASSERT_EQ(0, b_ask(self->c, self->a_of_c, 3));
	EXPECT_EQ(3, next_call(t));
	ASSERT_EQ(0, b_answer(t, 4));
	EXPECT_EQ(4, next_answer(self->c));
}

/* The same if the one that waited serves, too: it is not made to wait again. */
TEST_F(promise, handling_a_late_callback_does_not_bring_the_wait_back)
{
	ASSERT_EQ(0, b_enter_looper(self->a));
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->a));
	ASSERT_EQ(0, b_ask(self->c, self->a_of_c, 3));
	EXPECT_EQ(3, next_call(self->a));
	ASSERT_EQ(0, b_answer(self->a, 4));
	EXPECT_EQ(4, next_answer(self->c));
	ASSERT_EQ(0, b_ask(self->c, self->a_of_c, 5));
	EXPECT_EQ(5, next_call(self->a));
}

/* The manager answers while the caller is in a callback whose caller died. */
TEST_F(promise, a_caller_learns_that_its_answer_came_too_early)
{
	ASSERT_EQ(0, chain(self->a, self->m, self->c_of_m, self->c));
	ASSERT_EQ(0, b_ask(self->c, self->a_of_c, 3));
	ASSERT_EQ(3, next_call(self->a));
	ASSERT_EQ(SIGKILL, party_kill(self->c));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->m));
	ASSERT_EQ(0, b_answer(self->m, 4));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	ASSERT_EQ(0, b_answer(self->a, 5));
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->a));
}

static long op_read_nowhere(struct party *p, const u64 *a)
{
	p->bwr = (struct binder_write_read){
		.read_size = a[0],
		.read_buffer = 8,
	};
	return sys_ioctl(p->fd, BINDER_WRITE_READ, &p->bwr);
}

TEST_F(promise, what_was_not_told_is_told_later)
{
	ASSERT_EQ(0, b_ask(self->a, 0, 1));
	EXPECT_EQ(-EFAULT, ON(self->m, op_read_nowhere, READ_SIZE));
	EXPECT_EQ(-EFAULT, ON(self->m, op_read_nowhere, 8));
	EXPECT_EQ(-EFAULT, ON(self->m, op_read_nowhere, READ_SIZE));
	EXPECT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->a));
}

/* More than fit into what the kernel allocates in one piece. */
#define MANY		66000
#define OBJECT		sizeof(struct binder_buffer_object)

static long op_send_many(struct party *p, const u64 *a)
{
	long mem = sys_mmap(NULL, MANY * (OBJECT + sizeof(u64)),
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct binder_buffer_object *objects = u64_ptr(mem);
	u64 *offsets = u64_ptr(mem + MANY * OBJECT);
	struct binder_transaction_data_sg sg = {
		.transaction_data = {
			.data_size = MANY * OBJECT,
			.offsets_size = MANY * sizeof(u64),
			.data.ptr.buffer = mem,
			.data.ptr.offsets = ptr_u64(offsets),
		},
	};

	if (is_error(mem))
		return mem;
	for (u64 i = 0; i < MANY; i++) {
		objects[i].hdr.type = BINDER_TYPE_PTR;
		offsets[i] = i * OBJECT;
	}
	put_message(p, BC_TRANSACTION_SG, &sg);
	return op_go(p, a);
}

TEST_F(promise, a_message_may_have_very_many_objects)
{
	ASSERT_EQ(0, ON(self->a, op_send_many));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(MANY * sizeof(u64), self->m->res.tr.offsets_size);
	EXPECT_EQ(0, b_free(self->m));
}

TEST_HARNESS_MAIN
