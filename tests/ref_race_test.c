// SPDX-License-Identifier: GPL-2.0
/*
 * References that come and go on all sides at once, and the ends of processes
 * in the middle of that. What an owner is told always fits what it was told
 * before, and in the end nothing is left.
 */
#include <kselftest_harness.h>

#include "files.h"
#include "stress.h"

#define ROUNDS		12
#define NODES		4
#define OBJECTS		6
#define HELD		8
#define THREADS		3
#define CODE_STOP	0xffffffffU

FIXTURE(race)
{
	struct party *m;
	struct party *owner;
	struct party *user;
};

FIXTURE_SETUP(race)
{
}

FIXTURE_TEARDOWN(race)
{
	kill_all_parties();
}

/* Cases that kill begin each round with others. */
#define NEW_PARTIES() do {						\
	kill_all_parties();						\
	self->m = manager_new(AREA_SIZE);				\
	ASSERT_NE(NULL, self->m);					\
	self->owner = client_new(AREA_SIZE);				\
	ASSERT_NE(NULL, self->owner);					\
	ASSERT_EQ(0, b_enter_looper(self->owner));			\
	self->user = client_new(AREA_SIZE);				\
	ASSERT_NE(NULL, self->user);					\
	ASSERT_EQ(0, b_enter_looper(self->user));			\
} while (0)

static u32 random_below(u32 *state, u32 limit)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % limit;
}

/* What an owner knows of the references to one of its nodes. */
struct known {
	bool weak;
	bool strong;
};

static u64 ptr_of(u32 n)
{
	return 0x1000 + 8 * n;
}

/* Takes notice of one piece of news: 0, or -EPROTO if it cannot be true. */
static long learn(struct known *known, const struct told *told)
{
	struct known *k = &known[(told->ptr - ptr_of(0)) / 8];
	struct known was = *k;

	if (told->ptr < ptr_of(0) || told->ptr >= ptr_of(NODES) ||
	    told->cookie != ~told->ptr)
		return -EPROTO;
	switch (told->cmd) {
	case BR_INCREFS:
		k->weak = true;
		return was.weak || was.strong ? -EPROTO : 0;
	case BR_ACQUIRE:
		k->strong = true;
		return was.weak && !was.strong ? 0 : -EPROTO;
	case BR_RELEASE:
		k->strong = false;
		return was.weak && was.strong ? 0 : -EPROTO;
	case BR_DECREFS:
		k->weak = false;
		return was.weak && !was.strong ? 0 : -EPROTO;
	}
	return -EPROTO;
}

static long learn_all(struct party *p, struct known *known)
{
	for (unsigned int i = 0; i < p->res.nr_told; i++) {
		long ret = learn(known, &p->res.told[i]);

		if (ret)
			return ret;
	}
	put_dones(p);
	return 0;
}

/*
 * Sends some nodes to the manager again and again for a[0] ms, seeded by a[1];
 * then reads until all of them are gone. The number of messages.
 */
static long op_own_for(struct party *p, const u64 *a)
{
	struct known known[NODES] = { 0 };
	u64 end = now_ms() + a[0];
	u32 seed = a[1];
	long n;

	for (n = 0; now_ms() < end; n++) {
		struct parcel *q = parcel_new(p);
		struct binder_transaction_data_sg sg;
		long ret;

		for (int i = 0; i < OBJECTS; i++) {
			u64 ptr = ptr_of(random_below(&seed, NODES));

			if (random_below(&seed, 3))
				put_binder(q, ptr, ~ptr);
			else
				put_weak_binder(q, ptr, ~ptr);
		}
		sg = parcel_tr(q);
		put_message(p, BC_TRANSACTION, &sg);
		ret = op_go(p, ARGS(0)) ?: op_await(p, ARGS(BR_MESSAGE));
		if (ret != BR_REPLY)
			return ret < 0 ? ret : -EIO;
		put_free(p, p->res.tr.data.ptr.buffer);
		ret = learn_all(p, known) ?: op_go(p, ARGS(0));
		if (ret)
			return ret;
	}
	for (u32 i = 0; i < NODES; i++) {
		while (known[i].weak) {
			long ret = op_await(p, ARGS(BR(BR_RELEASE) |
						    BR(BR_DECREFS)));

			if (ret < 0)
				return ret;
			ret = learn_all(p, known) ?: op_go(p, ARGS(0));
			if (ret)
				return ret;
		}
	}
	return n;
}

