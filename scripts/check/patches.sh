# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# The checks of the patches themselves; sourced by scripts/kernel-check.

declare -A applies=() checkpatch=() compiles=()

fail() { # WHAT OUTPUT
	say ""
	say "FAILED: $1"
	printf '%s\n' "$2" | sed 's/^/    /' >&2
	say ""
}

check_patches() {
	local n=0 patch output
	for patch in "${series[@]}"; do
		n=$((n + 1))
		if [ $n -le "$applied" ]; then
			applies[$patch]=yes
			[ "${offset[n]}" = 0 ] || applies[$patch]="yes, offsets: ${offset[n]}"
		elif [ $n -eq $((applied + 1)) ]; then
			applies[$patch]=FAILED
			fail "$patch does not apply with no fuzz" "$not_applied"
		else
			applies[$patch]=-
		fi
		output=$(cd "$tree" && "$repo/scripts/in-root" perl scripts/checkpatch.pl --strict --no-summary \
			--terse --quiet "$patches/$patch" 2>&1) && [ -z "$output" ] && checkpatch[$patch]=clean && continue
		checkpatch[$patch]=FAILED
		fail "checkpatch --strict complains about $patch" "$output"
	done
	say "patches: $applied of ${#series[@]} apply"
	find_leftovers
}

# The configuration symbols that the queue removes must be gone everywhere.
find_leftovers() {
	leftovers=$({ grep -rnIP 'PER_VMA_LOCK(?!_STATS)' "$tree" || true; } | sed "s,^$tree/,,")
	[ -z "$leftovers" ] || fail "PER_VMA_LOCK is left in the patched tree" "$leftovers"
}

# What the queue touches must compile after each of its patches.
bisect() {
	local n patch key
	for ((n = 1; n <= applied; n++)); do
		patch=${series[n - 1]}
		key=$check/results/bisect-$({ source_id $n; row_inputs "$bisect_row"; } | hash_of)
		if [ ! -e "$key" ]; then
			say "bisect $n of $applied: $patch"
			set_tree "$n"
			if ! build "$tree" "$bisect_row" "$bisect_row"; then
				compiles[$patch]=FAILED
				fail "$patch does not compile, with the patches before it, in $bisect_row" "$build_errors"
				continue
			fi
			touch "$key"
		fi
		compiles[$patch]=yes
	done
}
