/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The three ways of a message: a call, a one-way message, and the answer to a
 * call. Tests about what is in a message take each of them.
 */
#ifndef VBINDER_TESTS_WAY_H
#define VBINDER_TESTS_WAY_H

#include "parcel.h"

struct way {
	struct party *from;
	struct party *to;
	struct party *m;
	struct party *c;
	bool reply;
	u32 handle;		/* whom calls go to */
	u32 cmd;
	u32 cmd_sg;		/* the same for a message with buffers */
	u32 flags;
	long nodes;		/* what the receiver has without any message */
};

/* A pair of parties and the way between them; false if there is none. */
static inline bool way_new(struct way *w, bool reply, u32 flags)
{
	w->m = manager_new(AREA_SIZE);
	w->c = client_new(AREA_SIZE);
	w->from = reply ? w->m : w->c;
	w->to = reply ? w->c : w->m;
	w->reply = reply;
	w->handle = 0;
	w->cmd = reply ? BC_REPLY : BC_TRANSACTION;
	w->cmd_sg = reply ? BC_REPLY_SG : BC_TRANSACTION_SG;
	w->flags = flags;
	w->nodes = 0;
	return w->m && w->c && !b_enter_looper(w->c);
}

/*
 * A way for files. The manager takes none in calls, so here all goes from the
 * manager to the client: as calls to a node that takes them, or as an answer.
 */
static inline bool way_for_files(struct way *w, bool reply, u32 flags)
{
	if (!way_new(w, true, flags) || give_node(w->c, w->m, 8, 8) != 1)
		return false;
	w->reply = reply;
	w->handle = reply ? 0 : 1;
	w->cmd = reply ? BC_REPLY : BC_TRANSACTION;
	w->cmd_sg = reply ? BC_REPLY_SG : BC_TRANSACTION_SG;
	w->nodes = 1;
	return true;
}

/* Whatever comes before the message: an answer needs a call. */
static inline long begin(struct way *w, u32 call_flags)
{
	if (!w->reply)
		return 0;
	if (b_send(w->c, BC_TRANSACTION, 1, call_flags, 0, 0))
		return -1;
	if (b_receive(w->m) != BR_TRANSACTION)
		return -2;
	return b_free(w->m) ? -3 : 0;
}

/* Whatever comes after it, with the message still in the receiver's hands. */
static inline long end(struct way *w)
{
	if (!w->reply && !(w->flags & TF_ONE_WAY)) {
		put_empty_reply(w->to);
		if (b_go(w->to, 0))
			return -4;
		if (b_receipt(w->to) != BR_TRANSACTION_COMPLETE)
			return -5;
		if (b_receive(w->from) != BR_REPLY)
			return -6;
		put_dones(w->from);
		return b_free(w->from) ? -7 : 0;
	}
	if (b_receipt(w->from) != BR_TRANSACTION_COMPLETE)
		return -8;
	put_dones(w->from);
	return b_go(w->from, 0) ? -9 : 0;
}

/* The sender's parcel goes to the receiver: 0, or minus the failed step. */
static inline long deliver_sg(struct way *w,
			      struct binder_transaction_data_sg sg, u32 cmd)
{
	long ret = begin(w, TF_ACCEPT_FDS);

	if (ret)
		return ret;
	sg.transaction_data.flags |= w->flags;
	sg.transaction_data.target.handle = w->handle;
	put_message(w->from, cmd, &sg);
	if (b_go(w->from, 0))
		return -10;
	if (b_receive_parcel(w->to) != (w->reply ? BR_REPLY : BR_TRANSACTION))
		return -11;
	return end(w);
}

static inline long deliver(struct way *w)
{
	return deliver_sg(w, parcel_tr(w->from->out), w->cmd);
}

/*
 * The message must be refused. As an answer its failure is the caller's: the
 * one who answers is told that it is done with it.
 */
static inline long refused_sg(struct way *w,
			      struct binder_transaction_data_sg sg, u32 cmd)
{
	long ret = begin(w, TF_ACCEPT_FDS);

	if (ret)
		return ret;
	sg.transaction_data.flags |= w->flags;
	sg.transaction_data.target.handle = w->handle;
	put_message(w->from, cmd, &sg);
	if (b_go(w->from, 0))
		return -10;
	if (!w->reply)
		return b_receipt(w->from) == BR_FAILED_REPLY ? 0 : -11;
	if (b_receipt(w->from) != BR_TRANSACTION_COMPLETE)
		return -12;
	return b_receive(w->to) == BR_FAILED_REPLY ? 0 : -13;
}

static inline long refused(struct way *w)
{
	return refused_sg(w, parcel_tr(w->from->out), w->cmd);
}

/* A node of one side: the other side's strong handle. */
static inline long node_of(struct way *w, struct party *owner, u64 ptr,
			   u64 cookie)
{
	return owner == w->c ? give_node(w->c, w->m, ptr, cookie) :
			       hand_node(w->m, w->c, ptr, cookie);
}

static inline long node_of_receiver(struct way *w, u64 ptr, u64 cookie)
{
	return node_of(w, w->to, ptr, cookie);
}

static inline long node_of_sender(struct way *w, u64 ptr, u64 cookie)
{
	return node_of(w, w->from, ptr, cookie);
}

/*
 * 0 if a refused message left no memory in use, no news, no node and no
 * handle; otherwise the number of what it left.
 */
static inline int left_behind(struct way *w)
{
	/* Only our own driver has this counter. */
	if (counter("used") > 0)
		return 1;
	if (b_drain(w->from) || b_drain(w->to))
		return 2;
	if (b_nodes(w->from) || b_nodes(w->to) != w->nodes)
		return 3;
	if (node_of_sender(w, 0x1000, 0x2000) != 1)
		return 4;
	return exchange(w->c, w->m, 3, PAGE) ? 5 : 0;
}

#endif
