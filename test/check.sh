#!/bin/sh
# SPDX-License-Identifier: ISC
#
# check.sh: every suite, two side by side: the end-to-end tests mostly wait.
# What a suite prints is shown in one piece when it ends; its last line
# "NAME: N passed, N failed" (and ", N skipped") counts.  Ends with "N passed,
# N failed, N skipped", and with 1 when anything failed or a suite ran nothing
# at all.
#
# Called by make check, whose variables (WERROR, HOOK_LIBS) reach the builds
# through make's environment.  CHECK_SUITES="lint install" runs only these.
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
CC=${CC:-gcc}
MAKE=${MAKE:-make}
export B CC MAKE

# A jobserver that is there decides; else two.
case ${MAKEFLAGS:-} in
*jobserver*) jobs= ;;
*) jobs=-j2 ;;
esac

# What only computes gives way to what has somebody waiting.
build() {
	# shellcheck disable=SC2086
	nice $MAKE --no-print-directory $jobs "$@"
}

# The programs as clang makes them, with every flag; it is asan that runs
# what clang made of them and of the tests.
clang() {
	build B="$B/clang" CC="${CLANG:-clang-14}" all && n=1 || n=0
	echo "clang: $n passed, $((1 - n)) failed"
	[ "$n" -eq 1 ]
}

run() {
	case $1 in
	clang) clang ;;
	fuzz) build fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-5}" ;;
	asan|lint|unit) build "$1" ;;
	idp) node test/idp/selftest.mjs ;;
	*) "test/$1/run.sh" ;;
	esac
}

# One suite; what came of it goes to $CHECK_DIR.
suite() {
	name=$1 out=$CHECK_DIR/$1
	start=$(date +%s)
	status=0
	run "$name" </dev/null >"$out" 2>&1 || status=$?
	counts=$(grep -E '^([a-z][^:]*: )?[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' \
	    "$out" | tail -n 1 | sed 's/^.*: //')
	p=0 f=0 s=0
	if [ -n "$counts" ]; then
		p=${counts%% passed*}
		f=${counts#* passed, }
		f=${f%% failed*}
		case $counts in
		*skipped) s=${counts#*failed, } s=${s%% skipped} ;;
		esac
	fi
	grep -E '^(not ok|FAILED)' "$out" | sed "s/^/$name: /" \
	    >"$out.failures"
	if [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; then
		echo "$name: ended with status $status" >>"$out.failures"
		f=1
	fi
	if [ $((p + f + s)) -eq 0 ]; then
		echo "$name: ran no tests" >>"$out.failures"
		f=1
	fi
	echo "$p $f $s" >"$out.counts"
	{
		flock 9
		echo "== $name"
		cat "$out"
		echo "-- $name: $p passed, $f failed, $s skipped ($(($(date +%s) - start)) s)"
	} 9>>"$CHECK_DIR/lock"
}

if [ "${1-}" = --suite ]; then
	suite "$2"
	exit 0
fi

# The longest first, and beside it what keeps one processor busy.
set -- e2e fuzz lint idp clang unit asan openssh install
# What else has a run.sh: the examples of the documents, for one.
for run in test/*/run.sh; do
	name=$(basename "$(dirname "$run")")
	case " $* bench " in
	*" $name "*) ;;
	*) set -- "$@" "$name" ;;
	esac
done

CHECK_DIR=$(mktemp -d)
export CHECK_DIR
trap 'rm -rf "$CHECK_DIR"' EXIT
trap 'exit 130' INT TERM
for name; do
	case " ${CHECK_SUITES:-$name} " in
	*" $name "*) printf '%s\0' "$name" ;;
	esac
done >"$CHECK_DIR/list"
xargs -0 -P 2 -n 1 "$0" --suite <"$CHECK_DIR/list"

passed=0 failed=0 skipped=0
: >"$CHECK_DIR/all"
for name in $(tr '\0' ' ' <"$CHECK_DIR/list"); do
	if ! read -r p f s <"$CHECK_DIR/$name.counts"; then
		echo "$name: never ended" >>"$CHECK_DIR/all"
		p=0 f=1 s=0
	fi
	[ ! -e "$CHECK_DIR/$name.failures" ] ||
	    cat "$CHECK_DIR/$name.failures" >>"$CHECK_DIR/all"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
if [ -s "$CHECK_DIR/all" ]; then
	echo '== failures'
	cat "$CHECK_DIR/all"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
