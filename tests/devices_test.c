// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that are made and removed while the module stays loaded, by mkdir
 * and rmdir in configfs.
 */
#include <kselftest_harness.h>
#include <sys/stat.h>

#include "devices.h"
#include "fail.h"
#include "reload.h"
#include "traffic.h"

#define LEN		(5 * PAGE)
#define MANY		64
#define ROUNDS		20
#define LOG_SIZE	(16 * KIB)
/* From linux/syslog.h, which is not for programs. */
#define SYSLOG_ACTION_READ_ALL	3

FIXTURE(devices)
{
	char params[48];	/* what the module was loaded with */
};

FIXTURE_SETUP(devices)
{
	if (access(CONFIGFS, F_OK))
		SKIP(return, "no configfs in this kernel");
	ASSERT_EQ(0, access(MAKER, F_OK));
	ASSERT_EQ(0, module_params(self->params, sizeof(self->params)));
}

FIXTURE_TEARDOWN(devices)
{
	kill_all_parties();
	EXPECT_EQ(0, remove_all_devices());
	if (!module_is_loaded())
		EXPECT_EQ(0, module_load(self->params));
}

TEST_F(devices, comes_and_goes_with_its_directory)
{
	struct party *m, *c;

	ASSERT_EQ(0, device_make("alpha"));
	EXPECT_TRUE(device_is_there("alpha"));
	EXPECT_EQ(0, counter_of("alpha", "used"));
	ASSERT_TRUE(pair_of("alpha", &m, &c));
	EXPECT_EQ(0, exchange(c, m, 1, LEN));
	EXPECT_LT(0, counter_of("alpha", "idle"));
	kill_all_parties();
	ASSERT_EQ(0, device_remove("alpha"));
	EXPECT_FALSE(device_is_there("alpha"));
	EXPECT_EQ(-ENOENT, counter_of("alpha", "used"));
}

/* Each client's message comes to its own device's manager, and to no other. */
TEST_F(devices, each_has_its_own_manager)
{
	static const char *const name[] = {
		"alpha", "beta", "vbinder",
	};
	struct party *m[3], *c[3];

	ASSERT_EQ(0, device_make("alpha"));
	ASSERT_EQ(0, device_make("beta"));
	for (int i = 0; i < 3; i++)
		ASSERT_TRUE(pair_of(name[i], &m[i], &c[i]));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(0, b_call(c[i], 10 + i, LEN));
	for (int i = 2; i >= 0; i--) {
		ASSERT_EQ(BR_TRANSACTION, b_receive(m[i]));
		EXPECT_EQ(-1, b_mismatch(m[i], 10 + i));
		EXPECT_LT(0, counter_of(name[i], "used"));
	}
}

/* In what the kernel has logged last. */
static bool in_the_log(const char *text)
{
	static char log[LOG_SIZE];
	long len = __nolibc_syscall3(__NR_syslog, SYSLOG_ACTION_READ_ALL, log,
				     sizeof(log) - 1);

	if (len < 0)
		return false;
	log[len] = '\0';
	return strstr(log, text);
}

TEST_F(devices, names_must_be_plain)
{
	static const char *const bad[] = {
		"a.b", "a b", "a,b", "a\nb", "a:b", "a!b", "\xc3\xa4", "a~",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefg",
		/* Files in the directory where the devices have theirs. */
		"state", "stats", "transactions", "proc",
	};
	static const char *const good[] = {
		"a", "0", "-", "_", "Az-09_",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-EINVAL, device_make(bad[i])) {
			TH_LOG("\"%s\"", bad[i]);
		}
	}
	EXPECT_TRUE(in_the_log("vbinder: configfs: \"a.b\""));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		EXPECT_EQ(0, device_make(good[i]));
		EXPECT_TRUE(device_is_there(good[i])) {
			TH_LOG("\"%s\"", good[i]);
		}
	}
}

