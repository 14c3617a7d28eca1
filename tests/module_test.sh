#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Loading and unloading: parameters, devices, and when rmmod must be refused.
# Runs in the guest under busybox; prints KTAP. Leaves the module loaded as it
# found it, with its default device.

module=${MODULE:-/lib/modules/vbinder.ko}
name=vbinder
cases=10
number=0
failed=0

# result NAME: reports the status of the command before it.
result() {
	status=$?
	number=$((number + 1))
	if [ $status -eq 0 ]; then
		echo "ok $number $1"
	else
		echo "not ok $number $1"
		failed=$((failed + 1))
	fi
}

loaded() {
	grep -q "^$name " /proc/modules
}

# devtmpfs acts on its own, so a node is given a moment to come or go.
exists() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -c "$1" ] && return 0
		usleep 100000
	done
	return 1
}

gone() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e "$1" ] || return 0
		usleep 100000
	done
	return 1
}

unload() {
	loaded || return 0
	rmmod $name 2>/dev/null
}

# fresh ARGUMENTS: the module loaded anew, with these parameters.
fresh() {
	unload && insmod "$module" "$@"
}

# refused ARGUMENTS: insmod must fail and leave nothing behind.
refused() {
	unload || return 1
	if insmod "$module" "$@" 2>/dev/null; then
		echo "# insmod $* succeeded"
		return 1
	fi
	! loaded && ! [ -e /sys/kernel/debug/$name ]
}

refused_while_open() {
	fresh && exists /dev/$name || return 1
	# A failing exec would end the shell, hence the look before it.
	exec 7<>/dev/$name
	if rmmod $name 2>/dev/null; then
		echo "# rmmod succeeded with an open file"
		exec 7>&-
		return 1
	fi
	# The refusal must not have harmed it.
	[ -r /sys/kernel/debug/$name/$name/stats ] || return 1
	exec 7>&-
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		unload
		loaded || return 0
		usleep 100000
	done
	return 1
}

several_devices() {
	fresh devices=alpha,beta,gamma || return 1
	for d in alpha beta gamma; do
		exists /dev/$d || return 1
		[ -r /sys/kernel/debug/$name/$d/stats ] || return 1
	done
	[ ! -e /dev/$name ] || return 1
	unload || return 1
	for d in alpha beta gamma; do
		gone /dev/$d || return 1
	done
}

one_in_use_keeps_all() {
	fresh devices=alpha,beta || return 1
	exists /dev/beta || return 1
	exec 7<>/dev/beta
	if rmmod $name 2>/dev/null; then
		exec 7>&-
		return 1
	fi
	exec 7>&-
	exists /dev/alpha
}

bad_names() {
	long=0123456789abcdef
	long=$long$long$long$long
	long=$long$long$long$long
	refused devices=a/b && refused devices=.. && refused devices= &&
		refused "devices=$long" && refused devices=twice,twice
}

# Good names before a bad one must not be left behind as devices.
half_bad_list() {
	refused devices=fresh,a/b && gone /dev/fresh &&
		refused devices=fresh, && gone /dev/fresh
}

each_install() {
	for mode in sender receiver fault; do
		fresh install=$mode && exists /dev/$name || return 1
		read -r now </sys/module/$name/parameters/install
		[ "$now" = $mode ] && continue
		echo "# install=$mode became $now"
		return 1
	done
}

bad_install() {
	for mode in nobody "" senders SENDER; do
		unload || return 1
		dmesg -c >/dev/null
		why=$(insmod "$module" install=$mode 2>&1) && return 1
		case $why in *"Invalid argument"*) ;; *)
			echo "# install=$mode: $why"
			return 1
			;;
		esac
		loaded && return 1
		dmesg | grep -q "vbinder: install=" && continue
		echo "# nothing in the log about install=$mode"
		return 1
	done
}

unknown_parameter() {
	# The kernel only warns about these; the module must load as usual.
	unload
	insmod "$module" no_such_parameter=1 2>/dev/null
	loaded && exists /dev/$name
}

many_times() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		fresh || return 1
		exists /dev/$name || return 1
		unload || return 1
		loaded && return 1
	done
	gone /dev/$name
}

echo "TAP version 13"
echo "1..$cases"
many_times; result "load and unload many times"
refused_while_open; result "rmmod is refused while a file is open"
several_devices; result "devices=a,b,c makes all three"
one_in_use_keeps_all; result "rmmod is refused while any device is in use"
bad_names; result "bad device names are refused"
half_bad_list; result "a bad name makes no device of the good ones"
each_install; result "install= is what was asked for"
bad_install; result "an unknown install= is refused, with a reason in the log"
unknown_parameter; result "an unknown parameter does no harm"
fresh && exists /dev/$name; result "the default device is back"
echo "# $((cases - failed)) of $cases passed"
[ $failed -eq 0 ]
