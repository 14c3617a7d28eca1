/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages with objects of all kinds, most of them right.
 */
#ifndef VBINDER_TESTS_FUZZ_MESSAGE_H
#define VBINDER_TESTS_FUZZ_MESSAGE_H

#include "member.h"

/* A message that is being written. */
struct draft {
	struct worker *w;
	size_t len;
	unsigned int n;			/* objects */
	size_t pool_len;
	int parent;			/* the last buffer, or -1 */
	size_t parent_at;		/* where it is in the pool */
	size_t parent_len;
	size_t parent_free;		/* from here on nothing was changed */
};

static inline bool draft_object(struct draft *d, enum object_kind kind,
				const void *object, size_t len)
{
	struct arena *a = d->w->arena;

	if (d->n == OFFSETS_MAX || d->len + len + 64 > DATA_SIZE)
		return false;
	/* Some bytes that are no object come before it, now and then. */
	if (one_in(&d->w->chance, 4))
		d->len += 8 * (1 + below(&d->w->chance, 4));
	memcpy(a->data + d->len, object, len);
	a->offsets[d->n++] = d->len;
	d->len += len;
	count(&me.board->sent[kind]);
	return true;
}

static inline void draft_flat(struct draft *d, enum object_kind kind)
{
	static const u32 types[] = {
		[BINDER] = BINDER_TYPE_BINDER,
		[WEAK_BINDER] = BINDER_TYPE_WEAK_BINDER,
		[HANDLE] = BINDER_TYPE_HANDLE,
		[WEAK_HANDLE] = BINDER_TYPE_WEAK_HANDLE,
	};
	struct flat_binder_object object = { .hdr.type = types[kind] };

	if (kind == BINDER || kind == WEAK_BINDER) {
		object.binder = some_node(d->w);
		object.cookie = cookie_of(d->w, object.binder);
		/* Not all take files, and few want to know who calls. */
		if (object.binder % 64 != 8)
			object.flags |= FLAT_BINDER_FLAG_ACCEPTS_FDS;
		if (object.binder % 64 == 16)
			object.flags |= FLAT_BINDER_FLAG_TXN_SECURITY_CTX;
	} else {
		object.handle = some_handle(d->w);
		/* The manager does not know itself by a handle. */
		if (!object.handle && !one_in(&d->w->chance, 8)) {
			draft_flat(d, kind == HANDLE ? BINDER : WEAK_BINDER);
			return;
		}
	}
	draft_object(d, kind, &object, sizeof(object));
}

/* A file of the process, or a number that is none. */
static inline u32 file_to_send(struct worker *w)
{
	if (one_in(&w->chance, 40))
		return odd_number(&w->chance);
	/* Files in the queues of each other would never be released. */
	if (one_in(&w->chance, 3))
		return me.board->cycles ? some_file(w) : me.board->spare;
	return w->pipe[below(&w->chance, 2)];
}

static inline void draft_fd(struct draft *d)
{
	struct binder_fd_object object = {
		.hdr.type = BINDER_TYPE_FD,
		.fd = file_to_send(d->w),
		.cookie = draw(&d->w->chance),
	};

	draft_object(d, FD, &object, sizeof(object));
}

/* A buffer in the pool. With a parent, its address goes into that. */
static inline void draft_ptr(struct draft *d, bool child)
{
	size_t len = 8 * (1 + below(&d->w->chance, 16));
	struct binder_buffer_object object = { .hdr.type = BINDER_TYPE_PTR };

	if (d->pool_len + len > POOL_SIZE)
		return;
	if (child) {
		if (d->parent < 0 || d->parent_free + 8 > d->parent_len)
			return;
		object.flags = BINDER_BUFFER_FLAG_HAS_PARENT;
		object.parent = d->parent;
		object.parent_offset = d->parent_free;
		d->parent_free += 8;
	}
	object.buffer = ptr_u64(d->w->arena->pool + d->pool_len);
	object.length = len - (one_in(&d->w->chance, 4) ?
			       below(&d->w->chance, 8) : 0);
	if (!draft_object(d, child ? CHILD : PTR, &object, sizeof(object)))
		return;
	/* A child becomes a parent in its turn, or its parent stays one. */
	if (!child || one_in(&d->w->chance, 2)) {
		d->parent = d->n - 1;
		d->parent_at = d->pool_len;
		d->parent_len = object.length;
		d->parent_free = 0;
	}
	d->pool_len += len;
}

