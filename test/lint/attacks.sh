# SPDX-License-Identifier: ISC
. test/lint/lib.sh

table=test/attacks.tsv

# The rows of both lists, SECTION NUMBER...
ids() {
	while read -r section numbers; do
		for number in $numbers; do
			echo "$section$number"
		done
	done <<'END'
I-A 1 2 3 4 5 6 8 9 10 11
I-B 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19
I-C 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
I-D 1 2 3 4 5 6 7 8 9
I-E 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16
I-F 1 2 3 4 5 6 7
II-T 1 2 3 4 5 6 8 9 10 11 12 13 14 15 16 17 18 20
II-P 1 2 3 4 5 6 7 8 9 10 12 13 14 15 16 17 18 19 20
II-O 1 2 4 5 6 7 8 9 10 11 12 13 14
II-C 1 2 3 4 5 6 7 8 9 10 11 13 14 15 16 17 18 19 20
II-R 1 2 3 5 6 7 8 9
II-K 1 2 3 4 5 6 8 9 10 11 12 13 14 15 16
II-L 1 2 4 5 6 7 8 9 10 11 12 13 14
II-S 2 3 4 5 6 7
II-9. 1 2 3 4 5 6
END
}

rows() {
	grep -v '^#' "$table"
}

complete() {
	dir=$(mktemp -d)
	ids | sort >"$dir/ids"
	rows | cut -f 1 | sort -u >"$dir/rows"
	comm -23 "$dir/ids" "$dir/rows" | sed 's/$/ is missing/'
	comm -13 "$dir/ids" "$dir/rows" | sed 's/$/ is no row of the lists/'
	rows | sort | uniq -d | sed 's/^/twice: /'
	rm -rf "$dir"
}

# found FILE TEST: a C test must be defined and be handed to cmocka; any
# other is a title in its file.
found() {
	[ -f "$1" ] || { echo "no file $1"; return; }
	case $1 in
	*.c)
		grep -qE "^$2\(void \*\*" "$1" || echo "no function $2 in $1"
		[ "$(grep -cwF "$2" "$1")" -ge 2 ] ||
		    echo "$2 in $1 is never run"
		case $2 in
		I_[A-F]*|II_[TPOCRKLS]*|II_9*) ;;
		*) echo "$2 carries no id" ;;
		esac ;;
	*)
		grep -v '^ *[#/]' "$1" | grep -qF -- "$2" ||
		    echo "no \"$2\" in $1" ;;
	esac
}

real() {
	tab=$(printf '\t')
	rows | while IFS=$tab read -r id where why; do
		case $where in
		n/a)
			[ "${#why}" -ge 20 ] || echo "$id: n/a, and why?" ;;
		*:*)
			found "${where%%:*}" "${where#*:}" | sed "s|^|$id: |" ;;
		*)
			echo "$id: where is it tested?" ;;
		esac
	done
}

# A test that names an id must be in the table: the other way round.
claimed() {
	# shellcheck disable=SC2046
	grep -ohE '^II?_([A-Z][0-9]+|9_[0-9])_[A-Za-z0-9_]+\(void' \
	    $(files 'test_*.c') | sed 's/(void//' | sort -u |
	while read -r test; do
		id=$(echo "$test" | sed -E 's/^(II?)_(9)_([0-9])_.*/\1-\2.\3/
		    s/^(II?)_([A-Z][0-9]+)_.*/\1-\2/')
		rows | cut -f 1,2 | grep -qE "^$id	.*:" ||
		    echo "$test, but $id has no test in $table"
		ids | grep -qxF "$id" || echo "$test: no row $id"
	done
}

check 'attacks.tsv has every row of the attack lists' complete
check 'every test that attacks.tsv names is there' real
check 'every test named for an attack is in attacks.tsv' claimed
