/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a program can tell /dev/vmarea_test and /dev/vmarea_test_prepare.
 *
 * uapi.rs has the same for the module.
 */
#ifndef VMAREA_TEST_UAPI_H
#define VMAREA_TEST_UAPI_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* A file has so many pages. Of each, its number in the file is the first byte. */
#define VMAREA_TEST_PAGES		8
/* Pages of /dev/vmarea_test that are not like the others. */
#define VMAREA_TEST_CONST_PAGE		3	/* cannot be written */
#define VMAREA_TEST_HOLE_PAGE		5	/* only debuggers see one */
#define VMAREA_TEST_SHY_PAGE		6	/* hides when it is first written */

/* What is mapped after this; the argument is a set of VMAREA_TEST_MODE_*. */
#define VMAREA_TEST_SET_MODE		_IO('V', 0)
#define VMAREA_TEST_MODE_READ_ONLY	1	/* never writable */
#define VMAREA_TEST_MODE_NO_EXEC	2	/* never executable */
#define VMAREA_TEST_MODE_DONT_COPY	4	/* not for children */
#define VMAREA_TEST_MODE_DONT_DUMP	8	/* not in core dumps */
#define VMAREA_TEST_MODE_NO_PAGES	16	/* cannot hold pages */
/* What is already mapped, too. */
#define VMAREA_TEST_MODE_NAMED		32	/* /dev/vmarea_test only */
#define VMAREA_TEST_MODE_ATOMIC		64	/* /dev/vmarea_test_prepare only */

/* The next hook establishes its area and fails; the argument is an errno. */
#define VMAREA_TEST_FAIL_HOOK		_IO('V', 1)
/* The same for the next 'mapped', of /dev/vmarea_test_prepare. */
#define VMAREA_TEST_FAIL_MAPPED		_IO('V', 2)
/* Returns the number of areas of the file. */
#define VMAREA_TEST_AREAS		_IO('V', 3)

struct vmarea_test_range {
	__u64 first;			/* an address, or a page of the file */
	__u64 pages;
};

/* Unmaps pages of the file, wherever they are mapped. */
#define VMAREA_TEST_UNMAP		_IOW('V', 4, struct vmarea_test_range)
/*
 * Unmaps what is at an address of the process that opened the file. ENOENT if
 * nothing is mapped there, EPERM if that is not the file's.
 */
#define VMAREA_TEST_ZAP			_IOW('V', 5, struct vmarea_test_range)
/* The same, the other way round. Returns how many pages were inserted. */
#define VMAREA_TEST_INSERT		_IOW('V', 6, struct vmarea_test_range)

#endif
