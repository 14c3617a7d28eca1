/* SPDX-License-Identifier: GPL-2.0 */
/*
 * System calls as the tests want them: the result or a negative errno.
 *
 * nolibc keeps errno in one global variable, which threads would share, and
 * lacks the calls a memory-management test lives on.
 */
#ifndef VBINDER_TESTS_SYS_H
#define VBINDER_TESTS_SYS_H

#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/uio.h>

typedef unsigned long long u64;
typedef unsigned int u32;
typedef unsigned char u8;

#define PAGE		4096UL
#define KIB		1024UL
#define MIB		(1024UL * KIB)
#define ptr_u64(p)	((u64)(unsigned long)(p))
#define u64_ptr(v)	((void *)(unsigned long)(v))

/* An address that is in no process: above the user range on both machines. */
#define WILD_KERNEL	0xffff800000001000ULL

static inline long sys_ioctl(int fd, unsigned long cmd, void *arg)
{
	return __nolibc_syscall3(__NR_ioctl, fd, cmd, arg);
}

static inline long sys_open(const char *path, int flags)
{
	return __nolibc_syscall4(__NR_openat, AT_FDCWD, path, flags, 0600);
}

static inline long sys_close(int fd)
{
	return __nolibc_syscall1(__NR_close, fd);
}

static inline long sys_read(int fd, void *buf, size_t len)
{
	return __nolibc_syscall3(__NR_read, fd, buf, len);
}

static inline long sys_write(int fd, const void *buf, size_t len)
{
	return __nolibc_syscall3(__NR_write, fd, buf, len);
}

static inline long sys_pread(int fd, void *buf, size_t len, u64 pos)
{
	return __nolibc_syscall4(__NR_pread64, fd, buf, len, pos);
}

static inline long sys_fcntl(int fd, int cmd, long arg)
{
	return __nolibc_syscall3(__NR_fcntl, fd, cmd, arg);
}

/* The address, or a negative errno; tell them apart with is_error(). */
static inline long sys_mmap(void *addr, size_t len, int prot, int flags, int fd,
			    u64 offset)
{
	return __nolibc_syscall6(__NR_mmap, addr, len, prot, flags, fd, offset);
}

static inline bool is_error(long ret)
{
	return ret < 0 && ret >= -4095;
}

static inline long sys_munmap(void *addr, size_t len)
{
	return __nolibc_syscall2(__NR_munmap, addr, len);
}

static inline long sys_mprotect(void *addr, size_t len, int prot)
{
	return __nolibc_syscall3(__NR_mprotect, addr, len, prot);
}

static inline long sys_madvise(void *addr, size_t len, int advice)
{
	return __nolibc_syscall3(__NR_madvise, addr, len, advice);
}

static inline long sys_mremap(void *addr, size_t len, size_t new_len, int flags,
			      void *new_addr)
{
	return __nolibc_syscall5(__NR_mremap, addr, len, new_len, flags,
				 new_addr);
}

static inline long sys_vmsplice(int fd, struct iovec *iov, size_t count)
{
	return __nolibc_syscall4(__NR_vmsplice, fd, iov, count, 0);
}

static inline long sys_setresuid(int ruid, int euid, int suid)
{
	return __nolibc_syscall3(__NR_setresuid, ruid, euid, suid);
}

static inline long sys_tgkill(int pid, int tid, int sig)
{
	return __nolibc_syscall3(__NR_tgkill, pid, tid, sig);
}

static inline int sys_gettid(void)
{
	return __nolibc_syscall0(__NR_gettid);
}

/* Nanoseconds of a clock that never goes back. */
static inline u64 now_ns(void)
{
	struct timespec ts = { 0 };

	__nolibc_syscall2(__NR_clock_gettime, CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static inline u64 now_ms(void)
{
	return now_ns() / 1000000;
}

static inline void nap(void)
{
	struct timespec ts = { .tv_nsec = 1000000 };

	__nolibc_syscall2(__NR_nanosleep, &ts, NULL);
}

/* Shared between processes, so without FUTEX_PRIVATE_FLAG. */
static inline void futex_wait(u32 *word, u32 value, unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = (ms % 1000) * 1000000,
	};

	__nolibc_syscall4(__NR_futex, word, FUTEX_WAIT, value, &ts);
}

static inline void futex_wake(u32 *word)
{
	__nolibc_syscall3(__NR_futex, word, FUTEX_WAKE, 1);
}

static inline bool has_userfaultfd(void)
{
	return !access("/proc/sys/vm/unprivileged_userfaultfd", F_OK);
}

/* A whole small file as a string: bytes read or a negative errno. */
static inline long read_file(const char *path, char *buf, size_t size)
{
	long fd = sys_open(path, O_RDONLY);
	size_t done = 0;
	long ret = 0;

	if (fd < 0)
		return fd;
	while (done < size - 1) {
		ret = sys_read(fd, buf + done, size - 1 - done);
		if (ret <= 0)
			break;
		done += ret;
	}
	buf[done] = '\0';
	sys_close(fd);
	return ret < 0 ? ret : (long)done;
}

static inline long write_file(const char *path, const char *text)
{
	long fd = sys_open(path, O_WRONLY);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys_write(fd, text, strlen(text));
	sys_close(fd);
	return ret < 0 ? ret : 0;
}

static inline long memfd_new(const char *name, size_t size)
{
	long fd = __nolibc_syscall2(__NR_memfd_create, name, 0);

	if (fd >= 0)
		__nolibc_syscall2(__NR_ftruncate, fd, size);
	return fd;
}

/* A number in a file of lines "NAME NUMBER", or a negative errno. */
static inline long number_in(const char *path, const char *name)
{
	size_t len = strlen(name);
	char text[2048];
	char *line = text;
	long ret = read_file(path, text, sizeof(text));

	if (ret < 0)
		return ret;
	while (line && *line) {
		if (!strncmp(line, name, len) && line[len] == ' ')
			return atol(line + len + 1);
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return -ENOENT;
}

#endif
