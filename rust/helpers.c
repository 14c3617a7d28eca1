// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's headers offer as macros or inline functions only, and the
 * kernel crate has no binding for. The names in this file are what the build
 * makes Rust bindings of.
 */
#include <linux/fdtable.h>
#include <linux/highmem.h>
#include <linux/memcontrol.h>
#include <linux/nospec.h>
#include <linux/pagemap.h>
#include <linux/pseudo_fs.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/syscalls.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>

const unsigned int VMAREA_SHRINKER_NUMA_AWARE = SHRINKER_NUMA_AWARE;
const unsigned int VMAREA_SHRINKER_MEMCG_AWARE = SHRINKER_MEMCG_AWARE;
/* In shrinker.rs, because bindgen does not evaluate it. */
static_assert(SHRINK_EMPTY == (ULONG_MAX - 1));
const gfp_t VMAREA_GFP_KERNEL = GFP_KERNEL;
/* "vmar" */
const unsigned long VMAREA_FS_MAGIC = 0x766d6172;
/*
 * A page for user space that is missed by one system call only, so that this
 * is what fails when there is no memory.
 */
const gfp_t VMAREA_GFP_PAGE = GFP_KERNEL_ACCOUNT | __GFP_HIGHMEM |
			      __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
const gfp_t VMAREA_GFP_ZERO = __GFP_ZERO;

/*
 * Copies to pages, from a place in the first one on, which others may access
 * meanwhile. Their addresses are found at each stride bytes, up to a null one.
 * What is not copied is left as it is.
 */
unsigned long vmarea_copy_from_user(struct page *const *pages, size_t stride,
				    size_t offset, const void __user *from,
				    size_t length)
{
	if (!access_ok(from, length))
		return length;
	barrier_nospec();

	while (length && *pages) {
		size_t part = min(length, PAGE_SIZE - offset);
		char *to = kmap_local_page(*pages);
		unsigned long left = __copy_from_user(to + offset, from, part);

		kunmap_local(to);
		length -= part;
		if (unlikely(left))
			return length + left;
		from += part;
		pages = (const void *)pages + stride;
		offset = 0;
	}
	return length;
}

/* As the kernel crate's readers and writers, but called directly. */
unsigned long vmarea_read_bytes(void *to, const void __user *from,
				size_t length)
{
	return copy_from_user(to, from, length);
}

unsigned long vmarea_write_bytes(void __user *to, const void *from,
				 size_t length)
{
	return copy_to_user(to, from, length);
}

/*
 * Copies of so few words that copy_from_user() and copy_to_user() take longer
 * to get to the copy than for it.
 */
int vmarea_read_words(unsigned long long *to,
		      const unsigned long long __user *from, size_t count)
{
	might_fault();
	scoped_user_read_access_size(from, count * sizeof(*to), efault) {
		size_t i = 0;

		for (; i + 3 <= count; i += 3) {
			unsafe_get_user(to[i], &from[i], efault);
			unsafe_get_user(to[i + 1], &from[i + 1], efault);
			unsafe_get_user(to[i + 2], &from[i + 2], efault);
		}
		for (; i < count; i++)
			unsafe_get_user(to[i], &from[i], efault);
	}
	return 0;

efault:
	return -EFAULT;
}

int vmarea_write_word(unsigned long long __user *to, unsigned long long word)
{
	might_fault();
	return put_user_inline(word, to);
}

/* Clears a part of a page, which others may access meanwhile. */
void vmarea_clear(struct page *page, size_t offset, size_t length)
{
	memzero_page(page, offset, length);
}

/* Copies to and from a part of a page, which others may access meanwhile. */
void vmarea_copy_to_page(struct page *page, size_t offset, const void *from,
			 size_t length)
{
	memcpy_to_page(page, offset, from, length);
}

void vmarea_copy_from_page(void *to, struct page *page, size_t offset,
			   size_t length)
{
	memcpy_from_page(to, page, offset, length);
}

void vmarea_lock_page(struct page *page)
{
	lock_page(page);
}

/* Charges what this thread allocates from now on to the user of mm. */
struct mem_cgroup *vmarea_charge_begin(struct mm_struct *mm,
				       struct mem_cgroup **previous)
{
	struct mem_cgroup *memcg = get_mem_cgroup_from_mm(mm);

	*previous = set_active_memcg(memcg);
	return memcg;
}

void vmarea_charge_end(struct mem_cgroup *memcg, struct mem_cgroup *previous)
{
	set_active_memcg(previous);
	mem_cgroup_put(memcg);
}

/* What a page is charged to, if it is. To be called under RCU. */
struct mem_cgroup *vmarea_page_memcg(struct page *page)
{
	return folio_memcg(page_folio(page));
}

/* Lets reclaim by this thread, if it is that, see what a shrinker has freed. */
void vmarea_account_reclaimed(unsigned long pages)
{
	mm_account_reclaimed_pages(pages);
}

void vmarea_count_reclaimable(int nid, long pages)
{
	mod_node_page_state(NODE_DATA(nid), NR_KERNEL_MISC_RECLAIMABLE, pages);
}

int vmarea_nice(void)
{
	return task_nice(current);
}

/* As nice as asked for, or as little nice as the current task may be. */
void vmarea_set_nice(int nice)
{
	if (nice == task_nice(current))
		return;
	if (!can_nice(current, nice))
		nice = max_t(int, nice, rlimit_to_nice(rlimit(RLIMIT_NICE)));
	set_user_nice(current, nice);
}

struct descriptor_to_close {
	struct callback_head work;
	unsigned int fd;
};

static void close_descriptor(struct callback_head *work)
{
	struct descriptor_to_close *descriptor =
		container_of(work, struct descriptor_to_close, work);

	close_fd(descriptor->fd);
	kfree(descriptor);
}

/*
 * Closes a descriptor of the current task when its system call has ended: the
 * call itself may be using it without a reference, see fdget().
 */
int vmarea_close_on_return(unsigned int fd)
{
	struct descriptor_to_close *descriptor = kmalloc_obj(*descriptor);
	int ret;

	if (!descriptor)
		return -ENOMEM;
	init_task_work(&descriptor->work, close_descriptor);
	descriptor->fd = fd;
	ret = task_work_add(current, &descriptor->work, TWA_RESUME);
	if (ret)
		kfree(descriptor);
	return ret;
}
