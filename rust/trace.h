/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the crate vmarea. trace.rs has a safe function for each.
 *
 * In all events 'range' is the address of a page range. It tells the ranges
 * apart, and nothing here looks at what is there. A range's pages are counted
 * from zero; an 'address' is one in the address space of the range's owner.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmarea

#if !defined(_VMAREA_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VMAREA_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

#ifndef _VMAREA_TRACE_ENUMS
#define _VMAREA_TRACE_ENUMS

/* How a page fault ended. */
enum vmarea_fault_kind {
	VMAREA_FAULT_MAPPED,
	VMAREA_FAULT_NOPAGE,
	VMAREA_FAULT_OOM,
};

/* What reclaim could not get hold of. */
enum vmarea_skip_reason {
	VMAREA_SKIP_SLOT_LOCK,
	VMAREA_SKIP_VMA_LOCK,
	VMAREA_SKIP_MM,
};

/* What it took to read-lock a VMA. */
enum vmarea_lock_how {
	VMAREA_LOCK_FAST,
	VMAREA_LOCK_WAITED,
	VMAREA_LOCK_FAILED,
};

#endif /* _VMAREA_TRACE_ENUMS */

TRACE_DEFINE_ENUM(VMAREA_FAULT_MAPPED);
TRACE_DEFINE_ENUM(VMAREA_FAULT_NOPAGE);
TRACE_DEFINE_ENUM(VMAREA_FAULT_OOM);

#define show_vmarea_fault_kind(kind)					\
	__print_symbolic(kind,						\
			 { VMAREA_FAULT_MAPPED, "mapped" },		\
			 { VMAREA_FAULT_NOPAGE, "nopage" },		\
			 { VMAREA_FAULT_OOM, "oom" })

TRACE_DEFINE_ENUM(VMAREA_SKIP_SLOT_LOCK);
TRACE_DEFINE_ENUM(VMAREA_SKIP_VMA_LOCK);
TRACE_DEFINE_ENUM(VMAREA_SKIP_MM);

#define show_vmarea_skip_reason(reason)					\
	__print_symbolic(reason,					\
			 { VMAREA_SKIP_SLOT_LOCK, "slot_lock" },	\
			 { VMAREA_SKIP_VMA_LOCK, "vma_lock" },		\
			 { VMAREA_SKIP_MM, "mm" })

TRACE_DEFINE_ENUM(VMAREA_LOCK_FAST);
TRACE_DEFINE_ENUM(VMAREA_LOCK_WAITED);
TRACE_DEFINE_ENUM(VMAREA_LOCK_FAILED);

#define show_vmarea_lock_how(how)					\
	__print_symbolic(how,						\
			 { VMAREA_LOCK_FAST, "fast" },			\
			 { VMAREA_LOCK_WAITED, "waited" },		\
			 { VMAREA_LOCK_FAILED, "failed" })

DECLARE_EVENT_CLASS(vmarea_area,
		    TP_PROTO(const void *range, unsigned long start, unsigned long pages),
		    TP_ARGS(range, start, pages),

		    TP_STRUCT__entry(__field(const void *, range)
				     __field(unsigned long, start)
				     __field(unsigned long, pages)),

		    TP_fast_assign(__entry->range = range;
				   __entry->start = start;
				   __entry->pages = pages;),

		    TP_printk("range=%p start=%#lx pages=%lu",
			      __entry->range, __entry->start, __entry->pages));

/* A range was mapped. */
DEFINE_EVENT(vmarea_area, vmarea_mmap,
	     TP_PROTO(const void *range, unsigned long start, unsigned long pages),
	     TP_ARGS(range, start, pages));

/* The area of a range was unmapped. */
DEFINE_EVENT(vmarea_area, vmarea_close,
	     TP_PROTO(const void *range, unsigned long start, unsigned long pages),
	     TP_ARGS(range, start, pages));

/* Pages are about to be mapped, from an address on. */
TRACE_EVENT(vmarea_insert_begin,
	    TP_PROTO(const void *range, unsigned long address, unsigned long pages),
	    TP_ARGS(range, address, pages),

	    TP_STRUCT__entry(__field(const void *, range)
			     __field(unsigned long, address)
			     __field(unsigned long, pages)),

	    TP_fast_assign(__entry->range = range;
			   __entry->address = address;
			   __entry->pages = pages;),

	    TP_printk("range=%p address=%#lx pages=%lu",
		      __entry->range, __entry->address, __entry->pages));

