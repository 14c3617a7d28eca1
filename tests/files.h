/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files in the hands of parties.
 */
#ifndef VBINDER_TESTS_FILES_H
#define VBINDER_TESTS_FILES_H

#include "way.h"

/* A file that every process has. */
#define ANY_FILE	1

#define NO_FILE		999	/* a number that nobody has a file with */
#define LIMIT_NOFILE	7	/* RLIMIT_NOFILE; nolibc has no resource.h */

static inline long op_syscall(struct party *p, const u64 *a)
{
	(void)p;
	return __nolibc_syscall5(a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* A system call of a party; its memory must be memory that the party has. */
#define IN(p, name, ...)	ON(p, op_syscall, __NR_##name, __VA_ARGS__)

/* Two ends that never wait, in scratch[0] to read and in scratch[1]. */
static inline long op_pipe(struct party *p, const u64 *a)
{
	int ends[2];
	long ret = __nolibc_syscall2(__NR_pipe2, ends, O_NONBLOCK);

	(void)a;
	p->scratch[0] = ends[0];
	p->scratch[1] = ends[1];
	return ret;
}

/* A file in memory with some bytes in it. */
static inline long op_memfd(struct party *p, const u64 *a)
{
	long fd = memfd_new("content", 0);

	(void)p;
	if (fd >= 0)
		sys_write(fd, u64_ptr(a[0]), a[1]);
	return fd;
}

/* A byte of a party's file, or what reading it gives instead. */
static inline long op_read_byte(struct party *p, const u64 *a)
{
	u8 byte;
	long ret = sys_read(a[0], &byte, 1);

	(void)p;
	return ret == 1 ? byte : ret == 0 ? -ENODATA : ret;
}

static inline long op_write_byte(struct party *p, const u64 *a)
{
	u8 byte = a[1];

	(void)p;
	return sys_write(a[0], &byte, 1);
}

/*
 * True once nobody has the other end of a party's pipe. The last reference of
 * a file may go after the system call that let go of it.
 */
static inline bool is_let_go(struct party *p, u32 fd)
{
	u64 end = now_ms() + PATIENCE_MS;
	long got;

	while ((got = ON(p, op_read_byte, fd)) == -EAGAIN && now_ms() < end)
		nap();
	return got == -ENODATA;
}

/* How many files a party has open. */
static inline long files_of(struct party *p)
{
	char path[64];
	struct dirent entry;
	struct dirent *found;
	DIR *dir;
	long n = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", p->pid);
	dir = opendir(path);
	if (!dir)
		return -ENOENT;
	while (!readdir_r(dir, &entry, &found) && found)
		n += entry.d_name[0] != '.';
	closedir(dir);
	return n;
}

/* The number that a party's next file gets. */
static inline long next_file(struct party *p)
{
	long fd = IN(p, dup, ANY_FILE);

	return fd < 0 ? fd : IN(p, close, fd) ?: fd;
}

/* Lets a party have no files with this number or a higher one. */
static inline long limit_files(struct party *p, u64 limit)
{
	u64 limits[2] = { limit, 1024 };

	return __nolibc_syscall4(__NR_prlimit64, p->pid, LIMIT_NOFILE, limits,
				 NULL);
}

static inline struct binder_fd_object *fd_object(struct parcel *q,
						 unsigned int i)
{
	return object(q, i);
}

/* Arrays. Most cases use a buffer of this length, with the files at this place. */
#define LEN		64
#define PLACE		16

/* A filled buffer in which n words from a place on are the same number. */
static inline u8 *put_numbers(struct parcel *q, size_t len, u64 place,
			      size_t n, u32 fd)
{
	u8 *at = pool(q, len);

	fill(at, len, 1);
	for (size_t i = 0; i < n; i++)
		memcpy(at + place + 4 * i, &fd, sizeof(fd));
	return at;
}

/* A message with a buffer, which has n times the same file at PLACE. */
static inline struct parcel *files_new(struct party *p, size_t n, u32 fd)
{
	struct parcel *q = parcel_new(p);

	/* Nothing that is a parent may be at the very beginning. */
	put_bytes(q, "beginning", 9);
	put_ptr(q, put_numbers(q, LEN, PLACE, n, fd), LEN);
	return q;
}

/* A way for messages with files: from m to c, who has so many before. */
#define SETUP_FILES() do {						\
	ASSERT_TRUE(way_for_files(&self->w, variant->reply, variant->flags)); \
	self->m = self->w.m;						\
	self->c = self->w.c;						\
	self->files = files_of(self->c);				\
	ASSERT_LT(0, self->files);					\
} while (0)

#endif
