#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh DIRECTORY FUZZER...: run each fuzzer over its seeds and for
# FUZZ_SECONDS (60) more, two at a time.  The corpus stays in
# DIRECTORY/corpus, what broke one in DIRECTORY.  Ends with "fuzz: N passed,
# N failed".
set -eu

# add NAME: standard input as a seed, named by its content.
add() {
	cat >"$dir/$1.seed"
	mv "$dir/$1.seed" \
	    "$dir/corpus/$1/$(sha256sum <"$dir/$1.seed" | cut -c 1-40)"
}

# seed NAME: what test/fuzz/seeds names.
seed() {
	paths=$(sed -n "s/^$1 //p" test/fuzz/seeds)
	[ -n "$paths" ] || { echo "no seeds for $1 in test/fuzz/seeds"; return 1; }
	# shellcheck disable=SC2086
	find $paths -type f >"$dir/$1.list" || return 1
	while IFS= read -r file; do
		case $file in
		*.pub) cut -d ' ' -f 2 "$file" | base64 -d 2>/dev/null |
		    add "$1" ;;
		*.tsv) awk -F '\t' -v to="$dir/corpus/$1/row" \
		    '!/^#/ { printf "%s", $NF >(to NR); close(to NR) }' "$file"
		    continue ;;
		esac
		add "$1" <"$file"
	done <"$dir/$1.list"
}

# one FUZZER: its line, in one piece.
one() {
	name=$(basename "$1")
	name=${name#fuzz_}
	mkdir -p "$dir/corpus/$name"
	: >"$dir/$name.log"
	status=0
	seed "$name" >>"$dir/$name.log" || status=$?
	# First each seed once, then on from there.
	[ $status -ne 0 ] || "$1" -runs=0 -timeout=10 -rss_limit_mb=1024 \
	    -artifact_prefix="$dir/$name-" "$dir/corpus/$name" \
	    >"$dir/$name.log" 2>&1 || status=$?
	[ $status -ne 0 ] || "$1" -max_total_time="${FUZZ_SECONDS:-60}" \
	    -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
	    -artifact_prefix="$dir/$name-" "$dir/corpus/$name" \
	    >>"$dir/$name.log" 2>&1 || status=$?
	{
		flock 9
		if [ $status -eq 0 ]; then
			echo "ok - fuzz: $name: $(grep '^Done' "$dir/$name.log" | tail -n 1)"
		else
			echo "not ok - fuzz: $name ended with status $status"
			tail -n 30 "$dir/$name.log" | sed 's/^/    /'
		fi | tee -a "$dir/results"
	} 9>>"$dir/results.lock"
}

if [ "$1" = --one ]; then
	dir=$2
	one "$3"
	exit 0
fi
dir=$1
shift
: >"$dir/results"
for source in test/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	case " $* " in
	*"/$name "*) ;;
	*) echo "not ok - fuzz: $name is not in the Makefile" |
	    tee -a "$dir/results" ;;
	esac
done
printf '%s\0' "$@" | xargs -0 -P 2 -n 1 "$0" --one "$dir"
awk -v want=$# '/^ok - /{p++} /^not ok - /{f++}
    END {printf "fuzz: %d passed, %d failed\n", p, f
    exit f > 0 || p != want}' "$dir/results"
