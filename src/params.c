// SPDX-License-Identifier: GPL-2.0
/*
 * The module parameters that the kernel crate's module! macro has no type for.
 */
#include <linux/moduleparam.h>

#include "params.h"

char *vbinder_devices = "vbinder";
module_param_named(devices, vbinder_devices, charp, 0444);
MODULE_PARM_DESC(devices, "Names of the devices to create, separated by commas");

char *vbinder_install = "sender";
module_param_named(install, vbinder_install, charp, 0444);
MODULE_PARM_DESC(install, "When pages are mapped into receivers: sender, receiver or fault");