TEST_F(devices, names_are_there_once)
{
	struct party *m, *c;

	EXPECT_EQ(-EEXIST, device_make("vbinder"));
	ASSERT_EQ(0, device_make("alpha"));
	EXPECT_EQ(-EEXIST, device_make("alpha"));
	/* The refusal did neither harm, and was not the kernel's. */
	EXPECT_FALSE(in_the_log("cannot create duplicate filename"));
	ASSERT_TRUE(pair_of("vbinder", &m, &c));
	EXPECT_EQ(0, exchange(c, m, 1, LEN));
	ASSERT_TRUE(pair_of("alpha", &m, &c));
	EXPECT_EQ(0, exchange(c, m, 2, LEN));
	EXPECT_LE(0, counter_of("alpha", "used"));
}

TEST_F(devices, there_is_nothing_else_to_be_made)
{
	ASSERT_EQ(0, device_make("alpha"));
	EXPECT_EQ(-EPERM, device_make("alpha/beta"));
	EXPECT_EQ(-EPERM, __nolibc_syscall3(__NR_symlinkat, MAKER "/alpha",
					    AT_FDCWD, MAKER "/beta"));
	EXPECT_EQ(-ENOENT, device_remove("vbinder"));
	EXPECT_TRUE(device_is_there("vbinder"));
}

static long op_make(struct party *p, const u64 *a)
{
	(void)p;
	return device_make(u64_ptr(a[0]));
}

TEST_F(devices, takes_root)
{
	struct party *p = party_new();

	ASSERT_NE(NULL, p);
	ASSERT_EQ(0, ON(p, op_setuid, 1000));
	EXPECT_EQ(-EACCES, ON(p, op_make, ptr_u64("alpha")));
	EXPECT_FALSE(device_is_there("alpha"));
}

TEST_F(devices, of_two_that_make_it_one_succeeds)
{
	struct party *p[2] = { party_new(), party_new() };

	ASSERT_NE(NULL, p[0]);
	ASSERT_NE(NULL, p[1]);
	for (int i = 0; i < ROUNDS; i++) {
		long ret[2];

		for (int n = 0; n < 2; n++)
			START(p[n], op_make, ptr_u64("alpha"));
		for (int n = 0; n < 2; n++)
			ret[n] = finish(p[n]);
		EXPECT_EQ(-EEXIST, ret[0] + ret[1]);
		EXPECT_TRUE(!ret[0] || !ret[1]);
		ASSERT_EQ(0, device_remove("alpha"));
	}
}

/* Who has it open notices nothing, not even who had not mapped it yet. */
TEST_F(devices, removed_while_in_use)
{
	struct party *m, *c, *late = party_new();

	ASSERT_NE(NULL, late);
	ASSERT_EQ(0, device_make("alpha"));
	ASSERT_TRUE(pair_of("alpha", &m, &c));
	ASSERT_LE(0, b_open_device(late, "alpha"));
	ASSERT_EQ(0, b_call(c, 1, LEN));
	ASSERT_EQ(0, device_remove("alpha"));
	EXPECT_FALSE(device_is_there("alpha"));
	EXPECT_EQ(-ENOENT, counter_of("alpha", "used"));
	ASSERT_EQ(BR_TRANSACTION, b_receive(m));
	EXPECT_EQ(-1, b_mismatch(m, 1));
	ASSERT_EQ(0, b_reply(m, 2, LEN));
	ASSERT_EQ(BR_REPLY, b_receive(c));
	EXPECT_EQ(-1, b_mismatch(c, 2));
	EXPECT_EQ(BR_TRANSACTION_COMPLETE, b_receipt(m));
	ASSERT_EQ(0, b_map(late, AREA_SIZE));
	EXPECT_EQ(0, exchange(late, m, 3, LEN));
}

/* A manager of a removed device can leave, and another can take its place. */
TEST_F(devices, a_removed_one_still_tells_of_deaths)
{
	struct party *m, *c;

	ASSERT_EQ(0, device_make("alpha"));
	ASSERT_TRUE(pair_of("alpha", &m, &c));
	ASSERT_EQ(0, b_call(c, 1, LEN));
	START(c, op_await, BR_MESSAGE);
	ASSERT_EQ(BR_TRANSACTION, b_receive(m));
	ASSERT_EQ(0, device_remove("alpha"));
	EXPECT_EQ(SIGKILL, party_kill(m));
	EXPECT_EQ(BR_DEAD_REPLY, finish(c));
	EXPECT_EQ(0, b_become_manager(c));
}

