// SPDX-License-Identifier: GPL-2.0
/*
 * How a driver's areas end, by themselves and in the middle of everything, and
 * what is left of them: core dumps, references, and the module.
 */
#include <linux/elf.h>

#include "vmarea_buffer.h"

#define STORM_MS	2000

/* Files, areas in parts, moved and inherited ones. */
static long op_make_a_mess(struct party *p, const u64 *a)
{
	int self = getpid();

	for (int i = 0; i < 4; i++) {
		long ret = op_open_and_map(p, a);

		if (ret)
			return ret;
		sys_munmap(p->area + 2 * PAGE, PAGE);
		sys_mprotect(p->area + 4 * PAGE, PAGE, PROT_READ);
		sys_mremap(p->area, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   u64_ptr(map_memory(1)));
		put(p->area + PAGE, 1);
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
			/* The parent may have been killed before. */
			while (getppid() == self)
				nap();
			_exit(0);
		}
	}
	return 0;
}

TEST_F(buffer, kill_9_leaves_nothing)
{
	struct party *c = party_new();

	ASSERT_NE(NULL, c);
	ASSERT_EQ(0, ON(c, op_make_a_mess, ptr_u64(BUFFER)));
	EXPECT_EQ(5, tally("owners"));
	EXPECT_LT(20, tally("areas"));
	/* Its children die with it. */
	EXPECT_EQ(SIGKILL, party_kill(c));
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
}

