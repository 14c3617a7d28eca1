# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC1090,SC2034,SC2154
# Sizes, and what scripts/kernel-check says in the end; sourced by it.

declare -A sizes=()

struct_sizes() { # OBJECT
	local struct
	for struct in vm_area_struct mm_struct; do
		"$repo/scripts/in-root" "llvm-dwarfdump-$LLVM_VERSION" --name=$struct "$1" |
			awk '/DW_TAG_structure_type/ { found = 1 } found && /DW_AT_byte_size/ {
				gsub(/[()]/, "", $2); print $2; exit }'
	done
}

# Leaves "VMA MM" of ROW in TREE in $measured.
measure() { # TREE ROW NAME SOURCE-ID [compiled]
	local kept out=$check/out/$3 make extra=()
	kept=$check/results/sizes-$2-$({ echo "$4"; config_inputs "$2"; } | hash_of)
	measured=$(cat "$kept" 2>/dev/null) && return
	measured="? ?"
	if [ "${5:-}" != compiled ]; then
		if [ "$1" = "$pristine" ]; then
			# Rust has no part in the sizes, and takes its time.
			printf '# CONFIG_RUST is not set\n' >"$check/.no-rust"
			extra=("$check/.no-rust")
		fi
		step "check $3: configuration" 0 - - configure "$1" "$out" "$2" "${extra[@]}" || return 0
		kmake_for "$1" "$out" "$2"
		step "check $3: sizes" 0 - - "${make[@]}" mm/init-mm.o || return 0
	fi
	measured=$(struct_sizes "$out/mm/init-mm.o" | xargs printf '%d ')
	[ "$(wc -w <<<"$measured")" = 2 ] || { measured="? ?"; return; }
	echo "$measured" >"$kept.new"
	mv "$kept.new" "$kept"
}

# Sets $sizes[ROW] to "VMA-before VMA-after MM-before MM-after".
measure_row() { # ROW
	local before after measured
	measure "$pristine" "$1" "$1-unpatched" "$(source_id 0)"
	read -ra before <<<"$measured"
	measure "$tree" "$1" "$1" "$(source_id "$applied")"
	read -ra after <<<"$measured"
	sizes[$1]="${before[0]} ${after[0]} ${before[1]} ${after[1]}"
}

print_sizes() {
	local row pair
	cat <<-'END'
		<!-- SPDX-License-Identifier: GPL-2.0 -->
		<!-- Written by: scripts/kernel-check --sizes >docs/vma-sizes.md -->
		# What per-VMA locks in every build cost

		Bytes without and with the queue in `kernel/patches`, read from the debug information of
		`mm/init-mm.o`. The configurations are the rows of `kernel/check/table`.

		| configuration | `vm_area_struct` | `mm_struct` |
		|---|---|---|
	END
	for row in "${rows[@]}"; do
		in_selection "$row" || continue
		read -ra pair <<<"${sizes[$row]}"
		echo "| $row | $(arrow "${pair[0]}" "${pair[1]}") | $(arrow "${pair[2]}" "${pair[3]}") |"
	done
}

arrow() { # BEFORE AFTER
	if [ "$1" = "$2" ]; then echo "$1"; else echo "$1 → $2"; fi
}

# Names what the queue touches and no configuration compiles.
not_compiled() {
	local file object
	for file in "${touched[@]}"; do
		[ -e "$prefixes/$applied/$file" ] || continue
		case $file in
		tools/* | samples/* | Documentation/*) ;;
		*.c)
			for object in "$check"/out/*/"${file%.c}.o"; do
				[[ $object != */out/*-unpatched/* && -e $object ]] && continue 2
			done
			echo "$file"
			;;
		*.rs)
			grep -qsF "/$file" "$check"/out/*/rust/.*.cmd "$check"/out/*/"${file%/*}"/.*.cmd || echo "$file"
			;;
		esac
	done
}

report() {
	local passed=0 failed=0 not_possible=0 patch row state stage compiled warnings reason pair lacking notes=()
	for row in "${rows[@]}"; do
		in_selection "$row" || continue
		. "${results[$row]}"
		[ "$stage" != compiled ] || measure_row "$row"
	done
	echo
	if in_selection patches || in_selection bisect; then
		{
			echo "patch|applies|checkpatch|compiles"
			for patch in "${series[@]}"; do
				echo "$patch|${applies[$patch]:--}|${checkpatch[$patch]:--}|${compiles[$patch]:--}"
			done
		} | column -t -s '|'
		for patch in "${series[@]}"; do
			case "${applies[$patch]:-} ${checkpatch[$patch]:-} ${compiles[$patch]:-}" in
			*FAILED* | "- "*) failed=$((failed + 1)) ;;
			*) passed=$((passed + 1)) ;;
			esac
		done
		echo
	fi
	if in_selection patches; then
		if [ -n "$leftovers" ]; then
			echo "PER_VMA_LOCK, other than PER_VMA_LOCK_STATS: $(wc -l <<<"$leftovers") left"
			failed=$((failed + 1))
		else
			echo "PER_VMA_LOCK, other than PER_VMA_LOCK_STATS: none left"
			passed=$((passed + 1))
		fi
		echo
	fi
	if [ ${#selected[@]} -eq $((${#rows[@]} + 2)) ]; then
		lacking=$(not_compiled)
		if [ -n "$lacking" ]; then
			echo "touched by the queue, but compiled in no configuration:"
			printf '    %s\n' "${lacking//$'\n'/$'\n'    }"
			failed=$((failed + 1))
		else
			echo "every file of code that the queue touches was compiled"
			passed=$((passed + 1))
		fi
		echo
	fi
	for row in "${rows[@]}"; do
		in_selection "$row" || continue
		. "${results[$row]}"
		case $state in
		passed) passed=$((passed + 1)) ;;
		FAILED) failed=$((failed + 1)) ;;
		*) not_possible=$((not_possible + 1)) ;;
		esac
		[ -z "$reason" ] || notes+=("$row: $reason")
	done
	[ ${#results[@]} -eq 0 ] || {
		echo "configuration|prepared|objects|warnings|vm_area_struct|mm_struct|result"
		for row in "${rows[@]}"; do
			in_selection "$row" || continue
			. "${results[$row]}"
			read -ra pair <<<"${sizes[$row]:-? ? ? ?}"
			echo "$row|$([ "$stage" = compiled ] && echo yes || echo no)|$compiled|$warnings|$(arrow "${pair[0]}" "${pair[1]}")|$(arrow "${pair[2]}" "${pair[3]}")|$state"
		done
	} | column -t -s '|'
	[ ${#notes[@]} -eq 0 ] || printf '%s\n' "" "${notes[@]}"
	echo
	echo "kernel-check: $passed passed, $failed failed, $not_possible not possible"
	[ $failed = 0 ]
}
