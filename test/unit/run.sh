#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh PROGRAM...: run each unit test program, show what fails and what was
# skipped, and end with "unit: N passed, N failed, N skipped".
passed=0 failed=0 skipped=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
for t in "$@"; do
	name=$(basename "$t")
	CMOCKA_MESSAGE_OUTPUT=TAP "$t" >"$out" 2>&1
	rc=$?
	# NB. cmocka writes a skip as "not ok N # SKIP NAME" or "ok N # SKIP".
	skip=$(grep -c '^\(not \)\{0,1\}ok .*# SKIP' "$out")
	ok=$(grep '^ok ' "$out" | grep -vc '# SKIP')
	no=$(grep '^not ok ' "$out" | grep -vc '# SKIP')
	sed -n "s/^\(not \)\{0,1\}ok .*# SKIP */skip - $name /p" "$out" |
	    sed 's/$/: this user or kernel lacks what it tests/'
	if [ "$rc" -ne 0 ] || [ "$no" -ne 0 ] || [ "$ok" -eq 0 ]; then
		grep -v '^ok ' "$out"
		[ "$no" -gt 0 ] || no=1
		echo "FAILED: $t (exit $rc)"
	fi
	echo "  $name: $ok passed, $no failed, $skip skipped"
	passed=$((passed + ok)) failed=$((failed + no))
	skipped=$((skipped + skip))
done
echo "unit: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
