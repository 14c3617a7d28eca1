#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Why no user memory may be touched under a VMA lock, and how the x86 shadow
# stack does without: tests/module/fault_order.c does both, and lockdep says
# what it thinks of it. Lockdep reports once and then stops, so the wrong order
# comes last, and boot is told to expect the report. TAP.

module=${MODULE_DIR:-/lib/modules}/fault_order.ko

echo "TAP version 14"
if [ ! -e /proc/lockdep_stats ]; then
	echo "1..0 # SKIP no lockdep in this kernel"
	exit 0
fi
echo "1..3"
status=0

# lockdep_works: whether it has not reported anything yet.
lockdep_works() {
	grep -q '^ *debug_locks: *1$' /proc/lockdep_stats
}

# verdict NUMBER NAME STATUS
verdict() {
	if [ "$3" = 0 ]; then
		echo "ok $1 $2"
	else
		echo "not ok $1 $2"
		status=1
	fi
}

lockdep_works
verdict 1 "lockdep is at work" $?

insmod "$module" held=0 && lockdep_works
verdict 2 "a read that is validated afterwards is in order" $?
rmmod fault_order

insmod "$module" held=1 && ! lockdep_works &&
	dmesg | grep -q 'possible circular locking dependency detected'
verdict 3 "a read under the VMA lock is reported" $?
rmmod fault_order

exit $status