/* So many of them were mapped, and error is 0 or says why not all. */
TRACE_EVENT(vmarea_insert_end,
	    TP_PROTO(const void *range, unsigned long address,
		     unsigned long pages_inserted, int error),
	    TP_ARGS(range, address, pages_inserted, error),

	    TP_STRUCT__entry(__field(const void *, range)
			     __field(unsigned long, address)
			     __field(unsigned long, pages_inserted)
			     __field(int, error)),

	    TP_fast_assign(__entry->range = range;
			   __entry->address = address;
			   __entry->pages_inserted = pages_inserted;
			   __entry->error = error;),

	    TP_printk("range=%p address=%#lx pages_inserted=%lu error=%d",
		      __entry->range, __entry->address, __entry->pages_inserted,
		      __entry->error));

/* A page fault ended. Besides the page at the address it may map others. */
TRACE_EVENT(vmarea_fault,
	    TP_PROTO(const void *range, unsigned long address,
		     enum vmarea_fault_kind outcome, unsigned long pages_offered),
	    TP_ARGS(range, address, outcome, pages_offered),

	    TP_STRUCT__entry(__field(const void *, range)
			     __field(unsigned long, address)
			     __field(unsigned long, pages_offered)
			     __field(enum vmarea_fault_kind, outcome)),

	    TP_fast_assign(__entry->range = range;
			   __entry->address = address;
			   __entry->pages_offered = pages_offered;
			   __entry->outcome = outcome;),

	    TP_printk("range=%p address=%#lx outcome=%s pages_offered=%lu",
		      __entry->range, __entry->address,
		      show_vmarea_fault_kind(__entry->outcome),
		      __entry->pages_offered));

/* Reclaim is about to take a page; mapped says whether the area exists. */
TRACE_EVENT(vmarea_reclaim_begin,
	    TP_PROTO(const void *range, unsigned long page_index, bool mapped),
	    TP_ARGS(range, page_index, mapped),

	    TP_STRUCT__entry(__field(const void *, range)
			     __field(unsigned long, page_index)
			     __field(bool, mapped)),

	    TP_fast_assign(__entry->range = range;
			   __entry->page_index = page_index;
			   __entry->mapped = mapped;),

	    TP_printk("range=%p page_index=%lu mapped=%d",
		      __entry->range, __entry->page_index, __entry->mapped));

/* Reclaim took that page, and idle neighbours with it. */
TRACE_EVENT(vmarea_reclaim_end,
	    TP_PROTO(const void *range, unsigned long first_page_index,
		     unsigned long pages_taken, bool mapped),
	    TP_ARGS(range, first_page_index, pages_taken, mapped),

	    TP_STRUCT__entry(__field(const void *, range)
			     __field(unsigned long, first_page_index)
			     __field(unsigned long, pages_taken)
			     __field(bool, mapped)),

	    TP_fast_assign(__entry->range = range;
			   __entry->first_page_index = first_page_index;
			   __entry->pages_taken = pages_taken;
			   __entry->mapped = mapped;),

	    TP_printk("range=%p first_page_index=%lu pages_taken=%lu mapped=%d",
		      __entry->range, __entry->first_page_index,
		      __entry->pages_taken, __entry->mapped));

/* Reclaim left a page alone. */
TRACE_EVENT(vmarea_reclaim_skip,
	    TP_PROTO(const void *range, unsigned long page_index,
		     enum vmarea_skip_reason reason),
	    TP_ARGS(range, page_index, reason),

	    TP_STRUCT__entry(__field(const void *, range)
			     __field(unsigned long, page_index)
			     __field(enum vmarea_skip_reason, reason)),

	    TP_fast_assign(__entry->range = range;
			   __entry->page_index = page_index;
			   __entry->reason = reason;),

	    TP_printk("range=%p page_index=%lu reason=%s",
		      __entry->range, __entry->page_index,
		      show_vmarea_skip_reason(__entry->reason)));

/* An attempt to read-lock the VMA at an address ended; error is 0 unless it failed. */
TRACE_EVENT(vmarea_lock,
	    TP_PROTO(const void *range, unsigned long address,
		     enum vmarea_lock_how how, int error),
	    TP_ARGS(range, address, how, error),

	    TP_STRUCT__entry(__field(const void *, range)
			     __field(unsigned long, address)
			     __field(enum vmarea_lock_how, how)
			     __field(int, error)),

	    TP_fast_assign(__entry->range = range;
			   __entry->address = address;
			   __entry->how = how;
			   __entry->error = error;),

	    TP_printk("range=%p address=%#lx how=%s error=%d",
		      __entry->range, __entry->address,
		      show_vmarea_lock_how(__entry->how), __entry->error));

#endif /* _VMAREA_TRACE_H */

/* This part must be outside protection */
#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
