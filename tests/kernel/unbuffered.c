// SPDX-License-Identifier: GPL-2.0
/*
 * Linked into the kernel's tests: what a program has said before it is killed,
 * or goes on for ever as a server does, must not be lost in a buffer.
 */
#include <stdio.h>

__attribute__((constructor)) static void unbuffered(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}
