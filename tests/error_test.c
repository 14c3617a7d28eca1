// SPDX-License-Identifier: GPL-2.0
/*
 * BINDER_GET_EXTENDED_ERROR: why a thread's last transaction failed.
 *
 * Each case makes one thing go wrong, and checks the return command, which
 * programs have always had, and the reason, which the ioctl adds.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "death.h"
#include "ioctls.h"

#define NODE		0x1000
#define COOKIE		0x77

FIXTURE(error)
{
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(error)
{
	ASSERT_TRUE(nothing_in_use());
	SETUP_PAIR();
	ASSERT_EQ(0, b_enter_looper(self->c));
}

FIXTURE_TEARDOWN(error)
{
	kill_all_parties();
}

static void expect_error(struct __test_metadata *_metadata, struct party *p,
			 u32 br, int number)
{
	const struct binder_extended_error *ee = b_error(p);

	ASSERT_NE(NULL, ee);
	EXPECT_EQ(br, ee->command);
	EXPECT_EQ(number, ee->param);
}

/* The failure is told as a command and as a reason. */
static void expect_failure(struct __test_metadata *_metadata, struct party *p,
			   u32 br, int number)
{
	EXPECT_EQ(br, b_await(p, BR_FAILURE));
	expect_error(_metadata, p, br, number);
}

#define EXPECT_ERROR(...)	expect_error(_metadata, __VA_ARGS__)
#define EXPECT_FAILURE(...)	expect_failure(_metadata, __VA_ARGS__)

static long b_put(struct party *p, u32 cmd,
		  const struct binder_transaction_data *tr)
{
	put_tr(p, cmd, tr);
	return b_go(p, 0);
}

TEST_F(error, nothing_has_failed_yet)
{
	const struct binder_extended_error *ee = b_error(self->c);

	ASSERT_NE(NULL, ee);
	EXPECT_EQ(0, ee->id);
	EXPECT_EQ(BR_OK, ee->command);
	EXPECT_EQ(0, ee->param);
}

TEST_F(error, a_bad_pointer_is_refused)
{
	EXPECT_EQ(-EFAULT, b_ioctl(self->c, BINDER_GET_EXTENDED_ERROR, NULL));
}

TEST_F(error, what_succeeds_is_no_error)
{
	ASSERT_EQ(0, exchange(self->c, self->m, 1, 8));
	EXPECT_ERROR(self->c, BR_OK, 0);
	EXPECT_ERROR(self->m, BR_OK, 0);
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 1));
	EXPECT_ERROR(self->c, BR_OK, 0);
}

TEST_F(error, an_unknown_handle)
{
	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, a_handle_that_is_weak)
{
	long handle = hand_node(self->m, self->c, NODE, COOKIE);

	ASSERT_LT(0, handle);
	put_ref(self->c, BC_INCREFS, handle);
	put_ref(self->c, BC_RELEASE, handle);
	ASSERT_EQ(0, b_go(self->c, 0));
	ASSERT_EQ(0, b_ask(self->c, handle, 1));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, no_manager)
{
	ASSERT_EQ(0, b_ref(self->c, BC_ACQUIRE, 0));
	ASSERT_EQ(0, b_watch(self->c, 0, 1));
	ASSERT_EQ(0, ON(self->m, op_leave));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_FAILURE(self->c, BR_DEAD_REPLY, -EINVAL);
}

TEST_F(error, a_call_to_oneself)
{
	ASSERT_EQ(0, b_ask(self->m, 0, 1));
	EXPECT_FAILURE(self->m, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, nothing_to_reply_to)
{
	ASSERT_EQ(0, b_answer(self->c, 1));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EPROTO);
}

TEST_F(error, a_call_within_a_call)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(0, b_ask(self->c, 0, 2));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EPROTO);
}

TEST_F(error, an_answer_before_its_time)
{
	long handle = give_node(self->c, self->m, NODE, COOKIE);

	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_ask(self->m, handle, 2));
	ASSERT_EQ(0, b_answer(self->m, 3));
	EXPECT_FAILURE(self->m, BR_FAILED_REPLY, -EPROTO);
}

TEST_F(error, no_space)
{
	ASSERT_EQ(0, b_call(self->c, 1, AREA_SIZE + 8));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -ENOSPC);
}

TEST_F(error, no_space_for_oneway_messages)
{
	ASSERT_EQ(0, b_oneway(self->c, 1, AREA_SIZE / 2 + 8));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -ENOSPC);
}

TEST_F(error, no_area)
{
	ASSERT_EQ(0, b_unmap(self->m));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_FAILURE(self->c, BR_DEAD_REPLY, -ESRCH);
}

TEST_F(error, data_is_nowhere)
{
	ASSERT_EQ(0, b_put(self->c, BC_TRANSACTION,
			   &(struct binder_transaction_data) {
		.data_size = 8,
		.data.ptr.buffer = WILD_KERNEL,
	}));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EFAULT);
}

TEST_F(error, offsets_are_nowhere)
{
	ASSERT_EQ(0, b_put(self->c, BC_TRANSACTION,
			   &(struct binder_transaction_data) {
		.offsets_size = 8,
		.data.ptr.offsets = WILD_KERNEL,
	}));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EFAULT);
}

