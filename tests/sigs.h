/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parties that catch signals, and that repeat an interrupted ioctl.
 */
#ifndef VBINDER_TESTS_SIGS_H
#define VBINDER_TESTS_SIGS_H

#include "binder.h"

static u32 *signals_caught;

static inline void count_signal(int sig)
{
	(void)sig;
	__atomic_add_fetch(signals_caught, 1, __ATOMIC_RELEASE);
}

#ifdef __x86_64__
/* This machine's kernel leaves the way out of a handler to the program. */
void signal_return(void);
__asm__(".pushsection .text.signal_return, \"ax\", @progbits\n"
	"signal_return:\n"
	"	mov $15, %eax\n"
	"	syscall\n"
	".popsection\n"
);
#endif

/* From now on the party counts this signal in its scratch memory. */
static inline long op_catch(struct party *p, const u64 *a)
{
	struct sigaction act = {
		.sa_handler = count_signal,
		.sa_flags = a[1],
	};

	signals_caught = (u32 *)&p->scratch[7];
#ifdef __x86_64__
	act.sa_flags |= SA_RESTORER;
	act.sa_restorer = signal_return;
#endif
	return _syscall(__NR_rt_sigaction, a[0], &act, NULL,
			sizeof(act.sa_mask));
}

static inline u32 caught(struct party *p)
{
	return load((u32 *)&p->scratch[7]);
}

/* The last BINDER_WRITE_READ once more, with the structure as it came back. */
static inline long op_again(struct party *p, const u64 *a)
{
	long ret;

	(void)a;
	p->res.n = 0;
	ret = sys_ioctl(p->fd, BINDER_WRITE_READ, &p->bwr);
	parse(p);
	return ret;
}

#endif
