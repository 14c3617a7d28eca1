/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parties: processes and threads that do what the test tells them to.
 *
 * A binder test is a play for several processes. Here the test is the only
 * one with a script: each party is a child (or a thread of one) that waits for
 * an operation, carries it out and hands back the result. So a test reads from
 * top to bottom in the order in which things happen, without sleeping, and a
 * party that never comes back is a failed expectation, not a hang.
 *
 * Parties live in memory shared between all of them, at one address, so that
 * a test can look at what a party saw.
 */
#ifndef VBINDER_TESTS_PARTY_H
#define VBINDER_TESTS_PARTY_H

#include <linux/android/binder.h>

#include "thread.h"

#define MAX_PARTIES	24
#define MAX_RETURNS	32
#define IO_SIZE		1024
#define PARCEL_OBJECTS	600
#define PARCEL_DATA	(16 * KIB)
#define PARCEL_POOL	(16 * KIB)

/* Generous: emulated machines with a debug kernel are slow, hangs are rare. */
#define PATIENCE_MS	20000

/* What a return command other than a message told. */
struct told {
	u32 cmd;
	u32 value;			/* an error, or whether it is frozen */
	u64 ptr;
	u64 cookie;
};

/* What one or several BINDER_WRITE_READ gave. */
struct result {
	unsigned int n;			/* return commands seen */
	u32 br[MAX_RETURNS];		/* in order */
	unsigned int nr_told;		/* those of them that told something */
	struct told told[MAX_RETURNS];	/* in order */
	struct binder_transaction_data tr;	/* of the last that had one */
	u64 secctx;			/* of the last BR_TRANSACTION_SEC_CTX */
};

/* A message with objects, to be sent or as it was received; see parcel.h. */
struct parcel {
	size_t len;
	unsigned int n;			/* objects */
	size_t pool_len;
	u64 offsets[PARCEL_OBJECTS];
	u8 data[PARCEL_DATA];
	u8 pool[PARCEL_POOL];		/* what its pointers point to */
};

struct party;
typedef long (*party_op)(struct party *p, const u64 *a);

struct party {
	u32 told;			/* operations given */
	u32 done;			/* operations carried out */
	party_op op;
	u64 arg[6];
	long ret;

	int script;			/* the test's process */
	int pid;
	int tid;
	struct party *leader;		/* whose thread this is, or NULL */
	bool reaped;
	int status;			/* as from waitpid(), once reaped */

	int fd;
	char *area;
	size_t area_len;
	struct binder_write_read bwr;
	size_t wlen;
	u8 wbuf[IO_SIZE];
	u8 rbuf[IO_SIZE];
	struct result res;
	struct parcel *out;
	struct parcel *in;
	u8 *payload;			/* in the party's own memory */
	u64 scratch[8];
};

/* Each test program is one translation unit. */
static struct party *parties;
static struct parcel *parcels;
static unsigned int nr_parties;

