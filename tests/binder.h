/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The binder protocol as parties speak it.
 *
 * Functions whose names begin with op_ run in a party; the others run in the
 * test and make a party act. All give a negative errno for a system call that
 * failed, -ETIME for a party that hangs and -ESRCH for one that died.
 */
#ifndef VBINDER_TESTS_BINDER_H
#define VBINDER_TESTS_BINDER_H

#include "party.h"

#define DEVICE		"/dev/vbinder"
#define DEVICE_ENV	"VBINDER_DEVICE"	/* another driver's instead */
#define AREA_SIZE	MIB
#define PAYLOAD_MAX	(6 * MIB)
#define READ_SIZE	256

/* A set of return commands; their numbers are below 64 and all differ. */
#define BR(cmd)		(1ULL << _IOC_NR(cmd))
#define BR_FAILURE	(BR(BR_DEAD_REPLY) | BR(BR_FAILED_REPLY) | \
			 BR(BR_FROZEN_REPLY) | BR(BR_ERROR))
#define BR_MESSAGE	(BR(BR_TRANSACTION) | BR(BR_REPLY) | BR_FAILURE)
#define BR_RECEIPT	(BR(BR_TRANSACTION_COMPLETE) | \
			 BR(BR_TRANSACTION_PENDING_FROZEN) | \
			 BR(BR_ONEWAY_SPAM_SUSPECT) | BR_FAILURE)

/* Opening and mapping. */

static inline const char *device(void)
{
	return getenv(DEVICE_ENV) ?: DEVICE;
}

static inline long op_open(struct party *p, const u64 *a)
{
	p->fd = sys_open(u64_ptr(a[0]), O_RDWR | O_CLOEXEC | a[1]);
	return p->fd;
}

static inline long op_close(struct party *p, const u64 *a)
{
	(void)a;
	return sys_close(p->fd);
}

/* A mapped area keeps the file: only without it does close() let go of it. */
static inline long op_leave(struct party *p, const u64 *a)
{
	long ret = p->area ? sys_munmap(p->area, p->area_len) : 0;

	return ret ?: op_close(p, a);
}

/* Arguments: length, protection, address or 0, extra flags, fd or 0. */
static inline long op_mmap(struct party *p, const u64 *a)
{
	return sys_mmap(u64_ptr(a[2]), a[0], a[1],
			MAP_PRIVATE | MAP_NORESERVE | a[3], a[4] ?: (u64)p->fd,
			0);
}

static inline long op_munmap(struct party *p, const u64 *a)
{
	(void)p;
	return sys_munmap(u64_ptr(a[0]), a[1]);
}

static inline long op_madvise(struct party *p, const u64 *a)
{
	(void)p;
	return sys_madvise(u64_ptr(a[0]), a[1], a[2]);
}

/* Reads a byte and may die of it. */
static inline long op_touch(struct party *p, const u64 *a)
{
	(void)p;
	return __atomic_load_n((u8 *)u64_ptr(a[0]), __ATOMIC_RELAXED);
}

static inline long op_ioctl(struct party *p, const u64 *a)
{
	return sys_ioctl(p->fd, a[0], u64_ptr(a[1]));
}

/* Another effective user, with a way back. */
static inline long op_setuid(struct party *p, const u64 *a)
{
	(void)p;
	return sys_setresuid(-1, a[0], -1);
}

static inline long op_setfl(struct party *p, const u64 *a)
{
	return sys_fcntl(p->fd, F_SETFL, a[0]);
}

static inline long b_set_nonblock(struct party *p)
{
	return ON(p, op_setfl, O_RDWR | O_NONBLOCK);
}

static inline long b_set_block(struct party *p)
{
	return ON(p, op_setfl, O_RDWR);
}

static inline long b_open(struct party *p)
{
	return ON(p, op_open, ptr_u64(device()), 0);
}

static inline long b_map_at(struct party *p, size_t len, void *where)
{
	long at = ON(p, op_mmap, len, PROT_READ, ptr_u64(where),
		     where ? MAP_FIXED : 0);

	if (is_error(at))
		return at;
	p->area = u64_ptr(at);
	p->area_len = len;
	return 0;
}

static inline long b_map(struct party *p, size_t len)
{
	return b_map_at(p, len, NULL);
}

static inline long b_unmap(struct party *p)
{
	return ON(p, op_munmap, ptr_u64(p->area), p->area_len);
}

/* Throws away the page table of the area. */
static inline long b_dontneed(struct party *p)
{
	return ON(p, op_madvise, ptr_u64(p->area), p->area_len, MADV_DONTNEED);
}

