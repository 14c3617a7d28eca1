/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chance that can be repeated: all of it comes from a seed.
 */
#ifndef VBINDER_TESTS_FUZZ_RANDOM_H
#define VBINDER_TESTS_FUZZ_RANDOM_H

#include <kselftest.h>

#include "../sys.h"

static inline u32 draw(u64 *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 32;
}

static inline u32 below(u64 *state, u32 limit)
{
	return ((u64)draw(state) * limit) >> 32;
}

static inline bool one_in(u64 *state, u32 n)
{
	return !below(state, n);
}

/* A seed of its own for somebody with this number. */
static inline u64 seed_of(u64 seed, u64 number)
{
	u64 state = seed ^ (number + 1) * 0x9e3779b97f4a7c15ULL;

	draw(&state);
	draw(&state);
	return state;
}

/* A number that some check may be wrong about. */
static inline u64 odd_number(u64 *state)
{
	static const u64 odd[] = {
		0, 1, 2, 3, 4, 7, 8, 9, 24, 40, 255, 4095, 4096, 4097,
		0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
		0x7fffffffffffffff, 0x8000000000000000, -8ULL, -4ULL, -1ULL,
		WILD_KERNEL,
	};

	if (one_in(state, 4))
		return ((u64)draw(state) << 32 | draw(state)) >>
		       below(state, 64);
	return odd[below(state, ARRAY_SIZE(odd))];
}

/* A number near to the right one. */
static inline u64 off_by_some(u64 *state, u64 right)
{
	static const int by[] = { 1, 1, 4, 8, 16, 4096 };
	int some = by[below(state, ARRAY_SIZE(by))];

	if (one_in(state, 4))
		return odd_number(state);
	return one_in(state, 2) ? right + some : right - some;
}

#endif
