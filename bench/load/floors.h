/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What no driver can do without: two switches between processes, and the copy
 * of a message.
 */
#ifndef VBINDER_BENCH_FLOORS_H
#define VBINDER_BENCH_FLOORS_H

#include "team.h"

static struct {
	int there[2];
	int back[2];
} pipes;

static inline void pass_byte(int from, int to)
{
	u8 byte;

	if (sys_read(from, &byte, 1) != 1)
		die("pipe: cannot read");
	if (sys_write(to, &byte, 1) != 1)
		die("pipe: cannot write");
}

static inline void pipe_echo(unsigned long unused)
{
	(void)unused;
	for (;;)
		pass_byte(pipes.there[0], pipes.back[1]);
}

static inline void pipe_rounds(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		pass_byte(pipes.back[0], pipes.there[1]);
}

/* A byte there and back through two pipes. */
static inline void measure_pipe(void)
{
	unsigned int count = count_or(400);

	if (__nolibc_syscall2(__NR_pipe2, pipes.there, 0) ||
	    __nolibc_syscall2(__NR_pipe2, pipes.back, 0))
		die("no pipe");
	member(pipe_echo, 0);
	if (sys_write(pipes.there[1], "", 1) != 1)
		die("pipe: cannot write");
	pipe_rounds(options.warmup);
	for (unsigned int r = 0; r < options.repeats; r++) {
		note_begin(r);
		pipe_rounds(count);
		note_end(r);
		report(took(r) / count, "ns", "");
	}
}

/* As the kernel copies between itself and a process, words at a time. */
static inline void copy_words(void *to, const void *from, size_t len)
{
#if defined(__x86_64__)
	len /= 8;
	__asm__ volatile("rep movsq"
			 : "+D"(to), "+S"(from), "+c"(len) :: "memory");
#else
	u64 *out = to;
	const u64 *in = from;

	for (size_t i = 0; i < len / 8; i++)
		__atomic_store_n(&out[i], in[i], __ATOMIC_RELAXED);
#endif
}

static inline void measure_copy(void)
{
	size_t size = argument(0, 4096, 8, MIB);
	unsigned int count = count_or(400);
	u8 *from = zeroed(size, MAP_PRIVATE);
	u8 *to = zeroed(size, MAP_PRIVATE);

	memset(from, 1, size);
	memset(to, 2, size);
	for (unsigned int r = 0; r < options.repeats; r++) {
		note_begin(r);
		for (unsigned int i = 0; i < count; i++)
			copy_words(to, from, size);
		note_end(r);
		report(took(r) / count, "ns", "size=%lu", (unsigned long)size);
	}
	if (to[0] != 1 || to[size - 1] != 1)
		die("the copy is wrong");
}

#endif
