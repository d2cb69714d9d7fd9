# SPDX-License-Identifier: ISC
. test/lint/lib.sh

shells() {
	list=$(files '*.sh' run aadssh-ca-push)
	[ -n "$list" ] || echo 'no scripts'
	for script in $list; do
		case $(head -n 1 "$script") in
		*bash*) bash -n "$script" ;;
		*) sh -n "$script" ;;
		esac || echo "$script"
	done
}

modules() {
	list=$(files '*.mjs')
	[ -n "$list" ] || echo 'no modules'
	for module in $list; do
		node --check "$module" || echo "$module"
	done
}

# A script that is called by its name must be executable.  The end-to-end
# tests are handed to a shell by their runner.
executable() {
	for script in $(files '*.sh' run aadssh-ca-push |
	    grep -v '^test/e2e/'); do
		case $(head -n 1 "$script") in
		'#!'*) [ -x "$script" ] || echo "$script: not executable" ;;
		*) [ ! -x "$script" ] || echo "$script: executable, no #!" ;;
		esac
	done
}

check 'every shell script parses' shells
check 'every node module parses' modules
check 'scripts with #! are executable, others are not' executable
