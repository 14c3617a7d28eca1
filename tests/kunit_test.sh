#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Passes on what the KUnit suites reported, those of this kernel and those of
# vmarea_test.ko: neither a boot nor an insmod fails because of a suite that
# does. For a kernel that is booted with kunit.enable=1 or has it enabled. KTAP.

module=${MODULE:-/lib/modules/vmarea_test.ko}
name=vmarea_test
results=/sys/kernel/debug/kunit
report=/tmp/kunit_report

config() {
	zcat /proc/config.gz | grep -q "^$1=y"
}

# count PREFIX: how many suites of such names there are.
count() {
	set -- "$results"/"$1"*/results
	if [ -e "$1" ]; then echo $#; else echo 0; fi
}

echo "TAP version 14"
if ! config CONFIG_KUNIT; then
	echo "1..0 # SKIP no KUnit in this kernel"
	exit 0
fi
if ! config CONFIG_KUNIT_DEFAULT_ENABLED && ! grep -q 'kunit\.enable=1' /proc/cmdline; then
	echo "1..0 # SKIP booted without kunit.enable=1"
	exit 0
fi
if [ "$(count '')" -eq 0 ]; then
	echo "1..1"
	echo "not ok 1 the suites of this kernel ran"
	exit 1
fi
if ! insmod "$module" || [ "$(count vmarea_)" -eq 0 ]; then
	echo "1..1"
	echo "not ok 1 the suites of $name.ko ran"
	rmmod $name 2>/dev/null
	exit 1
fi

number=0
for suite in "$results"/*/results; do
	number=$((number + 1))
	# Each file is a report of its own about suite 1 of 1.
	sed -e '/^KTAP version/d' -e '/^1\.\.1$/d' \
		-e "s/^ok 1 /ok $number /" -e "s/^not ok 1 /not ok $number /" "$suite"
done >$report
number=$((number + 1))
if rmmod $name && [ "$(count vmarea_)" -eq 0 ]; then
	echo "ok $number $name.ko is unloaded" >>$report
else
	echo "not ok $number $name.ko is unloaded" >>$report
fi
echo "1..$number"
cat $report
! grep -q '^ *not ok ' $report
