# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script here shares; sourced, never run.

set -euo pipefail

repo=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
cache=$(realpath -m "${XDG_CACHE_HOME:-$HOME/.cache}/vbinder")
self=${0##*/}
LLVM_VERSION=19
suite=trixie

die() { printf '%s: %s\n' "$self" "$*" >&2; exit 1; }
say() { printf '%s\n' "$*" >&2; }

# Prints the comment block at the top of the running script.
usage() { sed -n '3,/^$/s/^#\( \|$\)//p' "$0"; }

hash_of() { sha256sum | cut -c1-12; }

need_space() { # DIRECTORY GIB PURPOSE
	local free
	mkdir -p "$1" || die "cannot create $1"
	free=$(df --output=avail -k "$1" | tail -n 1)
	[ "$free" -ge $(($2 << 20)) ] ||
		die "$3 needs $2 GiB in $1, $((free >> 20)) GiB are free: make room or set XDG_CACHE_HOME"
}

# Holds NAME's lock until the script and everything it started are gone, so
# a build whose parent was killed still keeps others away while it winds down.
lock() { # NAME
	mkdir -p "$cache"
	exec {lock_fd}>"$cache/.lock-$1"
	flock --nonblock "$lock_fd" && return
	say "waiting for another run that is working on $1 ..."
	setpriv --pdeathsig KILL flock "$lock_fd"
}

elapsed() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# Runs COMMAND with its output in a log while showing LABEL, the elapsed time
# and, if TOTAL is not 0, how much of TOTAL UNIT the output of COUNTER says is
# done. On failure leaves the log's path in $step_log.
step() { # LABEL TOTAL UNIT COUNTER COMMAND...
	local label=$1 total=$2 unit=$3 counter=$4 start=$SECONDS shown=0 every=20 done_now line pid status=0
	shift 4
	step_log=$cache/log/${label//[^a-zA-Z0-9]/-}.log
	mkdir -p "$cache/log"
	[ -t 2 ] && every=1
	: >"$step_log"
	# A child in the background ignores SIGINT: it must be told when we go.
	if declare -F "$1" >/dev/null; then
		"$@" >"$step_log" 2>&1 </dev/null &
	else
		setpriv --pdeathsig TERM "$@" >"$step_log" 2>&1 </dev/null &
	fi
	pid=$!
	trap 'kill "$pid" 2>/dev/null; wait "$pid"; say ""; exit 130' INT TERM
	say "$label ..."
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.5
		[ $((SECONDS - start - shown)) -ge "$every" ] || continue
		shown=$((SECONDS - start))
		line="  $(elapsed "$shown")"
		if [ "$total" -gt 0 ]; then
			done_now=$($counter 2>/dev/null || true)
			line+="  ${done_now:-0} of $total $unit"
		fi
		if [ -t 2 ]; then printf '\r%s\033[K' "$line" >&2; else say "$line"; fi
	done
	wait "$pid" || status=$?
	trap - INT TERM
	[ -t 2 ] && printf '\r\033[K' >&2
	[ $status -ne 0 ] || say "$label: done in $(elapsed $((SECONDS - start)))"
	return $status
}

# Debian's archive: the one this machine's apt uses, unless told otherwise.
mirror() {
	if [ -n "${VBINDER_MIRROR:-}" ]; then
		echo "$VBINDER_MIRROR"
		return
	fi
	command -v apt-get >/dev/null || die "no apt-get here: this needs a Debian machine"
	# shellcheck disable=SC2016 # apt expands these, not the shell
	apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Label: Debian' | sed -n 1p
}

# Runs an apt command with its own package lists: the host's are left alone.
apt_for() { # COMMAND...
	local dir=$cache/apt tool=$1
	shift
	"$tool" -q -o Dir::State="$dir/state" -o Dir::Cache="$dir/cache" \
		-o Dir::State::status=/dev/null -o Dir::Etc::sourcelist="$dir/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Architecture=amd64 -o APT::Architectures=amd64,arm64 \
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=1 "$@"
}

# Brings the package lists up to date; call with the lock "apt" held.
apt_update() {
	local dir=$cache/apt from
	from=$(mirror)
	[ -n "$from" ] || die "apt knows no Debian mirror: run 'apt-get update' or set VBINDER_MIRROR"
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	printf 'deb %s %s main\n' "$from" "$suite" "$from" "$suite-backports" >"$dir/sources.list"
	step "package lists of $suite" 0 - - apt_for apt-get -o APT::Update::Error-Mode=any update ||
		die "cannot reach $from: check the network, or set VBINDER_MIRROR to a Debian mirror that answers"
}

# Downloads Debian packages and unpacks them, and nothing that they depend on,
# into DIR; call with the lock "apt" held and the package lists there.
unpack_packages() { # DIR PACKAGE...
	local partial=$1.partial deb
	rm -rf "$partial"
	mkdir -p "$partial/debs" "$partial/unpacked"
	(cd "$partial/debs" && apt_for apt-get download "${@:2}") || return
	for deb in "$partial"/debs/*.deb; do
		dpkg-deb -x "$deb" "$partial/unpacked" || return
	done
	rm -rf "$1"
	mv "$partial/unpacked" "$1"
	rm -rf "$partial"
}

# Where cargo keeps crates, for all that is built here.
cargo_home=$cache/cargo

# Tells cargo where crates come from and which certificates are trusted, which
# is known outside the tool root only: the tables [source], [http] and [net] of
# the user's config.toml apply.
configure_cargo() {
	local user=${CARGO_HOME:-$HOME/.cargo}/config.toml
	local trusted=${CARGO_HTTP_CAINFO:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
	mkdir -p "$cargo_home"
	if [ -e "$trusted" ]; then
		cp "$trusted" "$cargo_home/certificates.$$"
		mv "$cargo_home/certificates.$$" "$cargo_home/certificates"
		export CARGO_HTTP_CAINFO=$cargo_home/certificates
	fi
	[ -e "$user" ] || user=/dev/null
	awk '/^\[/ { wanted = /^\[(source|http|net)[].]/ } wanted' "$user" >"$cargo_home/config.toml.$$"
	mv "$cargo_home/config.toml.$$" "$cargo_home/config.toml"
}

# The tool root's name says what is in it, so a changed list makes a new one.
packages="ca-certificates make clang-$LLVM_VERSION lld-$LLVM_VERSION llvm-$LLVM_VERSION rustc rust-src
rustfmt rust-clippy cargo bindgen flex bison bc libelf-dev libc6-dev python3 perl xz-utils
rsync cpio qemu-system-x86 qemu-system-arm kmod patch libclang-rt-$LLVM_VERSION-dev liburcu-dev
libcap-dev libnuma-dev libssl-dev linux-libc-dev"
tool_root=$cache/root-$(echo "$suite" $packages | hash_of)
# Another root, for what draws: few need it, and it comes and goes by itself.
plot_packages="python3 python3-matplotlib"
plot_root=$cache/plot-$(echo "$suite" $plot_packages | hash_of)

# Where the plotting library is, in the same words as tools().
plot_tools() {
	if [ "${VBINDER_TOOLS:-}" != root ] && [ ! -e "$plot_root" ] &&
		python3 -c 'import matplotlib' 2>/dev/null; then
		echo host
	else
		echo root
	fi
}

# Whether this machine's own tools are the ones that the kernel asks for; if
# not, $missing says which are lacking.
host_tools() {
	local tool
	missing=
	for tool in clang-$LLVM_VERSION ld.lld-$LLVM_VERSION llvm-nm-$LLVM_VERSION rustc rustfmt \
		clippy-driver rustdoc cargo cc bindgen flex bison bc perl xz rsync patch modinfo \
		qemu-system-x86_64 qemu-system-aarch64; do
		command -v "$tool" >/dev/null || missing+=" $tool"
	done
	at_least 1.85.0 "$(rustc --version 2>/dev/null)" || missing+=" rustc>=1.85"
	at_least 0.71.1 "$(bindgen --version 2>/dev/null)" || missing+=" bindgen>=0.71.1"
	[ -e "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/src/rust/library/core/src/lib.rs" ] ||
		missing+=" rust-src"
	[ -e /usr/include/libelf.h ] || missing+=" libelf-dev"
	[ -z "$missing" ]
}

at_least() { # VERSION OUTPUT
	local found
	found=$(grep -om1 '[0-9]\+\.[0-9]\+\.[0-9]\+' <<<"$2") || return 1
	printf '%s\n' "$1" "$found" | sort -CV
}

# Where the tools are: "host" or "root". VBINDER_TOOLS decides, else the host's
# are preferred as long as no tool root was made.
tools() {
	if [ -n "${VBINDER_TOOLS:-}" ]; then
		echo "$VBINDER_TOOLS"
	elif [ -e "$tool_root" ]; then
		echo root
	elif host_tools; then
		echo host
	else
		echo root
	fi
}

# Versions of everything that has a part in a built kernel.
toolchain() {
	local known=$tool_root/.toolchain
	local ask="clang-$LLVM_VERSION --version; ld.lld-$LLVM_VERSION --version; rustc -vV; bindgen --version"
	if [ "$(tools)" = host ]; then
		sh -ec "$ask"
		return
	fi
	if [ ! -e "$known" ]; then
		"$repo/scripts/in-root" sh -ec "$ask" >"$known.$$" || die "the tools do not run, see above"
		mv "$known.$$" "$known"
	fi
	cat "$known"
}

require_arch() {
	case $1 in x86_64 | arm64) ;; *) die "ARCH=$1: it is x86_64 or arm64" ;; esac
}
