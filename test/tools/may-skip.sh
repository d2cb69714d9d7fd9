#!/bin/sh
# SPDX-License-Identifier: ISC
#
# may-skip.sh LIST <OUTPUT: fail on every "skip - TITLE: REASON" line whose
# title is not in LIST, or whose condition there does not hold.
list=$1 bad=0
tab=$(printf '\t')
while IFS= read -r line; do
	case $line in
	'skip - '*) title=${line#skip - } title=${title%%: *} ;;
	*) continue ;;
	esac
	condition=$(grep -v '^#' "$list" | sed -n "s/^$title$tab//p" | head -n 1)
	if [ -z "$condition" ]; then
		echo "may-skip: \"$title\" was skipped and is not in $list" >&2
		bad=1
	elif ! sh -c "$condition" >/dev/null 2>&1; then
		echo "may-skip: \"$title\" was skipped although it can run here" >&2
		bad=1
	fi
done
exit $bad
