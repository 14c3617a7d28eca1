/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls and what comes of them: usually a client that knows what it does.
 */
#ifndef VBINDER_TESTS_FUZZ_CONVERSE_H
#define VBINDER_TESTS_FUZZ_CONVERSE_H

#include "message.h"

#define ANSWER_MS	150
#define CALLS_DEEP	3

static inline void remember_handle(struct worker *w, u32 handle)
{
	me.handles[below(&w->chance, HANDLES)] = handle;
}

/* Most of the time; it is the dead and the unknown that are forgotten. */
static inline void forget_handle(struct worker *w, u32 handle)
{
	for (int i = 0; i < HANDLES && !one_in(&w->chance, HANDLES); i++)
		if (me.handles[i] == handle)
			me.handles[i] = 0;
}

/* A file that came: mostly it is closed, and a device's may be kept. */
static inline void take_file(struct worker *w, u32 fd)
{
	struct binder_version version;

	if (me.board->cycles && fd < TOOLS && fd > 2 &&
	    one_in(&w->chance, 16) && !sys_ioctl(fd, BINDER_VERSION, &version)) {
		int *place = &me.files[1 + below(&w->chance, FILES - 1)];
		int old = *place;

		*place = as_tool(fd);
		sys_close(old);
	} else if (fd < TOOLS && fd > 2 && !one_in(&w->chance, 16)) {
		sys_close(fd);
	}
}

static inline void take_object(struct worker *w, u64 offset, size_t len)
{
	struct flat_binder_object object;
	bool own = !one_in(&w->chance, 6);

	if (offset > len || len - offset < sizeof(object))
		return;
	memcpy(&object, w->seen + offset, sizeof(object));
	switch (object.hdr.type) {
	case BINDER_TYPE_HANDLE:
		count(&me.board->got[HANDLE]);
		if (own)
			say_word(w, BC_ACQUIRE, object.handle);
		if (own || one_in(&w->chance, 8))
			remember_handle(w, object.handle);
		break;
	case BINDER_TYPE_WEAK_HANDLE:
		count(&me.board->got[WEAK_HANDLE]);
		if (own)
			say_word(w, BC_INCREFS, object.handle);
		/* It can only be watched, and sent on as a weak one. */
		if (one_in(&w->chance, 6))
			remember_handle(w, object.handle);
		break;
	case BINDER_TYPE_BINDER:
		count(&me.board->got[BINDER]);
		break;
	case BINDER_TYPE_WEAK_BINDER:
		count(&me.board->got[WEAK_BINDER]);
		break;
	case BINDER_TYPE_FD:
		count(&me.board->got[FD]);
		take_file(w, object.handle);
		break;
	case BINDER_TYPE_PTR:
		count(&me.board->got[object.flags & 1 ? CHILD : PTR]);
		break;
	case BINDER_TYPE_FDA:
		count(&me.board->got[FDA]);
		break;
	}
}

/* Looks at a message, and lets go of it or of one that came before. */
static inline void take_message(struct worker *w,
				const struct binder_transaction_data *tr)
{
	size_t len = tr->data_size;
	size_t n = tr->offsets_size / sizeof(u64);
	u64 *held = &w->held[below(&w->chance, HELD_BUFFERS)];

	if (len > sizeof(w->seen))
		len = sizeof(w->seen);
	if (n > OFFSETS_MAX)
		n = OFFSETS_MAX;
	if (n && copy_safely(w, w->seen, tr->data.ptr.buffer, len) &&
	    copy_safely(w, w->seen_offsets, tr->data.ptr.offsets, 8 * n))
		for (size_t i = 0; i < n; i++)
			take_object(w, w->seen_offsets[i], len);
	if (one_in(&w->chance, 8)) {
		if (*held)
			say_long(w, BC_FREE_BUFFER, *held);
		*held = tr->data.ptr.buffer;
	} else if (!one_in(&w->chance, 200)) {
		say_long(w, BC_FREE_BUFFER, tr->data.ptr.buffer);
	}
}

static inline u64 converse(struct worker *w, size_t read_size);

/* An argument in the arena, or somewhere where it cannot be. */
static inline void *argument(struct worker *w, const void *from, size_t len)
{
	if (one_in(&w->chance, 30))
		return u64_ptr(wrong_address(w));
	memcpy(w->arena->info, from, len);
	return w->arena->info;
}

static inline void become_manager(struct worker *w)
{
	struct flat_binder_object object = {
		.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS,
	};
	u32 zero = 0;

	if (one_in(&w->chance, 64))
		object.flags |= FLAT_BINDER_FLAG_TXN_SECURITY_CTX;
	if (one_in(&w->chance, 8))
		ask(w, BECOME_MANAGER, some_file(w), BINDER_SET_CONTEXT_MGR,
		    argument(w, &zero, sizeof(zero)));
	else
		ask(w, BECOME_MANAGER_EXT, some_file(w),
		    BINDER_SET_CONTEXT_MGR_EXT,
		    argument(w, &object, sizeof(object)));
}