static inline void draft_fda(struct draft *d)
{
	u32 n = below(&d->w->chance, 4);
	struct binder_fd_array_object object = {
		.hdr.type = BINDER_TYPE_FDA,
		.num_fds = n,
		.parent = d->parent,
		.parent_offset = d->parent_free,
	};

	if (d->parent < 0 || d->parent_free + 4 * n > d->parent_len)
		return;
	for (u32 i = 0; i < n; i++) {
		u32 fd = file_to_send(d->w);

		memcpy(d->w->arena->pool + d->parent_at + d->parent_free + 4 * i,
		       &fd, sizeof(fd));
	}
	d->parent_free += 4 * n;
	draft_object(d, FDA, &object, sizeof(object));
}

static inline void draft_objects(struct draft *d, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		enum object_kind kind = below(&d->w->chance, KINDS);

		switch (kind) {
		case FD:
			draft_fd(d);
			break;
		case FDA:
			draft_fda(d);
			break;
		case PTR:
		case CHILD:
			draft_ptr(d, kind == CHILD);
			break;
		default:
			draft_flat(d, kind);
		}
	}
}

/* Makes a word of the objects or a place of one wrong. */
static inline void spoil_object(struct draft *d)
{
	struct arena *a = d->w->arena;
	u32 i, word, at;

	if (!d->n)
		return;
	i = below(&d->w->chance, d->n);
	if (one_in(&d->w->chance, 2)) {
		a->offsets[i] = off_by_some(&d->w->chance, a->offsets[i]);
		return;
	}
	at = a->offsets[i] + 4 * below(&d->w->chance, 10);
	if (at + sizeof(word) > DATA_SIZE)
		return;
	memcpy(&word, a->data + at, sizeof(word));
	word = off_by_some(&d->w->chance, word);
	memcpy(a->data + at, &word, sizeof(word));
}

static inline void spoil_message(struct draft *d,
				 struct binder_transaction_data_sg *sg)
{
	struct binder_transaction_data *tr = &sg->transaction_data;
	u64 *chance = &d->w->chance;

	count(&me.board->odd_messages);
	switch (below(chance, 7)) {
	case 0:
		tr->data_size = off_by_some(chance, tr->data_size);
		break;
	case 1:
		tr->offsets_size = off_by_some(chance, tr->offsets_size);
		break;
	case 2:
		sg->buffers_size = off_by_some(chance, sg->buffers_size);
		break;
	case 3:
		tr->data.ptr.buffer = wrong_address(d->w);
		break;
	case 4:
		tr->data.ptr.offsets = wrong_address(d->w);
		break;
	default:
		spoil_object(d);
	}
}

/* Gathers the command that sends a message of some objects. */
static inline void say_message(struct worker *w, bool reply, u32 handle,
			       u32 flags)
{
	/* Nothing that is a parent may be at the very beginning. */
	struct draft d = { .w = w, .len = 8, .parent = -1 };
	struct binder_transaction_data_sg sg = { 0 };
	struct binder_transaction_data *tr = &sg.transaction_data;
	unsigned int few = below(&w->chance, 4);
	bool with_buffers;

	/* Buffers may follow one after the other, so that they have parents. */
	draft_objects(&d, one_in(&w->chance, 16) ? 24 : few);
	with_buffers = d.pool_len || one_in(&w->chance, 8);
	tr->target.handle = handle;
	tr->code = draw(&w->chance);
	tr->flags = flags;
	if (one_in(&w->chance, 16))
		tr->flags |= TF_CLEAR_BUF;
	if (one_in(&w->chance, 16))
		tr->flags |= TF_UPDATE_TXN;
	if (!one_in(&w->chance, 16))
		tr->flags |= TF_ACCEPT_FDS;
	/* The same code makes two messages alike. */
	if (flags & TF_ONE_WAY)
		tr->code &= 3;
	tr->data_size = d.len;
	tr->offsets_size = d.n * sizeof(u64);
	tr->data.ptr.buffer = ptr_u64(w->arena->data);
	tr->data.ptr.offsets = ptr_u64(w->arena->offsets);
	sg.buffers_size = d.pool_len;
	if (!d.n && one_in(&w->chance, 8)) {
		tr->data.ptr.buffer = ptr_u64(me.big);
		tr->data_size = below(&w->chance, one_in(&w->chance, 8) ?
				      BIG_SIZE : 4 * PAGE);
	}
	if (one_in(&w->chance, 12))
		spoil_message(&d, &sg);
	if (with_buffers)
		say(w, reply ? BC_REPLY_SG : BC_TRANSACTION_SG, &sg,
		    sizeof(sg));
	else
		say(w, reply ? BC_REPLY : BC_TRANSACTION, tr, sizeof(*tr));
}

#endif
