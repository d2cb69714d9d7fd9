# SPDX-License-Identifier: ISC
. test/lint/lib.sh

# alone COMPILER: each header as the only thing in a file.
alone() {
	list=$(files '*.h' | grep -v '^test/unit/unit.h')
	[ -n "$list" ] || echo 'no headers'
	for header in $list; do
		printf '#include "%s"\n' "$header" | "$1" -std=c11 \
		    -D_GNU_SOURCE -Ilib -I. -Wall -Wextra -Wmissing-prototypes \
		    -Werror -fsyntax-only -x c - || echo "$header"
	done
}

# The guard is the path's last name, so that two headers never shut each
# other out.
guards() {
	# shellcheck disable=SC2046
	grep -hE '^#ifndef AAD_[A-Z0-9_]+_H$' $(files '*.h') | sort | uniq -d
	for header in $(files '*.h'); do
		grep -qE '^#ifndef AAD_[A-Z0-9_]+_H$' "$header" ||
		    echo "$header: no include guard"
	done
}

check 'every header compiles alone with gcc' alone gcc
check 'every header compiles alone with clang' alone clang-14
check 'every header has a guard of its own' guards
