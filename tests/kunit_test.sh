#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Passes on what the KUnit suites of this kernel and of the module reported:
# neither a boot nor an insmod fails because of a suite that does. KTAP.

results=/sys/kernel/debug/kunit
count=0

for suite in "$results"/*/results; do
	[ -e "$suite" ] && count=$((count + 1))
done
echo "TAP version 14"
if [ $count -eq 0 ] && zcat /proc/config.gz | grep -q '^CONFIG_KUNIT=y'; then
	echo "1..1"
	echo "not ok 1 the suites of this kernel ran"
	exit 1
elif [ $count -eq 0 ]; then
	echo "1..0 # SKIP no KUnit in this kernel"
	exit 0
fi
echo "1..$count"
number=0
for suite in "$results"/*/results; do
	number=$((number + 1))
	# Each file is a report of its own about suite 1 of 1.
	sed -e '/^KTAP version/d' -e '/^1\.\.1$/d' \
		-e "s/^ok 1 /ok $number /" -e "s/^not ok 1 /not ok $number /" "$suite"
done