TEST_F(buffer, exec_ends_areas)
{
	static char * const argv[] = { "sleep", "60", NULL };
	int pid = fork();

	if (pid == 0) {
		execve("/bin/sleep", argv, NULL);
		_exit(1);
	}
	ASSERT_LT(0, pid);
	EXPECT_EQ(1, tally_settles("areas", 1));
	EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

TEST_F(buffer, a_page_outlives_everything)
{
	struct iovec iov = { .iov_base = PAGE_AT(1), .iov_len = PAGE };
	u8 page[PAGE];
	int pipe[2];

	EXPECT_EQ(0, put(PAGE_AT(1), 111));
	ASSERT_EQ(0, _syscall(__NR_pipe2, pipe, 0));
	ASSERT_EQ((long)PAGE, sys_vmsplice(pipe[1], &iov, 1));
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
	ASSERT_EQ((long)PAGE, sys_read(pipe[0], page, PAGE));
	EXPECT_EQ(111, page[0]);
}

/* Everything at once. */

/* Until the time is up: maps, splits, moves and unmaps, always at one place. */
static long op_churn(struct party *p, const u64 *a)
{
	u64 end = now_ms() + STORM_MS;
	u8 *at = u64_ptr(a[1]);
	long rounds = 0;

	while (now_ms() < end) {
		long ret = map_over(a[0], at, PAGES);

		if (ret != (long)at)
			return ret;
		get(at + PAGE);
		sys_mprotect(at + 2 * PAGE, PAGE, PROT_READ);
		sys_mremap(at + 4 * PAGE, PAGE, PAGE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, at + PAGES * PAGE);
		sys_madvise(at, SIZE, MADV_DONTNEED);
		if (rounds % 3 == 0)
			sys_munmap(at, SIZE + PAGE);
		else if (rounds % 3 == 1)
			sys_munmap(at + PAGE, PAGE);
		rounds++;
	}
	(void)p;
	return rounds;
}

/* Until the time is up: asks for pages to be inserted and taken away. */
static long op_ask(struct party *p, const u64 *a)
{
	u64 end = now_ms() + STORM_MS;
	long worked = 0;

	(void)p;
	while (now_ms() < end) {
		long ret = request_range(a[0], a[2], a[1], a[3]);

		/* Nothing there, something else, done already, too short. */
		if (ret < 0 && ret != -ENOENT && ret != -EPERM &&
		    ret != -EBUSY && ret != -EFAULT)
			return ret;
		worked += ret >= 0;
	}
	return worked;
}

/* Until the time is up: reads and writes. What is seen must be what is there. */
static long op_look(struct party *p, const u64 *a)
{
	u64 end = now_ms() + STORM_MS;
	u8 *at = u64_ptr(a[1]);
	long seen = 0;

	(void)p;
	for (int i = 0; now_ms() < end; i = (i + 1) % 4) {
		long ret = get(at + i * PAGE);

		if (ret >= 0 && ret != i)
			return -EILSEQ;
		if (ret < 0 && ret != -EFAULT)
			return ret;
		put(at + i * PAGE, i);
		seen += ret >= 0;
	}
	return seen;
}

/* Until the time is up: has children that look at the area and go. */
static long op_have_children(struct party *p, const u64 *a)
{
	u64 end = now_ms() + STORM_MS;
	long children = 0;

	(void)p;
	while (now_ms() < end) {
		int pid = fork();

		if (pid == 0) {
			get(u64_ptr(a[1] + PAGE));
			_exit(0);
		}
		if (pid < 0)
			return pid;
		waitpid(pid, NULL, 0);
		children++;
	}
	return children;
}

/* A place where nothing is, which nothing will be mapped to by itself. */
static long op_find_room(struct party *p, const u64 *a)
{
	long at = map_memory(a[0]);

	(void)p;
	if (!is_error(at))
		sys_munmap(u64_ptr(at), a[0] * PAGE);
	return at;
}

TEST_F_TIMEOUT(buffer, storm, 120)
{
	struct party *leader = party_new();
	struct party *p[6];
	long fd, room;

	ASSERT_NE(NULL, leader);
	ASSERT_EQ(0, ON(leader, op_open_and_map, ptr_u64(BUFFER)));
	fd = leader->fd;
	for (int i = 0; i < 6; i++) {
		p[i] = party_thread(leader);
		ASSERT_NE(NULL, p[i]);
	}
	/* Only now: the threads have got their stacks, and map nothing more. */
	room = ON(leader, op_find_room, PAGES + 1);
	ASSERT_FALSE(is_error(room)) TH_LOG("mmap: %ld", room);
	START(p[0], op_churn, fd, room);
	START(p[1], op_ask, fd, room, VMAREA_TEST_INSERT, 3);
	START(p[2], op_ask, fd, room, VMAREA_TEST_ZAP, 3);
	START(p[3], op_ask, fd, 0, VMAREA_TEST_UNMAP, PAGES);
	START(p[4], op_look, fd, room);
	START(p[5], op_have_children, fd, room);
	for (int i = 0; i < 6; i++)
		EXPECT_LT(0, finish_within(p[i], 60000));

	party_kill(leader);
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_TRUE(all_is_gone());
}

/* Core dumps. */

#define CORE	"/tmp/vmarea.core"

/*
 * The bytes of an area in the core of a child that maps a file in some mode and
 * aborts; the first byte of its second page goes to *byte. -EOPNOTSUPP if there
 * is no core.
 */
static long dumped(int mode, u8 *byte)
{
	struct rlimit limit = { 1 << 30, 1 << 30 };
	struct elf64_hdr head;
	struct elf64_phdr part;
	int status;
	long where[2];
	int pipe[2];
	long fd;
	int pid;

	unlink(CORE);
	if (write_file("/proc/sys/kernel/core_pattern", CORE) ||
	    _syscall(__NR_pipe2, pipe, 0))
		return -EIO;
	pid = fork();
	if (pid == 0) {
		long own = sys_open(BUFFER, O_RDWR);

		setrlimit(RLIMIT_CORE, &limit);
		request(own, VMAREA_TEST_SET_MODE, mode);
		where[0] = map_all(own);
		get(u64_ptr(where[0] + PAGE));
		sys_write(pipe[1], where, sizeof(where[0]));
		kill(getpid(), SIGABRT);
		_exit(1);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
	    sys_read(pipe[0], where, sizeof(where[0])) != sizeof(where[0]))
		return -ECHILD;
	if (!(status & 0x80))
		return -EOPNOTSUPP;
	fd = sys_open(CORE, O_RDONLY);
	if (fd < 0)
		return fd;
	if (sys_pread(fd, &head, sizeof(head), 0) != sizeof(head))
		return -EIO;
	for (int i = 0; i < head.e_phnum; i++) {
		if (sys_pread(fd, &part, sizeof(part), head.e_phoff +
			      i * sizeof(part)) != sizeof(part))
			return -EIO;
		if (part.p_type != PT_LOAD || (long)part.p_vaddr != where[0])
			continue;
		if (part.p_filesz >= 2 * PAGE)
			sys_pread(fd, byte, 1, part.p_offset + PAGE);
		sys_close(fd);
		return part.p_filesz;
	}
	sys_close(fd);
	return -ENOENT;
}

TEST_F(buffer, a_core_has_its_pages_or_not)
{
	u8 byte = 0;

	if (dumped(0, &byte) == -EOPNOTSUPP)
		SKIP(return, "no core dumps in this kernel (CONFIG_ELF_CORE)");
	EXPECT_EQ((long)SIZE, dumped(0, &byte));
	EXPECT_EQ(1, byte);
	EXPECT_EQ(0, dumped(VMAREA_TEST_MODE_DONT_DUMP, &byte));
	/* One with a name is always in there. */
	byte = 0;
	EXPECT_EQ((long)SIZE, dumped(VMAREA_TEST_MODE_DONT_DUMP |
				     VMAREA_TEST_MODE_NAMED, &byte));
	EXPECT_EQ(1, byte);
	unlink(CORE);
}

TEST_F(buffer, a_name_is_not_in_maps)
{
	char line[256];

	ASSERT_EQ(0, request(self->fd, VMAREA_TEST_SET_MODE,
			     VMAREA_TEST_MODE_NAMED));
	ASSERT_EQ(0, vma_line(getpid(), self->at, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, BUFFER)) TH_LOG("%s", line);
}

TEST_F(buffer, a_mapping_keeps_the_module)
{
	EXPECT_EQ(-EAGAIN, unload_module());
	ASSERT_EQ(0, sys_close(self->fd));
	EXPECT_EQ(-EAGAIN, unload_module());
	EXPECT_EQ(1, get(PAGE_AT(1)));
	ASSERT_EQ(0, sys_munmap(PAGE_AT(1), SIZE - PAGE));
	EXPECT_EQ(-EAGAIN, unload_module());
	EXPECT_EQ(0, get(PAGE_AT(0)));
	ASSERT_EQ(0, sys_munmap(self->at, SIZE));
	EXPECT_EQ(0, unload_module_soon());
	EXPECT_EQ(-ENOENT, sys_open(BUFFER, O_RDWR));
	EXPECT_EQ(0, load_module());
	EXPECT_TRUE(all_is_gone());
}

TEST_HARNESS_MAIN
