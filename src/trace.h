/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the driver. trace.rs has a safe function for each.
 *
 * Transactions and nodes have numbers, which are those in debugfs. A 'pid' is
 * the process that an event is about, which need not be the one that it happens
 * in. All addresses are user space's.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vbinder

#if !defined(_VBINDER_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VBINDER_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

#include "trace_names.h"

TRACE_DEFINE_ENUM(VBINDER_BC_TRANSACTION);
TRACE_DEFINE_ENUM(VBINDER_BC_REPLY);
TRACE_DEFINE_ENUM(VBINDER_BC_TRANSACTION_SG);
TRACE_DEFINE_ENUM(VBINDER_BC_REPLY_SG);
TRACE_DEFINE_ENUM(VBINDER_BC_FREE_BUFFER);
TRACE_DEFINE_ENUM(VBINDER_BC_INCREFS);
TRACE_DEFINE_ENUM(VBINDER_BC_ACQUIRE);
TRACE_DEFINE_ENUM(VBINDER_BC_RELEASE);
TRACE_DEFINE_ENUM(VBINDER_BC_DECREFS);
TRACE_DEFINE_ENUM(VBINDER_BC_INCREFS_DONE);
TRACE_DEFINE_ENUM(VBINDER_BC_ACQUIRE_DONE);
TRACE_DEFINE_ENUM(VBINDER_BC_REGISTER_LOOPER);
TRACE_DEFINE_ENUM(VBINDER_BC_ENTER_LOOPER);
TRACE_DEFINE_ENUM(VBINDER_BC_EXIT_LOOPER);
TRACE_DEFINE_ENUM(VBINDER_BC_REQUEST_DEATH_NOTIFICATION);
TRACE_DEFINE_ENUM(VBINDER_BC_CLEAR_DEATH_NOTIFICATION);
TRACE_DEFINE_ENUM(VBINDER_BC_DEAD_BINDER_DONE);
TRACE_DEFINE_ENUM(VBINDER_BC_REQUEST_FREEZE_NOTIFICATION);
TRACE_DEFINE_ENUM(VBINDER_BC_CLEAR_FREEZE_NOTIFICATION);
TRACE_DEFINE_ENUM(VBINDER_BC_FREEZE_NOTIFICATION_DONE);
TRACE_DEFINE_ENUM(VBINDER_BR_ERROR);
TRACE_DEFINE_ENUM(VBINDER_BR_OK);
TRACE_DEFINE_ENUM(VBINDER_BR_TRANSACTION);
TRACE_DEFINE_ENUM(VBINDER_BR_REPLY);
TRACE_DEFINE_ENUM(VBINDER_BR_DEAD_REPLY);
TRACE_DEFINE_ENUM(VBINDER_BR_TRANSACTION_COMPLETE);
TRACE_DEFINE_ENUM(VBINDER_BR_INCREFS);
TRACE_DEFINE_ENUM(VBINDER_BR_ACQUIRE);
TRACE_DEFINE_ENUM(VBINDER_BR_RELEASE);
TRACE_DEFINE_ENUM(VBINDER_BR_DECREFS);
TRACE_DEFINE_ENUM(VBINDER_BR_NOOP);
TRACE_DEFINE_ENUM(VBINDER_BR_SPAWN_LOOPER);
TRACE_DEFINE_ENUM(VBINDER_BR_DEAD_BINDER);
TRACE_DEFINE_ENUM(VBINDER_BR_CLEAR_DEATH_NOTIFICATION_DONE);
TRACE_DEFINE_ENUM(VBINDER_BR_FAILED_REPLY);
TRACE_DEFINE_ENUM(VBINDER_BR_FROZEN_REPLY);
TRACE_DEFINE_ENUM(VBINDER_BR_ONEWAY_SPAM_SUSPECT);
TRACE_DEFINE_ENUM(VBINDER_BR_TRANSACTION_PENDING_FROZEN);
TRACE_DEFINE_ENUM(VBINDER_BR_FROZEN_BINDER);
TRACE_DEFINE_ENUM(VBINDER_BR_CLEAR_FREEZE_NOTIFICATION_DONE);

/* An ioctl begins. */
TRACE_EVENT(vbinder_ioctl,
	    TP_PROTO(int pid, unsigned int command),
	    TP_ARGS(pid, command),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned int, command)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->command = command;),

	    TP_printk("pid=%d command=%#x", __entry->pid, __entry->command));

/* It ends. The error is 0 or says why it failed. */
TRACE_EVENT(vbinder_ioctl_done,
	    TP_PROTO(int pid, unsigned int command, int error),
	    TP_ARGS(pid, command, error),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned int, command)
			     __field(int, error)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->command = command;
			   __entry->error = error;),

	    TP_printk("pid=%d command=%#x error=%d", __entry->pid,
		      __entry->command, __entry->error));

