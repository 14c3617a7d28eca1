#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# rsbinder on the device: its service manager rsb_hub, an echo service with
# clients, the death and the return of each, and the library's own tests. Runs
# in the guest under busybox; prints KTAP.

. /tests/clients/clients.sh

# How many tests the version in Cargo.lock has; all of them
# are expected to pass, on a driver that does everything.
library_tests=459
every_call="ping say repeat pass own_object its_object callback oneway threads"

second_is_refused() {
	timeout $limit rsb_hub --insecure-allow-all >/tmp/second.out 2>&1
	same "status of a second manager" 1 $? &&
		grep -q "Device or resource busy" /tmp/second.out && manager_answers
}

listed() {
	same "list" "$(printf '%s\n' "$@")" "$(rsb_service list 2>&1)"
}

serve() {
	start echo rs_echo serve echo && said echo registered && try rs_echo find echo
}

not_registered() {
	rsb_service check echo >/tmp/check.out 2>&1
	[ $? -eq 1 ]
}

service_dies() {
	start watch rs_echo watch echo && said watch watching || return 1
	end echo
	left watch && said watch died
}

manager_dies() {
	start watch rs_echo watch manager && said watch watching || return 1
	end manager
	left watch && said watch died && said echo "the manager died"
}

nobody_answers() {
	rs_echo call echo ping >/tmp/call.out 2>&1
	same "status of a call" 1 $? && grep -q "no service manager: DeadObject" /tmp/call.out
}

manager_returns() {
	start_manager && said echo registered 2 && try rs_echo find echo && listed echo manager
}

# Turns what a test program of Rust prints into cases, one level down.
library() {
	timeout 600 rsbinder_tests --color never >/tmp/library.out 2>/tmp/library.err
	status=$?
	awk -v planned=$library_tests '
		BEGIN { print "    KTAP version 1\n    1.." planned }
		/^test .* \.\.\. (ok|FAILED|ignored)/ {
			number++
			skip = / \.\.\. ignored/ ? " # SKIP ignored" : ""
			print "    " ($NF == "FAILED" ? "not ok " : "ok ") number " " $2 skip
		}
		END { exit number != planned }
	' /tmp/library.out || status=1
	[ $status -eq 0 ] && grep -q "^test result: ok. $library_tests passed" /tmp/library.out &&
		return 0
	# Everything behind the cases: what the failed ones said, and the result.
	sed -n '/^failures:/,$p;/^test result/p' /tmp/library.out | sed 's/^/# | /'
	tail -n 50 /tmp/library.err | sed 's/^/# | /'
	return 1
}

header 26
prepare_device && start_manager
result "the manager starts"
# Without one there is nothing to look at.
[ $failed -eq 0 ] || exit 1
second_is_refused
result "a second manager is refused"
serve
result "a service registers"
listed echo manager
result "the manager lists it"
calls echo "at first" $every_call
service_dies
result "its death is told to a client"
await not_registered
result "and to the manager"
serve
result "it registers again"
manager_dies
result "the death of the manager is told to clients and services"
nobody_answers
result "nobody answers in its place"
manager_returns
result "it returns, and the service registers again"
calls echo "again" ping say repeat pass callback
library
result "the library's tests"
calls echo "at last" repeat
echo "# $((number - failed)) of $number passed"
[ $failed -eq 0 ]
