/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What all fuzzing processes share: who they are, and what came of what they
 * did.
 */
#ifndef VBINDER_TESTS_FUZZ_BOARD_H
#define VBINDER_TESTS_FUZZ_BOARD_H

#include "../party.h"

#define MEMBERS		4
#define COMMANDS	22
#define RETURNS		23
#define REASONS		128

enum object_kind {
	BINDER, WEAK_BINDER, HANDLE, WEAK_HANDLE, FD, FDA, PTR, CHILD, KINDS,
};

enum action {
	WRITE_READ, VERSION, SET_MAX_THREADS, BECOME_MANAGER,
	BECOME_MANAGER_EXT, THREAD_EXIT, NODE_INFO, NODE_OF_HANDLE, FREEZE,
	FROZEN_INFO, SPAM, LAST_ERROR, UNKNOWN, POLL, EPOLL, OPEN, MAP, UNMAP,
	DONTNEED, PROTECT, MOVE, PASS_FILE, TAKE_FILE, DUP, CLOSE, FORK, SHRINK,
	ACTIONS,
};

struct board {
	u64 seed;
	bool faults;			/* allocations fail now and then */
	bool cycles;			/* a file may be sent to itself */
	int spare;			/* a device file to send otherwise */
	int sockets[2];			/* to pass files */
	int pid[MEMBERS];

	u64 taken[COMMANDS];
	u64 refused[COMMANDS];
	u64 told[RETURNS];
	u64 done[ACTIONS];
	u64 failed[ACTIONS];
	u64 sent[KINDS];
	u64 got[KINDS];
	u64 reason[REASONS];		/* why messages were refused: errno */
	u64 odd_messages;
	u64 flips;
	u64 faults_hit;
	u64 killed;
	u64 ended;
	u64 rounds;
};

static const char *const command_names[COMMANDS] = {
	"TRANSACTION", "REPLY", "ACQUIRE_RESULT", "FREE_BUFFER", "INCREFS",
	"ACQUIRE", "RELEASE", "DECREFS", "INCREFS_DONE", "ACQUIRE_DONE",
	"ATTEMPT_ACQUIRE", "REGISTER_LOOPER", "ENTER_LOOPER", "EXIT_LOOPER",
	"REQUEST_DEATH", "CLEAR_DEATH", "DEAD_BINDER_DONE", "TRANSACTION_SG",
	"REPLY_SG", "REQUEST_FREEZE", "CLEAR_FREEZE", "FREEZE_DONE",
};

static const char *const return_names[RETURNS] = {
	"ERROR", "OK", "TRANSACTION", "REPLY", "ACQUIRE_RESULT", "DEAD_REPLY",
	"TRANSACTION_COMPLETE", "INCREFS", "ACQUIRE", "RELEASE", "DECREFS",
	"ATTEMPT_ACQUIRE", "NOOP", "SPAWN_LOOPER", "FINISHED", "DEAD_BINDER",
	"CLEAR_DEATH_DONE", "FAILED_REPLY", "FROZEN_REPLY",
	"ONEWAY_SPAM_SUSPECT", "PENDING_FROZEN", "FROZEN_BINDER",
	"CLEAR_FREEZE_DONE",
};

static const char *const kind_names[KINDS] = {
	"binder", "weak binder", "handle", "weak handle", "fd", "fd array",
	"buffer", "buffer with parent",
};

static const char *const action_names[ACTIONS] = {
	"write/read", "version", "max threads", "manager", "manager (ext)",
	"thread exit", "node info", "node of handle", "freeze", "frozen info",
	"spam detection", "last error", "unknown", "poll", "epoll", "open",
	"mmap", "munmap", "dontneed", "mprotect", "mremap", "send file",
	"receive file", "dup", "close", "fork", "shrink",
};

static inline void count(u64 *what)
{
	__atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

static inline long count_action(struct board *b, enum action which, long ret)
{
	count(is_error(ret) ? &b->failed[which] : &b->done[which]);
	return ret;
}

/* Messages that were read by somebody, and those that were to be sent. */
static inline u64 delivered(const struct board *b)
{
	return b->told[_IOC_NR(BR_TRANSACTION)] + b->told[_IOC_NR(BR_REPLY)];
}

static inline u64 messages(const struct board *b)
{
	static const u32 cmds[] = {
		BC_TRANSACTION, BC_REPLY, BC_TRANSACTION_SG, BC_REPLY_SG,
	};
	u64 n = 0;

	for (int i = 0; i < 4; i++)
		n += b->taken[_IOC_NR(cmds[i])] + b->refused[_IOC_NR(cmds[i])];
	return n;
}

/* What came of it, in lines that tests/run shows; with all of it, a table. */
static inline void print_board(const struct board *b, bool all)
{
	printf("# fuzz: seed %llu: %llu rounds, %llu killed, %llu ended alone\n",
	       b->seed, b->rounds, b->killed, b->ended);
	printf("# fuzz: %llu messages, %llu delivered, %llu odd on purpose\n",
	       messages(b), delivered(b), b->odd_messages);
	printf("# fuzz: %llu flips, %llu allocations failed\n", b->flips,
	       b->faults_hit);
	for (int i = 0; all && i < COMMANDS; i++)
		if (b->taken[i] || b->refused[i])
			printf("# fuzz: BC_%s: %llu taken, %llu refused\n",
			       command_names[i], b->taken[i], b->refused[i]);
	for (int i = 0; all && i < RETURNS; i++)
		if (b->told[i])
			printf("# fuzz: BR_%s: %llu\n", return_names[i],
			       b->told[i]);
	for (int i = 0; all && i < REASONS; i++)
		if (b->reason[i])
			printf("# fuzz: errno %d: %llu\n", i, b->reason[i]);
	for (int i = 0; all && i < ACTIONS; i++)
		printf("# fuzz: %s: %llu done, %llu failed\n", action_names[i],
		       b->done[i], b->failed[i]);
	for (int i = 0; all && i < KINDS; i++)
		printf("# fuzz: %s: %llu sent, %llu received\n", kind_names[i],
		       b->sent[i], b->got[i]);
}

#endif
