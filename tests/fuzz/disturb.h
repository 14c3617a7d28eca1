/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that a process can do to the device beside reading and writing.
 */
#ifndef VBINDER_TESTS_FUZZ_DISTURB_H
#define VBINDER_TESTS_FUZZ_DISTURB_H

#include "../stats.h"
#include "converse.h"

#define EPOLL_CTL_ADD_	1

static inline int some_pid(struct worker *w)
{
	if (one_in(&w->chance, 20))
		return odd_number(&w->chance);
	return me.board->pid[below(&w->chance, MEMBERS)];
}

static inline void freeze_somebody(struct worker *w)
{
	struct binder_freeze_info info = {
		.pid = some_pid(w),
		.enable = one_in(&w->chance, 3),
		.timeout_ms = one_in(&w->chance, 2) ? 0 :
			      below(&w->chance, 30),
	};

	if (one_in(&w->chance, 16))
		info.timeout_ms = odd_number(&w->chance);
	ask(w, FREEZE, some_file(w), BINDER_FREEZE,
	    argument(w, &info, sizeof(info)));
}

static inline void ask_about_nodes(struct worker *w)
{
	struct binder_node_debug_info node = { .ptr = some_node(w) - 1 };
	struct binder_node_info_for_ref ref = { .handle = some_handle(w) };

	if (one_in(&w->chance, 8)) {
		node.ptr = odd_number(&w->chance);
		ref.strong_count = 1;
	}
	ask(w, NODE_INFO, some_file(w), BINDER_GET_NODE_DEBUG_INFO,
	    argument(w, &node, sizeof(node)));
	ask(w, NODE_OF_HANDLE, some_file(w), BINDER_GET_NODE_INFO_FOR_REF,
	    argument(w, &ref, sizeof(ref)));
}

static inline void ask_something(struct worker *w)
{
	struct binder_frozen_status_info frozen = { .pid = some_pid(w) };
	u32 word = below(&w->chance, 4);
	u8 error[12] = { 0 };

	switch (below(&w->chance, 8)) {
	case 0:
		ask(w, VERSION, some_file(w), BINDER_VERSION,
		    argument(w, &word, sizeof(word)));
		break;
	case 1:
		ask(w, SET_MAX_THREADS, some_file(w), BINDER_SET_MAX_THREADS,
		    argument(w, &word, sizeof(word)));
		break;
	case 2:
		ask(w, SPAM, some_file(w), BINDER_ENABLE_ONEWAY_SPAM_DETECTION,
		    argument(w, &word, sizeof(word)));
		break;
	case 3:
		ask(w, LAST_ERROR, some_file(w), BINDER_GET_EXTENDED_ERROR,
		    argument(w, error, sizeof(error)));
		break;
	case 4:
		ask(w, FROZEN_INFO, some_file(w), BINDER_GET_FROZEN_INFO,
		    argument(w, &frozen, sizeof(frozen)));
		break;
	case 5:
		ask(w, UNKNOWN, some_file(w), draw(&w->chance),
		    argument(w, error, sizeof(error)));
		break;
	case 6:
		become_manager(w);
		break;
	default:
		ask_about_nodes(w);
	}
}

static inline void exit_thread(struct worker *w)
{
	ask(w, THREAD_EXIT, some_file(w), BINDER_THREAD_EXIT, NULL);
	if (one_in(&w->chance, 2))
		say(w, BC_ENTER_LOOPER, NULL, 0);
}

/* Memory. What makes the process useless is its end. */

static inline void change_area(struct worker *w)
{
	struct board *b = me.board;
	u64 page = ptr_u64(me.area) +
		   PAGE * below(&w->chance, me.area_len / PAGE);

	switch (below(&w->chance, 12)) {
	case 0:
		count_action(b, UNMAP, sys_munmap(u64_ptr(page), PAGE));
		break;
	case 1:
		count_action(b, PROTECT, sys_mprotect(u64_ptr(page), PAGE,
						      below(&w->chance, 8)));
		break;
	case 2:
		count_action(b, MOVE, sys_mremap(me.area, me.area_len,
						 me.area_len + PAGE,
						 MREMAP_MAYMOVE, NULL));
		break;
	case 3:
		count_action(b, MAP, sys_mmap(NULL, off_by_some(&w->chance,
								8 * PAGE),
					      below(&w->chance, 4),
					      MAP_PRIVATE | MAP_NORESERVE,
					      some_file(w), 0));
		break;
	case 4:
		if (!one_in(&w->chance, 20))
			break;
		count_action(b, UNMAP, sys_munmap(me.area, me.area_len));
		for (int i = 0; i < 20; i++)
			converse(w, READ_SIZE);
		_exit(0);
	default:
		count_action(b, DONTNEED, sys_madvise(u64_ptr(page), PAGE,
						      MADV_DONTNEED));
	}
}

