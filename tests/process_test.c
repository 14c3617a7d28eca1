// SPDX-License-Identifier: GPL-2.0
/*
 * A binder file in other hands: after exec and fork, in another process, as
 * two descriptors. Whoever uses it acts for the process that opened it.
 */
#include <kselftest_harness.h>

#include "calls.h"
#include "child.h"
#include "ioctls.h"
#include "pair.h"

#define USER		1234

FIXTURE(process)
{
	int socket[2];		/* all parties inherit both ends */
	struct party *m;
	struct party *c;
};

FIXTURE_SETUP(process)
{
	ASSERT_TRUE(nothing_in_use());
	ASSERT_EQ(0, _syscall(__NR_socketpair, 1, 2, 0, self->socket));
	SETUP_PAIR();
	ASSERT_EQ(0, b_greet(self->c));
}

FIXTURE_TEARDOWN(process)
{
	kill_all_parties();
	sys_close(self->socket[0]);
	sys_close(self->socket[1]);
}

/* True for the two ways in which a receiver can be without memory. */
static bool has_no_memory(long got)
{
	return got == BR_DEAD_REPLY || got == BR_FAILED_REPLY;
}

/* Goes on as another program, with the binder file unless it is to close. */
static long op_exec(struct party *p, const u64 *a)
{
	static char *const argv[] = { "sleep", "1000", NULL };
	static char *const envp[] = { NULL };

	sys_fcntl(p->fd, F_SETFD, a[0]);
	return _syscall(__NR_execve, "/bin/busybox", argv, envp);
}

/*
 * The system call does not come back, so look at the arguments of the process:
 * there are new ones when nothing is left of what it was, but not before. It
 * gets its new name earlier.
 */
static bool executes(struct party *p, int fd_flags)
{
	u64 end = now_ms() + PATIENCE_MS;
	char path[64];
	char name[32] = "";

	snprintf(path, sizeof(path), "/proc/%d/cmdline", p->pid);
	START(p, op_exec, fd_flags);
	while (strcmp(name, "sleep") && is_busy(p) && now_ms() < end) {
		nap();
		read_file(path, name, sizeof(name));
	}
	return !strcmp(name, "sleep");
}

TEST_F(process, exec_closes_the_file)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_TRUE(executes(self->m, FD_CLOEXEC));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
	EXPECT_EQ(0, b_become_manager(self->c));
}

TEST_F(process, exec_can_keep_the_file)
{
	ASSERT_TRUE(executes(self->m, 0));
	EXPECT_EQ(-EBUSY, b_ioctl_u32(self->c, BINDER_SET_CONTEXT_MGR, 0));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(0, b_become_manager(self->c));
}

TEST_F(process, exec_always_takes_the_area)
{
	ASSERT_TRUE(executes(self->m, 0));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	EXPECT_TRUE(has_no_memory(b_receive(self->c)));
	EXPECT_TRUE(has_no_memory(b_tell(self->c, 0, 2)));
}

TEST_F(process, exec_keeps_the_calls)
{
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_TRUE(executes(self->m, 0));
	EXPECT_EQ(-EAGAIN, b_look(self->c));
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(self->c));
}

TEST_F(process, a_child_calls_for_its_parent)
{
	struct party *k = party_child(self->c);
	u64 answer;

	ASSERT_NE(NULL, k);
	ASSERT_EQ(0, b_greet(k));
	ASSERT_EQ(0, b_call(k, 1, 100));
	ASSERT_EQ(BR_TRANSACTION, b_receive(self->m));
	EXPECT_EQ(-1, b_mismatch(self->m, 1));
	EXPECT_EQ(self->c->pid, self->m->res.tr.sender_pid);
	ASSERT_EQ(0, b_reply(self->m, 2, 100));
	/* The answer goes to the thread that called, and into its area. */
	EXPECT_EQ(-EAGAIN, b_look(self->c));
	ASSERT_EQ(BR_REPLY, b_receive(k));
	answer = k->res.tr.data.ptr.buffer;
	EXPECT_EQ(-1, ON(self->c, op_mismatch, answer, 100, 2));
	EXPECT_EQ(0, b_free(k));
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 8));
}

