/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fuzzing process and its threads: what they have, and how a thread talks to
 * the driver.
 */
#ifndef VBINDER_TESTS_FUZZ_MEMBER_H
#define VBINDER_TESTS_FUZZ_MEMBER_H

#include <linux/poll.h>

#include "../sigs.h"
#include "board.h"
#include "random.h"

#define WORKERS		3
#define HANDLES		24
#define FILES		4
#define HELD_BUFFERS	6
#define COMMANDS_MAX	40
/* A process's own tools are above, what it received is below. */
#define TOOLS		400

#define OUT_SIZE	(2 * KIB)
#define IN_SIZE		(2 * KIB)
#define DATA_SIZE	(4 * KIB)
#define OFFSETS_MAX	64
#define POOL_SIZE	(4 * KIB)
#define BIG_SIZE	MIB

/* What a thread talks from, in pages of its own; behind them is a hole. */
struct arena {
	u8 in[IN_SIZE];
	u8 out[OUT_SIZE];
	u8 data[DATA_SIZE];
	u64 offsets[OFFSETS_MAX];
	u8 pool[POOL_SIZE];
	u8 info[64];
	/* The hole begins at a page. */
	u8 padding[2 * PAGE - 8 * OFFSETS_MAX - 64];
};

struct worker {
	u64 chance;
	int tid;
	int pipe[2];
	int nth;			/* to let allocations fail */
	int depth;			/* calls in calls */
	u32 flip;			/* the arena may change */
	struct arena *arena;
	size_t out_len;
	struct {
		u32 cmd;
		u32 end;
	} cmds[COMMANDS_MAX];
	unsigned int nr_cmds;
	u64 held[HELD_BUFFERS];
	u8 seen[2 * KIB];		/* data of a message */
	u64 seen_offsets[OFFSETS_MAX];
};

/* The process of which this is; its threads share it. */
static struct member {
	struct board *board;
	unsigned int number;
	int files[FILES];		/* binder files; the first is its own */
	u8 *area;
	size_t area_len;
	u32 handles[HANDLES];
	u32 wanted_threads;
	u8 *big;			/* memory to send much of */
	struct worker workers[WORKERS];
} me;

/* A file number that is out of the way of what others send. */
static inline int as_tool(long fd)
{
	long tool;

	if (fd < 0)
		return -1;
	tool = sys_fcntl(fd, F_DUPFD_CLOEXEC, TOOLS);
	sys_close(fd);
	return tool < 0 ? -1 : tool;
}

static inline int some_file(struct worker *w)
{
	int fd = me.files[one_in(&w->chance, 24) ? below(&w->chance, FILES) : 0];

	return fd < 0 ? me.files[0] : fd;
}

static inline u32 some_handle(struct worker *w)
{
	if (one_in(&w->chance, 40))
		return one_in(&w->chance, 2) ? below(&w->chance, 40) :
					       odd_number(&w->chance);
	if (one_in(&w->chance, 4))
		return 0;
	return me.handles[below(&w->chance, HANDLES)];
}

static inline u64 some_node(struct worker *w)
{
	return 0x10000 * (me.number + 1) + 8 * below(&w->chance, 8);
}

/* Mostly right, and always so for the same node. */
static inline u64 cookie_of(struct worker *w, u64 ptr)
{
	return one_in(&w->chance, 100) ? odd_number(&w->chance) : ~ptr;
}

/* An address that is wrong in one way or the other. */
static inline u64 wrong_address(struct worker *w)
{
	u64 hole = ptr_u64(w->arena) + sizeof(*w->arena);

	switch (below(&w->chance, 5)) {
	case 0:
		return hole - below(&w->chance, 64);
	case 1:
		return hole;
	case 2:
		return ptr_u64(me.area) + below(&w->chance, 2 * PAGE);
	case 3:
		return WILD_KERNEL;
	default:
		return odd_number(&w->chance);
	}
}

/* Memory that may vanish while it is looked at: whether it was all there. */
static inline bool copy_safely(struct worker *w, void *to, u64 from, size_t len)
{
	u8 *at = to;
	size_t done = 0;
	long ret = len ? sys_write(w->pipe[1], u64_ptr(from), len) : 0;

	while (ret > 0 && done < (size_t)ret) {
		long got = sys_read(w->pipe[0], at + done, ret - done);

		if (got <= 0)
			return false;
		done += got;
	}
	return done == len;
}

/* Lets an allocation of the next system call fail, in rounds with that. */
static inline void begin_fault(struct worker *w)
{
	char text[16];

	if (w->nth < 0 || !one_in(&w->chance, 6))
		return;
	snprintf(text, sizeof(text), "%u", 1 + below(&w->chance, 25));
	__nolibc_syscall4(__NR_pwrite64, w->nth, text, strlen(text), 0);
}

