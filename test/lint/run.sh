#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh [SCRIPT...]: every lint script beside this one, or those named.
# Prints "ok - lint: TITLE" or "not ok - lint: TITLE" with the complaints
# under it, and ends with "lint: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- includes symbols programs headers format docs \
	functions text scripts attacks

out=$(mktemp)
trap 'rm -f "$out"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0
for script in "$@"; do
	status=0
	sh -eu "test/lint/$script.sh" >"$out" 2>&1 || status=$?
	cat "$out"
	ok=$(grep -c '^ok - ' "$out") || true
	bad=$(grep -c '^not ok - ' "$out") || true
	if [ $status -ne 0 ] || [ $((ok + bad)) -eq 0 ]; then
		echo "not ok - lint: $script ended with status $status"
		bad=$((bad + 1))
	fi
	passed=$((passed + ok)) failed=$((failed + bad))
done
echo "lint: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