TEST_F(process, a_child_calls_as_its_own_user)
{
	struct party *k = party_child(self->c);

	ASSERT_NE(NULL, k);
	ASSERT_EQ(0, b_greet(k));
	ASSERT_EQ(0, ON(k, op_setuid, USER));
	ASSERT_EQ(0, b_ask(k, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(USER, self->m->res.tr.sender_euid);
	EXPECT_EQ(self->c->pid, self->m->res.tr.sender_pid);
}

TEST_F(process, a_child_serves_for_its_parent)
{
	struct party *k = party_child(self->m);

	ASSERT_NE(NULL, k);
	ASSERT_EQ(0, b_enter_looper(k));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(k));
	/* It is a thread like any other: only itself can answer. */
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(BR_FAILED_REPLY, b_receipt(self->m));
	ASSERT_EQ(0, b_answer(k, 3));
	EXPECT_EQ(3, next_answer(self->c));
}

TEST_F(process, a_child_and_its_parent_are_two_threads)
{
	struct party *k = party_child(self->c);

	ASSERT_NE(NULL, k);
	ASSERT_EQ(0, b_greet(k));
	ASSERT_EQ(0, b_ask(k, 0, 1));
	ASSERT_EQ(0, b_ask(self->c, 0, 2));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 11));
	ASSERT_EQ(2, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 12));
	EXPECT_EQ(12, next_answer(self->c));
	EXPECT_EQ(11, next_answer(k));
}

/* There is one area for each file, and it is the opener's. */
TEST_F(process, a_child_cannot_map)
{
	struct party *opener = client_new(0);
	struct party *k;

	ASSERT_NE(NULL, opener);
	k = party_child(opener);
	ASSERT_NE(NULL, k);
	EXPECT_EQ(-EINVAL, b_map(k, AREA_SIZE));
	EXPECT_EQ(0, b_map(opener, AREA_SIZE));
}

