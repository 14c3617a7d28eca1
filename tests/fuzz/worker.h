/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the threads of a fuzzing process do until they are killed.
 */
#ifndef VBINDER_TESTS_FUZZ_WORKER_H
#define VBINDER_TESTS_FUZZ_WORKER_H

#include "disturb.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define AREA		MIB

/* References of handles, with no care for whether they are there. */
static inline void say_reference(struct worker *w)
{
	static const u32 cmds[] = {
		BC_INCREFS, BC_ACQUIRE, BC_INCREFS, BC_ACQUIRE, BC_RELEASE,
		BC_DECREFS,
	};

	say_word(w, cmds[below(&w->chance, 6)], some_handle(w));
}

static inline void say_notification(struct worker *w)
{
	static const u32 cmds[] = {
		BC_REQUEST_DEATH_NOTIFICATION, BC_REQUEST_DEATH_NOTIFICATION,
		BC_REQUEST_FREEZE_NOTIFICATION, BC_REQUEST_FREEZE_NOTIFICATION,
		BC_CLEAR_DEATH_NOTIFICATION, BC_CLEAR_FREEZE_NOTIFICATION,
	};
	u32 handle = some_handle(w);
	u64 cookie = 0xc0000000ULL + handle;

	if (one_in(&w->chance, 30))
		cookie = odd_number(&w->chance);
	say_watch(w, cmds[below(&w->chance, 6)], handle, cookie);
	/* A command that is refused is the last of those that go with it. */
	talk(w, 0);
}

/* Something is done that was not asked for, or not of this thread. */
static inline void say_done(struct worker *w)
{
	u64 ptr = some_node(w);
	u64 cookie = one_in(&w->chance, 2) ? 0xc0000000ULL + some_handle(w) :
					     odd_number(&w->chance);

	switch (below(&w->chance, 5)) {
	case 0:
		say_long(w, BC_DEAD_BINDER_DONE, cookie);
		break;
	case 1:
		say_long(w, BC_FREEZE_NOTIFICATION_DONE, cookie);
		break;
	case 2:
		say_node(w, BC_INCREFS_DONE, ptr, cookie_of(w, ptr));
		break;
	case 3:
		say_node(w, BC_ACQUIRE_DONE, ptr, cookie_of(w, ptr));
		break;
	default:
		say_long(w, BC_FREE_BUFFER, one_in(&w->chance, 2) ?
			 w->held[below(&w->chance, HELD_BUFFERS)] :
			 wrong_address(w));
	}
	talk(w, 0);
}

/* Commands that may not exist, with sizes that may not be theirs. */
static inline void say_garbage(struct worker *w)
{
	u8 garbage[96];

	for (unsigned int i = 0; i < sizeof(garbage); i++)
		garbage[i] = draw(&w->chance);
	say(w, one_in(&w->chance, 2) ? draw(&w->chance) :
	    _IOC(_IOC_WRITE, 'c', below(&w->chance, 24),
		 below(&w->chance, 80)),
	    garbage, below(&w->chance, sizeof(garbage)));
	talk(w, one_in(&w->chance, 2) ? READ_SIZE : 0);
}

