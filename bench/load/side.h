/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One side of a conversation through a binder device, as lean as a client can
 * be: what is to be written waits until something has to be read, and goes
 * with that in one ioctl.
 */
#ifndef VBINDER_BENCH_SIDE_H
#define VBINDER_BENCH_SIDE_H

#include <linux/android/binder.h>

#include "team.h"

/* As libbinder's. */
#define AREA_SIZE	(MIB - 8 * KIB)
#define READ_SIZE	256
#define WRITE_SIZE	512
#define PATIENCE_MS	20000

/* The code of a call: how long the answer is, and whether to keep the call. */
#define BACK_MAX	(256 * KIB)
#define KEEP		0x80000000U

struct side {
	int fd;
	u64 ioctls;
	size_t wlen;
	size_t at;			/* what of rbuf has been seen */
	size_t end;
	u64 area;
	size_t area_len;
	u8 *payload;
	u8 wbuf[WRITE_SIZE];
	u8 rbuf[READ_SIZE];
};

static inline void side_open(struct side *s, size_t area_len)
{
	long ret = sys_open(options.device, O_RDWR | O_CLOEXEC);

	memset(s, 0, sizeof(*s));
	if (ret < 0)
		die("%s: cannot be opened: error %ld", options.device, -ret);
	s->fd = ret;
	ret = sys_mmap(NULL, area_len, PROT_READ, MAP_PRIVATE | MAP_NORESERVE,
		       s->fd, 0);
	if (is_error(ret))
		die("%s: cannot be mapped: error %ld", options.device, -ret);
	s->area = ret;
	s->area_len = area_len;
}

static inline void side_ioctl(struct side *s, unsigned long cmd, void *arg,
			      const char *what)
{
	long ret = sys_ioctl(s->fd, cmd, arg);

	if (ret < 0)
		die("%s: error %ld", what, -ret);
}

/* What is sent is as resident as what is received. */
static inline void side_payload(struct side *s, size_t len)
{
	s->payload = zeroed(len, MAP_PRIVATE);
	memset(s->payload, 0x5a, len);
}

/*
 * The builtin, because lengths are known here: nolibc's memcpy() is counted as
 * one instruction for each byte.
 */
static __always_inline void put(struct side *s, const void *data, size_t len)
{
	if (s->wlen + len > sizeof(s->wbuf))
		die("too many commands");
	__builtin_memcpy(s->wbuf + s->wlen, data, len);
	s->wlen += len;
}

static inline void put_cmd(struct side *s, u32 cmd)
{
	put(s, &cmd, sizeof(cmd));
}

static inline void put_free(struct side *s, u64 buffer)
{
	put_cmd(s, BC_FREE_BUFFER);
	put(s, &buffer, sizeof(buffer));
}

static inline void put_tr(struct side *s, u32 cmd,
			  const struct binder_transaction_data *tr)
{
	put_cmd(s, cmd);
	put(s, tr, sizeof(*tr));
}

/*
 * Sends len bytes of the payload, the first and the last of which say which.
 * The code of a call says what is to be done with it.
 */
static inline void put_message(struct side *s, u32 cmd, u32 handle, u32 code,
			       u32 flags, size_t len, u8 mark)
{
	struct binder_transaction_data tr = {
		.target.handle = handle,
		.code = code,
		.flags = flags,
		.data_size = len,
		.data.ptr.buffer = ptr_u64(s->payload),
	};

	s->payload[0] = mark;
	s->payload[len - 1] = mark;
	put_tr(s, cmd, &tr);
}

/* One ioctl: all that waits to be written, and a read. */
static inline void exchange(struct side *s, size_t read_size)
{
	struct binder_write_read bwr = {
		.write_size = s->wlen,
		.write_buffer = ptr_u64(s->wbuf),
		.read_size = read_size,
		.read_buffer = ptr_u64(s->rbuf),
	};

	side_ioctl(s, BINDER_WRITE_READ, &bwr, "BINDER_WRITE_READ");
	if (bwr.write_consumed != s->wlen)
		die("%llu of %lu bytes of commands were taken",
		    bwr.write_consumed, (unsigned long)s->wlen);
	s->ioctls++;
	s->wlen = 0;
	s->at = 0;
	s->end = bwr.read_consumed;
}

/* Writes what waits, and reads nothing. */
static inline void flush(struct side *s)
{
	if (s->wlen)
		exchange(s, 0);
}

/* The next return command, and what it came with. */
static inline u32 next_return(struct side *s, const void **arg)
{
	u32 cmd;

	while (s->at == s->end)
		exchange(s, sizeof(s->rbuf));
	__builtin_memcpy(&cmd, s->rbuf + s->at, sizeof(cmd));
	s->at += sizeof(cmd);
	*arg = s->rbuf + s->at;
	s->at += _IOC_SIZE(cmd);
	if (s->at > s->end)
		die("return command %x is cut off", cmd);
	return cmd;
}

