# SPDX-License-Identifier: ISC
. test/lint/lib.sh

# NB. not the unit tests, where a table of 80 rows is one thought.
length() {
	# shellcheck disable=SC2046
	awk -f test/lint/functions.awk \
	    $(files '*.c' '*.h' | grep -v '^test/unit/')
}

check 'no function is longer than 80 lines' length
