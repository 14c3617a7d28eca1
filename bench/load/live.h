/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a call costs among many nodes, references, buffers or processes. The
 * rest of the call stays the same, so what grows is the search.
 */
#ifndef VBINDER_BENCH_LIVE_H
#define VBINDER_BENCH_LIVE_H

#include "objects.h"

#define LIVE_MAX	20000
#define LIVE_AREA	(4 * MIB)
#define LIVE_PAYLOAD	4096

static u32 live_handles[LIVE_MAX];

/* A manager that has references to so many nodes of its client. */
static inline void live_holder(unsigned long count)
{
	static struct side s;

	become_manager(&s, LIVE_AREA);
	side_payload(&s, LIVE_PAYLOAD);
	take_nodes(&s, live_handles, count);
	for (;;)
		serve(&s);
}

/* A process with so many nodes, which the manager gets to know. */
static inline void live_owner(unsigned long count)
{
	static struct side s;

	wait_until(&shared->ready, 1);
	side_open(&s, LIVE_AREA);
	side_payload(&s, LIVE_PAYLOAD);
	send_nodes(&s, count);
	put_cmd(&s, BC_ENTER_LOOPER);
	for (;;)
		serve(&s);
}

enum live_kind { LIVE_NODES, LIVE_REFS, LIVE_BUFFERS };

static inline void live_prepare(struct side *s, enum live_kind kind, u32 count)
{
	switch (kind) {
	case LIVE_NODES:
		member(live_holder, count);
		side_open(s, LIVE_AREA);
		side_payload(s, LIVE_PAYLOAD);
		wait_until(&shared->ready, 1);
		send_nodes(s, count);
		break;
	case LIVE_REFS:
		member(live_owner, count);
		become_manager(s, LIVE_AREA);
		side_payload(s, LIVE_PAYLOAD);
		take_nodes(s, live_handles, count);
		break;
	case LIVE_BUFFERS:
		side_with_server(s, LIVE_AREA, LIVE_PAYLOAD);
		for (u32 i = 0; i < count; i++)
			ask(s, 0, 8, KEEP | 8, i);
		break;
	}
}

static inline void live_calls(struct side *s, enum live_kind kind, u32 count,
			      unsigned int calls)
{
	for (unsigned int i = 0; i < calls; i++) {
		if (kind == LIVE_NODES)
			ask_with_nodes(s, count / 2, 1, i);
		else
			ask(s, kind == LIVE_REFS ? live_handles[count / 2] : 0,
			    8, 8, i);
	}
}

/* KIND COUNT */
static inline void measure_live(void)
{
	static const char * const names[] = { "nodes", "refs", "buffers" };
	static struct side s;
	u32 count = argument(1, 10, 1, LIVE_MAX);
	unsigned int calls = count_or(200);
	int kind = 0;

	while (!options.nr_args || strcmp(options.args[0], names[kind]))
		if (++kind == 3)
			die("live: of nodes, refs or buffers");
	live_prepare(&s, kind, count);
	live_calls(&s, kind, count, options.warmup);
	for (unsigned int r = 0; r < options.repeats; r++) {
		note_begin(r);
		live_calls(&s, kind, count, calls);
		note_end(r);
		report(took(r) / calls, "ns", "kind=%s count=%u", names[kind],
		       count);
	}
}

static inline void turns(struct side *s, unsigned int servers, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		ask(s, live_handles[i % servers], 8, 8, i);
}

/* PROCESSES: so many servers, called in turn */
static inline void measure_processes(void)
{
	static struct side s;
	unsigned int servers = argument(0, 1, 1, 256);
	unsigned int calls = count_or(400);

	for (unsigned int i = 0; i < servers; i++)
		member(live_owner, 1);
	become_manager(&s, LIVE_AREA);
	side_payload(&s, LIVE_PAYLOAD);
	take_nodes(&s, live_handles, servers);
	turns(&s, servers, options.warmup);
	for (unsigned int r = 0; r < options.repeats; r++) {
		note_begin(r);
		turns(&s, servers, calls);
		note_end(r);
		report(took(r) / calls, "ns", "processes=%u", servers);
	}
}

#endif
