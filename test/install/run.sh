#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: make install into an empty directory gives the files of
# test/install/files with their modes, and never touches a configuration that
# is there.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0

check() {
	title=$1
	shift
	if "$@" >"$dir/said" 2>&1; then
		echo "ok - install: $title"
		passed=$((passed + 1))
	else
		echo "not ok - install: $title"
		sed 's/^/    /' "$dir/said"
		failed=$((failed + 1))
	fi
}

install() {
	# NB. a umask that would show in the modes.
	(umask 077 && ${MAKE:-make} --no-print-directory -s B="${B:-build}" \
	    install DESTDIR="$dir/root" PREFIX=/usr PAMDIR=/lib/security)
}

listed() {
	grep -v '^#' test/install/files | sort >"$dir/want"
	(cd "$dir/root" && find . -type f -printf '%m %P\n' -o \
	    -type l -printf '%m %P -> %l\n' | sort) >"$dir/got"
	diff "$dir/want" "$dir/got"
}

# Directories that sshd's safe_path walks must be enterable and not writable.
directories() {
	! find "$dir/root" -mindepth 1 -type d ! -perm 0755 -printf '%m %P\n' |
	    grep .
}

kept() {
	echo '# mine' >"$dir/root/etc/aadssh/aadssh.conf"
	install && grep -q '^# mine$' "$dir/root/etc/aadssh/aadssh.conf"
}

# What the files name must be where they say.
named() {
	grep -h '^AuthorizedKeysCommand ' conf/sshd_config.d/50-aadssh.conf |
	    awk '{ print $2 }' >"$dir/named"
	[ -s "$dir/named" ] || return 1
	while read -r program; do
		[ -x "$dir/root$program" ] || { echo "no $program"; return 1; }
	done <"$dir/named"
}

check 'it ends well' install
check 'the files and their modes' listed
check 'directories anybody may enter and only the owner change' directories
check 'a configuration that is there stays' kept
# The module starts what it was told at compile time.
started() {
	program=$(strings "$dir/root/lib/security/pam_aadssh.so" |
	    grep '^/usr/libexec/')
	[ "$(readlink "$dir/root$program")" = /usr/bin/aadssh ]
}

check 'what the sshd drop-in names is there' named
check 'what the PAM module starts is there' started
echo "install: $passed passed, $failed failed"
[ $failed -eq 0 ]
