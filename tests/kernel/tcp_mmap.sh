#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: sends through loopback to a receiver that maps what comes. Only
# whole pages can be mapped, so the packets must hold a multiple of one: the MTU
# is that and 52 bytes of headers. TAP.

seconds=10
ip link set lo mtu $((15 * 4096 + 52))
./tcp_mmap -4 -s -z -a 4096 >received 2>&1 &
sleep 1
timeout -s KILL $seconds ./tcp_mmap -4 -z -a 4096 -H 127.0.0.1
tries=100
until grep -q "mmap'ed" received || [ $tries -eq 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done
kill %1
sed 's/^/# /' received
megabytes=$(sed -n 's/^received \([0-9]*\).*/\1/p' received)
percent=$(sed -n "s/.*(\([0-9]*\).*mmap'ed.*/\1/p" received)

status=0
verdict() { # NUMBER NAME CONDITION...
	if [ "$3" "$4" "$5" ] 2>/dev/null; then
		echo "ok $1 $2"
	else
		echo "not ok $1 $2"
		status=1
	fi
}
echo "TAP version 13"
echo "1..2"
verdict 1 "megabytes came" "${megabytes:-0}" -gt 1
verdict 2 "half of their pages or more were mapped" "${percent:-0}" -ge 50
exit $status
