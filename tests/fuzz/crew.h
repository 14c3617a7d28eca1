/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rounds: some fuzzing processes for some time, in which they are killed and
 * come back, and at the end of which nothing is left of them.
 */
#ifndef VBINDER_TESTS_FUZZ_CREW_H
#define VBINDER_TESTS_FUZZ_CREW_H

#include "worker.h"

#ifndef PR_SET_CHILD_SUBREAPER
#define PR_SET_CHILD_SUBREAPER	36
#endif

static inline int member_start(struct board *b, unsigned int i, u64 seed)
{
	int warden = getpid();
	int pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (_syscall(__NR_getppid) != warden)
			_exit(1);
		member_life(b, i, seed);
	}
	__atomic_store_n(&b->pid[i], pid, __ATOMIC_RELEASE);
	return pid;
}

/* Takes notice of a child's end, if there was one: whether there was. */
static inline bool reap(struct board *b)
{
	int status;
	int pid = waitpid(-1, &status, WNOHANG);

	for (int i = 0; pid > 0 && i < MEMBERS; i++) {
		if (b->pid[i] != pid)
			continue;
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			count(&b->ended);
		b->pid[i] = 0;
	}
	return pid > 0;
}

/* Ends everybody: 0, or -ETIME if somebody does not end. */
static inline long end_members(struct board *b)
{
	u64 end = now_ms() + PATIENCE_MS;

	for (int i = 0; i < MEMBERS; i++)
		if (b->pid[i] > 0)
			kill(b->pid[i], SIGKILL);
	/* Their children come here when they are gone, and are killed by that. */
	for (;;) {
		int status;
		int pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0)
			break;
		if (now_ms() > end)
			return -ETIME;
		if (!pid)
			nap();
	}
	memset(b->pid, 0, sizeof(b->pid));
	return 0;
}

/* One round of a[1] ms with the seed a[2] on the board a[0]. */
static inline long op_fuzz(struct party *p, const u64 *a)
{
	struct board *b = u64_ptr(a[0]);
	u64 end = now_ms() + a[1];
	u64 chance = a[2];
	u64 lives = 0;
	long ret;

	(void)p;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	/* Datagrams; a queue that is full refuses more. */
	ret = __nolibc_syscall4(__NR_socketpair, 1, 2 | O_NONBLOCK, 0,
				b->sockets);
	if (ret)
		return ret;
	b->sockets[0] = as_tool(b->sockets[0]);
	b->sockets[1] = as_tool(b->sockets[1]);
	b->spare = as_tool(sys_open(device(), O_RDWR));
	while (now_ms() < end) {
		for (int i = 0; i < MEMBERS; i++)
			if (b->pid[i] <= 0)
				member_start(b, i, seed_of(a[2], lives++));
		for (int i = below(&chance, 300); i > 0 && now_ms() < end; i--) {
			nap();
			if (reap(b))
				break;
		}
		if (one_in(&chance, 3)) {
			int victim = b->pid[below(&chance, MEMBERS)];

			if (victim > 0 && !kill(victim, SIGKILL))
				count(&b->killed);
		}
	}
	ret = end_members(b);
	sys_close(b->sockets[0]);
	sys_close(b->sockets[1]);
	sys_close(b->spare);
	count(&b->rounds);
	return ret;
}

#endif
