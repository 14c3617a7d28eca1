// SPDX-License-Identifier: GPL-2.0
/*
 * Defines the tracepoints of trace.h, and what trace.rs calls to record them.
 */
#define CREATE_TRACE_POINTS
#define CREATE_RUST_TRACE_POINTS
#include "trace.h"