struct handle {
	u32 number;
	bool strong;
};

/* Holds another handle instead of one that it has held for a while. */
static void hold(struct party *p, struct handle *held, struct handle new)
{
	if (new.number)
		put_ref(p, new.strong ? BC_ACQUIRE : BC_INCREFS, new.number);
	if (held->number)
		put_ref(p, held->strong ? BC_RELEASE : BC_DECREFS,
			held->number);
	*held = new;
}

/*
 * Answers messages and holds some of the handles that come in them, until it
 * is told to stop: the number of messages.
 */
static long op_hold(struct party *p, const u64 *a)
{
	struct handle held[HELD] = { 0 };
	u32 seed = a[0];

	put_cmd(p, BC_ENTER_LOOPER);
	for (long n = 0;; n++) {
		long ret = op_go(p, ARGS(0)) ?:
			   op_await(p, ARGS(BR(BR_TRANSACTION)));
		bool stop = p->res.tr.code == CODE_STOP;

		if (ret < 0 || op_copy_in(p, NULL))
			return ret ?: -EIO;
		for (unsigned int i = 0; i < p->in->n; i++)
			hold(p, &held[random_below(&seed, HELD)],
			     (struct handle) {
				.number = flat(p->in, i)->handle,
				.strong = flat(p->in, i)->hdr.type ==
					  BINDER_TYPE_HANDLE,
			     });
		for (int i = 0; stop && i < HELD; i++)
			hold(p, &held[i], (struct handle) { 0 });
		put_free(p, p->res.tr.data.ptr.buffer);
		put_empty_reply(p);
		if (stop)
			return op_go(p, ARGS(0)) ?: n;
	}
}

static long stop_one(struct party *p)
{
	long ret = b_send(p, BC_TRANSACTION, CODE_STOP, 0, 0, 0);

	return ret ?: b_receive(p);
}

TEST_F_STRESS(race, owners_and_holders)
{
	struct party *holder[THREADS], *owner[THREADS], *stopper;

	NEW_PARTIES();
	stopper = self->user;
	for (int i = 0; i < THREADS; i++) {
		holder[i] = i ? party_thread(self->m) : self->m;
		ASSERT_NE(NULL, holder[i]);
		owner[i] = i ? client_new(AREA_SIZE) : self->owner;
		ASSERT_NE(NULL, owner[i]);
		ASSERT_EQ(0, b_enter_looper(owner[i]));
	}
	for (int i = 0; i < THREADS; i++) {
		START(holder[i], op_hold, i);
		START(owner[i], op_own_for, stress_ms(), i + 1);
	}
	/* Whoever is late gets its nodes back only when the holders stop. */
	finish_within(owner[0], stress_ms() + 200);
	for (int i = 0; i < THREADS; i++)
		EXPECT_EQ(BR_REPLY, stop_one(stopper));
	for (int i = 0; i < THREADS; i++) {
		EXPECT_LT(0, finish(holder[i])) {
			TH_LOG("holder %d", i);
		}
		EXPECT_LT(0, finish(owner[i])) {
			TH_LOG("owner %d", i);
		}
		EXPECT_EQ(0, b_nodes(owner[i]));
	}
}