/* The next return command that the program has to know of. */
static inline u32 next_event(struct side *s, struct binder_transaction_data *tr)
{
	for (;;) {
		const void *arg;
		u32 cmd = next_return(s, &arg);

		switch (cmd) {
		case BR_NOOP:
		case BR_SPAWN_LOOPER:
		case BR_TRANSACTION_COMPLETE:
		case BR_RELEASE:
		case BR_DECREFS:
			break;
		case BR_INCREFS:
		case BR_ACQUIRE:
			put_cmd(s, cmd == BR_INCREFS ? BC_INCREFS_DONE :
						       BC_ACQUIRE_DONE);
			put(s, arg, sizeof(struct binder_ptr_cookie));
			break;
		case BR_TRANSACTION:
		case BR_REPLY:
			__builtin_memcpy(tr, arg, sizeof(*tr));
			return cmd;
		default:
			die("unexpected return command %x (number %u)", cmd,
			    (unsigned int)_IOC_NR(cmd));
		}
	}
}

/* Looks at one byte in each page, and at the marks. */
static inline u8 look_at(const struct binder_transaction_data *tr, size_t len)
{
	const u8 *data = u64_ptr(tr->data.ptr.buffer);
	const u8 *end = data + len;
	u8 mark;

	if (tr->data_size != len)
		die("%llu bytes came, not %lu", tr->data_size,
		    (unsigned long)len);
	for (const u8 *p = data; p < end; p += PAGE)
		mark = __atomic_load_n(p, __ATOMIC_RELAXED);
	mark = __atomic_load_n(data, __ATOMIC_RELAXED);
	if (__atomic_load_n(end - 1, __ATOMIC_RELAXED) != mark)
		die("the message is damaged");
	return mark;
}

/* Waits for the answer, which has this size and mark, and frees it later. */
static inline void hear(struct side *s, size_t len, u8 mark)
{
	struct binder_transaction_data tr;

	if (next_event(s, &tr) != BR_REPLY)
		die("a call came, not an answer");
	if (look_at(&tr, len) != mark)
		die("the wrong answer came");
	put_free(s, tr.data.ptr.buffer);
}

/* A synchronous call, answered with as many bytes as is said. */
static inline void ask(struct side *s, u32 handle, size_t len, u32 back,
		       u8 mark)
{
	put_message(s, BC_TRANSACTION, handle, back, 0, len, mark);
	hear(s, back & ~KEEP, ~mark);
}

/* Takes a call and answers it: the answer goes with the next read. */
static inline void serve(struct side *s)
{
	struct binder_transaction_data tr;
	u8 mark;

	if (next_event(s, &tr) != BR_TRANSACTION)
		die("an answer came, not a call");
	mark = look_at(&tr, tr.data_size);
	if (!(tr.code & KEEP))
		put_free(s, tr.data.ptr.buffer);
	if (!(tr.flags & TF_ONE_WAY))
		put_message(s, BC_REPLY, 0, 0, 0, tr.code & ~KEEP, ~mark);
}

/* The manager of a run before goes some time after its process. */
static inline void claim_handle_0(struct side *s)
{
	u64 end = now_ms() + PATIENCE_MS;
	u32 zero = 0;
	long ret;

	while ((ret = sys_ioctl(s->fd, BINDER_SET_CONTEXT_MGR, &zero)) == -EBUSY &&
	       now_ms() < end)
		nap();
	if (ret < 0)
		die("BINDER_SET_CONTEXT_MGR: error %ld", -ret);
}

/* From now on this process is called as handle 0. */
static inline void become_manager(struct side *s, size_t area_len)
{
	u32 zero = 0;

	side_open(s, area_len);
	side_ioctl(s, BINDER_SET_MAX_THREADS, &zero, "BINDER_SET_MAX_THREADS");
	claim_handle_0(s);
	put_cmd(s, BC_ENTER_LOOPER);
	flush(s);
	raise_by(&shared->ready, 1);
}

/* A process that answers calls to handle 0. */
static inline void server(unsigned long area_len)
{
	static struct side s;

	become_manager(&s, area_len);
	side_payload(&s, BACK_MAX);
	for (;;)
		serve(&s);
}

/* Starts a server, and opens the device for its client. */
static inline void side_with_server(struct side *s, size_t area_len,
				    size_t payload)
{
	member(server, area_len);
	side_open(s, area_len);
	side_payload(s, payload);
	wait_until(&shared->ready, 1);
}

#endif
