// SPDX-License-Identifier: GPL-2.0
/*
 * fault_order.ko: reads a word of user memory in a way that depends on what its
 * VMA is, which the x86 shadow stack has to do in sigreturn. Loading it does the
 * read, with the VMA of the stack of the loading process.
 *
 * held=1 holds the VMA read lock over the read, as one would write it at first.
 * The read can fault, and a fault can need the mmap_lock, whose holder may be
 * waiting for that VMA lock: lockdep reports the order.
 *
 * held=0 does what kernel/patches has the shadow stack do: sample the sequence
 * count of the mm under the VMA lock, read without any lock, and look whether
 * the count is still the same.
 */
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

static bool held;
module_param(held, bool, 0);
MODULE_PARM_DESC(held, "hold the VMA lock over the read");

static int read_under_lock(unsigned long addr, unsigned long *word)
{
	struct vm_area_struct *vma;
	int err;

	vma = lock_vma_under_rcu(current->mm, addr);
	if (!vma)
		return -EAGAIN;

	err = vma->vm_flags & VM_READ ?
		get_user(*word, (unsigned long __user *)addr) : -EINVAL;
	vma_end_read(vma);
	return err;
}

static int read_and_validate(unsigned long addr, unsigned long *word)
{
	struct vm_area_struct *vma;
	bool readable, no_writer;
	unsigned int seq;
	int err;

	do {
		vma = lock_vma_under_rcu(current->mm, addr);
		if (!vma)
			return -EAGAIN;

		readable = vma->vm_flags & VM_READ;
		no_writer = mmap_lock_speculate_try_begin(current->mm, &seq);
		vma_end_read(vma);

		if (!readable)
			return -EINVAL;
		/* A loading process has one thread, so nobody else can write. */
		if (!no_writer)
			return -EAGAIN;

		err = get_user(*word, (unsigned long __user *)addr);
		if (err)
			return err;
	} while (mmap_lock_speculate_retry(current->mm, seq));

	return 0;
}

static int __init fault_order_init(void)
{
	unsigned long addr = round_down(current->mm->start_stack, sizeof(long));
	unsigned long word;

	return held ? read_under_lock(addr, &word) : read_and_validate(addr, &word);
}
module_init(fault_order_init);

static void __exit fault_order_exit(void)
{
}
module_exit(fault_order_exit);

MODULE_DESCRIPTION("Two ways to read user memory of a VMA that has to be checked");
MODULE_LICENSE("GPL");
