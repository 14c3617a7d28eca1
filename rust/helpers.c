// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's headers offer as macros or inline functions only, and the
 * kernel crate has no binding for. The names in this file are what the build
 * makes Rust bindings of.
 */
#include <linux/highmem.h>
#include <linux/shrinker.h>
#include <linux/uaccess.h>

const unsigned int VMAREA_SHRINKER_NUMA_AWARE = SHRINKER_NUMA_AWARE;

/* Copies to a part of a page, which others may access meanwhile. */
unsigned long vmarea_copy_from_user(struct page *page, size_t offset,
				    const void __user *from, size_t length)
{
	char *to = kmap_local_page(page);
	unsigned long left = copy_from_user(to + offset, from, length);

	kunmap_local(to);
	return left;
}

/* Clears a part of a page, which others may access meanwhile. */
void vmarea_clear(struct page *page, size_t offset, size_t length)
{
	memzero_page(page, offset, length);
}
