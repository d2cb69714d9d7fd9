# SPDX-License-Identifier: ISC
. test/lint/lib.sh

everything() {
	files '*.[ch]' '*.sh' '*.awk' '*.mjs' '*.md' '*.[158]' '*.tsv' '*.conf' \
	    Makefile sysusers tmpfiles run packages sshd sshd-fallback \
	    '.clang-format'
}

# NB. the words are parted here, or this file would complain about itself.
debt() {
	# shellcheck disable=SC2046
	! grep -nwE 'TO''DO|FIX''ME|XX''X|HA''CK' $(everything)
}

# Where somebody once built this.
paths() {
	here=$(pwd -P)
	# shellcheck disable=SC2046
	case $here in
	/*/*) ! grep -nF "$here" $(everything) ;;
	esac
	# shellcheck disable=SC2046
	! grep -nE '/(Us''ers|home/(runner|ubuntu|vagrant|debian))/' \
	    $(everything)
}

spdx() {
	list=$(files '*.[ch]' '*.sh' '*.awk' '*.mjs' '*.[158]' Makefile)
	[ -n "$list" ] || echo 'no files'
	for file in $list; do
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ISC' ||
		    echo "$file: no SPDX line"
	done
}

# Width as a reader sees it: characters, tabs to 8.
wide() {
	# shellcheck disable=SC2046
	for file in $(files '*.[ch]'); do
		expand "$file" | awk -v file="$file" '
		    { line = $0; gsub(/[\200-\277]/, "", line)
		      sub(/ +\\$/, "", line) }
		    length(line) > 80 { print file ":" NR ": over 80 columns" }'
	done
}

blanks() {
	# shellcheck disable=SC2046
	! grep -nE '[ 	]+$' $(files '*.[ch]' '*.sh' '*.awk' '*.mjs' Makefile)
}

check 'no open debts in the text' debt
check "no path of a developer's machine" paths
check 'every source has its SPDX line' spdx
check 'no source is wider than 80 columns' wide
check 'no blanks at the end of a line' blanks
