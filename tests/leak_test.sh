#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs the test programs that send, fail, reclaim and kill, takes the module out
# and asks kmemleak what they left. Runs in the guest under busybox; prints KTAP.

module=${MODULE:-/lib/modules/vbinder.ko}
tests=${TEST_DIR:-/tests}
programs="transaction_test bad_message_test reclaim_test teardown_test"
kmemleak=/sys/kernel/debug/kmemleak
number=0
failed=0

ok() {
	number=$((number + 1))
	echo "ok $number $*"
}

not_ok() {
	number=$((number + 1))
	failed=$((failed + 1))
	echo "not ok $number $*"
}

# stat NAME: a counter of the default device.
stat() {
	sed -n "s/^$1 //p" /sys/kernel/debug/vbinder/vbinder/stats
}

set -- $programs
echo "TAP version 13"
echo "1..$(($# + 3))"

[ -e $kmemleak ] && echo clear >$kmemleak

# What they say goes elsewhere: only whether they pass counts here, and what
# they leave.
for p in $programs; do
	if "$tests/$p" >/tmp/leak_test.log 2>&1; then
		ok "$p passes"
	else
		not_ok "$p passes"
		grep '^not ok' /tmp/leak_test.log | sed 's/^/# /'
	fi
done

used=$(stat used)
idle=$(stat idle)
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ "$used" = 0 ] && [ "$idle" = 0 ] && break
	usleep 200000
	used=$(stat used)
	idle=$(stat idle)
done
if [ "$used" = 0 ] && [ "$idle" = 0 ]; then
	ok "no page is left"
else
	not_ok "no page is left: used $used, idle $idle"
fi

if rmmod vbinder; then
	ok "the module can go"
else
	not_ok "the module can go"
fi

if [ -e $kmemleak ]; then
	# An object counts only if two scans in a row find nothing that points
	# to it: what is just being handed over would look lost otherwise.
	echo scan >$kmemleak
	usleep 1000000
	echo scan >$kmemleak
	if [ -n "$(cat $kmemleak)" ]; then
		not_ok "kmemleak finds nothing"
		sed 's/^/# /' $kmemleak
	else
		ok "kmemleak finds nothing"
	fi
else
	ok "kmemleak finds nothing # SKIP not in this kernel"
fi

insmod "$module"
[ $failed -eq 0 ]
