#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check.sh: every suite, one after the other, with two jobs at the most.
# What a suite prints is shown; its last line "NAME: N passed, N failed" (and
# ", N skipped") counts.  Ends with "N passed, N failed, N skipped", and with
# 1 when anything failed or a suite ran nothing at all.
#
# Called by make check, whose variables (WERROR, HOOK_LIBS) reach the builds
# through make's environment.  CHECK_SUITES="lint install" runs only these.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
CC=${CC:-gcc}
MAKE=${MAKE:-make}
export B CC
# A jobserver that is there decides; else two.
case ${MAKEFLAGS:-} in
*jobserver*) jobs= ;;
*) jobs=-j2 ;;
esac

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0
: >"$dir/failures"

build() {
	# shellcheck disable=SC2086
	$MAKE --no-print-directory $jobs "$@"
}

# suite NAME COMMAND...
suite() {
	name=$1
	shift
	case " ${CHECK_SUITES:-$name} " in
	*" $name "*) ;;
	*) return ;;
	esac
	echo "== $name"
	start=$(date +%s)
	{
		"$@" </dev/null 2>&1
		echo $? >"$dir/status"
	} | tee "$dir/out"
	counts=$(grep -E '^([a-z][^:]*: )?[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' \
	    "$dir/out" | tail -n 1 | sed 's/^.*: //')
	p=0 f=0 s=0
	if [ -n "$counts" ]; then
		p=${counts%% passed*}
		f=${counts#* passed, }
		f=${f%% failed*}
		case $counts in
		*skipped) s=${counts#*failed, } s=${s%% skipped} ;;
		esac
	fi
	status=$(cat "$dir/status")
	grep -E '^(not ok|FAILED)' "$dir/out" | sed "s/^/$name: /" \
	    >>"$dir/failures"
	if [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; then
		echo "$name: ended with status $status" >>"$dir/failures"
		f=1
	fi
	if [ $((p + f + s)) -eq 0 ]; then
		echo "$name: ran no tests" >>"$dir/failures"
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	echo "-- $name: $p passed, $f failed, $s skipped ($(($(date +%s) - start)) s)"
}

clang() {
	build B="$B/clang" CC="${CLANG:-clang-14}" all unit
}

suite unit build unit
suite clang clang
suite asan build asan
suite lint build lint
suite fuzz build fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-5}"
suite install test/install/run.sh
suite idp node test/idp/selftest.mjs
suite e2e test/e2e/run.sh
# What else has a run.sh: the examples of the documents, for one.
for run in test/*/run.sh; do
	name=$(basename "$(dirname "$run")")
	case $name in
	unit|lint|fuzz|install|e2e|bench) ;;
	*) suite "$name" "$run" ;;
	esac
done

if [ -s "$dir/failures" ]; then
	echo '== failures'
	cat "$dir/failures"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
