/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages that carry nodes, so that others can call them or have references.
 */
#ifndef VBINDER_BENCH_OBJECTS_H
#define VBINDER_BENCH_OBJECTS_H

#include "side.h"

#define OBJECTS_MAX	16
#define NODE(i)		(0x100000ULL + 0x10 * (i))

/* The payload is made of these, between two words that have the mark. */
struct object_message {
	u64 head;
	struct flat_binder_object objects[OBJECTS_MAX];
	u64 tail;
};

/* A call that carries nodes of the caller's, numbers first to first + n - 1. */
static inline void ask_with_nodes(struct side *s, unsigned int first,
				  unsigned int n, u8 mark)
{
	static u64 offsets[OBJECTS_MAX];
	struct object_message *m = (void *)s->payload;
	struct binder_transaction_data tr = {
		.code = 8,
		.data_size = 16 + n * sizeof(m->objects[0]),
		.offsets_size = n * sizeof(offsets[0]),
		.data.ptr.buffer = ptr_u64(m),
		.data.ptr.offsets = ptr_u64(offsets),
	};

	for (unsigned int i = 0; i < n; i++) {
		m->objects[i] = (struct flat_binder_object) {
			.hdr.type = BINDER_TYPE_BINDER,
			.flags = 0x7f,
			.binder = NODE(first + i),
			.cookie = NODE(first + i),
		};
		offsets[i] = offsetof(struct object_message, objects[i]);
	}
	s->payload[0] = mark;
	s->payload[tr.data_size - 1] = mark;
	put_tr(s, BC_TRANSACTION, &tr);
	hear(s, 8, ~mark);
}

static inline void send_nodes(struct side *s, unsigned int count)
{
	for (unsigned int i = 0; i < count; i += OBJECTS_MAX)
		ask_with_nodes(s, i, count - i < OBJECTS_MAX ? count - i :
							       OBJECTS_MAX, i);
}

/* Takes calls until so many nodes have come, and keeps references to them. */
static inline void take_nodes(struct side *s, u32 *handles, unsigned int count)
{
	unsigned int taken = 0;

	while (taken < count) {
		struct binder_transaction_data tr;
		struct object_message *m;
		u8 mark;

		if (next_event(s, &tr) != BR_TRANSACTION)
			die("an answer came, not a call");
		mark = look_at(&tr, tr.data_size);
		m = u64_ptr(tr.data.ptr.buffer);
		for (unsigned int i = 0; i < tr.offsets_size / 8; i++) {
			if (m->objects[i].hdr.type != BINDER_TYPE_HANDLE ||
			    taken == count)
				die("something else came, not a handle");
			handles[taken] = m->objects[i].handle;
			put_cmd(s, BC_ACQUIRE);
			put(s, &handles[taken], sizeof(handles[0]));
			taken++;
		}
		put_free(s, tr.data.ptr.buffer);
		put_message(s, BC_REPLY, 0, 0, 0, tr.code, ~mark);
		flush(s);
	}
}

#endif