static inline long b_ioctl(struct party *p, unsigned int cmd, void *arg)
{
	return ON(p, op_ioctl, cmd, ptr_u64(arg));
}

/* An ioctl whose argument is one number; the party's scratch memory is shared. */
static inline long b_ioctl_u32(struct party *p, unsigned int cmd, u32 value)
{
	*(u32 *)p->scratch = value;
	return b_ioctl(p, cmd, p->scratch);
}

/* A killed manager goes some time after its process, so this is patient. */
static inline long b_become_manager(struct party *p)
{
	u64 end = now_ms() + PATIENCE_MS;
	long ret;

	while ((ret = b_ioctl_u32(p, BINDER_SET_CONTEXT_MGR, 0)) == -EBUSY &&
	       now_ms() < end)
		nap();
	return ret;
}

/* Contents: a byte's value follows from a seed and its place. */

static inline u8 pattern(u64 seed, size_t i)
{
	return (seed * 31 + i + (i >> 8) * 7 + (i >> 16) * 3) & 0xff;
}

static inline void fill(u8 *at, size_t len, u64 seed)
{
	for (size_t i = 0; i < len; i++)
		at[i] = pattern(seed, i);
}

/* Where memory first differs from what it should hold, or -1. */
static inline long mismatch(const u8 *at, size_t len, u64 seed)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != pattern(seed, i))
			return i;
	return -1;
}

