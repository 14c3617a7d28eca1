#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# libgbinder on the device: its programs binder-list, binder-ping and
# binder-call, a service on it that rsbinder calls and the other way round, and
# the death and the return of the manager. Runs in the guest under busybox;
# prints KTAP.

. /tests/clients/clients.sh

known=/dev/binder

# What is spoken with the service manager of that level.
configure() {
	printf '[General]\nApiLevel = 36\n' >/etc/gbinder.conf
}

# gives EXPECTED TOOL ARGUMENT...: what the tool prints, without its warnings.
gives() {
	expected=$1
	tool=$2
	shift 2
	same "$tool $*" "$expected" "$(timeout $limit "$tool" -d $known "$@" 2>/tmp/tool.err)" &&
		return 0
	sed 's/^/# | /' /tmp/tool.err
	return 1
}

names="gecho
manager
recho"

serve() {
	start gecho gb_echo $known serve gecho && start recho rs_echo serve recho &&
		said gecho registered && said recho registered &&
		try rs_echo find gecho && try rs_echo find recho
}

ping_nobody() {
	timeout $limit binder-ping -d $known nobody >/tmp/ping.out 2>&1
	same "status of a ping" 1 $? && grep -q "nobody not found" /tmp/ping.out
}

# The status of binder-call is 2 even if the answer is right.
text() {
	gives "0 \"a text\"U " binder-call -a "$1" 1 '"a text"u' reply i32 s16
}

numbers() {
	for number_noted in 3 1 2; do
		gives "NO REPLY" binder-call -a -o "$1" 6 $number_noted || return 1
	done
	gives "0 3 3 1 2 " binder-call -a "$1" 7 reply i32 i32 i32 i32 i32
}

# Both kinds of clients are told.
dies() {
	start gwatch gb_echo $known watch "$1" && start rwatch rs_echo watch "$1" &&
		said gwatch watching && said rwatch watching || return 1
	end "$1"
	left gwatch && left rwatch && said gwatch died && said rwatch died
}

manager_dies() {
	end manager
	said gecho "the manager died" && said recho "the manager died"
}

# It is started without a manager, so it has nothing to say before there is one.
waits_for_manager() {
	start list timeout $limit binder-list -d $known
	await opened binder-list && [ ! -s /tmp/list.out ] || return 1
	start_manager && said gecho registered 2 && said recho registered 2 &&
		left list && grep -qx manager /tmp/list.out
}

# opened PROGRAM: whether it has the device open.
opened() {
	for process in /proc/[0-9]*; do
		[ "$(cat "$process/comm" 2>/dev/null)" = "$1" ] || continue
		ls -l "$process/fd" 2>/dev/null | grep -q "$(readlink -f $known)$" && return 0
	done
	return 1
}

header 35
configure && prepare_device && start_manager
result "the manager starts"
# Without one there is nothing to look at.
[ $failed -eq 0 ] || exit 1
serve
result "services of both kinds register"
gives "$names" binder-list
result "binder-list"
gives "$names" binder-list -a
result "binder-list, asynchronous"
gives gecho binder-list gecho
result "binder-list of one service"
gives OK binder-ping gecho
result "binder-ping"
gives OK binder-ping recho
result "binder-ping of rsbinder's"
ping_nobody
result "binder-ping of nobody"
text gecho
result "binder-call"
text recho
result "binder-call of rsbinder's"
numbers gecho
result "binder-call, oneway"
numbers recho
result "binder-call of rsbinder's, oneway"
# Not its_object: libgbinder takes no objects of its own.
calls gecho "at first" ping say repeat pass own_object callback oneway threads
dies gecho
result "the death of a service is told"
dies recho
result "the death of rsbinder's is told"
serve
result "they register again"
manager_dies
result "the death of the manager is told"
waits_for_manager
result "services and binder-list wait for its return"
gives "$names" binder-list
result "binder-list, again"
gives OK binder-ping gecho
result "binder-ping, again"
gives OK binder-ping recho
result "binder-ping of rsbinder's, again"
text gecho
result "binder-call, again"
text recho
result "binder-call of rsbinder's, again"
calls gecho again say repeat pass own_object callback
echo "# $((number - failed)) of $number passed"
[ $failed -eq 0 ]
