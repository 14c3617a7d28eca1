#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The tracepoints: that each is there with names that a reader understands, and
# that what they tell about a file that is streamed is what the counters say.
# Runs in the guest under busybox; prints KTAP. Leaves the module loaded as it
# found it.

module=${MODULE:-/lib/modules/vbinder.ko}
tracing=/sys/kernel/tracing
events=$tracing/events/vmarea
stats=/sys/kernel/debug/vbinder/vbinder/stats
cases=8
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

# same WHAT EXPECTED GOT
same() {
	[ "$2" = "$3" ] && return 0
	echo "# $1: expected $2, got $3"
	return 1
}

counter() {
	sed -n "s/^$1 //p" $stats
}

# format EVENT WORDS...: each of them is in the event's description.
format() {
	file=$events/vmarea_$1/format
	shift
	for word in "$@"; do
		grep -q -- "$word" "$file" || {
			echo "# $file lacks '$word'"
			return 1
		}
	done
}

formats() {
	format mmap 'start=%#lx' 'pages=%lu' &&
		format close 'start=%#lx' 'pages=%lu' &&
		format insert_begin 'address=%#lx' 'pages=%lu' &&
		format insert_end 'pages_inserted=%lu' 'error=%d' &&
		format fault 'outcome=%s' '"mapped"' '"nopage"' '"oom"' &&
		format reclaim_begin 'page_index=%lu' &&
		format reclaim_end 'first_page_index=%lu' 'pages_taken=%lu' &&
		format reclaim_skip '"slot_lock"' '"vma_lock"' '"mm"' &&
		format lock '"fast"' '"waited"' '"failed"'
}

# record INSTALL: streams a file with that parameter, with all events on.
record() {
	rmmod vbinder && insmod "$module" install="$1" || return 1
	echo 0 >$tracing/tracing_on
	echo 8192 >$tracing/buffer_size_kb
	echo >$tracing/trace
	echo 1 >$events/enable && echo 1 >$tracing/tracing_on || return 1
	/tests/stream /tests/stream >/tmp/stream.out 2>&1
	status=$?
	echo 0 >$tracing/tracing_on
	echo 0 >$events/enable
	grep -v '^#' $tracing/trace >/tmp/trace
	[ $status -eq 0 ] || sed 's/^/# /' /tmp/stream.out
	return $status
}

# count EVENT [WORD]
count() {
	grep "vmarea_$1:" /tmp/trace | grep -c -- "${2:-}"
}

# sum EVENT FIELD [WORD]
sum() {
	grep "vmarea_$1:" /tmp/trace | grep -- "${3:-}" |
		sed "s/.* $2=\([0-9]*\).*/\1/" | awk '{ n += $1 } END { print n + 0 }'
}

life() {
	same "areas closed" "$(count mmap)" "$(count close)" && [ "$(count mmap)" -ge 2 ]
}

insertions() {
	same "insertions ended" "$(count insert_begin)" "$(count insert_end)" &&
		same "batches" "$(counter batches)" "$(count insert_end 'error=0')" &&
		same "pages inserted" "$(counter inserted)" "$(sum insert_end pages_inserted)" &&
		[ "$(counter inserted)" -gt 0 ]
}

locks() {
	same "locked fast" "$(counter vma_lock_fast)" "$(count lock how=fast)" &&
		same "locked waiting" "$(counter vma_lock_waited)" "$(count lock how=waited)"
}

reclaim() {
	same "taken while mapped" "$(counter reclaimed_mapped)" \
		"$(sum reclaim_end pages_taken mapped=1)" &&
		same "taken while not mapped" "$(counter reclaimed_unmapped)" \
			"$(sum reclaim_end pages_taken mapped=0)" &&
		same "begun" "$(count reclaim_begin)" \
			$(($(count reclaim_end) + $(count reclaim_skip))) &&
		[ "$(counter reclaimed_mapped)" -gt 0 ] && [ "$(counter reclaimed_unmapped)" -gt 0 ]
}

faults() {
	same "insertions" 0 "$(count insert_begin)" &&
		same "faults" "$(counter faults)" "$(count fault outcome=mapped)" &&
		[ "$(counter faults)" -gt 0 ]
}

echo "TAP version 13"
if ! [ -d $events ]; then
	echo "1..0 # SKIP no tracepoints in this kernel"
	exit 0
fi
echo "1..$cases"
formats
result "events and fields have names"
record sender
result "a stream is traced"
life
result "areas are mapped and closed"
insertions
result "insertions, as counted"
locks
result "locks, as counted"
reclaim
result "reclaim, as counted"
record fault && faults
result "faults, as counted"
rmmod vbinder && insmod "$module"
result "the module is as it was"
exit $failed
