#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh [-j N] [FILE ...]
#
# Run end-to-end tests, each file in a sandbox of its own, N (6) at a time:
# they mostly wait.
# Prints their lines and ends with "e2e: N passed, N failed, N skipped".

set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
limit=${E2E_LIMIT:-900} # seconds a file may take, on a slow machine

# One file: its lines go out in one piece.  A file that dies, says nothing or
# runs out of time is a failure too.
one()
{
	name=$(basename "$1" .sh)
	title=$(sed -n 's/^title="\(.*\)"$/\1/p' "$1")
	out=$(mktemp)
	status=0
	start=$(date +%s)
	timeout -s KILL "$limit" "$here/sandbox.sh" \
	    sh -eu "/src/test/e2e/$name.sh" >"$out" 2>&1 </dev/null || status=$?
	why=$(tail -n 1 "$out")
	case $status in
	77) [ -s "$out" ] || why="no reason given"
	    echo "skip - $title: $why" >"$out" ;;
	0) grep -Eq '^(ok|skip) - ' "$out" ||
	    echo "not ok - $name: asserted nothing" >>"$out" ;;
	*) grep -q '^not ok - ' "$out" ||
	    echo "not ok - $name: ended with status $status" >>"$out" ;;
	esac
	{
		flock 9
		echo "# $name ($(($(date +%s) - start)) s)"
		cat "$out"
		cat "$out" >>"$E2E_RESULTS"
	} 9>>"$E2E_RESULTS.lock"
	rm -f "$out"
}

if [ "${1-}" = --one ]; then
	one "$2"
	exit 0
fi

jobs=6
[ "${1-}" != -j ] || { jobs=$2; shift 2; }
# Those that take longest go first, or one of them would end alone.
long="pam_module pam_child ca_rotate_twice ca_kill9_made ca_rotate_kill
    kill9_login ca_principals ssh_denied ssh_refused ssh_proof signin_slow
    signin_faults ca_revoke refresh_crowd kill9_refresh ssh_keys ca_rotate
    ca_kill9 ssh_load ca_kill9_publish refresh_outage refresh_races"
if [ $# -eq 0 ]; then
	for name in $long; do
		set -- "$@" "$here/$name.sh"
	done
	for file in "$here"/*.sh; do
		case " $* " in
		*" $file "*) ;;
		*) ! grep -q '^title=' "$file" || set -- "$@" "$file" ;;
		esac
	done
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
export E2E_RESULTS="$dir/results"
: >"$E2E_RESULTS"
printf '%s\0' "$@" | xargs -0 -P "$jobs" -n 1 "$0" --one
awk '/^ok - /{p++} /^not ok - /{f++} /^skip - /{s++}
    END {printf "e2e: %d passed, %d failed, %d skipped\n", p, f, s
    exit f > 0 || p + s == 0}' "$E2E_RESULTS"
