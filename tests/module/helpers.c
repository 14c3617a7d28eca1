// SPDX-License-Identifier: GPL-2.0
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "helpers.h"

#define WAIT_LIMIT	msecs_to_jiffies(10 * MSEC_PER_SEC)

void vmarea_test_fail(const char *file, int line, const char *what)
{
	struct kunit *test = kunit_get_current_test();

	if (test)
		KUNIT_FAIL(test, "%s:%d: not so: %s", file, line, what);
	else
		pr_err("%s:%d: not so: %s\n", file, line, what);
}

void vmarea_test_detach_mm(void)
{
	struct mm_struct *mm = current->mm;

	kthread_unuse_mm(mm);
	mmput(mm);
}

struct in_thread {
	void (*fn)(void *data);
	void *data;
	struct completion done;
};

static int in_thread_fn(void *data)
{
	struct in_thread *call = data;

	call->fn(call->data);
	complete(&call->done);
	return 0;
}

int vmarea_test_in_thread(void (*fn)(void *data), void *data)
{
	struct in_thread call = { .fn = fn, .data = data };
	struct task_struct *task;

	init_completion(&call.done);
	task = kthread_create(in_thread_fn, &call, "vmarea_test");
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&call.done);
	/* It must not run this module's code any more. */
	return kthread_stop_put(task);
}

struct file *vmarea_test_open(const char *path, int flags)
{
	struct file *file;

	scoped_with_init_fs()
		file = filp_open(path, flags, 0);
	return file;
}

int vmarea_test_references_at(unsigned long address)
{
	struct page *page;
	int references;

	if (!current->mm || get_user_pages_fast_only(address, 1, 0, &page) != 1)
		return 0;
	references = page_count(page) - 1;
	put_page(page);
	return references;
}

long vmarea_test_reclaimable(void)
{
	return global_node_page_state(NR_KERNEL_MISC_RECLAIMABLE);
}

void *vmarea_test_fs_of(struct file *file)
{
	return file->f_mapping->host->i_sb->s_type;
}

const char *vmarea_test_fs_name(void *fs)
{
	return ((struct file_system_type *)fs)->name;
}

bool vmarea_test_fs_is_mounted(void *fs)
{
	return !hlist_empty(&((struct file_system_type *)fs)->fs_supers);
}

const char *vmarea_test_name_of(unsigned long address)
{
	struct vm_area_struct *vma;
	const char *name = NULL;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, address);
	if (vma && vma->vm_ops && vma->vm_ops->name)
		name = vma->vm_ops->name(vma);
	mmap_read_unlock(current->mm);
	return name;
}

struct vmarea_test_writer {
	struct mm_struct *mm;
	unsigned long address;
	enum vmarea_test_writer_kind kind;
	struct task_struct *starter;
	struct task_struct *task;
	struct completion locked;
	struct completion stopped;
	bool was_waited_for;
};

static void wait_for_waiter(struct vmarea_test_writer *writer)
{
	unsigned long limit = jiffies + WAIT_LIMIT;

	while (!rwsem_is_contended(&writer->mm->mmap_lock)) {
		if (try_wait_for_completion(&writer->stopped)) {
			complete(&writer->stopped);
			return;
		}
		if (time_after(jiffies, limit))
			return;
		schedule_timeout_idle(1);
	}
	writer->was_waited_for = true;
}

static int writer_fn(void *data)
{
	struct vmarea_test_writer *writer = data;
	struct vm_area_struct *vma;

	mmap_write_lock(writer->mm);
	vma = vma_lookup(writer->mm, writer->address);
	if (vma)
		vma_start_write(vma);
	complete(&writer->locked);
	if (writer->kind != VMAREA_TEST_WRITER_STAYS)
		wait_for_waiter(writer);
	if (writer->kind == VMAREA_TEST_WRITER_KILLS)
		send_sig(SIGKILL, writer->starter, 1);
	if (writer->kind != VMAREA_TEST_WRITER_GIVES_WAY)
		wait_for_completion(&writer->stopped);
	mmap_write_unlock(writer->mm);
	return 0;
}

struct vmarea_test_writer *
vmarea_test_writer_start(struct mm_struct *mm, unsigned long address,
			 enum vmarea_test_writer_kind kind)
{
	struct vmarea_test_writer *writer = kzalloc_obj(*writer);
	struct task_struct *task;

	if (!writer)
		return NULL;
	writer->mm = mm;
	writer->address = address;
	writer->kind = kind;
	writer->starter = current;
	init_completion(&writer->locked);
	init_completion(&writer->stopped);
	task = kthread_create(writer_fn, writer, "vmarea_writer");
	if (IS_ERR(task)) {
		kfree(writer);
		return NULL;
	}
	/* It may have ended when it is stopped. */
	writer->task = get_task_struct(task);
	if (kind == VMAREA_TEST_WRITER_KILLS)
		allow_signal(SIGKILL);
	wake_up_process(task);
	wait_for_completion(&writer->locked);
	return writer;
}

bool vmarea_test_writer_stop(struct vmarea_test_writer *writer)
{
	bool was_waited_for;

	complete(&writer->stopped);
	kthread_stop_put(writer->task);
	if (writer->kind == VMAREA_TEST_WRITER_KILLS) {
		flush_signals(current);
		disallow_signal(SIGKILL);
	}
	was_waited_for = writer->was_waited_for;
	kfree(writer);
	return was_waited_for;
}
