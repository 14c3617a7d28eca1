/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites need of the kernel, and the kernel crate has no binding for.
 */
#ifndef VMAREA_TEST_HELPERS_H
#define VMAREA_TEST_HELPERS_H

#include <linux/types.h>

struct file;
struct mm_struct;
struct vmarea_test_writer;

/* Lets the running test fail, and go on. */
void vmarea_test_fail(const char *file, int line, const char *what);

/* Ends what kunit_attach_mm() began, for the current thread. */
void vmarea_test_detach_mm(void);

/* Runs fn(data) in a new kernel thread, and returns when that is gone. */
int vmarea_test_in_thread(void (*fn)(void *data), void *data);

/* filp_open() of a path as the first process sees it: kernel threads see no files. */
struct file *vmarea_test_open(const char *path, int flags);

/*
 * How many references there are to the page that is mapped at an address of the
 * current process; 0 if none is.
 */
int vmarea_test_references_at(unsigned long address);

/* Pages that count as reclaimable, as far as each CPU has told. */
long vmarea_test_reclaimable(void);

/* The file system that a file's f_mapping is in; its name, and whether any is mounted. */
void *vmarea_test_fs_of(struct file *file);
const char *vmarea_test_fs_name(void *fs);
bool vmarea_test_fs_is_mounted(void *fs);

/* What the area at an address of the current process says that it is called. */
const char *vmarea_test_name_of(unsigned long address);

/* When a writer lets go of the locks that it holds. */
enum vmarea_test_writer_kind {
	/* When it is stopped. */
	VMAREA_TEST_WRITER_STAYS,
	/* When somebody waits for the mmap lock. */
	VMAREA_TEST_WRITER_GIVES_WAY,
	/* When it is stopped. It kills who started it when somebody waits. */
	VMAREA_TEST_WRITER_KILLS,
};

/*
 * A thread that holds the mmap lock for write, and has write-locked the area at
 * an address if there is one. NULL if there is no memory.
 */
struct vmarea_test_writer *
vmarea_test_writer_start(struct mm_struct *mm, unsigned long address,
			 enum vmarea_test_writer_kind kind);
/* Returns whether somebody has waited, for those that look. */
bool vmarea_test_writer_stop(struct vmarea_test_writer *writer);

#endif
