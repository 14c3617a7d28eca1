/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver shows of itself in debugfs and tracefs, as text in which
 * tests look for lines.
 */
#ifndef VBINDER_TESTS_SEEN_H
#define VBINDER_TESTS_SEEN_H

#include "binder.h"

#define SEEN		"/sys/kernel/debug/vbinder/"
#define TRACING		"/sys/kernel/tracing/"

/* The file that was read last. */
static char seen_text[256 * KIB];

/* Reads a file of the driver's own: its length, or a negative errno. */
static inline long see(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), SEEN "%s", name);
	seen_text[0] = '\0';
	return read_file(path, seen_text, sizeof(seen_text));
}

static inline long see_proc(int pid)
{
	char name[32];

	snprintf(name, sizeof(name), "proc/%d", pid);
	return see(name);
}

/* What follows some words in the text, after a place in it; or NULL. */
static inline const char *after(const char *from, const char *format, ...)
{
	char words[192];
	const char *at;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	at = from ? strstr(from, words) : NULL;
	return at ? at + strlen(words) : NULL;
}

/* Whether the text has some words. */
#define SHOWS(...)	(!!after(seen_text, __VA_ARGS__))

/* The number that follows some words; -1 if they are not there. */
#define NUMBER(...)	number_at(after(seen_text, __VA_ARGS__))

static inline long number_at(const char *at)
{
	return at ? atol(at) : -1;
}

/* The same again and again until the file of a process is gone. */
static inline bool proc_goes(int pid)
{
	u64 end = now_ms() + PATIENCE_MS;

	while (see_proc(pid) >= 0) {
		if (now_ms() > end)
			return false;
		nap();
	}
	return true;
}

/* How many things of a kind there are; waits for it to be that many. */
static inline long things(const char *kind, long count)
{
	u64 end = now_ms() + PATIENCE_MS;
	long now;

	while ((now = number_in(SEEN "stats", kind)) != count && now >= 0 &&
	       now_ms() < end)
		nap();
	return now;
}

#endif
