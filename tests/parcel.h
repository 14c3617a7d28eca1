/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages with objects, and the references that they carry.
 *
 * The test writes a message into a party's parcel `out`, object by object,
 * and the party sends it from there; what a party receives is copied into its
 * parcel `in`, where the test can look at it. Whatever is wrong in a message
 * is made wrong by the test: nothing here checks what it sends.
 */
#ifndef VBINDER_TESTS_PARCEL_H
#define VBINDER_TESTS_PARCEL_H

#include "pair.h"

/* A node as the tests make them unless they care. */
#define NODE_FLAGS	FLAT_BINDER_FLAG_ACCEPTS_FDS

/* Writing. */

static inline struct parcel *parcel_new(struct party *p)
{
	p->out->len = 0;
	p->out->n = 0;
	p->out->pool_len = 0;
	return p->out;
}

/* The place of some bytes at the end of the data; they are no object. */
static inline size_t put_bytes(struct parcel *q, const void *bytes, size_t len)
{
	size_t place = q->len;

	memcpy(q->data + place, bytes, len);
	q->len += len;
	return place;
}

static inline void put_offset(struct parcel *q, u64 offset)
{
	q->offsets[q->n++] = offset;
}

/* Adds an object at the next multiple of 8: its index. */
static inline unsigned int put_object(struct parcel *q, const void *object,
				      size_t len)
{
	size_t place = (q->len + 7) & ~7UL;

	memset(q->data + q->len, 0, place - q->len);
	q->len = place;
	put_bytes(q, object, len);
	put_offset(q, place);
	return q->n - 1;
}

static inline unsigned int put_flat(struct parcel *q, u32 type, u32 flags,
				    u64 binder, u64 cookie)
{
	return put_object(q, &(struct flat_binder_object) {
		.hdr.type = type,
		.flags = flags,
		.binder = binder,
		.cookie = cookie,
	}, sizeof(struct flat_binder_object));
}

static inline unsigned int put_binder(struct parcel *q, u64 ptr, u64 cookie)
{
	return put_flat(q, BINDER_TYPE_BINDER, NODE_FLAGS, ptr, cookie);
}

static inline unsigned int put_weak_binder(struct parcel *q, u64 ptr,
					   u64 cookie)
{
	return put_flat(q, BINDER_TYPE_WEAK_BINDER, NODE_FLAGS, ptr, cookie);
}

static inline unsigned int put_handle(struct parcel *q, u32 handle)
{
	return put_flat(q, BINDER_TYPE_HANDLE, 0, handle, 0);
}

static inline unsigned int put_weak_handle(struct parcel *q, u32 handle)
{
	return put_flat(q, BINDER_TYPE_WEAK_HANDLE, 0, handle, 0);
}

static inline unsigned int put_fd(struct parcel *q, u32 fd, u64 cookie)
{
	return put_object(q, &(struct binder_fd_object) {
		.hdr.type = BINDER_TYPE_FD,
		.fd = fd,
		.cookie = cookie,
	}, sizeof(struct binder_fd_object));
}

/* Memory that pointers of the parcel may point to, at a multiple of 8. */
static inline void *pool(struct parcel *q, size_t len)
{
	u8 *at = q->pool + q->pool_len;

	q->pool_len += (len + 7) & ~7UL;
	return at;
}

static inline unsigned int put_ptr(struct parcel *q, const void *at, size_t len)
{
	return put_object(q, &(struct binder_buffer_object) {
		.hdr.type = BINDER_TYPE_PTR,
		.buffer = ptr_u64(at),
		.length = len,
	}, sizeof(struct binder_buffer_object));
}

/* A buffer whose address belongs at an offset into another's. */
static inline unsigned int put_child(struct parcel *q, const void *at,
				     size_t len, u64 parent, u64 offset)
{
	return put_object(q, &(struct binder_buffer_object) {
		.hdr.type = BINDER_TYPE_PTR,
		.flags = BINDER_BUFFER_FLAG_HAS_PARENT,
		.buffer = ptr_u64(at),
		.length = len,
		.parent = parent,
		.parent_offset = offset,
	}, sizeof(struct binder_buffer_object));
}

