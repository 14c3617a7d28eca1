/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A synchronous call to a server in another process, with an answer of the same
 * size, from one or more clients.
 */
#ifndef VBINDER_BENCH_ROUNDTRIP_H
#define VBINDER_BENCH_ROUNDTRIP_H

#include "side.h"

static struct {
	size_t size;
	unsigned int clients;
	unsigned int count;
} roundtrip;

static inline void roundtrip_client(unsigned long number)
{
	static struct side s;
	u8 mark = number;
	u64 before;

	side_open(&s, AREA_SIZE);
	side_payload(&s, roundtrip.size);
	wait_until(&shared->ready, 1);
	for (unsigned int i = 0; i < options.warmup; i++)
		ask(&s, 0, roundtrip.size, roundtrip.size, mark++);
	before = s.ioctls;
	for (unsigned int r = 0; r < options.repeats; r++) {
		meet(roundtrip.clients);
		note_begin(r);
		for (unsigned int i = 0; i < roundtrip.count; i++)
			ask(&s, 0, roundtrip.size, roundtrip.size, mark++);
		note_end(r);
		/* Nobody begins the next one before all have ended this one. */
		meet(roundtrip.clients);
	}
	__atomic_add_fetch(&shared->ioctls, s.ioctls - before, __ATOMIC_RELAXED);
}

/* SIZE [CLIENTS] */
static inline void measure_roundtrip(void)
{
	roundtrip.size = argument(0, 8, 8, BACK_MAX);
	roundtrip.clients = argument(1, 1, 1, 32);
	roundtrip.count = count_or(400);
	member(server, AREA_SIZE);
	for (unsigned int i = 0; i < roundtrip.clients; i++)
		member(roundtrip_client, i);
	await(roundtrip.clients);
	for (unsigned int r = 0; r < options.repeats; r++)
		report(took(r) / (roundtrip.count * roundtrip.clients), "ns",
		       "size=%lu clients=%u", (unsigned long)roundtrip.size,
		       roundtrip.clients);
	/* More would mean that a driver wakes its clients for nothing. */
	if (shared->ioctls >
	    2ULL * options.repeats * roundtrip.count * roundtrip.clients)
		die("more than two ioctls for a call");
}

#endif
