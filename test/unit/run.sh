#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh PROGRAM...: run each unit test program, show what fails or is
# skipped, and end with the counts in one line
# "unit: N passed, N failed, N skipped".  Two run at a time.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
# shellcheck disable=SC2016 # for the shell that is started
printf '%s\0' "$@" | xargs -0 -P 2 -n 1 sh -c '
	CMOCKA_MESSAGE_OUTPUT=TAP "$1" >"$0/${1##*/}" 2>&1
	echo $? >"$0/${1##*/}.status"' "$dir"

passed=0 failed=0 skipped=0
for t in "$@"; do
	out=$(cat "$dir/${t##*/}")
	rc=$(cat "$dir/${t##*/}.status")
	# cmocka calls a skipped test "ok N - NAME # SKIP" or without the "-".
	skip=$(printf '%s\n' "$out" | grep -c '^ok .*# SKIP')
	ok=$(printf '%s\n' "$out" | grep '^ok ' | grep -vc '# SKIP')
	no=$(printf '%s\n' "$out" | grep -c '^not ok ')
	printf '%s\n' "$out" |
	    sed -nE 's/^ok [0-9]+ (- )?([A-Za-z0-9_]+).*# SKIP.*/skip - \2: the test says that it can not run here/p'
	if [ "$rc" -ne 0 ] || [ "$no" -ne 0 ] || [ "$ok" -eq 0 ]; then
		printf '%s\n' "$out" | grep -v '^ok '
		[ "$no" -gt 0 ] || no=1
		echo "FAILED: $t (exit $rc)"
	fi
	echo "  $(basename "$t"): $ok passed, $no failed"
	passed=$((passed + ok)) failed=$((failed + no))
	skipped=$((skipped + skip))
done
echo "unit: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
