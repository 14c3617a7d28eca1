/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The processes of a measurement, and what they share: when they begin, and
 * the times that they took.
 *
 * Whatever goes wrong in one of them ends the program with a message and a
 * status that is not 0: there is no figure then.
 */
#ifndef VBINDER_BENCH_TEAM_H
#define VBINDER_BENCH_TEAM_H

#include "../../tests/sys.h"

#define MAX_REPEATS	64
#define MAX_MEMBERS	1280

struct shared {
	u32 arrived;			/* at the barrier */
	u32 phase;
	u32 ready;			/* members that are where they should be */
	u32 go;				/* how far they may go on */
	u32 taken;			/* messages that have arrived */
	u64 ioctls;			/* of clients, while they are measured */
	/* Of each repetition: the first that began, the last that ended. */
	u64 begin[MAX_REPEATS];
	u64 end[MAX_REPEATS];
};

struct options {
	const char *device;
	const char *metric;
	unsigned int repeats;
	unsigned int count;		/* operations in each; 0: as usual */
	unsigned int warmup;
	unsigned int nr_args;
	char **args;
};

static struct options options = { .repeats = 5, .warmup = 200 };
static struct shared *shared;
static int members[MAX_MEMBERS];
static unsigned int nr_members;

#define die(...) do {							\
	fprintf(stderr, "load: " __VA_ARGS__);				\
	fprintf(stderr, "\n");						\
	_exit(1);							\
} while (0)

static inline u32 peek(u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void wake_all(u32 *word)
{
	__nolibc_syscall3(__NR_futex, word, FUTEX_WAKE, 0x7fffffff);
}

static inline void raise_by(u32 *word, u32 by)
{
	__atomic_add_fetch(word, by, __ATOMIC_ACQ_REL);
	wake_all(word);
}

static inline void wait_until(u32 *word, u32 value)
{
	u32 now;

	while ((now = peek(word)) < value)
		futex_wait(word, now, 1000);
}

/* Returns when so many have come. */
static inline void meet(unsigned int count)
{
	u32 phase = peek(&shared->phase);

	if (__atomic_add_fetch(&shared->arrived, 1, __ATOMIC_ACQ_REL) == count) {
		__atomic_store_n(&shared->arrived, 0, __ATOMIC_RELEASE);
		raise_by(&shared->phase, 1);
		return;
	}
	wait_until(&shared->phase, phase + 1);
}

static inline void note_begin(unsigned int repeat)
{
	u64 now = now_ns(), seen = 0;

	while ((!seen || now < seen) &&
	       !__atomic_compare_exchange_n(&shared->begin[repeat], &seen, now,
					    false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE))
		;
}

static inline void note_end(unsigned int repeat)
{
	u64 now = now_ns(), seen = 0;

	while (now > seen &&
	       !__atomic_compare_exchange_n(&shared->end[repeat], &seen, now,
					    false, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE))
		;
}

static inline u64 took(unsigned int repeat)
{
	return shared->end[repeat] - shared->begin[repeat];
}

/* A line of the result. */
static inline void report(u64 value, const char *unit, const char *format, ...)
{
	va_list args;

	printf("metric=%s ", options.metric);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("%svalue=%llu unit=%s\n", *format ? " " : "", value, unit);
}

static inline void *zeroed(size_t len, int flags)
{
	long mem = sys_mmap(NULL, len, PROT_READ | PROT_WRITE,
			    MAP_ANONYMOUS | MAP_POPULATE | flags, -1, 0);

	if (is_error(mem))
		die("no memory for %lu bytes", (unsigned long)len);
	return u64_ptr(mem);
}

/* A process that does fn(arg), and ends with success when that returns. */
static inline int member(void (*fn)(unsigned long), unsigned long arg)
{
	int parent = getpid();
	int pid;

	if (nr_members == MAX_MEMBERS)
		die("too many processes");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != parent)
			_exit(1);
		fn(arg);
		_exit(0);
	}
	members[nr_members++] = pid;
	return pid;
}

static inline void dismiss(void)
{
	for (unsigned int i = 0; i < nr_members; i++) {
		if (members[i] <= 0)
			continue;
		kill(members[i], SIGKILL);
		waitpid(members[i], NULL, 0);
	}
	nr_members = 0;
}

/* Waits for so many members to end; none of them may fail. */
static inline void await(unsigned int count)
{
	while (count--) {
		int status;
		int pid = waitpid(-1, &status, 0);

		if (pid < 0)
			die("cannot wait");
		for (unsigned int i = 0; i < nr_members; i++)
			if (members[i] == pid)
				members[i] = 0;
		if (!WIFEXITED(status))
			die("a process died of signal %d", WTERMSIG(status));
		if (WEXITSTATUS(status))
			_exit(1);
	}
}

static inline unsigned long argument(unsigned int i, unsigned long usual,
				     unsigned long least, unsigned long most)
{
	const char *text = i < options.nr_args ? options.args[i] : NULL;
	unsigned long value = usual;
	char *end;

	if (text) {
		value = strtoul(text, &end, 10);
		if (end == text || *end)
			die("%s: not a number", text);
	}
	if (value < least || value > most)
		die("%lu: not between %lu and %lu", value, least, most);
	return value;
}

static inline unsigned int count_or(unsigned int usual)
{
	return options.count ? options.count : usual;
}

#endif
