/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Oneway messages, from the sender's call to the receiver's look at it. After
 * some of them the sender waits for the receiver, so that there is always room.
 */
#ifndef VBINDER_BENCH_ONEWAY_H
#define VBINDER_BENCH_ONEWAY_H

#include "side.h"

/* A quarter of the area, and of messages no more than a queue usually has. */
#define ONEWAY_BYTES	(256 * KIB)
#define ONEWAY_MOST	16

static struct {
	size_t size;
	unsigned int window;
} oneway;

static inline void oneway_receiver(unsigned long unused)
{
	static struct side s;

	(void)unused;
	become_manager(&s, AREA_SIZE);
	for (u32 taken = 1;; taken++) {
		serve(&s);
		if (taken % oneway.window)
			continue;
		/* The window is free when the last of it is. */
		flush(&s);
		raise_by(&shared->taken, oneway.window);
	}
}

/* The receipt is read with the ioctl that sends, as libbinder does. */
static inline void oneway_send(struct side *s, u8 mark)
{
	const void *arg;
	u32 cmd;

	put_message(s, BC_TRANSACTION, 0, 0, TF_ONE_WAY, oneway.size, mark);
	while ((cmd = next_return(s, &arg)) != BR_TRANSACTION_COMPLETE)
		if (cmd != BR_NOOP)
			die("unexpected return command %x (number %u)", cmd,
			    (unsigned int)_IOC_NR(cmd));
}

static inline void oneway_windows(struct side *s, u32 *sent, unsigned int count)
{
	while (count--) {
		for (unsigned int i = 0; i < oneway.window; i++)
			oneway_send(s, i);
		*sent += oneway.window;
		wait_until(&shared->taken, *sent);
	}
}

/* SIZE */
static inline void measure_oneway(void)
{
	static struct side s;
	unsigned int windows;
	u32 sent = 0;

	oneway.size = argument(0, 8, 8, 128 * KIB);
	oneway.window = ONEWAY_BYTES / oneway.size;
	if (oneway.window > ONEWAY_MOST)
		oneway.window = ONEWAY_MOST;
	windows = (count_or(400) + oneway.window - 1) / oneway.window;
	member(oneway_receiver, 0);
	side_open(&s, AREA_SIZE);
	side_payload(&s, oneway.size);
	wait_until(&shared->ready, 1);
	oneway_windows(&s, &sent, options.warmup / oneway.window + 1);
	for (unsigned int r = 0; r < options.repeats; r++) {
		note_begin(r);
		oneway_windows(&s, &sent, windows);
		note_end(r);
		report(took(r) / (windows * oneway.window), "ns", "size=%lu",
		       (unsigned long)oneway.size);
	}
}

#endif
