/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cases that go on for as long as they are told to: STRESS_SECONDS in the
 * environment, else a time that suits a run of the whole suite.
 */
#ifndef VBINDER_TESTS_STRESS_H
#define VBINDER_TESTS_STRESS_H

#include "party.h"

#define STRESS_MS	1500

static inline unsigned int stress_ms(void)
{
	const char *seconds = getenv("STRESS_SECONDS");

	return seconds ? atoi(seconds) * 1000 : STRESS_MS;
}

/* Seconds; rounds that began in time may end late, and machines are slow. */
static inline unsigned int stress_timeout(void)
{
	return 2 * stress_ms() / 1000 + 90;
}

#define TEST_F_STRESS(fixture, name) \
	TEST_F_TIMEOUT(fixture, name, stress_timeout())

/* Whether to do round i, of at least n, of a case that began at that time. */
static inline bool another_round(int i, int n, u64 began)
{
	return i < n ||
	       (getenv("STRESS_SECONDS") && now_ms() < began + stress_ms());
}

/* The result of an operation that goes on for the time of the case. */
static inline long finish_stress(struct party *p)
{
	return finish_within(p, stress_ms() + PATIENCE_MS);
}

#endif