/* Files. */

static inline void keep_file(struct worker *w, long fd)
{
	int *place = &me.files[1 + below(&w->chance, FILES - 1)];
	int old = *place;

	*place = as_tool(fd);
	if (old >= 0)
		count_action(me.board, CLOSE, sys_close(old));
}

/* A message with one file, between members. */
struct passing {
	struct msghdr_ {
		void *name;
		u64 name_len;
		struct iovec *iov;
		u64 iov_len;
		void *control;
		u64 control_len;
		u64 flags;
	} header;
	struct iovec iov;
	u8 byte;
	struct {
		u64 len;
		int level;
		int type;
		int fd;
		int padding;
	} control;
};

static inline struct passing *passing_new(struct passing *m, int fd)
{
	memset(m, 0, sizeof(*m));
	m->iov = (struct iovec) { .iov_base = &m->byte, .iov_len = 1 };
	m->header.iov = &m->iov;
	m->header.iov_len = 1;
	m->header.control = &m->control;
	m->header.control_len = sizeof(m->control);
	m->control.len = sizeof(m->control) - sizeof(int);
	m->control.level = 1;		/* SOL_SOCKET */
	m->control.type = 1;		/* SCM_RIGHTS */
	m->control.fd = fd;
	return m;
}

static inline void pass_file(struct worker *w)
{
	struct passing m;
	long ret;

	if (one_in(&w->chance, 2)) {
		passing_new(&m, some_file(w));
		count_action(me.board, PASS_FILE,
			     __nolibc_syscall3(__NR_sendmsg,
					       me.board->sockets[0], &m.header,
					       0));
		return;
	}
	passing_new(&m, -1);
	ret = __nolibc_syscall3(__NR_recvmsg, me.board->sockets[1], &m.header,
				0);
	count_action(me.board, TAKE_FILE, ret);
	if (ret > 0 && m.header.control_len)
		keep_file(w, m.control.fd);
}

/* A child does a few things with the files that it has inherited. */
static inline void fork_child(struct worker *w)
{
	u64 timer[4] = { 0, 0, 0, 60000 };
	long pid = fork();

	if (pid) {
		count_action(me.board, FORK, pid);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	__nolibc_syscall3(__NR_setitimer, 0, timer, NULL);
	w->nth = -1;
	for (int i = 0; i < 10; i++) {
		if (one_in(&w->chance, 2))
			tell_somebody(w, some_handle(w));
		else
			converse(w, READ_SIZE);
	}
	_exit(0);
}

static inline void change_files(struct worker *w)
{
	long fd;

	switch (below(&w->chance, 8)) {
	case 0:
		fd = count_action(me.board, OPEN,
				  sys_open(device(), O_RDWR | O_CLOEXEC));
		if (fd >= 0 && one_in(&w->chance, 2))
			count_action(me.board, MAP,
				     sys_mmap(NULL, 4 * PAGE, PROT_READ,
					      MAP_PRIVATE, fd, 0));
		keep_file(w, fd);
		break;
	case 1:
		keep_file(w, count_action(me.board, DUP,
					  sys_fcntl(some_file(w), F_DUPFD,
						    TOOLS)));
		break;
	case 2:
		sys_fcntl(me.files[0], F_SETFL,
			  O_RDWR | (one_in(&w->chance, 3) ? O_NONBLOCK : 0));
		break;
	case 3:
		if (one_in(&w->chance, 8))
			fork_child(w);
		break;
	case 4:
		/* What was received and never closed. */
		__nolibc_syscall3(__NR_close_range, 3, TOOLS - 1, 0);
		break;
	default:
		pass_file(w);
	}
}

static inline void wait_for_news(struct worker *w)
{
	struct pollfd pfd = { .fd = some_file(w), .events = POLLIN };
	u32 event[4] = { POLLIN };
	long epoll;

	if (!one_in(&w->chance, 3)) {
		count_action(me.board, POLL, _sys_poll(&pfd, 1, 3));
		return;
	}
	epoll = __nolibc_syscall1(__NR_epoll_create1, 0);
	__nolibc_syscall4(__NR_epoll_ctl, epoll, EPOLL_CTL_ADD_, pfd.fd, event);
	if (one_in(&w->chance, 2))
		exit_thread(w);
	if (one_in(&w->chance, 2))
		converse(w, READ_SIZE);
	count_action(me.board, EPOLL,
		     __nolibc_syscall6(__NR_epoll_pwait, epoll, event, 1, 3,
				       NULL, 8));
	sys_close(epoll);
}

#endif
