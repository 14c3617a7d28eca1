/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads for programs without a C library: one clone() and a stack.
 *
 * A thread runs fn(arg) and ends alone. It shares everything with the process,
 * nolibc's errno included, so what it runs uses the calls of sys.h.
 */
#ifndef VBINDER_TESTS_THREAD_H
#define VBINDER_TESTS_THREAD_H

#include <linux/sched.h>

#include "sys.h"

#define THREAD_STACK	(64 * KIB)
#define THREAD_FLAGS	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			 CLONE_THREAD | CLONE_SYSVSEM)

/*
 * C cannot express a call that returns twice on two stacks, so fn and arg
 * travel on the new one.
 */
long thread_clone(unsigned long flags, void *stack, void (*fn)(void *),
		  void *arg);

#if defined(__x86_64__)
__asm__(".pushsection .text.thread_clone, \"ax\", @progbits\n"
	".type thread_clone, @function\n"
	"thread_clone:\n"
	"	sub $16, %rsi\n"
	"	mov %rdx, 0(%rsi)\n"
	"	mov %rcx, 8(%rsi)\n"
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jnz 1f\n"
	"	xor %ebp, %ebp\n"
	"	pop %rax\n"
	"	pop %rdi\n"
	"	call *%rax\n"
	"	xor %edi, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"1:	ret\n"
	".size thread_clone, . - thread_clone\n"
	".popsection\n"
);
#elif defined(__aarch64__)
__asm__(".pushsection .text.thread_clone, \"ax\", %progbits\n"
	".type thread_clone, %function\n"
	"thread_clone:\n"
	"	stp x2, x3, [x1, #-16]!\n"
	"	mov x2, #0\n"
	"	mov x3, #0\n"
	"	mov x4, #0\n"
	"	mov x8, #220\n"
	"	svc #0\n"
	"	cbnz x0, 1f\n"
	"	mov x29, #0\n"
	"	mov x30, #0\n"
	"	ldp x1, x0, [sp], #16\n"
	"	blr x1\n"
	"	mov x0, #0\n"
	"	mov x8, #93\n"
	"	svc #0\n"
	"1:	ret\n"
	".size thread_clone, . - thread_clone\n"
	".popsection\n"
);
#else
#error "no thread_clone() for this machine"
#endif

/* The thread's id or a negative errno. */
static inline long thread_start(void (*fn)(void *), void *arg)
{
	long stack = sys_mmap(NULL, THREAD_STACK, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (is_error(stack))
		return stack;
	return thread_clone(THREAD_FLAGS, u64_ptr(stack + THREAD_STACK), fn,
			    arg);
}

#endif
