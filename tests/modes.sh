#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Usage: modes.sh 'MODE...' PROGRAM [ARGUMENT]...
#
# Runs PROGRAM in the guest once for each MODE, the module loaded anew with
# install=MODE before. A line "# install=MODE" comes before what it prints, on
# its standard output and on the other one.

modes=$1
shift
module=/lib/modules/vbinder.ko
mode_file=/sys/module/vbinder/parameters/install
status=0

# A killed process may keep the module for a moment.
unload() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -d /sys/module/vbinder ] || return 0
		rmmod vbinder 2>/dev/null && return 0
		usleep 500000
	done
	echo "modes: vbinder cannot be unloaded" >&2
	return 1
}

load() {
	unload && insmod $module install="$1" || return
	until [ -c /dev/vbinder ]; do usleep 10000; done
	read -r loaded <$mode_file
	[ "$loaded" = "$1" ] && return
	echo "modes: install=$1 became $loaded" >&2
	return 1
}

for mode in $modes; do
	echo "# install=$mode"
	echo "# install=$mode" >&2
	load "$mode" || continue
	"$@" || status=$?
done
exit $status
