#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh PROGRAM...: run each unit test program, show what fails, and end
# with the counts in one line "unit: N passed, N failed".
passed=0 failed=0
for t in "$@"; do
	out=$(CMOCKA_MESSAGE_OUTPUT=TAP "$t" 2>&1)
	rc=$?
	ok=$(printf '%s\n' "$out" | grep -c '^ok ')
	no=$(printf '%s\n' "$out" | grep -c '^not ok ')
	if [ "$rc" -ne 0 ] || [ "$no" -ne 0 ] || [ "$ok" -eq 0 ]; then
		printf '%s\n' "$out" | grep -v '^ok '
		[ "$no" -gt 0 ] || no=1
		echo "FAILED: $t (exit $rc)"
	fi
	echo "  $(basename "$t"): $ok passed, $no failed"
	passed=$((passed + ok)) failed=$((failed + no))
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