/* Calls somebody, and reads until an answer comes or it has taken too long. */
static inline void call_somebody(struct worker *w, u32 handle)
{
	u64 end = now_ms() + ANSWER_MS;
	u64 seen;

	w->depth++;
	say_message(w, false, handle, 0);
	seen = converse(w, one_in(&w->chance, 4) ? 0 : READ_SIZE);
	while (!(seen & (BR_MESSAGE & ~BR(BR_TRANSACTION))) && now_ms() < end)
		seen = converse(w, READ_SIZE);
	if (seen & (BR(BR_DEAD_REPLY) | BR(BR_FAILED_REPLY)))
		forget_handle(w, handle);
	if ((seen & BR(BR_DEAD_REPLY)) && !handle && one_in(&w->chance, 4))
		become_manager(w);
	/* Who waits for an answer can make no other calls. */
	if (!(seen & BR_MESSAGE) && !one_in(&w->chance, 4))
		ask(w, THREAD_EXIT, me.files[0], BINDER_THREAD_EXIT, NULL);
	w->depth--;
}

static inline void tell_somebody(struct worker *w, u32 handle)
{
	unsigned int n = one_in(&w->chance, 8) ? 8 : 1;

	for (unsigned int i = 0; i < n; i++) {
		say_message(w, false, handle, TF_ONE_WAY);
		converse(w, one_in(&w->chance, 4) ? 0 : READ_SIZE);
	}
}

static inline void ask_for_reason(struct worker *w)
{
	struct binder_extended_error error;

	if (ask(w, LAST_ERROR, me.files[0], BINDER_GET_EXTENDED_ERROR, &error))
		return;
	count(&me.board->reason[(u32)-error.param % REASONS]);
	/* It waits for an answer to a call that it has given up. */
	if (error.param == -EPROTO && one_in(&w->chance, 3))
		ask(w, THREAD_EXIT, me.files[0], BINDER_THREAD_EXIT, NULL);
}

static inline void handle_call(struct worker *w,
			       const struct binder_transaction_data *tr)
{
	take_message(w, tr);
	if (w->depth < CALLS_DEEP && one_in(&w->chance, 6))
		call_somebody(w, some_handle(w));
	if ((tr->flags & TF_ONE_WAY) || one_in(&w->chance, 40))
		return;
	/* At once, because the next message is written to the same place. */
	say_message(w, true, 0, 0);
	talk(w, 0);
}

/* Does what a return command asks for. */
static inline void obey(struct worker *w, u32 cmd, const u8 *at)
{
	struct binder_transaction_data tr;
	struct binder_ptr_cookie node;
	struct binder_frozen_state_info frozen;
	u64 cookie;

	if (one_in(&w->chance, 50) && cmd != BR_TRANSACTION)
		return;
	switch (cmd) {
	case BR_INCREFS:
	case BR_ACQUIRE:
		memcpy(&node, at, sizeof(node));
		say_node(w, cmd == BR_ACQUIRE ? BC_ACQUIRE_DONE :
			 BC_INCREFS_DONE, node.ptr, node.cookie);
		break;
	case BR_DEAD_BINDER:
		memcpy(&cookie, at, sizeof(cookie));
		say_long(w, BC_DEAD_BINDER_DONE, cookie);
		break;
	case BR_FROZEN_BINDER:
		memcpy(&frozen, at, sizeof(frozen));
		say_long(w, BC_FREEZE_NOTIFICATION_DONE, frozen.cookie);
		break;
	case BR_FAILED_REPLY:
		ask_for_reason(w);
		break;
	case BR_SPAWN_LOOPER:
		store(&me.wanted_threads, 1);
		break;
	case BR_TRANSACTION:
	case BR_TRANSACTION_SEC_CTX:
		memcpy(&tr, at, sizeof(tr));
		handle_call(w, &tr);
		break;
	case BR_REPLY:
		memcpy(&tr, at, sizeof(tr));
		take_message(w, &tr);
		break;
	}
}

/*
 * Sends what was gathered, reads, and does what it was told; what that gives
 * is gathered. The set of return commands.
 */
static inline u64 converse(struct worker *w, size_t read_size)
{
	u8 in[IN_SIZE];
	u64 seen = 0;
	size_t at = 0;
	long len = talk(w, read_size);

	if (len == -EAGAIN) {
		struct pollfd pfd = { .fd = me.files[0], .events = POLLIN };

		_sys_poll(&pfd, 1, 2);
	}
	if (len <= 0)
		return 0;
	/* What comes of it may overwrite it. */
	memcpy(in, w->arena->in, len);
	while (at + sizeof(u32) <= (size_t)len) {
		u32 cmd;

		memcpy(&cmd, in + at, sizeof(cmd));
		at += sizeof(cmd);
		if (_IOC_TYPE(cmd) != 'r' || _IOC_NR(cmd) >= RETURNS ||
		    at + _IOC_SIZE(cmd) > (size_t)len)
			break;
		count(&me.board->told[_IOC_NR(cmd)]);
		seen |= BR(cmd);
		obey(w, cmd, in + at);
		at += _IOC_SIZE(cmd);
	}
	return seen;
}

#endif
