/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file of /dev/vmarea_test that is opened and mapped as a whole.
 */
#ifndef VMAREA_TESTS_BUFFER_H
#define VMAREA_TESTS_BUFFER_H

#include <kselftest_harness.h>

#include "vma.h"
#include "vmarea.h"

FIXTURE(buffer)
{
	int fd;
	u8 *at;
};

FIXTURE_SETUP(buffer)
{
	long at;

	ASSERT_TRUE(all_is_gone());
	self->fd = sys_open(BUFFER, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	at = map_all(self->fd);
	ASSERT_FALSE(is_error(at)) TH_LOG("mmap: %ld", at);
	self->at = u64_ptr(at);
}

FIXTURE_TEARDOWN(buffer)
{
	kill_all_parties();
}

#define PAGE_AT(number)	(self->at + (number) * PAGE)

#endif