TEST_F(error, sizes_overflow)
{
	ASSERT_EQ(0, b_put(self->c, BC_TRANSACTION,
			   &(struct binder_transaction_data) {
		.data_size = ~7ULL,
		.offsets_size = ~7ULL,
	}));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, buffers_size_is_no_multiple_of_eight)
{
	struct binder_transaction_data_sg sg = { .buffers_size = 4 };

	put_message(self->c, BC_TRANSACTION_SG, &sg);
	ASSERT_EQ(0, b_go(self->c, 0));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, an_object_of_unknown_type)
{
	put_flat(parcel_new(self->c), 0x12345678, 0, 1, 1);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, an_object_with_an_unknown_handle)
{
	put_handle(parcel_new(self->c), 99);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, a_file_that_is_not_open)
{
	long handle = hand_node(self->m, self->c, NODE, COOKIE);

	ASSERT_LT(0, handle);
	put_fd(parcel_new(self->c), 99, 0);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, handle, 0));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EBADF);
}

TEST_F(error, a_file_that_is_not_wanted)
{
	put_fd(parcel_new(self->c), 0, 0);
	ASSERT_EQ(0, b_post(self->c, BC_TRANSACTION, 0, 0));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EPERM);
}

TEST_F(error, the_callee_is_dead)
{
	long handle = hand_node(self->m, self->c, NODE, COOKIE);

	ASSERT_LT(0, handle);
	ASSERT_EQ(0, b_watch(self->c, handle, 1));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	ASSERT_EQ(BR_DEAD_BINDER, b_await(self->c, BR(BR_DEAD_BINDER)));
	ASSERT_EQ(0, b_ask(self->c, handle, 1));
	EXPECT_FAILURE(self->c, BR_DEAD_REPLY, -EINVAL);
}

/* The call itself was all right: nothing but the command tells. */
TEST_F(error, the_callee_dies)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_ERROR(self->c, BR_OK, 0);
}

/* Whoever waits for an answer that cannot be sent has to know the reason. */
TEST_F(error, a_reply_s_failure_is_the_caller_s)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_reply(self->m, 1, AREA_SIZE + 8));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_ERROR(self->m, BR_OK, 0);
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -ENOSPC);
	EXPECT_EQ(0, exchange(self->c, self->m, 1, 8));
}

TEST_F(error, a_reply_with_an_unknown_handle)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	put_handle(parcel_new(self->m), 99);
	ASSERT_EQ(0, b_post(self->m, BC_REPLY, 0, 0));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_ERROR(self->m, BR_OK, 0);
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, a_reply_to_one_without_an_area)
{
	struct party *d = client_new(0);

	ASSERT_NE(NULL, d);
	ASSERT_EQ(0, b_greet(d));
	ASSERT_EQ(0, b_ask(d, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_FAILURE(d, BR_DEAD_REPLY, -ESRCH);
}

TEST_F(error, it_is_told_once)
{
	const struct binder_extended_error *ee;

	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -EINVAL);
	ee = b_error(self->c);
	ASSERT_NE(NULL, ee);
	EXPECT_EQ(0, ee->id);
	EXPECT_EQ(BR_OK, ee->command);
	EXPECT_EQ(0, ee->param);
}

TEST_F(error, the_next_success_is_all_there_is)
{
	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	ASSERT_EQ(BR_TRANSACTION_COMPLETE, b_tell(self->c, 0, 1));
	EXPECT_ERROR(self->c, BR_OK, 0);
}

TEST_F(error, the_next_failure_is_all_there_is)
{
	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_call(self->c, 1, AREA_SIZE + 8));
	EXPECT_FAILURE(self->c, BR_FAILED_REPLY, -ENOSPC);
	EXPECT_ERROR(self->c, BR_OK, 0);
}

TEST_F(error, it_is_there_before_the_command_is_read)
{
	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	EXPECT_ERROR(self->c, BR_FAILED_REPLY, -EINVAL);
	EXPECT_EQ(BR_FAILED_REPLY, b_receive(self->c));
}

TEST_F(error, every_failure_has_a_number)
{
	u32 last = 0;

	for (int i = 0; i < 3; i++) {
		const struct binder_extended_error *ee;

		ASSERT_EQ(0, b_ask(self->c, 99, 1));
		ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
		ee = b_error(self->c);
		ASSERT_NE(NULL, ee);
		EXPECT_NE(0, ee->id);
		EXPECT_NE(last, ee->id);
		last = ee->id;
	}
}

TEST_F(error, threads_have_errors_of_their_own)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	EXPECT_ERROR(t, BR_OK, 0);
	EXPECT_ERROR(self->c, BR_FAILED_REPLY, -EINVAL);
}

TEST_F(error, it_ends_with_the_thread)
{
	ASSERT_EQ(0, b_ask(self->c, 99, 1));
	ASSERT_EQ(BR_FAILED_REPLY, b_receive(self->c));
	ASSERT_EQ(0, b_thread_exit(self->c));
	EXPECT_ERROR(self->c, BR_OK, 0);
}

TEST_HARNESS_MAIN
