# SPDX-License-Identifier: ISC
. test/lint/lib.sh

format() {
	# shellcheck disable=SC2046
	clang-format-14 --dry-run -Werror $(files '*.c' '*.h')
}

check 'clang-format leaves every source as it is' format