/* A thread gives a command. */
TRACE_EVENT(vbinder_command,
	    TP_PROTO(int pid, unsigned int command),
	    TP_ARGS(pid, command),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned int, command)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->command = command;),

	    TP_printk("pid=%d command=%s", __entry->pid,
		      show_vbinder_given(__entry->command)));

/* A thread has been told a command. */
TRACE_EVENT(vbinder_return,
	    TP_PROTO(int pid, unsigned int command),
	    TP_ARGS(pid, command),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned int, command)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->command = command;),

	    TP_printk("pid=%d command=%s", __entry->pid,
		      show_vbinder_told(__entry->command)));

/*
 * A message is ready to be sent. A reply has no node; a one-way message is one
 * by its flags.
 */
TRACE_EVENT(vbinder_transaction,
	    TP_PROTO(unsigned long long id, bool reply, int to_pid,
		     unsigned long long node, unsigned int code,
		     unsigned int flags, unsigned long size),
	    TP_ARGS(id, reply, to_pid, node, code, flags, size),

	    TP_STRUCT__entry(__field(unsigned long long, id)
			     __field(bool, reply)
			     __field(int, to_pid)
			     __field(unsigned long long, node)
			     __field(unsigned int, code)
			     __field(unsigned int, flags)
			     __field(unsigned long, size)),

	    TP_fast_assign(__entry->id = id;
			   __entry->reply = reply;
			   __entry->to_pid = to_pid;
			   __entry->node = node;
			   __entry->code = code;
			   __entry->flags = flags;
			   __entry->size = size;),

	    TP_printk("id=%llu reply=%d to_pid=%d node=%llu code=%u flags=%#x size=%lu",
		      __entry->id, __entry->reply, __entry->to_pid,
		      __entry->node, __entry->code, __entry->flags,
		      __entry->size));

/* A message is received, in a buffer at this offset of the area. */
TRACE_EVENT(vbinder_transaction_received,
	    TP_PROTO(unsigned long long id, int pid, unsigned long offset),
	    TP_ARGS(id, pid, offset),

	    TP_STRUCT__entry(__field(unsigned long long, id)
			     __field(int, pid)
			     __field(unsigned long, offset)),

	    TP_fast_assign(__entry->id = id;
			   __entry->pid = pid;
			   __entry->offset = offset;),

	    TP_printk("id=%llu pid=%d offset=%lu", __entry->id, __entry->pid,
		      __entry->offset));

/* A message cannot be sent; the process learns that with this command. */
TRACE_EVENT(vbinder_transaction_failed,
	    TP_PROTO(unsigned long long id, int pid, unsigned int command,
		     int error),
	    TP_ARGS(id, pid, command, error),

	    TP_STRUCT__entry(__field(unsigned long long, id)
			     __field(int, pid)
			     __field(unsigned int, command)
			     __field(int, error)),

	    TP_fast_assign(__entry->id = id;
			   __entry->pid = pid;
			   __entry->command = command;
			   __entry->error = error;),

	    TP_printk("id=%llu pid=%d command=%s error=%d", __entry->id,
		      __entry->pid, show_vbinder_told(__entry->command),
		      __entry->error));

/*
 * There will be no reply to a call; the process that waits for one learns that
 * with this command.
 */
TRACE_EVENT(vbinder_call_failed,
	    TP_PROTO(unsigned long long id, int pid, unsigned int command),
	    TP_ARGS(id, pid, command),

	    TP_STRUCT__entry(__field(unsigned long long, id)
			     __field(int, pid)
			     __field(unsigned int, command)),

	    TP_fast_assign(__entry->id = id;
			   __entry->pid = pid;
			   __entry->command = command;),

	    TP_printk("id=%llu pid=%d command=%s", __entry->id, __entry->pid,
		      show_vbinder_told(__entry->command)));

/*
 * A buffer is allocated in the area of a process, for a message of this
 * length.
 */
TRACE_EVENT(vbinder_buffer_alloc,
	    TP_PROTO(int pid, unsigned long offset, unsigned long size,
		     unsigned long len),
	    TP_ARGS(pid, offset, size, len),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned long, offset)
			     __field(unsigned long, size)
			     __field(unsigned long, len)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->offset = offset;
			   __entry->size = size;
			   __entry->len = len;),

	    TP_printk("pid=%d offset=%lu size=%lu len=%lu", __entry->pid,
		      __entry->offset, __entry->size, __entry->len));

