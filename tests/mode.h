/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the driver maps pages into the receiver, as it was loaded.
 */
#ifndef VBINDER_TESTS_MODE_H
#define VBINDER_TESTS_MODE_H

#include "sys.h"

#define MODE_FILE	"/sys/module/vbinder/parameters/install"

/* Bits, so that a set of modes is a number. */
enum mode {
	MODE_UNKNOWN = 0,
	BY_SENDER = 1,		/* while the sender allocates the buffer */
	BY_RECEIVER = 2,	/* when the receiver reads the transaction */
	BY_FAULT = 4,		/* when somebody touches the page */
};

static inline enum mode install_mode(void)
{
	char text[32];

	if (read_file(MODE_FILE, text, sizeof(text)) <= 0)
		return MODE_UNKNOWN;
	if (!strcmp(text, "sender\n"))
		return BY_SENDER;
	if (!strcmp(text, "receiver\n"))
		return BY_RECEIVER;
	if (!strcmp(text, "fault\n"))
		return BY_FAULT;
	return MODE_UNKNOWN;
}

#endif