static inline unsigned int put_fda(struct parcel *q, u64 n, u64 parent,
				   u64 offset)
{
	return put_object(q, &(struct binder_fd_array_object) {
		.hdr.type = BINDER_TYPE_FDA,
		.num_fds = n,
		.parent = parent,
		.parent_offset = offset,
	}, sizeof(struct binder_fd_array_object));
}

/* Sending. */

/* The message as it is in the parcel; tests change it to make it wrong. */
static inline struct binder_transaction_data_sg parcel_tr(struct parcel *q)
{
	return (struct binder_transaction_data_sg) {
		.transaction_data = {
			.code = 1,
			.data_size = q->len,
			.offsets_size = q->n * sizeof(q->offsets[0]),
			.data.ptr.buffer = ptr_u64(q->data),
			.data.ptr.offsets = ptr_u64(q->offsets),
		},
		.buffers_size = q->pool_len,
	};
}

/* The size of buffers goes only with the commands that have one. */
static inline void put_message(struct party *p, u32 cmd,
			       const struct binder_transaction_data_sg *sg)
{
	put_cmd(p, cmd);
	put(p, sg, _IOC_SIZE(cmd));
}

/* Sends the party's parcel; as a reply it goes where replies go. */
static inline long b_post(struct party *p, u32 cmd, u32 handle, u32 flags)
{
	struct binder_transaction_data_sg sg = parcel_tr(p->out);

	sg.transaction_data.target.handle = handle;
	sg.transaction_data.flags = flags;
	put_message(p, cmd, &sg);
	return b_go(p, 0);
}

/* An answer without content. */
static inline void put_empty_reply(struct party *p)
{
	put_tr(p, BC_REPLY, &(struct binder_transaction_data) { 0 });
}

/* Receiving. */

static inline long op_copy_in(struct party *p, const u64 *a)
{
	const struct binder_transaction_data *tr = &p->res.tr;
	struct parcel *q = p->in;

	(void)a;
	if (tr->data_size > sizeof(q->data) ||
	    tr->offsets_size > sizeof(q->offsets))
		return -E2BIG;
	q->len = tr->data_size;
	q->n = tr->offsets_size / sizeof(q->offsets[0]);
	q->pool_len = 0;
	memcpy(q->data, u64_ptr(tr->data.ptr.buffer), q->len);
	memcpy(q->offsets, u64_ptr(tr->data.ptr.offsets), tr->offsets_size);
	return 0;
}

/* Like b_receive(), and what came is in the parcel `in` then. */
static inline long b_receive_parcel(struct party *p)
{
	long got = b_receive(p);

	if (got < 0 || (BR(got) & BR_FAILURE))
		return got;
	return ON(p, op_copy_in) ?: got;
}

static inline void *object(struct parcel *q, unsigned int i)
{
	return q->data + q->offsets[i];
}

static inline struct flat_binder_object *flat(struct parcel *q, unsigned int i)
{
	return object(q, i);
}

static inline long op_peek(struct party *p, const u64 *a)
{
	memcpy(p->in->pool, u64_ptr(a[0]), a[1]);
	return 0;
}

/* What is at an address in a party's own memory, or NULL if it cannot be. */
static inline void *b_peek(struct party *p, u64 at, size_t len)
{
	if (len > PARCEL_POOL || ON(p, op_peek, at, len))
		return NULL;
	return p->in->pool;
}