TEST_F(process, a_child_s_own_file_is_its_own)
{
	struct party *k = party_child(self->c);

	ASSERT_NE(NULL, k);
	ASSERT_LE(0, b_open(k));
	ASSERT_EQ(0, b_map(k, AREA_SIZE));
	ASSERT_EQ(0, b_greet(k));
	ASSERT_EQ(0, b_ask(k, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(k->pid, self->m->res.tr.sender_pid);
}

/* Sending a file over a socket, in the words of the system call. */

struct message {
	void *name;
	int name_len;
	struct iovec *iov;
	size_t iov_len;
	void *control;
	size_t control_len;
	unsigned int flags;
};

struct control {
	size_t len;
	int level;
	int type;
	int fd;
	int pad;
};

/* Arguments: the socket, and whether it is to be sent. */
static long op_pass(struct party *p, const u64 *a)
{
	struct control control = {
		.len = 20,
		.level = 1,		/* SOL_SOCKET */
		.type = 1,		/* SCM_RIGHTS */
		.fd = p->fd,
	};
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct message message = {
		.iov = &iov,
		.iov_len = 1,
		.control = &control,
		.control_len = sizeof(control),
	};
	long ret;

	if (a[1])
		return _syscall(__NR_sendmsg, a[0], &message, 0);
	ret = _syscall(__NR_recvmsg, a[0], &message, 0);
	if (ret == 1)
		p->fd = control.fd;
	return ret;
}

static struct party *receiver_of_a_file(int socket)
{
	struct party *p = party_new();

	return p && ON(p, op_pass, socket, false) == 1 ? p : NULL;
}

TEST_F(process, a_passed_file_calls_for_the_opener)
{
	struct party *k;

	ASSERT_EQ(1, ON(self->c, op_pass, self->socket[0], true));
	k = receiver_of_a_file(self->socket[1]);
	ASSERT_NE(NULL, k);
	ASSERT_EQ(0, b_greet(k));
	ASSERT_EQ(0, b_ask(k, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	EXPECT_EQ(self->c->pid, self->m->res.tr.sender_pid);
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(k));
}

TEST_F(process, a_passed_file_cannot_be_mapped)
{
	struct party *opener = client_new(0);
	struct party *k;

	ASSERT_NE(NULL, opener);
	ASSERT_EQ(1, ON(opener, op_pass, self->socket[0], true));
	k = receiver_of_a_file(self->socket[1]);
	ASSERT_NE(NULL, k);
	EXPECT_EQ(-EINVAL, b_map(k, AREA_SIZE));
}

TEST_F(process, a_passed_file_outlives_the_opener)
{
	struct party *k;

	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, ON(self->m, op_pass, self->socket[0], true));
	k = receiver_of_a_file(self->socket[1]);
	ASSERT_NE(NULL, k);
	ASSERT_EQ(SIGKILL, party_kill(self->m));
	EXPECT_EQ(-EBUSY, b_ioctl_u32(self->c, BINDER_SET_CONTEXT_MGR, 0));
	/* Its memory is gone, but not what it was asked. */
	ASSERT_EQ(0, b_enter_looper(k));
	ASSERT_EQ(1, next_call(k));
	ASSERT_EQ(0, b_answer(k, 2));
	EXPECT_EQ(2, next_answer(self->c));
	ASSERT_EQ(0, ON(k, op_close));
	EXPECT_EQ(0, b_become_manager(self->c));
}

TEST_F(process, a_file_on_its_way_is_open)
{
	struct party *k;

	ASSERT_EQ(1, ON(self->m, op_pass, self->socket[0], true));
	ASSERT_EQ(0, ON(self->m, op_leave));
	EXPECT_EQ(-EBUSY, b_ioctl_u32(self->c, BINDER_SET_CONTEXT_MGR, 0));
	k = receiver_of_a_file(self->socket[1]);
	ASSERT_NE(NULL, k);
	ASSERT_EQ(0, ON(k, op_close));
	EXPECT_EQ(0, b_become_manager(self->c));
}

static long op_dup(struct party *p, const u64 *a)
{
	(void)a;
	return sys_fcntl(p->fd, F_DUPFD_CLOEXEC, 0);
}

TEST_F(process, one_of_two_descriptors_is_closed)
{
	long copy = ON(self->m, op_dup);

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, ON(self->m, op_close));
	self->m->fd = copy;
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->c));
	EXPECT_EQ(0, exchange(self->c, self->m, 3, 8));
}

TEST_F(process, two_descriptors_are_one_file)
{
	long copy = ON(self->m, op_dup);
	int first = self->m->fd;

	ASSERT_LE(0, copy);
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	self->m->fd = copy;
	ASSERT_EQ(0, b_set_nonblock(self->m));
	self->m->fd = first;
	ASSERT_EQ(0, b_answer(self->m, 2));
	EXPECT_EQ(2, next_answer(self->c));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(self->m));
	EXPECT_EQ(-EAGAIN, b_receive(self->m));
}

TEST_F(process, two_files_are_two_clients)
{
	struct party *t = party_thread(self->c);

	ASSERT_NE(NULL, t);
	ASSERT_LE(0, b_open(t));
	ASSERT_EQ(0, b_map(t, AREA_SIZE));
	ASSERT_EQ(0, b_ask(self->c, 0, 1));
	ASSERT_EQ(1, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 2));
	/* Even the same thread is another one to another file. */
	self->c->fd = t->fd;
	EXPECT_EQ(-EAGAIN, b_look(self->c));
	ASSERT_EQ(0, b_ask(self->c, 0, 3));
	ASSERT_EQ(3, next_call(self->m));
	ASSERT_EQ(0, b_answer(self->m, 4));
	EXPECT_EQ(4, next_answer(self->c));
}

TEST_HARNESS_MAIN