/* It is freed. */
TRACE_EVENT(vbinder_buffer_free,
	    TP_PROTO(int pid, unsigned long offset, unsigned long size),
	    TP_ARGS(pid, offset, size),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned long, offset)
			     __field(unsigned long, size)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->offset = offset;
			   __entry->size = size;),

	    TP_printk("pid=%d offset=%lu size=%lu", __entry->pid,
		      __entry->offset, __entry->size));

/* A process has a new node. */
TRACE_EVENT(vbinder_node_made,
	    TP_PROTO(unsigned long long id, int pid, unsigned long long ptr,
		     unsigned long long cookie),
	    TP_ARGS(id, pid, ptr, cookie),

	    TP_STRUCT__entry(__field(unsigned long long, id)
			     __field(int, pid)
			     __field(unsigned long long, ptr)
			     __field(unsigned long long, cookie)),

	    TP_fast_assign(__entry->id = id;
			   __entry->pid = pid;
			   __entry->ptr = ptr;
			   __entry->cookie = cookie;),

	    TP_printk("id=%llu pid=%d ptr=%#llx cookie=%#llx", __entry->id,
		      __entry->pid, __entry->ptr, __entry->cookie));

/* It has the node no more. */
TRACE_EVENT(vbinder_node_ended,
	    TP_PROTO(unsigned long long id, int pid),
	    TP_ARGS(id, pid),

	    TP_STRUCT__entry(__field(unsigned long long, id)
			     __field(int, pid)),

	    TP_fast_assign(__entry->id = id;
			   __entry->pid = pid;),

	    TP_printk("id=%llu pid=%d", __entry->id, __entry->pid));

/*
 * References to a node have changed: the driver's own, strong and weak, and
 * the processes with a strong or any.
 */
TRACE_EVENT(vbinder_node_refs,
	    TP_PROTO(unsigned long long id, unsigned int strong,
		     unsigned int weak, unsigned int remote_strong,
		     unsigned int refs),
	    TP_ARGS(id, strong, weak, remote_strong, refs),

	    TP_STRUCT__entry(__field(unsigned long long, id)
			     __field(unsigned int, strong)
			     __field(unsigned int, weak)
			     __field(unsigned int, remote_strong)
			     __field(unsigned int, refs)),

	    TP_fast_assign(__entry->id = id;
			   __entry->strong = strong;
			   __entry->weak = weak;
			   __entry->remote_strong = remote_strong;
			   __entry->refs = refs;),

	    TP_printk("id=%llu strong=%u weak=%u remote_strong=%u refs=%u",
		      __entry->id, __entry->strong, __entry->weak,
		      __entry->remote_strong, __entry->refs));

/* A process has a new handle. */
TRACE_EVENT(vbinder_ref_made,
	    TP_PROTO(int pid, unsigned int handle, unsigned long long node,
		     bool strong),
	    TP_ARGS(pid, handle, node, strong),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned int, handle)
			     __field(unsigned long long, node)
			     __field(bool, strong)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->handle = handle;
			   __entry->node = node;
			   __entry->strong = strong;),

	    TP_printk("pid=%d handle=%u node=%llu strong=%d", __entry->pid,
		      __entry->handle, __entry->node, __entry->strong));

/* It has the handle no more. */
TRACE_EVENT(vbinder_ref_ended,
	    TP_PROTO(int pid, unsigned int handle, unsigned long long node),
	    TP_ARGS(pid, handle, node),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(unsigned int, handle)
			     __field(unsigned long long, node)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->handle = handle;
			   __entry->node = node;),

	    TP_printk("pid=%d handle=%u node=%llu", __entry->pid,
		      __entry->handle, __entry->node));

/* A thread waits, for anything that comes for its process if it is shared. */
TRACE_EVENT(vbinder_thread_wait,
	    TP_PROTO(int pid, bool shared),
	    TP_ARGS(pid, shared),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(bool, shared)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->shared = shared;),

	    TP_printk("pid=%d shared=%d", __entry->pid, __entry->shared));

/* A process is asked for another thread. */
TRACE_EVENT(vbinder_thread_spawn,
	    TP_PROTO(int pid),
	    TP_ARGS(pid),

	    TP_STRUCT__entry(__field(int, pid)),

	    TP_fast_assign(__entry->pid = pid;),

	    TP_printk("pid=%d", __entry->pid));

/* A thread has left, or its process has ended. */
TRACE_EVENT(vbinder_thread_exit,
	    TP_PROTO(int pid, int tid),
	    TP_ARGS(pid, tid),

	    TP_STRUCT__entry(__field(int, pid)
			     __field(int, tid)),

	    TP_fast_assign(__entry->pid = pid;
			   __entry->tid = tid;),

	    TP_printk("pid=%d tid=%d", __entry->pid, __entry->tid));

#endif /* _VBINDER_TRACE_H */

/* This part must be outside protection */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
