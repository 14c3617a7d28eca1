# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# The source trees of scripts/kernel-check; sourced, never run.
#
# $pristine is the source as it was unpacked. $tree is the one that is patched
# in place: only files whose content changes get a new time stamp, so make
# compiles only what a patch concerns. $prefixes/N has the files that any patch
# touches as they are after N patches; $tree is brought to a prefix by copying
# what differs, from whatever state an interrupted run has left.

# A change of what is done here makes results that are kept invalid.
check_format=1

check=$cache/check
prefixes=$check/prefixes
tree=$check/tree
patches=$repo/kernel/patches

make_trees() {
	local source_id
	"$repo/scripts/kernel" --unpatched --source || exit
	pristine=$("$repo/scripts/kernel" --unpatched --print-source) || exit
	source_id=${pristine##*-}
	mkdir -p "$check/results" "$check/out"
	[ "$(cat "$tree/.vbinder-source" 2>/dev/null)" = "$source_id" ] && return
	# What was built from another tree knows nothing of this one's times.
	rm -rf "$tree" "$check/out"
	mkdir "$check/out"
	step "check: source to patch" 0 - - cp -a --reflink=auto "$pristine" "$tree" ||
		die "cannot copy $pristine, details in $step_log"
	echo "$source_id" >"$tree/.vbinder-source"
}

touched_by() { # PATCH...
	sed -n 's,^\(---\|+++\) [ab]/\([^[:space:]]*\).*,\2,p' "$@" | sort -u
}

# Makes $prefixes as far as the series applies: $applied patches do.
# $offset[i] says what patch had to say about patch i.
make_prefixes() {
	local n=0 dir file patch
	applied=0 offset=() not_applied=
	rm -rf "$prefixes"
	mkdir -p "$prefixes/0"
	[ ${#series[@]} -gt 0 ] || return 0
	mapfile -t touched < <(cd "$patches" && touched_by "${series[@]}")
	for file in "${touched[@]}"; do
		[ ! -e "$pristine/$file" ] || (cd "$pristine" && cp --parents "$file" "$prefixes/0")
	done
	for patch in "${series[@]}"; do
		n=$((n + 1))
		dir=$prefixes/$n
		cp -a "$prefixes/$((n - 1))" "$dir"
		if ! "$repo/scripts/in-root" patch -d "$dir" -p1 -F0 --no-backup-if-mismatch \
			<"$patches/$patch" >"$check/patch.log" 2>&1; then
			not_applied=$(grep -v '^patching file' "$check/patch.log")
			rm -rf "$dir"
			return
		fi
		applied=$n
		offset[n]=$(grep -c 'offset' "$check/patch.log" || true)
	done
}

# Brings $tree to the first N patches.
set_tree() { # N
	local file from list=$check/touched
	# Earlier queues may have touched other files.
	printf '%s\n' "${touched[@]}" | sort -u - "$list" 2>/dev/null >"$list.new" || true
	[ -e "$list" ] || printf '%s\n' "${touched[@]}" >"$list.new"
	mv "$list.new" "$list"
	while read -r file; do
		from=$prefixes/$1/$file
		[[ " ${touched[*]} " == *" $file "* ]] || from=$pristine/$file
		if [ ! -e "$from" ]; then
			rm -f "$tree/$file"
		elif ! cmp -s "$from" "$tree/$file"; then
			mkdir -p "$(dirname "$tree/$file")"
			cp "$from" "$check/.copy"
			chmod --reference="$from" "$check/.copy"
			touch "$check/.copy"
			mv "$check/.copy" "$tree/$file"
		fi
	done <"$list"
}
