# SPDX-License-Identifier: ISC
. test/lint/lib.sh

references() {
	# NB. two steps: a failing objects() must not be lost in a pipe.
	list=$(objects lib && objects cmd && objects ca)
	# shellcheck disable=SC2086
	nm -A -u $list | awk -v build="$B" -f test/lint/symbols.awk \
	    test/lint/symbols.tsv -
}

# Sections that can be written to, .data.rel.ro apart: that is constant once
# it is relocated.  The one exception says why beside its definition.
listed='lib/core/strictjson.o:parse'

globals() {
	list=$(objects lib)
	for object in $list; do
		objdump -t "$object" |
		    awk -v object="${object#"$B/"}" -v listed="$listed" '
		    NF > 3 && $(NF - 2) ~ /^(\.data|\.bss|\.tbss|\.tdata|\*COM\*)/ &&
		    $(NF - 2) !~ /^\.data\.rel\.ro/ && $NF !~ /^\./ &&
		    object ":" $NF != listed {
			print object ": " $NF " can be written to" }'
	done
}

# The functions of lib/ssh are key_, cert_, krl_: ssh_ is libssh's.
prefixes() {
	list=$(objects lib && objects cmd && objects ca)
	# shellcheck disable=SC2086
	nm -A --defined-only -g $list |
	    awk '$NF ~ /^(ssh|jwt|json|curl|ini|sodium|crypto|ERR)_/ {
		print $1 " defines " $NF }'
}

check 'objects refer only to what symbols.tsv allows' references
check 'lib has no global that can be written to' globals
check 'no function of ours has the prefix of a library' prefixes