/* Reads what there is and does not wait for more. */
static inline long op_drain(struct party *p, const u64 *a)
{
	struct result *r = &p->res;
	long ret;

	(void)a;
	sys_fcntl(p->fd, F_SETFL, O_RDWR | O_NONBLOCK);
	r->n = 0;
	r->nr_told = 0;
	do {
		unsigned int before = r->n;

		p->bwr = (struct binder_write_read){
			.read_size = READ_SIZE / 2,
			.read_buffer = ptr_u64(p->rbuf),
		};
		ret = sys_ioctl(p->fd, BINDER_WRITE_READ, &p->bwr);
		if (ret)
			break;
		parse(p);
		/* Each read begins with a BR_NOOP, which says nothing. */
		if (r->n > before && r->br[before] == BR_NOOP) {
			r->n--;
			memmove(&r->br[before], &r->br[before + 1],
				(r->n - before) * sizeof(r->br[0]));
		}
	} while (r->n <= MAX_RETURNS / 2);
	sys_fcntl(p->fd, F_SETFL, O_RDWR);
	return ret && ret != -EAGAIN ? ret : (long)r->n;
}

/*
 * The number of return commands that were waiting, without BR_NOOP. When they
 * are many, the rest waits for the next time.
 */
static inline long b_drain(struct party *p)
{
	return ON(p, op_drain);
}

/* How often the last reading told this. */
static inline unsigned int times_told(struct party *p, u32 cmd, u64 ptr,
				      u64 cookie)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->res.nr_told; i++) {
		const struct told *told = &p->res.told[i];

		n += told->cmd == cmd && told->ptr == ptr &&
		     told->cookie == cookie;
	}
	return n;
}

/* References. */

/* BC_INCREFS, BC_ACQUIRE, BC_RELEASE or BC_DECREFS. */
static inline void put_ref(struct party *p, u32 cmd, u32 handle)
{
	put_cmd(p, cmd);
	put(p, &handle, sizeof(handle));
}

static inline long b_ref(struct party *p, u32 cmd, u32 handle)
{
	put_ref(p, cmd, handle);
	return b_go(p, 0);
}

/* BC_INCREFS_DONE or BC_ACQUIRE_DONE. */
static inline void put_done(struct party *p, u32 cmd, u64 ptr, u64 cookie)
{
	struct binder_ptr_cookie done = { .ptr = ptr, .cookie = cookie };

	put_cmd(p, cmd);
	put(p, &done, sizeof(done));
}

static inline long b_done(struct party *p, u32 cmd, u64 ptr, u64 cookie)
{
	put_done(p, cmd, ptr, cookie);
	return b_go(p, 0);
}

/* The commands about notifications: of a handle, or of a cookie alone. */
static inline void put_handle_cookie(struct party *p, u32 cmd, u32 handle,
				     u64 cookie)
{
	/* Packed, so there is no padding behind the handle. */
	struct binder_handle_cookie hc = { .handle = handle, .cookie = cookie };

	put_cmd(p, cmd);
	put(p, &hc, sizeof(hc));
}

static inline void put_cookie(struct party *p, u32 cmd, u64 cookie)
{
	put_cmd(p, cmd);
	put(p, &cookie, sizeof(cookie));
}

/* Says that it has done what BR_INCREFS and BR_ACQUIRE asked for last. */
static inline void put_dones(struct party *p)
{
	for (unsigned int i = 0; i < p->res.nr_told; i++) {
		const struct told *t = &p->res.told[i];

		if (t->cmd == BR_INCREFS)
			put_done(p, BC_INCREFS_DONE, t->ptr, t->cookie);
		else if (t->cmd == BR_ACQUIRE)
			put_done(p, BC_ACQUIRE_DONE, t->ptr, t->cookie);
	}
}

/* Takes a reference of its own on each handle that has come. */
static inline void put_own(struct party *p)
{
	for (unsigned int i = 0; i < p->in->n; i++) {
		u32 type = flat(p->in, i)->hdr.type;

		if (type == BINDER_TYPE_HANDLE)
			put_ref(p, BC_ACQUIRE, flat(p->in, i)->handle);
		else if (type == BINDER_TYPE_WEAK_HANDLE)
			put_ref(p, BC_INCREFS, flat(p->in, i)->handle);
	}
}