TEST_F(devices, a_removed_one_cannot_be_opened)
{
	struct party *m, *c;
	struct stat st;
	char fd[32];

	ASSERT_EQ(0, device_make("alpha"));
	ASSERT_TRUE(pair_of("alpha", &m, &c));
	ASSERT_EQ(0, stat("/dev/alpha", &st));
	ASSERT_EQ(0, mknod("/tmp/alpha", S_IFCHR | 0666, st.st_rdev));
	EXPECT_LE(0, ON(c, op_open, ptr_u64("/tmp/alpha"), 0));
	ASSERT_EQ(0, device_remove("alpha"));
	EXPECT_EQ(-ENOENT, ON(c, op_open, ptr_u64("/dev/alpha"), 0));
	/* Neither by a node that has been left, nor by the file of another. */
	EXPECT_EQ(-ENODEV, ON(c, op_open, ptr_u64("/tmp/alpha"), 0));
	snprintf(fd, sizeof(fd), "/proc/%d/fd/%d", m->pid, m->fd);
	EXPECT_EQ(-ENODEV, sys_open(fd, O_RDWR));
	unlink("/tmp/alpha");
}

/*
 * A device of the same name has nothing to do with one that is still in use:
 * its manager may be another user, and its counters begin at 0.
 */
TEST_F(devices, made_again_while_in_use)
{
	struct party *m[2], *c[2];

	ASSERT_EQ(0, device_make("alpha"));
	ASSERT_TRUE(pair_of("alpha", &m[0], &c[0]));
	ASSERT_EQ(0, b_call(c[0], 1, LEN));
	ASSERT_EQ(0, device_remove("alpha"));
	ASSERT_EQ(0, device_make("alpha"));
	c[1] = client_of("alpha");
	ASSERT_NE(NULL, c[1]);
	EXPECT_EQ(0, b_call(c[1], 2, LEN));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(c[1]));
	EXPECT_EQ(0, counter_of("alpha", "used"));
	m[1] = client_of("alpha");
	ASSERT_NE(NULL, m[1]);
	ASSERT_EQ(0, ON(m[1], op_setuid, 1000));
	ASSERT_EQ(0, b_become_manager(m[1]));
	ASSERT_EQ(0, b_enter_looper(m[1]));
	EXPECT_EQ(0, exchange(c[1], m[1], 3, LEN));
	EXPECT_EQ(0, counter_of("alpha", "used"));
	/* The old one goes on, and ends without the other. */
	ASSERT_EQ(BR_TRANSACTION, b_receive(m[0]));
	EXPECT_EQ(-1, b_mismatch(m[0], 1));
	EXPECT_EQ(SIGKILL, party_kill(m[0]));
	EXPECT_EQ(BR_DEAD_REPLY, b_receive(c[0]));
	EXPECT_EQ(SIGKILL, party_kill(c[0]));
	EXPECT_EQ(0, exchange(c[1], m[1], 4, LEN));
}

TEST_F(devices, idle_pages_of_a_removed_one_can_be_taken)
{
	struct party *m, *c;

	ASSERT_EQ(0, device_make("alpha"));
	ASSERT_TRUE(pair_of("alpha", &m, &c));
	ASSERT_EQ(0, exchange(c, m, 1, LEN));
	ASSERT_EQ(0, device_remove("alpha"));
	EXPECT_LT(0, shrinker_count());
	for (int i = 0; i < 50 && shrinker_count() > 0; i++)
		EXPECT_EQ(0, shrink_once());
	EXPECT_EQ(0, shrinker_count());
	EXPECT_EQ(0, exchange(c, m, 2, LEN));
}

