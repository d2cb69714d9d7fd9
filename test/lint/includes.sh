# SPDX-License-Identifier: ISC
. test/lint/lib.sh

table() {
	# shellcheck disable=SC2046
	awk -f test/lint/includes.awk test/lint/includes.tsv \
	    $(files '*.c' '*.h' | grep -E '^(lib|cmd|ca)/')
}

check 'every folder includes only what includes.tsv allows' table