static inline void end_fault(struct worker *w)
{
	char text[16] = "";

	if (w->nth < 0 || sys_pread(w->nth, text, sizeof(text) - 1, 0) <= 0)
		return;
	if (atol(text) <= 0)
		count(&me.board->faults_hit);
	__nolibc_syscall4(__NR_pwrite64, w->nth, "0", 1, 0);
}

/* An ioctl; it may find no memory, and its argument may change meanwhile. */
static inline long ask(struct worker *w, enum action which, int fd,
		       unsigned int cmd, void *arg)
{
	bool flips = one_in(&w->chance, 10);
	bool fails = me.board->faults && one_in(&w->chance, 2);
	long ret;

	if (flips)
		store(&w->flip, 1);
	if (fails)
		begin_fault(w);
	ret = sys_ioctl(fd, cmd, arg);
	if (fails)
		end_fault(w);
	if (flips)
		store(&w->flip, 0);
	return count_action(me.board, which, ret);
}

/* Commands gather in the arena. */

static inline void say(struct worker *w, u32 cmd, const void *arg, size_t len)
{
	if (w->nr_cmds == COMMANDS_MAX ||
	    w->out_len + sizeof(cmd) + len > OUT_SIZE)
		return;
	memcpy(w->arena->out + w->out_len, &cmd, sizeof(cmd));
	w->out_len += sizeof(cmd);
	memcpy(w->arena->out + w->out_len, arg, len);
	w->out_len += len;
	w->cmds[w->nr_cmds].cmd = cmd;
	w->cmds[w->nr_cmds++].end = w->out_len;
}

static inline void say_word(struct worker *w, u32 cmd, u32 word)
{
	say(w, cmd, &word, sizeof(word));
}

static inline void say_long(struct worker *w, u32 cmd, u64 number)
{
	say(w, cmd, &number, sizeof(number));
}

static inline void say_node(struct worker *w, u32 cmd, u64 ptr, u64 cookie)
{
	struct binder_ptr_cookie node = { .ptr = ptr, .cookie = cookie };

	say(w, cmd, &node, sizeof(node));
}

static inline void say_watch(struct worker *w, u32 cmd, u32 handle, u64 cookie)
{
	struct binder_handle_cookie watch = {
		.handle = handle,
		.cookie = cookie,
	};

	say(w, cmd, &watch, sizeof(watch));
}

/*
 * Which commands have been carried out, as far as the driver tells. What comes
 * after one that was refused stays for the next time.
 */
static inline void count_commands(struct worker *w, u64 consumed, long ret)
{
	unsigned int i = 0;
	u32 from;

	for (; i < w->nr_cmds && w->cmds[i].end <= consumed; i++)
		count(&me.board->taken[_IOC_NR(w->cmds[i].cmd) % COMMANDS]);
	if (i < w->nr_cmds && (ret == -EINVAL || ret == -EFAULT)) {
		count(&me.board->refused[_IOC_NR(w->cmds[i].cmd) % COMMANDS]);
		i++;
	}
	from = i ? w->cmds[i - 1].end : 0;
	w->out_len -= from;
	w->nr_cmds -= i;
	memmove(w->arena->out, w->arena->out + from, w->out_len);
	memmove(w->cmds, w->cmds + i, w->nr_cmds * sizeof(w->cmds[0]));
	for (i = 0; i < w->nr_cmds; i++)
		w->cmds[i].end -= from;
}

/* Makes something of a request wrong. */
static inline void spoil_request(struct worker *w, struct binder_write_read *r)
{
	switch (below(&w->chance, 8)) {
	case 0:
		r->write_size = off_by_some(&w->chance, r->write_size);
		break;
	case 1:
		r->write_consumed = off_by_some(&w->chance, 0);
		break;
	case 2:
		r->write_buffer = wrong_address(w);
		break;
	case 3:
		r->read_consumed = off_by_some(&w->chance, 0);
		break;
	case 4:
		r->read_buffer = wrong_address(w);
		break;
	case 5:
		r->read_buffer = ptr_u64(w->arena + 1) - below(&w->chance, 90);
		break;
	case 6:
		r->read_size = odd_number(&w->chance) % IN_SIZE;
		break;
	default:
		r->write_buffer++;
		break;
	}
}

/*
 * One BINDER_WRITE_READ of what was gathered: the number of bytes that it has
 * read, or a negative errno. A read waits for not longer than it takes until
 * the next signal.
 */
static inline long talk(struct worker *w, size_t read_size)
{
	struct binder_write_read *request = (void *)w->arena->info;
	long ret;

	*request = (struct binder_write_read) {
		.write_size = w->out_len,
		.write_buffer = ptr_u64(w->arena->out),
		.read_size = read_size,
		.read_buffer = ptr_u64(w->arena->in),
	};
	if (one_in(&w->chance, 60))
		spoil_request(w, request);
	ret = ask(w, WRITE_READ, some_file(w), BINDER_WRITE_READ, request);
	count_commands(w, request->write_consumed, ret);
	if (ret < 0)
		return ret;
	return request->read_consumed > IN_SIZE ? 0 : request->read_consumed;
}

#endif
