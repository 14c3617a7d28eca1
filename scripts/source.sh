# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
# The kernel's source package and the queue, for the scripts that deal with
# them; sourced after lib.sh, never run.

kernel=$repo/kernel
. "$kernel/VERSION"

read_series() {
	local patch
	mapfile -t series < <(sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$kernel/patches/series")
	for patch in "${series[@]}"; do
		[ -e "$kernel/patches/$patch" ] || die "kernel/patches/series names $patch, which is not there"
	done
}

# Where the package and its tarball are kept, for PACKAGE and VERSION.
name_downloads() {
	download=$cache/download-$VERSION
	deb=$download/${PACKAGE}_${VERSION}_all.deb
	tarball=$download/$PACKAGE.tar.xz
}

file_mib() { du -smc "$@" 2>/dev/null | tail -n 1 | cut -f1; }
deb_mib() { file_mib "$download"/partial/* "$download"/*.deb; }
in_download() { cd "$download" && apt_for apt-get -o Dir::Cache::archives="$download" download "$@"; }
versions_of() { apt_for apt-cache madison "$1" | awk '{ print $3 }' | sort -uV; } # PACKAGE

# Fetches the package. Status 1 and $found, if the archive has other versions.
download_deb() {
	mkdir -p "$download/partial"
	[ ! -e "$deb" ] || return 0
	lock apt
	apt_update
	found=$(versions_of "$PACKAGE" | xargs)
	[[ " $found " == *" $VERSION "* ]] || return 1
	step "source package $VERSION" 160 MiB deb_mib in_download "$PACKAGE=$VERSION" ||
		die "cannot fetch $PACKAGE $VERSION: check the network or set VBINDER_MIRROR, details in $step_log"
}

extract_tarball() {
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$PACKAGE.tar.xz" >"$tarball.partial"
	mv "$tarball.partial" "$tarball"
}

unpack_tarball() { # DIRECTORY
	unpacked=$1
	rm -rf "$unpacked"
	mkdir "$unpacked"
	step "source tree" 1800 MiB unpacked_mib \
		"$repo/scripts/in-root" tar -C "$unpacked" --strip-components=1 -xf "$tarball" ||
		die "cannot unpack $tarball, details in $step_log"
}
unpacked_mib() { file_mib "$unpacked"; }

# The first N patches of the series as far as they change the source: what a
# kernel is known by. A word in a changelog builds none.
changes_of() { # N
	(cd "$kernel/patches" && awk 'FNR == 1 { diff = 0 } /^diff --git / { diff = 1 } diff' "${series[@]:0:$1}" </dev/null)
}
source_id() { # N
	{ cat "$kernel/VERSION" "$kernel/SHA256SUMS"; changes_of "$1"; } | hash_of
}