/* Opens a[0] devices and becomes the manager of each. */
static long op_manage_many(struct party *p, const u64 *a)
{
	char path[PATH_SIZE];

	for (u64 i = 0; i < a[0]; i++) {
		u32 unused = 0;
		long ret;

		snprintf(path, sizeof(path), "/dev/many%d", (int)i);
		ret = op_open(p, ARGS(ptr_u64(path)));
		if (ret < 0)
			return ret;
		ret = sys_ioctl(p->fd, BINDER_SET_CONTEXT_MGR, &unused);
		if (ret)
			return ret;
		ret = sys_ioctl(p->fd, BINDER_SET_CONTEXT_MGR, &unused);
		if (ret != -EBUSY)
			return -EPROTO;
	}
	return 0;
}

TEST_F(devices, there_can_be_many)
{
	struct party *p = party_new();
	char name[32];

	ASSERT_NE(NULL, p);
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		ASSERT_EQ(0, device_make(name));
	}
	EXPECT_EQ(0, ON(p, op_manage_many, MANY));
	for (int i = MANY - 1; i >= 0; i--) {
		snprintf(name, sizeof(name), "many%d", i);
		EXPECT_TRUE(device_is_there(name));
		EXPECT_EQ(0, counter_of(name, "used"));
		EXPECT_EQ(0, device_remove(name));
		EXPECT_FALSE(device_is_there(name));
	}
}

TEST_F_TIMEOUT(devices, without_memory_there_is_none, 120)
{
	struct sweep s = { 0 };
	long ret = 0;

	if (!can_fail())
		SKIP(return, "no fault injection in this kernel");
	s.nth = sys_open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, s.nth);
	while (next(&s)) {
		ret = device_make("alpha");
		ASSERT_TRUE(fine(&s, ret)) TH_LOG("%d: %ld", s.n, ret);
		if (ret) {
			EXPECT_FALSE(device_is_there("alpha"));
			EXPECT_EQ(-ENOENT, counter_of("alpha", "used"));
		} else {
			ASSERT_EQ(0, device_remove("alpha"));
		}
	}
	EXPECT_TRUE(was_all(&s, ret));
	EXPECT_EQ(0, device_make("alpha"));
	EXPECT_TRUE(device_is_there("alpha"));
}

TEST_F(devices, a_directory_keeps_the_module)
{
	ASSERT_EQ(0, device_make("alpha"));
	EXPECT_EQ(-EAGAIN, module_try_unload());
	EXPECT_TRUE(device_is_there("alpha"));
	ASSERT_EQ(0, device_remove("alpha"));
	EXPECT_EQ(0, module_unload());
	EXPECT_NE(0, access(MAKER, F_OK));
	ASSERT_EQ(0, module_load(self->params));
	EXPECT_EQ(0, access(MAKER, F_OK));
	EXPECT_FALSE(device_is_there("alpha"));
}

TEST_F(devices, a_file_of_a_removed_one_keeps_the_module)
{
	struct party *m, *c;

	ASSERT_EQ(0, device_make("alpha"));
	ASSERT_TRUE(pair_of("alpha", &m, &c));
	ASSERT_EQ(0, device_remove("alpha"));
	EXPECT_EQ(-EAGAIN, module_try_unload());
	EXPECT_EQ(0, exchange(c, m, 1, LEN));
	kill_all_parties();
	EXPECT_EQ(0, module_unload());
}

/* Somebody is still in the directory that devices are made in. */
TEST_F(devices, the_place_goes_with_the_module)
{
	long dir = sys_open(MAKER, O_RDONLY | O_DIRECTORY);

	ASSERT_LE(0, dir);
	ASSERT_EQ(0, module_unload());
	EXPECT_EQ(-ENOENT,
		  __nolibc_syscall3(__NR_mkdirat, dir, "alpha", 0755));
	ASSERT_EQ(0, module_load(self->params));
	EXPECT_EQ(-ENOENT,
		  __nolibc_syscall3(__NR_mkdirat, dir, "alpha", 0755));
	EXPECT_EQ(0, device_make("alpha"));
	sys_close(dir);
}

TEST_HARNESS_MAIN
