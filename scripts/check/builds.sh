# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# Configures and compiles the rows of kernel/check/table; sourced by
# scripts/kernel-check.

declare -A row_arch row_start row_fragments row_objects row_flags results=()
rows=()

read_table() {
	local name arch start fragments objects word
	local -A set=()
	while read -r name arch start fragments objects; do
		case $name in
		'' | '#'*) continue ;;
		objects:) set[$arch]="$start $fragments $objects"; continue ;;
		bisect:) bisect_row=$arch; continue ;;
		esac
		rows+=("$name")
		row_arch[$name]=$arch
		row_start[$name]=$start
		row_fragments[$name]=${fragments//,/ }
		row_objects[$name]=
		for word in $objects; do
			case $word in
			*=*) row_flags[$name]=$word ;;
			*) row_objects[$name]+=" ${set[$word]:-$word}" ;;
			esac
		done
	done <"$repo/kernel/check/table"
}

in_selection() { [[ " ${selected[*]} " == *" $1 "* ]]; }

fragments_of() { # ROW
	local fragment
	for fragment in ${row_fragments[$1]/#-/}; do
		echo "$repo/kernel/check/$fragment.config"
	done
}

# Everything but the source that a configuration comes from, and a result.
config_inputs() { # ROW
	local files
	mapfile -t files < <(fragments_of "$1")
	echo "$check_format ${row_arch[$1]} ${row_start[$1]}"
	echo "$tools_id"
	cat "${files[@]}" </dev/null
}

row_inputs() { # ROW
	config_inputs "$1"
	echo "${row_objects[$1]} ${row_flags[$1]:-}"
}

# Leaves the command line in $make; a step must be a command, to die with us.
# init-mm.o always has debug information: the sizes are read from it.
kmake_for() { # TREE OUT ROW
	make=("$repo/scripts/in-root" make -C "$1" O="$2" ARCH="${row_arch[$3]}" LLVM="-$LLVM_VERSION"
		CFLAGS_init-mm.o="-g -fstandalone-debug" -j"$(nproc)" ${row_flags[$3]:+"${row_flags[$3]}"})
}

configure() { # TREE OUT ROW [FRAGMENT]...
	local from=$1 out=$2 arch=${row_arch[$3]} target=alldefconfig start make fragments
	mapfile -t fragments < <(fragments_of "$3")
	fragments+=("${@:4}")
	mkdir -p "$out"
	if [ "${row_start[$3]}" = allnoconfig ]; then
		target=allnoconfig
		start=/dev/null
	else
		start=$from/arch/$(sed -E 's/^(i386|x86_64)$/x86/' <<<"$arch")/configs/${row_start[$3]}
	fi
	(cd "$from" && "$repo/scripts/in-root" env KCONFIG_CONFIG="$out/.merged" \
		scripts/kconfig/merge_config.sh -m "$start" "${fragments[@]}") || return
	kmake_for "$from" "$out" "$3"
	"${make[@]}" -s KCONFIG_ALLCONFIG="$out/.merged" $target
}

# Kconfig drops what does not fit without a word. Says which lines it dropped.
not_taken() { # OUT ROW
	local files
	mapfile -t files < <(fragments_of "$2")
	[ ${#files[@]} -gt 0 ] || return 0
	cat "${files[@]}" | awk -v config="$1/.config" '
		/^(# )?CONFIG_/ { name = $0; sub(/^# /, "", name); sub(/[= ].*/, "", name); last[name] = $0 }
		END {
			while ((getline line < config) > 0) {
				have[line] = 1
				sub(/=.*/, "", line)
				set[line] = 1
			}
			for (n in last)
				if (last[n] ~ /^#/ ? n in set : !(last[n] in have)) print last[n]
		}'
}

# Lines like "  CC      mm/memory.o".
built() { grep -c '^  [A-Z]' "$step_log"; }

# What the compiler said, and make if the compiler said nothing.
errors_in() { # LOG
	{ grep -E -A6 '(error|ERROR|fatal)[:[]' "$1" || grep -E '\*\*\*|[Ee]rror' "$1" || tail -n 20 "$1"; } | head -n 40
}

failed_targets() { # LOG
	sed -n 's/^.*\*\*\* \[[^]]*: \(.*[a-z0-9_]\.[a-z]*\)\] Error .*/\1/p' "$1" | sort -u
}

# Configures and compiles ROW in the output directory NAME; on failure the
# compiler's words are in $build_errors, the stage in $build_stage and what
# did not compile in $build_failed.
build() { # TREE ROW NAME [TARGET...]
	local from=$1 row=$2 name=$3 out=$check/out/$3 targets make
	shift 3
	targets=("$@")
	# shellcheck disable=SC2206 # several words they are
	[ ${#targets[@]} -gt 0 ] || targets=(${row_objects[$row]})
	build_errors='' build_failed='' build_stage=configured warnings=0
	step "check $name: configuration" 0 - - configure "$from" "$out" "$row" || {
		build_errors=$(errors_in "$step_log")
		return 1
	}
	build_stage=prepared
	kmake_for "$from" "$out" "$row"
	step "check $name: prepare" 0 - - "${make[@]}" prepare modules_prepare || {
		build_errors=$(errors_in "$step_log")
		return 1
	}
	build_stage=compiled
	step "check $name: objects" "$(cat "$check/.objects-$row" 2>/dev/null || echo 300)" objects built \
		"${make[@]}" -k "${targets[@]}" || {
		build_errors=$(errors_in "$step_log")
		build_failed=$(failed_targets "$step_log")
		return 1
	}
	warnings=$(grep -c 'warning: ' "$step_log" || true)
}

compiled_objects() { # OUT ROW
	local target
	for target in ${row_objects[$2]}; do
		find "$1/$target" -name '*.o' ! -name built-in.a 2>/dev/null || true
	done | sort -u | wc -l
}

# Compiles a row with the queue; if that fails, what failed without it, too.
check_row() { # ROW
	local row=$1 kept out=$check/out/$1 reason='' state=passed stage=compiled compiled dropped failures
	kept=$check/results/$row-$({ source_id "$applied"; row_inputs "$row"; } | hash_of)
	results[$row]=$kept
	[ -e "$kept" ] && return
	say "configuration $row"
	if ! build "$tree" "$row" "$row"; then
		failures=$build_errors
		stage=$build_stage
		without_queue "$row" "$build_failed"
		[ "$state" != FAILED ] || fail "$row" "$failures"
	fi
	dropped=$(not_taken "$out" "$row")
	if [ -n "$dropped" ] && [ "$state" = passed ]; then
		state=FAILED reason="Kconfig did not take: $(xargs <<<"$dropped")"
		fail "$row" "$reason"
	fi
	compiled=$(compiled_objects "$out" "$row")
	echo "$compiled" >"$check/.objects-$row"
	# What was just compiled has the sizes.
	[ "$state" != passed ] || measure "$tree" "$row" "$row" "$(source_id "$applied")" compiled
	# What failed is tried again next time.
	[ "$state" != FAILED ] || results[$row]=$check/results/.failed-$row
	printf '%s=%q\n' state "$state" stage "$stage" compiled "$compiled" warnings "$warnings" reason "$reason" \
		>"${results[$row]}.new"
	mv "${results[$row]}.new" "${results[$row]}"
}

# Sets $state and $reason of a row that failed: is it the queue's fault?
without_queue() { # ROW FAILED-TARGETS
	local target old=()
	state=FAILED reason="does not compile, see above"
	if [ "$build_stage" = compiled ]; then
		[ -n "$2" ] || return 0
		for target in $2; do
			# What the queue adds cannot be tried without it.
			[ -e "$pristine/${target%.o}.c" ] || return 0
			old+=("$target")
		done
	fi
	local stage_with=$build_stage failed_with=$2
	say "$1 without the queue:"
	if build "$pristine" "$1" "$1-unpatched" "${old[@]}"; then return 0; fi
	[ "$build_stage" = "$stage_with" ] || return 0
	[ "$build_failed" = "$failed_with" ] || return 0
	state="not possible"
	reason="fails without the queue, too: $(grep -m1 -iE 'error|\*\*\*' <<<"$build_errors" | sed 's,[^ ]*/check/,,g')"
}