/* Calls a handle for as long as somebody is there: what ended it. */
static long op_call_handle(struct party *p, const u64 *a)
{
	for (;;) {
		struct parcel *q = parcel_new(p);
		struct binder_transaction_data_sg sg;
		long ret;

		put_binder(q, ptr_of(0), 1);
		put_handle(q, a[0]);
		put_fd(q, STDOUT_FILENO, 0);
		sg = parcel_tr(q);
		sg.transaction_data.target.handle = a[0];
		put_message(p, BC_TRANSACTION, &sg);
		ret = op_go(p, ARGS(0)) ?: op_await(p, ARGS(BR_MESSAGE));
		put_dones(p);
		if (ret != BR_REPLY)
			return op_go(p, ARGS(0)) ?: ret;
		put_free(p, p->res.tr.data.ptr.buffer);
	}
}

/* Answers whatever comes and lets go of it, until it is told to stop. */
static long op_answer(struct party *p, const u64 *a)
{
	bool stop = false;

	while (!stop) {
		long ret = op_await(p, ARGS(BR(BR_TRANSACTION)));

		if (ret < 0 || op_copy_in(p, a))
			return ret < 0 ? ret : -EIO;
		stop = p->res.tr.code == CODE_STOP;
		if (!stop)
			sys_close(fd_object(p->in, 2)->fd);
		put_free(p, p->res.tr.data.ptr.buffer);
		put_empty_reply(p);
		ret = op_go(p, ARGS(0));
		if (ret)
			return ret;
	}
	return 0;
}

/* Lets some time pass, which is different in each round. */
static void let_them_work(int round)
{
	for (int i = 0; i < 3 + 7 * (round % ROUNDS); i++)
		nap();
}

/* Reads and answers news until a party has no nodes left: how many it has. */
static long nodes_in_the_end(struct party *p)
{
	u64 end = now_ms() + PATIENCE_MS;
	long n;

	while ((n = b_nodes(p)) > 0 && now_ms() < end) {
		if (b_drain(p) < 0)
			return -EIO;
		put_dones(p);
		b_go(p, 0);
		nap();
	}
	return n;
}

TEST_F_STRESS(race, the_owner_is_killed)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		long handle;

		NEW_PARTIES();
		handle = introduce(self->owner, self->m, self->user, ptr_of(0),
				   1);
		ASSERT_EQ(1, handle);
		START(self->owner, op_answer);
		START(self->user, op_call_handle, handle);
		let_them_work(i);
		EXPECT_EQ(SIGKILL, party_kill(self->owner));
		EXPECT_EQ(BR_DEAD_REPLY, finish(self->user));
		EXPECT_EQ(0, nodes_in_the_end(self->user));
		/* The number of the dead one is free when it is released. */
		EXPECT_EQ(0, b_ref(self->m, BC_RELEASE, 1));
		EXPECT_EQ(1, give_node(self->user, self->m, ptr_of(1), 1));
	}
}

TEST_F_STRESS(race, the_user_is_killed)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct binder_transaction_data_sg stop = {
			.transaction_data.code = CODE_STOP,
			.transaction_data.target.handle = 1,
		};
		long handle, files;

		NEW_PARTIES();
		files = files_of(self->owner);
		handle = introduce(self->owner, self->m, self->user, ptr_of(0),
				   1);
		ASSERT_EQ(1, handle);
		START(self->owner, op_answer);
		START(self->user, op_call_handle, handle);
		let_them_work(i);
		EXPECT_EQ(SIGKILL, party_kill(self->user));
		put_message(self->m, BC_TRANSACTION, &stop);
		ASSERT_EQ(0, b_go(self->m, 0));
		EXPECT_EQ(BR_REPLY, b_receive(self->m));
		EXPECT_EQ(0, finish(self->owner));
		EXPECT_EQ(files, files_of(self->owner));
		ASSERT_EQ(0, b_ref(self->m, BC_RELEASE, 1));
		EXPECT_EQ(0, nodes_in_the_end(self->owner));
	}
}

TEST_HARNESS_MAIN
