// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that are made and removed while others open them, talk through them,
 * read what debugfs says of them, reclaim their pages, die, or unload the
 * module.
 */
#include <kselftest_harness.h>

#include "devices.h"
#include "reload.h"
#include "traffic.h"

#define NAMES		4
#define ROUNDS		8

FIXTURE(devices_race)
{
	char params[48];	/* what the module was loaded with */
};

FIXTURE_SETUP(devices_race)
{
	if (access(CONFIGFS, F_OK))
		SKIP(return, "no configfs in this kernel");
	ASSERT_EQ(0, access(MAKER, F_OK));
	ASSERT_EQ(0, module_params(self->params, sizeof(self->params)));
}

FIXTURE_TEARDOWN(devices_race)
{
	kill_all_parties();
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load(self->params));
	EXPECT_EQ(0, remove_all_devices());
}

static const char *const names[NAMES] = { "alpha", "beta", "gamma", "delta" };

/*
 * Makes and removes devices for a[0] ms: how many it made, which is also told
 * meanwhile. With a[1], the module may be gone at times.
 */
static long op_make_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	bool may_unload = a[1];
	long made = 0;

	for (u32 n = p->pid; now_ms() < end; n++) {
		const char *name = names[n % NAMES];
		long ret = device_make(name);

		if (!ret)
			__atomic_store_n(p->scratch, ++made, __ATOMIC_RELAXED);
		else if (ret != -EEXIST &&
			 !(may_unload && (ret == -ENOENT || ret == -EINVAL)))
			return ret;
		/* Of a device that another has made, too. */
		ret = device_remove(name);
		if (ret && ret != -ENOENT)
			return ret;
	}
	return made;
}

/* All that can be done with a file that has just been opened. */
static long use_file(struct party *p)
{
	struct binder_version version;
	u32 unused = 0;
	long ret = sys_ioctl(p->fd, BINDER_VERSION, &version);

	if (ret)
		return ret;
	ret = op_mmap(p, ARGS(AREA_SIZE, PROT_READ));
	if (is_error(ret))
		return ret;
	p->area = u64_ptr(ret);
	p->area_len = AREA_SIZE;
	ret = sys_ioctl(p->fd, BINDER_SET_CONTEXT_MGR, &unused);
	if (ret && ret != -EBUSY)
		return ret;
	/* The manager is another party that does not serve, or this one. */
	ret = op_call(p, ARGS(1, PAGE));
	if (ret != BR_FAILED_REPLY && ret != BR_DEAD_REPLY)
		return ret < 0 ? ret : -EPROTO;
	return 0;
}

/* Opens, uses and closes what is there for a[0] ms: how many files. */
static long op_open_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long opened = 0;

	for (u32 n = 0; now_ms() < end; n++) {
		char path[PATH_SIZE];
		long ret;

		snprintf(path, sizeof(path), "/dev/%s", names[n % NAMES]);
		ret = op_open(p, ARGS(ptr_u64(path)));
		if (ret == -ENOENT || ret == -ENODEV)
			continue;
		if (ret < 0)
			return ret;
		ret = use_file(p) ?: op_leave(p, NULL);
		if (ret)
			return ret;
		opened++;
	}
	return opened;
}

/* Reads counters for a[0] ms: how often they were there. */
static long op_read_for(struct party *p, const u64 *a)
{
	u64 end = now_ms() + a[0];
	long seen = 0;

	(void)p;
	for (u32 n = 0; now_ms() < end; n++) {
		long ret = counter_of(names[n % NAMES], "used");

		if (ret >= 0)
			seen++;
		else if (ret != -ENOENT && ret != -EIO)
			return ret;
	}
	return seen;
}

TEST_F_STRESS(devices_race, of_all_with_all)
{
	static const party_op ops[] = {
		op_make_for, op_make_for, op_open_for, op_open_for,
		op_read_for, op_shrink_for,
	};
	struct party *p[ARRAY_SIZE(ops)];

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		p[i] = party_new();
		ASSERT_NE(NULL, p[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++)
		START(p[i], ops[i], stress_ms());
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		EXPECT_LT(0, finish_stress(p[i])) {
			TH_LOG("party %d", (int)i);
		}
	}
}

/* Messages go on in each removed device, while the next of its name is made. */
TEST_F_STRESS(devices_race, traffic_and_removal)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *s = party_new();
		struct party *m, *c;

		ASSERT_NE(NULL, s);
		ASSERT_EQ(0, device_make("alpha"));
		ASSERT_TRUE(pair_of("alpha", &m, &c));
		START(s, op_shrink_for, STRESS_MS / ROUNDS);
		START(m, op_serve);
		START(c, op_call_for, STRESS_MS / ROUNDS, 0);
		ASSERT_EQ(0, device_remove("alpha"));
		ASSERT_EQ(0, device_make("alpha"));
		EXPECT_LT(0, finish(c));
		EXPECT_LT(0, stop_serving(c, m));
		EXPECT_LT(0, finish(s));
		/* All of it was the old one's. */
		EXPECT_EQ(0, counter_of("alpha", "inserted"));
		ASSERT_EQ(0, device_remove("alpha"));
		kill_all_parties();
	}
}

static long op_remove(struct party *p, const u64 *a)
{
	(void)p;
	return device_remove(u64_ptr(a[0]));
}

TEST_F_STRESS(devices_race, death_and_removal)
{
	u64 began = now_ms();

	for (int i = 0; another_round(i, ROUNDS, began); i++) {
		struct party *p = party_new();
		struct party *m, *c;

		ASSERT_NE(NULL, p);
		ASSERT_EQ(0, device_make("alpha"));
		ASSERT_TRUE(pair_of("alpha", &m, &c));
		START(m, op_serve);
		START(c, op_call_for, STRESS_MS, 1);
		START(p, op_remove, ptr_u64("alpha"));
		EXPECT_EQ(SIGKILL, party_kill(i % 2 ? m : c));
		EXPECT_EQ(0, finish(p));
		EXPECT_EQ(SIGKILL, party_kill(i % 2 ? c : m));
		kill_all_parties();
	}
	EXPECT_EQ(0, module_unload());
}

static u64 made_by(struct party **p)
{
	return __atomic_load_n(p[0]->scratch, __ATOMIC_RELAXED) +
	       __atomic_load_n(p[1]->scratch, __ATOMIC_RELAXED);
}

/* Whoever makes a device while the module goes gets one, or an error. */
TEST_F_STRESS(devices_race, making_and_unloading)
{
	struct party *p[2] = { party_new(), party_new() };

	for (int i = 0; i < 2; i++) {
		ASSERT_NE(NULL, p[i]);
		START(p[i], op_make_for, stress_ms(), 1);
	}
	while (is_busy(p[0]) && is_busy(p[1])) {
		u64 before = made_by(p);

		while (made_by(p) == before && is_busy(p[0]) && is_busy(p[1]))
			nap();
		ASSERT_EQ(0, module_unload());
		ASSERT_EQ(0, module_load(self->params));
	}
	for (int i = 0; i < 2; i++)
		EXPECT_LE(0, finish_stress(p[i]));
	EXPECT_LT(0, made_by(p));
}

TEST_HARNESS_MAIN