static inline u32 load(u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void store(u32 *word, u32 value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void party_loop(void *data)
{
	struct party *p = data;

	for (;;) {
		u32 told;

		while ((told = load(&p->told)) == p->done) {
			futex_wait(&p->told, told, 1000);
			/* The kernel forgets PDEATHSIG when the user changes. */
			if (_syscall(__NR_getppid) != p->script)
				_exit(1);
		}
		p->ret = p->op(p, p->arg);
		store(&p->done, told);
		futex_wake(&p->done);
	}
}

/* Memory that is shared with all processes that are forked from now on. */
static inline void *shared_memory(size_t len)
{
	long mem = sys_mmap(NULL, len, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return is_error(mem) ? NULL : u64_ptr(mem);
}

static inline struct party *party_slot(void)
{
	struct party *p;

	if (!parties)
		parties = shared_memory(MAX_PARTIES * sizeof(*parties));
	/* Apart from the parties, since most tests never touch them. */
	if (!parcels)
		parcels = shared_memory(MAX_PARTIES * 2 * sizeof(*parcels));
	if (!parties || !parcels || nr_parties == MAX_PARTIES)
		return NULL;
	p = &parties[nr_parties];
	p->out = &parcels[2 * nr_parties];
	p->in = p->out + 1;
	p->fd = -1;
	nr_parties++;
	return p;
}

/* A new process. NULL when there can be none. */
static inline struct party *party_new(void)
{
	struct party *p = party_slot();
	int pid;

	if (!p)
		return NULL;
	p->script = getpid();
	pid = fork();
	if (pid == 0) {
		/* Whatever becomes of the test, its parties end with it. */
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != p->script)
			_exit(1);
		party_loop(p);
	}
	p->pid = pid;
	p->tid = pid;
	if (pid < 0) {
		/* Nobody to kill: kill(-1) would mean everybody. */
		p->reaped = true;
		return NULL;
	}
	return p;
}

/* Gives an operation to a party and does not wait for it. */
static inline void start(struct party *p, party_op op, const u64 *arg)
{
	p->op = op;
	if (arg)
		memcpy(p->arg, arg, sizeof(p->arg));
	store(&p->told, p->told + 1);
	futex_wake(&p->told);
}

static inline bool is_busy(struct party *p)
{
	return load(&p->done) != p->told;
}

/* True once the party's process has ended; it has let go of its files then. */
static inline bool has_ended(struct party *p)
{
	struct party *l = p->leader ? p->leader : p;

	if (!l->reaped && waitpid(l->pid, &l->status, WNOHANG) == l->pid)
		l->reaped = true;
	return l->reaped;
}

/* The result of what start() began; -ETIME: it hangs, -ESRCH: it died. */
static inline long finish_within(struct party *p, unsigned int ms)
{
	u64 end = now_ms() + ms;
	u32 done;

	while ((done = load(&p->done)) != p->told) {
		futex_wait(&p->done, done, 20);
		if (!is_busy(p))
			break;
		if (has_ended(p))
			return -ESRCH;
		if (now_ms() > end)
			return -ETIME;
	}
	return p->ret;
}

static inline long finish(struct party *p)
{
	return finish_within(p, PATIENCE_MS);
}

static inline long on(struct party *p, party_op op, const u64 *arg)
{
	start(p, op, arg);
	return finish(p);
}

#define ARGS(...)		((const u64[6]) { __VA_ARGS__ })
#define START(p, op, ...)	start(p, op, ARGS(__VA_ARGS__))
#define ON(p, op, ...)		on(p, op, ARGS(__VA_ARGS__))

static inline long op_thread(struct party *p, const u64 *a)
{
	struct party *t = u64_ptr(a[0]);

	(void)p;
	return thread_start(party_loop, t);
}

/* A new thread of a party's process, with the same binder file and area. */
static inline struct party *party_thread(struct party *leader)
{
	struct party *p = party_slot();

	if (!p)
		return NULL;
	p->leader = leader;
	p->script = leader->script;
	p->pid = leader->pid;
	p->fd = leader->fd;
	p->area = leader->area;
	p->area_len = leader->area_len;
	p->tid = ON(leader, op_thread, ptr_u64(p));
	return p->tid < 0 ? NULL : p;
}

/* kill -9 and the wait for the corpse: the signal it died of, or 0. */
static inline int party_kill(struct party *p)
{
	struct party *l = p->leader ? p->leader : p;

	if (!l->reaped) {
		kill(l->pid, SIGKILL);
		if (waitpid(l->pid, &l->status, 0) == l->pid)
			l->reaped = true;
	}
	return WIFSIGNALED(l->status) ? WTERMSIG(l->status) : 0;
}

/*
 * A child that has the party's files, outlives the party and waits to be
 * killed. Its pid is left in the scratch memory.
 */
static inline long op_leave_a_child(struct party *p, const u64 *a)
{
	int pid = fork();

	(void)a;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
		for (u64 end = now_ms() + PATIENCE_MS; now_ms() < end;)
			nap();
		_exit(0);
	}
	p->scratch[0] = pid;
	return pid < 0 ? pid : 0;
}

static inline void kill_all_parties(void)
{
	for (unsigned int i = 0; i < nr_parties; i++)
		party_kill(&parties[i]);
	nr_parties = 0;
	if (parties)
		memset(parties, 0, MAX_PARTIES * sizeof(*parties));
}

/* What a party's thread does, as in /proc/<pid>/stat, or 0. */
static inline char party_state(struct party *p)
{
	char path[64];
	char stat[512];
	char *s;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", p->pid, p->tid);
	if (read_file(path, stat, sizeof(stat)) <= 0)
		return 0;
	s = strrchr(stat, ')');
	return s && s[1] ? s[2] : 0;
}

/*
 * Waits until a busy party sleeps in the kernel. What it sleeps in is what it
 * was told to do: nothing else in an operation sleeps interruptibly.
 */
static inline bool falls_asleep(struct party *p)
{
	u64 end = now_ms() + PATIENCE_MS;

	while (is_busy(p) && now_ms() < end) {
		char state = party_state(p);

		if (!state)
			return false;
		if (state == 'S')
			return is_busy(p);
		nap();
	}
	return false;
}

#endif