/*
 * Carries a client's parcel to the manager, which owns the handles that came
 * then; the message is freed and answered. 0, or the step that failed.
 */
static inline int carry(struct party *client, struct party *manager)
{
	if (b_post(client, BC_TRANSACTION, 0, 0))
		return 1;
	if (b_receive_parcel(manager) != BR_TRANSACTION)
		return 2;
	put_own(manager);
	put_free(manager, manager->res.tr.data.ptr.buffer);
	put_empty_reply(manager);
	if (b_go(manager, 0))
		return 3;
	if (b_receipt(manager) != BR_TRANSACTION_COMPLETE)
		return 4;
	if (b_receive(client) != BR_REPLY)
		return 5;
	put_dones(client);
	return b_free(client) ? 6 : 0;
}

/* The same the other way: the manager's parcel is its answer to a call. */
static inline int carry_back(struct party *manager, struct party *client)
{
	if (b_call(client, 0, 0))
		return 1;
	if (b_receive(manager) != BR_TRANSACTION)
		return 2;
	if (b_free(manager))
		return 3;
	if (b_post(manager, BC_REPLY, 0, 0))
		return 4;
	if (b_receipt(manager) != BR_TRANSACTION_COMPLETE)
		return 5;
	put_dones(manager);
	if (b_go(manager, 0))
		return 6;
	if (b_receive_parcel(client) != BR_REPLY)
		return 7;
	put_own(client);
	return b_free(client) ? 8 : 0;
}

/* A node of a client: the manager's strong handle, or minus the failed step. */
static inline long give_node(struct party *client, struct party *manager,
			     u64 ptr, u64 cookie)
{
	int step;

	put_binder(parcel_new(client), ptr, cookie);
	step = carry(client, manager);
	return step ? -step : (long)flat(manager->in, 0)->handle;
}

/* A node of the manager: the client's strong handle. */
static inline long hand_node(struct party *manager, struct party *client,
			     u64 ptr, u64 cookie)
{
	int step;

	put_binder(parcel_new(manager), ptr, cookie);
	step = carry_back(manager, client);
	return step ? -step : (long)flat(client->in, 0)->handle;
}

/* A node that the manager has a handle of: the client's strong handle. */
static inline long hand_handle(struct party *manager, struct party *client,
			       u32 handle)
{
	int step;

	put_handle(parcel_new(manager), handle);
	step = carry_back(manager, client);
	return step ? -step : (long)flat(client->in, 0)->handle;
}

/*
 * Makes a node that another client can call directly: that client's handle.
 * The manager keeps one, too.
 */
static inline long introduce(struct party *owner, struct party *manager,
			     struct party *user, u64 ptr, u64 cookie)
{
	long handle = give_node(owner, manager, ptr, cookie);

	return handle < 0 ? handle : hand_handle(manager, user, handle);
}

/* A node's references as its manager may see them, by a strong handle. */
static inline long b_strong_count(struct party *manager, u32 handle)
{
	struct binder_node_info_for_ref *info = (void *)manager->scratch;
	long ret;

	*info = (struct binder_node_info_for_ref) { .handle = handle };
	ret = b_ioctl(manager, BINDER_GET_NODE_INFO_FOR_REF, info);
	return ret ?: (long)info->strong_count;
}

/* The number of nodes that a party has, of those whose ptr is not 0. */
static inline long b_nodes(struct party *p)
{
	struct binder_node_debug_info *info = (void *)p->scratch;
	long n = 0;

	*info = (struct binder_node_debug_info) { 0 };
	do {
		long ret = b_ioctl(p, BINDER_GET_NODE_DEBUG_INFO, info);

		if (ret)
			return ret;
		n += info->ptr != 0;
	} while (info->ptr);
	return n;
}

#endif
