/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The usual cast of a test: a manager that serves and a client that calls.
 */
#ifndef VBINDER_TESTS_PAIR_H
#define VBINDER_TESTS_PAIR_H

#include "binder.h"
#include "stats.h"

/* A process with the device open and, unless len is 0, an area of that size. */
static inline struct party *client_new(size_t len)
{
	struct party *p = party_new();

	if (!p || b_open(p) < 0)
		return NULL;
	if (len && b_map(p, len))
		return NULL;
	return p;
}

static inline struct party *manager_new(size_t len)
{
	struct party *p = client_new(len);

	if (!p || b_become_manager(p) || b_enter_looper(p))
		return NULL;
	return p;
}

/* The usual cast of a fixture: a manager m and somebody who calls it, c. */
#define SETUP_PAIR() do {						\
	self->m = manager_new(AREA_SIZE);				\
	ASSERT_NE(NULL, self->m);					\
	self->c = client_new(AREA_SIZE);				\
	ASSERT_NE(NULL, self->c);					\
} while (0)

/*
 * A whole call with an answer, both checked and freed. 0, or the number of
 * the step that failed: tests use it to show that a device still works.
 */
static inline int exchange(struct party *client, struct party *manager,
			   u64 seed, size_t len)
{
	if (b_call(client, seed, len))
		return 1;
	if (b_receive(manager) != BR_TRANSACTION)
		return 2;
	if (manager->res.tr.data_size != len || b_mismatch(manager, seed) != -1)
		return 3;
	if (b_free(manager))
		return 4;
	if (b_reply(manager, seed + 1, len))
		return 5;
	if (b_receipt(manager) != BR_TRANSACTION_COMPLETE)
		return 6;
	if (b_receive(client) != BR_REPLY)
		return 7;
	if (client->res.tr.data_size != len ||
	    b_mismatch(client, seed + 1) != -1)
		return 8;
	return b_free(client) ? 9 : 0;
}

/* Brings len bytes to the client and leaves their buffer in its hands. */
static inline int fetch(struct party *client, struct party *manager, u64 seed,
			size_t len)
{
	if (b_call(client, seed, 8))
		return 1;
	if (b_receive(manager) != BR_TRANSACTION)
		return 2;
	if (b_free(manager))
		return 3;
	if (b_reply(manager, seed, len))
		return 4;
	if (b_receipt(manager) != BR_TRANSACTION_COMPLETE)
		return 5;
	if (b_receive(client) != BR_REPLY)
		return 6;
	return b_mismatch(client, seed) == -1 ? 0 : 7;
}

#endif
