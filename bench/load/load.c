// SPDX-License-Identifier: GPL-2.0
/*
 * The load that speed is measured with, on any binder device.
 *
 *	load [-n COUNT] [-r REPEATS] [-w WARMUP] DEVICE METRIC [ARGUMENT]...
 *
 * DEVICE may be - for metrics that need none. Prints a line "metric=...
 * value=... unit=..." for each repetition. What each metric does is in its
 * header, and in docs/benchmarks.md.
 */
#include "floors.h"
#include "idle.h"
#include "live.h"
#include "oneway.h"
#include "reclaim.h"
#include "rest.h"
#include "roundtrip.h"
#include "storm.h"

static const struct {
	const char *name;
	void (*measure)(void);
	const char *args;
} metrics[] = {
	{ "roundtrip", measure_roundtrip, "SIZE [CLIENTS]" },
	{ "oneway", measure_oneway, "SIZE" },
	{ "fresh", measure_fresh, "SIZE" },
	{ "reclaim", measure_reclaim, "PAGES" },
	{ "scan", measure_scan, "PAGES" },
	{ "batch", measure_batch, "" },
	{ "idle", measure_idle, "[PROCESSES]" },
	{ "idle-page", measure_idle_page, "" },
	{ "live", measure_live, "nodes|refs|buffers COUNT" },
	{ "processes", measure_processes, "PROCESSES" },
	{ "storm", measure_storm, "THREADS [SIZE [EVERY]]" },
	{ "pipe", measure_pipe, "" },
	{ "copy", measure_copy, "SIZE" },
};

static int misused(void)
{
	fprintf(stderr,
		"usage: load [-n COUNT] [-r REPEATS] [-w WARMUP] DEVICE METRIC [ARGUMENT]...\n");
	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
		fprintf(stderr, "  %s %s\n", metrics[i].name, metrics[i].args);
	return 2;
}

static unsigned int *option(char name)
{
	switch (name) {
	case 'n':
		return &options.count;
	case 'r':
		return &options.repeats;
	case 'w':
		return &options.warmup;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-' && argv[i][1]; i += 2) {
		unsigned int *value = option(argv[i][1]);

		if (!value || argv[i][2] || i + 1 == argc)
			return misused();
		*value = atoi(argv[i + 1]);
	}
	if (i + 2 > argc || !options.repeats || options.repeats > MAX_REPEATS)
		return misused();
	options.device = argv[i];
	options.metric = argv[i + 1];
	shrinker_of = options.device;
	options.args = argv + i + 2;
	options.nr_args = argc - i - 2;
	shared = zeroed(sizeof(*shared), MAP_SHARED);
	for (size_t m = 0; m < sizeof(metrics) / sizeof(*metrics); m++) {
		if (strcmp(metrics[m].name, options.metric))
			continue;
		rest();
		metrics[m].measure();
		dismiss();
		return 0;
	}
	return misused();
}