static inline long op_fill(struct party *p, const u64 *a)
{
	if (!p->payload) {
		long mem = sys_mmap(NULL, PAYLOAD_MAX, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (is_error(mem))
			return mem;
		p->payload = u64_ptr(mem);
	}
	fill(p->payload + a[2], a[1], a[0]);
	return 0;
}

static inline long op_mismatch(struct party *p, const u64 *a)
{
	(void)p;
	return mismatch(u64_ptr(a[0]), a[1], a[2]);
}

/* Reads a byte the way a system call does: 1, or -EFAULT where it cannot. */
static inline long op_probe(struct party *p, const u64 *a)
{
	long fd = memfd_new("probe", 0);
	long ret;

	(void)p;
	if (fd < 0)
		return fd;
	ret = sys_write(fd, u64_ptr(a[0]), 1);
	sys_close(fd);
	return ret;
}

static inline long b_probe(struct party *p, const void *at)
{
	return ON(p, op_probe, ptr_u64(at));
}

/* -1 when what the party got last is the pattern of this seed. */
static inline long b_mismatch(struct party *p, u64 seed)
{
	return ON(p, op_mismatch, p->res.tr.data.ptr.buffer,
		  p->res.tr.data_size, seed);
}

/* Commands. They gather in the party's write buffer until b_go(). */

static inline void put(struct party *p, const void *data, size_t len)
{
	memcpy(p->wbuf + p->wlen, data, len);
	p->wlen += len;
}

static inline void put_cmd(struct party *p, u32 cmd)
{
	put(p, &cmd, sizeof(cmd));
}

static inline void put_tr(struct party *p, u32 cmd,
			  const struct binder_transaction_data *tr)
{
	put_cmd(p, cmd);
	put(p, tr, sizeof(*tr));
}

static inline void put_free(struct party *p, u64 buffer)
{
	put_cmd(p, BC_FREE_BUFFER);
	put(p, &buffer, sizeof(buffer));
}

/* Keeps what a return command told, unless it was a message or nothing. */
static inline void parse_told(struct result *r, u32 cmd, const u8 *at)
{
	struct told told = { .cmd = cmd };
	struct binder_frozen_state_info frozen;
	struct binder_ptr_cookie node;

	switch (cmd) {
	case BR_ERROR:
		memcpy(&told.value, at, sizeof(told.value));
		break;
	case BR_INCREFS:
	case BR_ACQUIRE:
	case BR_RELEASE:
	case BR_DECREFS:
		memcpy(&node, at, sizeof(node));
		told.ptr = node.ptr;
		told.cookie = node.cookie;
		break;
	case BR_DEAD_BINDER:
	case BR_CLEAR_DEATH_NOTIFICATION_DONE:
	case BR_CLEAR_FREEZE_NOTIFICATION_DONE:
		memcpy(&told.cookie, at, sizeof(told.cookie));
		break;
	case BR_FROZEN_BINDER:
		memcpy(&frozen, at, sizeof(frozen));
		told.value = frozen.is_frozen;
		told.cookie = frozen.cookie;
		break;
	default:
		return;
	}
	if (r->nr_told < MAX_RETURNS)
		r->told[r->nr_told++] = told;
}

static inline void parse(struct party *p)
{
	struct result *r = &p->res;
	size_t at = 0;

	if (!r->n)
		r->nr_told = 0;

	while (at + sizeof(u32) <= p->bwr.read_consumed) {
		u32 cmd;

		memcpy(&cmd, p->rbuf + at, sizeof(cmd));
		at += sizeof(cmd);
		if (_IOC_SIZE(cmd) >= sizeof(r->tr))
			memcpy(&r->tr, p->rbuf + at, sizeof(r->tr));
		if (cmd == BR_TRANSACTION_SEC_CTX)
			memcpy(&r->secctx, p->rbuf + at + sizeof(r->tr),
			       sizeof(r->secctx));
		parse_told(r, cmd, p->rbuf + at);
		at += _IOC_SIZE(cmd);
		if (r->n < MAX_RETURNS)
			r->br[r->n++] = cmd;
	}
}

static inline u64 seen(const struct result *r)
{
	u64 set = 0;

	for (unsigned int i = 0; i < r->n; i++)
		set |= BR(r->br[i]);
	return set;
}

/* One BINDER_WRITE_READ of the gathered commands and a[0] bytes of room. */
static inline long op_go(struct party *p, const u64 *a)
{
	long ret;

	p->bwr = (struct binder_write_read){
		.write_size = p->wlen,
		.write_buffer = ptr_u64(p->wbuf),
		.read_size = a[0],
		.read_buffer = ptr_u64(p->rbuf),
	};
	p->wlen = 0;
	p->res.n = 0;
	ret = sys_ioctl(p->fd, BINDER_WRITE_READ, &p->bwr);
	parse(p);
	return ret;
}

/*
 * Reads until one of a set of return commands came: that command. How many
 * reads it takes is the driver's choice, so only tests about that care.
 */
static inline long op_await(struct party *p, const u64 *a)
{
	p->res.n = 0;
	for (;;) {
		unsigned int before = p->res.n;
		long ret;

		p->bwr = (struct binder_write_read){
			.read_size = READ_SIZE,
			.read_buffer = ptr_u64(p->rbuf),
		};
		ret = sys_ioctl(p->fd, BINDER_WRITE_READ, &p->bwr);
		if (ret)
			return ret;
		parse(p);
		for (unsigned int i = 0; i < p->res.n; i++)
			if (BR(p->res.br[i]) & a[0])
				return p->res.br[i];
		/* Reads come back for nothing when a child closes its files. */
		if (p->res.n == before + 1 && p->res.br[before] == BR_NOOP)
			p->res.n = before;
		if (p->res.n >= MAX_RETURNS)
			return -EOVERFLOW;
	}
}

static inline long b_go(struct party *p, size_t read_size)
{
	return ON(p, op_go, read_size);
}

/* The next message: BR_TRANSACTION, BR_REPLY or a failure. */
static inline long b_receive(struct party *p)
{
	return ON(p, op_await, BR_MESSAGE);
}

/* What became of a message that was sent: BR_TRANSACTION_COMPLETE or not. */
static inline long b_receipt(struct party *p)
{
	return ON(p, op_await, BR_RECEIPT);
}

static inline long b_await(struct party *p, u64 set)
{
	return ON(p, op_await, set);
}

static inline long b_enter_looper(struct party *p)
{
	put_cmd(p, BC_ENTER_LOOPER);
	return b_go(p, 0);
}

static inline long b_free(struct party *p)
{
	put_free(p, p->res.tr.data.ptr.buffer);
	return b_go(p, 0);
}

static inline long b_send(struct party *p, u32 cmd, u32 code, u32 flags,
			  u64 seed, size_t len)
{
	struct binder_transaction_data tr = {
		.code = code,
		.flags = flags,
		.data_size = len,
	};
	long ret = ON(p, op_fill, seed, len, 0);

	if (ret)
		return ret;
	tr.data.ptr.buffer = ptr_u64(p->payload);
	put_tr(p, cmd, &tr);
	return b_go(p, 0);
}

/* Sends without waiting for anything; content is the pattern of the seed. */
static inline long b_call(struct party *p, u64 seed, size_t len)
{
	return b_send(p, BC_TRANSACTION, 1, 0, seed, len);
}

static inline long b_oneway(struct party *p, u64 seed, size_t len)
{
	return b_send(p, BC_TRANSACTION, 1, TF_ONE_WAY, seed, len);
}

static inline long b_reply(struct party *p, u64 seed, size_t len)
{
	return b_send(p, BC_REPLY, 0, 0, seed, len);
}

#endif
