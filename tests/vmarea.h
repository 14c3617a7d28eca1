/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmarea_test.ko and its devices, as a program sees them.
 */
#ifndef VMAREA_TESTS_VMAREA_H
#define VMAREA_TESTS_VMAREA_H

#include "module/uapi.h"
#include "party.h"

#define MODULE		"vmarea_test"
#define MODULE_FILE	"/lib/modules/vmarea_test.ko"
#define BUFFER		"/dev/vmarea_test"
#define PREPARED	"/dev/vmarea_test_prepare"
#define COUNTS		"/sys/kernel/debug/vmarea_test/counts"
#define PAGES		VMAREA_TEST_PAGES
#define SIZE		(PAGES * PAGE)

/* The module. */

static inline long load_module(void)
{
	long fd = sys_open(MODULE_FILE, O_RDONLY | O_CLOEXEC);
	long ret;

	if (fd < 0)
		return fd;
	ret = _syscall(__NR_finit_module, fd, "", 0);
	sys_close(fd);
	return ret;
}

static inline long unload_module(void)
{
	return _syscall(__NR_delete_module, MODULE, O_NONBLOCK);
}

/*
 * A dead process's files may be cleaned up after its parent heard of its death,
 * and its address space by a worker.
 */
static inline long unload_module_soon(void)
{
	u64 end = now_ms() + PATIENCE_MS;
	long ret;

	while ((ret = unload_module()) == -EAGAIN && now_ms() < end)
		nap();
	return ret;
}

/*
 * Before any test: the module, without its own suites, which take their time.
 * Each test program is one translation unit.
 */
__attribute__((constructor)) static void need_module(void)
{
	long ret;

	write_file("/sys/module/kunit/parameters/filter_glob", "none");
	ret = load_module();
	if (ret && ret != -EEXIST) {
		printf("Bail out! no %s: %ld\n", MODULE_FILE, ret);
		exit(1);
	}
}

/* A number in the module's debugfs file, or a negative errno. */
static inline long tally(const char *name)
{
	return number_in(COUNTS, name);
}

/* Waits for it to get to a value. The value that it has then. */
static inline long tally_settles(const char *name, long value)
{
	u64 end = now_ms() + PATIENCE_MS;
	long now;

	while ((now = tally(name)) != value && now >= 0 && now_ms() < end)
		nap();
	return now;
}

/* Whether nothing is left of anything. */
static inline bool all_is_gone(void)
{
	return !tally_settles("areas", 0) && !tally_settles("owners", 0) &&
	       !tally_settles("files", 0);
}

/* Files and areas. */

static inline long request(int fd, unsigned int command, long argument)
{
	return __nolibc_syscall3(__NR_ioctl, fd, command, argument);
}

static inline long request_range(int fd, unsigned int command, u64 first,
				 u64 pages)
{
	struct vmarea_test_range range = { .first = first, .pages = pages };

	return sys_ioctl(fd, command, &range);
}

/* The number of areas of a file. */
static inline long areas(int fd)
{
	return request(fd, VMAREA_TEST_AREAS, 0);
}

/* Maps pages of a file; the address, or a negative errno. */
static inline long map_part(int fd, int prot, int flags, u64 first, u64 pages)
{
	return sys_mmap(NULL, pages * PAGE, prot, flags, fd, first * PAGE);
}

static inline long map_all(int fd)
{
	return map_part(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0, PAGES);
}

/* As map_part() from the first page on, over what is there. */
static inline long map_over(int fd, void *at, u64 pages)
{
	return sys_mmap(at, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, fd, 0);
}

static inline long map_memory(u64 pages)
{
	return sys_mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Access as of a system call: a byte, or what was refused. */

static inline long get(const void *at)
{
	long fd = memfd_new("get", 0);
	u8 byte = 0;
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_write(fd, at, 1);
	if (ret == 1)
		ret = sys_pread(fd, &byte, 1, 0);
	sys_close(fd);
	return ret == 1 ? byte : ret;
}

static inline long put(void *at, u8 byte)
{
	long fd = memfd_new("put", 0);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_write(fd, &byte, 1);
	if (ret == 1)
		ret = sys_pread(fd, at, 1, 0);
	sys_close(fd);
	return ret == 1 ? 0 : ret;
}

/* Access as of a program: 0, or the signal that it gets. */

struct touch {
	u8 *at;
	bool write;
};

static inline void touch_fn(void *data)
{
	struct touch *touch = data;
	u8 byte = __atomic_load_n(touch->at, __ATOMIC_RELAXED);

	if (touch->write)
		__atomic_store_n(touch->at, byte, __ATOMIC_RELAXED);
}

static inline int touch(void *at, bool write)
{
	struct touch touch = { .at = at, .write = write };
	long stack = map_memory(4);
	int status = 0;
	long pid;

	if (is_error(stack))
		return stack;
	/* A process of its own, because it may die; with our memory. */
	pid = thread_clone(CLONE_VM | SIGCHLD, u64_ptr(stack + 4 * PAGE),
			   touch_fn, &touch);
	if (pid > 0 && waitpid(pid, &status, 0) != pid)
		pid = -ECHILD;
	sys_munmap(u64_ptr(stack), 4 * PAGE);
	if (pid < 0)
		return pid;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Access as of a debugger, through /proc: as pread() and pwrite(). */

static inline long peek(int pid, const void *at, void *buf, size_t len)
{
	char path[64];
	long fd;
	long ret;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = sys_open(path, O_RDONLY);
	if (fd < 0)
		return fd;
	ret = sys_pread(fd, buf, len, ptr_u64(at));
	sys_close(fd);
	return ret;
}

static inline long poke(int pid, void *at, const void *buf, size_t len)
{
	char path[64];
	long fd;
	long ret;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = sys_open(path, O_RDWR);
	if (fd < 0)
		return fd;
	ret = __nolibc_syscall4(__NR_pwrite64, fd, buf, len, ptr_u64(at));
	sys_close(fd);
	return ret;
}

/* Access by GUP alone: one byte of another process, or of this one. */
static inline long gup(int pid, void *at)
{
	u8 byte = 0;
	struct iovec here = { .iov_base = &byte, .iov_len = 1 };
	struct iovec there = { .iov_base = at, .iov_len = 1 };
	long ret = _syscall(__NR_process_vm_readv, pid, &here, 1, &there, 1, 0);

	return ret == 1 ? byte : ret;
}

/* What a child does that is told. */

static inline long op_get(struct party *p, const u64 *a)
{
	(void)p;
	return get(u64_ptr(a[0]));
}

static inline long op_put(struct party *p, const u64 *a)
{
	(void)p;
	return put(u64_ptr(a[0]), a[1]);
}

static inline long op_unmap(struct party *p, const u64 *a)
{
	(void)p;
	return sys_munmap(u64_ptr(a[0]), a[1]);
}

static inline long op_map_all(struct party *p, const u64 *a)
{
	(void)p;
	return map_all(a[0]);
}

static inline long op_open_and_map(struct party *p, const u64 *a)
{
	long at;

	p->fd = sys_open(u64_ptr(a[0]), O_RDWR);
	if (p->fd < 0)
		return p->fd;
	at = map_all(p->fd);
	if (is_error(at))
		return at;
	p->area = u64_ptr(at);
	return 0;
}

static inline long op_request_range(struct party *p, const u64 *a)
{
	(void)p;
	return request_range(a[0], a[1], a[2], a[3]);
}

#endif