static inline void serve(struct worker *w)
{
	u32 one = 1;

	if (one_in(&w->chance, 8) &&
	    __atomic_compare_exchange_n(&me.wanted_threads, &one, 0, false,
					__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		say(w, BC_REGISTER_LOOPER, NULL, 0);
	converse(w, one_in(&w->chance, 8) ? 72 + below(&w->chance, 100) :
					    READ_SIZE);
}

static inline void act(struct worker *w)
{
	u32 what = below(&w->chance, 200);

	if (what < 80)
		serve(w);
	else if (what < 125)
		call_somebody(w, some_handle(w));
	else if (what < 140)
		tell_somebody(w, some_handle(w));
	else if (what < 150)
		say_reference(w);
	else if (what < 160)
		say_notification(w);
	else if (what < 164)
		say_done(w);
	else if (what < 167)
		say_garbage(w);
	else if (what < 176)
		ask_something(w);
	else if (what < 181)
		freeze_somebody(w);
	else if (what < 185)
		change_area(w);
	else if (what < 191)
		change_files(w);
	else if (what < 195)
		wait_for_news(w);
	else if (what < 197)
		exit_thread(w);
	else if (what < 198)
		say(w, one_in(&w->chance, 2) ? BC_EXIT_LOOPER :
		    BC_REGISTER_LOOPER, NULL, 0);
	else if (what < 199)
		count_action(me.board, SHRINK, shrink_once());
	else if (one_in(&w->chance, 4))
		_exit(0);
}

static inline void worker_loop(void *data)
{
	struct worker *w = data;

	w->tid = sys_gettid();
	w->nth = me.board->faults ? as_tool(sys_open(FAIL_NTH, O_RDWR)) : -1;
	say(w, BC_ENTER_LOOPER, NULL, 0);
	for (;;)
		act(w);
}

static inline bool worker_start(struct worker *w, u64 seed)
{
	long mem = sys_mmap(NULL, sizeof(*w->arena) + PAGE,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (is_error(mem))
		return false;
	w->arena = u64_ptr(mem);
	sys_munmap(w->arena + 1, PAGE);
	w->chance = seed;
	if (__nolibc_syscall2(__NR_pipe2, w->pipe, O_NONBLOCK))
		return false;
	w->pipe[0] = as_tool(w->pipe[0]);
	w->pipe[1] = as_tool(w->pipe[1]);
	return thread_start(worker_loop, w) > 0;
}

static inline void flip_some(struct worker *w, u64 *chance)
{
	struct arena *a = w->arena;
	/* The memory that the driver reads follows upon each other. */
	u8 *from = a->out;
	size_t len = a->info - from + (one_in(chance, 8) ? 48 : 0);

	for (int i = 0; i < 6 && load(&w->flip); i++) {
		u8 *at = from + below(chance, len);

		*at ^= 1 << below(chance, 8);
		count(&me.board->flips);
	}
}

static inline void on_signal(int sig, void (*handler)(int sig))
{
	struct sigaction act = { .sa_handler = handler };

#ifdef __x86_64__
	act.sa_flags |= SA_RESTORER;
	act.sa_restorer = signal_return;
#endif
	_syscall(__NR_rt_sigaction, sig, &act, NULL, sizeof(act.sa_mask));
}

/*
 * The life of a fuzzing process. Its first thread changes the memory of the
 * others while they send it, and sees to it that they do not wait for ever.
 */
static inline void member_life(struct board *b, unsigned int number, u64 seed)
{
	static u32 caught;
	struct worker first = { .chance = seed };
	u64 alarm = 0;
	long mem;

	signals_caught = &caught;
	on_signal(SIGUSR1, count_signal);
	on_signal(SIGCHLD, SIG_IGN);

	me.board = b;
	me.number = number;
	for (int i = 0; i < FILES; i++)
		me.files[i] = -1;
	me.files[0] = as_tool(sys_open(device(), O_RDWR | O_CLOEXEC));
	mem = sys_mmap(NULL, AREA, PROT_READ, MAP_PRIVATE | MAP_NORESERVE,
		       me.files[0], 0);
	me.area = is_error(mem) ? NULL : u64_ptr(mem);
	me.area_len = AREA;
	mem = sys_mmap(NULL, BIG_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	me.big = is_error(mem) ? NULL : u64_ptr(mem);
	if (!me.area || !me.big)
		_exit(1);
	first.arena = u64_ptr(mem);
	sys_ioctl(me.files[0], BINDER_SET_CONTEXT_MGR_EXT,
		  &(struct flat_binder_object) {
			.flags = FLAT_BINDER_FLAG_ACCEPTS_FDS,
		  });
	for (int i = 0; i < WORKERS; i++)
		if (!worker_start(&me.workers[i], seed_of(seed, i)))
			_exit(1);
	for (;;) {
		for (int i = 0; i < WORKERS; i++)
			flip_some(&me.workers[i], &first.chance);
		nap();
		if (now_ms() < alarm)
			continue;
		alarm = now_ms() + 10;
		for (int i = 0; i < WORKERS; i++)
			if (me.workers[i].tid)
				sys_tgkill(getpid(), me.workers[i].tid,
					   SIGUSR1);
	}
}

#endif
