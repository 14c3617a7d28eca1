/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VBINDER_PARAMS_H
#define VBINDER_PARAMS_H

extern char *vbinder_devices;
extern char *vbinder_install;

#endif
