# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the tests of real clients share; sourced by them, in the guest. They run
# on VBINDER_DEVICE, by default /dev/vbinder, and print KTAP.

device=${VBINDER_DEVICE:-/dev/vbinder}
PATH=/clients/bin:$PATH
# Seconds; a program may be slow in an emulated machine with all checkers.
limit=60
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

now() {
	cut -d. -f1 /proc/uptime
}

# await COMMAND...: looks until it succeeds, or the time is up.
await() {
	deadline=$(($(now) + limit))
	until "$@"; do
		[ "$(now)" -lt $deadline ] || return 1
		usleep 20000
	done
}

# same WHAT EXPECTED GOT
same() {
	[ "$2" = "$3" ] && return 0
	echo "$1: expected '$2', got '$3'" | sed 's/^/# /'
	return 1
}

# try COMMAND...: says what it printed if it fails.
try() {
	timeout $limit "$@" >/tmp/try.out 2>&1 && return 0
	echo "# status $? of $*"
	sed 's/^/# | /' /tmp/try.out
	return 1
}

# start NAME COMMAND...: in the background, until 'end NAME'.
start() {
	program=$1
	shift
	"$@" >"/tmp/$program.out" 2>&1 &
	echo $! >"/tmp/$program.pid"
}

# said NAME LINE [TIMES]: waits for what it says.
said() {
	await said_now "$@" && return 0
	echo "# $1 did not say '$2' ${3:-1} times"
	sed 's/^/# | /' "/tmp/$1.out"
	return 1
}

said_now() {
	[ "$(grep -cx "$2" "/tmp/$1.out")" -eq "${3:-1}" ]
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# left NAME: waits for it to end by itself; gives its status.
left() {
	read -r pid <"/tmp/$1.pid"
	await gone "$pid" || end "$1"
	wait "$pid" && return 0
	echo "# status $? of $1"
	sed 's/^/# | /' "/tmp/$1.out"
	return 1
}

# end NAME: kills it as hard as can be.
end() {
	read -r pid <"/tmp/$1.pid"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	:
}

# Makes the device the one of the names that the programs know: binder-ping
# speaks differently on others. Of a device that is not in binderfs nothing that
# is there may be told, because it has features of its own.
prepare_device() {
	real=$(readlink -f "$device")
	[ -c "$real" ] || {
		echo "# $device is no device"
		return 1
	}
	case $real in
	/dev/binderfs/binder) ;;
	/dev/binderfs/*) mount -o bind "$real" /dev/binderfs/binder ;;
	*)
		mkdir -p /dev/binderfs && mount -t tmpfs clients /dev/binderfs &&
			ln -s "$real" /dev/binderfs/binder && ln -sf "$real" /dev/binder
		;;
	esac
}

manager_answers() {
	rsb_service check manager >/dev/null 2>&1
}

start_manager() {
	start manager rsb_hub --insecure-allow-all
	await manager_answers && return 0
	echo "# the manager does not answer"
	sed 's/^/# | /' /tmp/manager.out
	return 1
}

# calls SERVICE WHEN CASE...: reports each as a case of its own; see src/calls.rs.
calls() {
	service=$1
	when=$2
	shift 2
	for case in "$@"; do
		try rs_echo call "$service" "$case"
		result "$service $when: $case"
	done
}

# header CASES
header() {
	echo "TAP version 13"
	echo "1..$1"
}
