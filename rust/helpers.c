// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's headers offer as macros or inline functions only, and the
 * kernel crate has no binding for. The names in this file are what the build
 * makes Rust bindings of.
 */
#include <linux/shrinker.h>

const unsigned int VMAREA_SHRINKER_NUMA_AWARE = SHRINKER_NUMA_AWARE;
