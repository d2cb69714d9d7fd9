#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh DIRECTORY FUZZER...: run each fuzzer over its seeds and for
# FUZZ_SECONDS (60) more.  The corpus stays in DIRECTORY/corpus, what broke
# one in DIRECTORY.  Ends with "fuzz: N passed, N failed".
set -eu
dir=$1
shift
seconds=${FUZZ_SECONDS:-60}
passed=0 failed=0

# add NAME: standard input as a seed, named by its content.
add() {
	cat >"$dir/seed"
	cp "$dir/seed" \
	    "$dir/corpus/$1/$(sha256sum <"$dir/seed" | cut -c 1-40)"
}

# seed NAME: what test/fuzz/seeds names.
seed() {
	paths=$(sed -n "s/^$1 //p" test/fuzz/seeds)
	[ -n "$paths" ] || { echo "no seeds for $1 in test/fuzz/seeds"; return 1; }
	# shellcheck disable=SC2086
	find $paths -type f >"$dir/list" || return 1
	while IFS= read -r file; do
		case $file in
		*.pub) cut -d ' ' -f 2 "$file" | base64 -d 2>/dev/null |
		    add "$1" ;;
		*.tsv) awk -F '\t' -v to="$dir/corpus/$1/row" \
		    '!/^#/ { printf "%s", $NF >(to NR); close(to NR) }' "$file"
		    continue ;;
		esac
		add "$1" <"$file"
	done <"$dir/list"
}

for source in test/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	case " $* " in
	*"/$name "*) ;;
	*) echo "not ok - fuzz: $name is not in the Makefile"
	    failed=$((failed + 1)) ;;
	esac
done
for fuzzer in "$@"; do
	name=$(basename "$fuzzer")
	name=${name#fuzz_}
	mkdir -p "$dir/corpus/$name"
	: >"$dir/$name.log"
	status=0
	seed "$name" >>"$dir/$name.log" || status=$?
	# First each seed once, then on from there.
	[ $status -ne 0 ] || "$fuzzer" -runs=0 -timeout=10 -rss_limit_mb=1024 \
	    -artifact_prefix="$dir/$name-" "$dir/corpus/$name" \
	    >"$dir/$name.log" 2>&1 || status=$?
	[ $status -ne 0 ] || "$fuzzer" -max_total_time="$seconds" -timeout=10 \
	    -rss_limit_mb=1024 -max_len=16384 \
	    -artifact_prefix="$dir/$name-" "$dir/corpus/$name" \
	    >>"$dir/$name.log" 2>&1 || status=$?
	if [ $status -eq 0 ]; then
		echo "ok - fuzz: $name: $(grep '^Done' "$dir/$name.log" | tail -n 1)"
		passed=$((passed + 1))
	else
		echo "not ok - fuzz: $name ended with status $status"
		tail -n 30 "$dir/$name.log" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
done
echo "fuzz: $passed passed, $failed failed"
[ $failed -eq 0 ]
