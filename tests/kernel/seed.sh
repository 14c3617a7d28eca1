#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# In the guest: a test that is worse on the kernel with the queue, in the way
# that the argument says, to see whether that is noticed. TAP.

patched=
! zcat /proc/config.gz | grep -q '^CONFIG_VMA_LOCK_KUNIT_TEST=y' || patched=1

echo "TAP version 13"
echo "ok 1 always"
if [ -z "$patched" ]; then
	case $1 in new*) ;; *) echo "ok 2 before" ;; esac
	exit 0
fi
case $1 in
fails) echo "not ok 2 before"; exit 1 ;;
missing) ;;
skipped) echo "ok 2 before # SKIP for no reason" ;;
status) echo "ok 2 before"; exit 1 ;;
hangs) echo "ok 2 before"; sleep 1000 ;;
warns) echo "ok 2 before"; echo "WARNING: seeded" >/dev/kmsg; sleep 2 ;;
new-fails) echo "not ok 2 after" ;;
new) echo "ok 2 after" ;;
esac
