/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parties that are children of other parties: they inherit what a child does,
 * and live in the namespaces that their parent has prepared for them.
 */
#ifndef VBINDER_TESTS_CHILD_H
#define VBINDER_TESTS_CHILD_H

#include "binder.h"

static inline long op_child(struct party *p, const u64 *a)
{
	struct party *child = u64_ptr(a[0]);
	int pid = fork();

	(void)p;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		/* This is 0 in a namespace of processes of its own. */
		child->script = _syscall(__NR_getppid);
		party_loop(child);
	}
	return pid;
}

/*
 * A child with the parent's binder file, but without its area, which is not
 * inherited. It ends with its parent, and is killed with it.
 */
static inline struct party *party_child(struct party *parent)
{
	struct party *p = party_slot();
	long pid;

	if (!p)
		return NULL;
	p->leader = parent;
	p->fd = parent->fd;
	pid = ON(parent, op_child, ptr_u64(p));
	p->pid = pid;
	p->tid = pid;
	return pid < 0 ? NULL : p;
}

/* Takes new namespaces; 0, or -EINVAL where the kernel has none of them. */
static inline long op_unshare(struct party *p, const u64 *a)
{
	(void)p;
	return _syscall(__NR_unshare, a[0]);
}

#endif
