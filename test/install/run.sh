#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: make install into an empty directory gives the files of
# test/install/files with their modes, and never touches a configuration that
# is there; what the files name is there; and what the README takes out is all
# that there is.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

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

# NB. a umask that would show in the modes.
install_to() {
	to=$1
	shift
	(umask 077 && ${MAKE:-make} --no-print-directory -s B="${B:-build}" \
	    install DESTDIR="$to" "$@")
}

install() {
	install_to "$dir/root" PREFIX=/usr PAMDIR=/lib/security
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
	awk '/^Authorized(Keys|Principals)Command / { print $2 }' \
	    conf/sshd_config.d/*.conf >"$dir/named"
	[ "$(wc -l <"$dir/named")" -eq 2 ] || return 1
	while read -r program; do
		[ -x "$dir/root$program" ] || { echo "no $program"; return 1; }
	done <"$dir/named"
}

# The module starts what it was told at compile time.
started() {
	program=$(strings "$dir/root/lib/security/pam_aadssh.so" |
	    grep '^/usr/libexec/')
	[ "$(readlink "$dir/root$program")" = /usr/bin/aadssh ]
}

# The programs that units and crontabs start, with a verb that there is.  The
# signer has none: it is started with a socket.
scheduled() {
	units=$dir/root/usr/lib/systemd/system
	cron=$dir/root/usr/share/doc/aadssh/examples/cron.d
	! grep -n '@[A-Z]*@' "$units"/* "$cron"/* || return 1
	{
		sed -n 's/^ExecStart=//p' "$units"/*.service
		sed -n 's/^[*0-9][^ ]* [* ]* root //p' "$cron"/* | tr ';' '\n' |
		    sed 's/>.*//; s/^ *//'
	} | sed 's| -f /etc/aadssh/[a-z-]*[.]conf||' >"$dir/scheduled"
	[ "$(wc -l <"$dir/scheduled")" -eq 9 ] || return 1
	while read -r program verb _; do
		[ -x "$dir/root$program" ] || { echo "no $program"; return 1; }
		[ "${program##*/}" != aadssh-ca-signer ] || continue
		"$dir/root$program" help | grep -q "^  $verb " ||
		    { echo "$program: no verb $verb"; return 1; }
	done <"$dir/scheduled"
}

# Each unit that a unit names is one of ours.
units_named() {
	units=$dir/root/usr/lib/systemd/system
	sed -n 's/^On\(Success\|Failure\)=//p' "$units"/* | sort -u >"$dir/units"
	[ -s "$dir/units" ] || return 1
	while read -r unit; do
		[ -f "$units/$unit" ] || { echo "no $unit"; return 1; }
	done <"$dir/units"
	for unit in "$units"/*.timer; do
		[ -f "${unit%.timer}.service" ] || { echo "$unit of what?"; return 1; }
	done
	[ -f "$units/aadssh-ca-signer@.service" ]
}

# NB. systemd looks for the programs where the units name them.
systemd_reads() {
	mkdir "$dir/units.d"
	for unit in "$dir/root"/usr/lib/systemd/system/*; do
		sed "s|^ExecStart=|&$dir/root|" "$unit" \
		    >"$dir/units.d/${unit##*/}"
	done
	systemd-analyze verify --man=no "$dir/units.d"/* 2>&1 |
	    tee "$dir/verify"
	[ ! -s "$dir/verify" ]
}

# ProtectSystem=strict is not all of it.
run_is_closed() {
	for unit in "$dir/root"/usr/lib/systemd/system/*.service; do
		grep -q '^ReadOnlyPaths=/run$' "$unit" ||
		    { echo "$unit leaves /run open"; return 1; }
	done
}

can_verify() {
	systemd-analyze verify --man=no basic.target >/dev/null 2>&1
}

# readme SECTION: its commands that copy, move and remove, for $dir/all.
readme() {
	sed -n "/^##* .*$1/,/^## /p" README.md |
	    sed -e ':join' -e '/\\$/{' -e N -e 's/\\\n *//' -e bjoin -e '}' |
	    sed -n 's/ *#.*//; s/^\(cd .*\)/\1/p; s/^sudo \(\(cp\|mv\|rm\) .*\)/\1/p' |
	    sed "s| /| $dir/all/|g"
}

# The README's set-up, then what it says to take that out again.
taken_out() {
	install_to "$dir/all" || return 1
	mkdir -p "$dir/all/etc/pam.d" "$dir/all/etc/ssh/sshd_config.d" \
	    "$dir/all/etc/cron.d"
	echo before >"$dir/all/etc/pam.d/sshd"
	readme '4. sshd and PAM' >"$dir/in"
	readme 'Taking it out again' >"$dir/out"
	[ "$(wc -l <"$dir/in")" -ge 5 ] && [ "$(wc -l <"$dir/out")" -ge 9 ] ||
	    return 1
	sh -eu "$dir/in" && sh -eu "$dir/out" || return 1
	[ "$(cat "$dir/all/etc/pam.d/sshd")" = before ] || return 1
	! find "$dir/all" ! -type d ! -path '*/etc/pam.d/sshd' -printf '%P\n' |
	    grep .
}

check 'it ends well' install
check 'the files and their modes' listed
check 'directories anybody may enter and only the owner change' directories
check 'a configuration that is there stays' kept
check 'what the sshd drop-in names is there' named
check 'what the PAM module starts is there' started
check 'what the units and the crontab start is there' scheduled
check 'the units that units name are there' units_named
check 'no unit leaves /run open' run_is_closed
if can_verify; then
	check 'systemd finds nothing in the units' systemd_reads
else
	echo 'skip - systemd finds nothing in the units: no' \
	    'systemd-analyze that works here'
	skipped=1
fi
check 'what the README takes out is all that there is' taken_out
echo "install: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
