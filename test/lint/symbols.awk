# SPDX-License-Identifier: ISC
#
# awk -v build=B -f symbols.awk symbols.tsv -: `nm -A -u` of objects against
# the table.

function matcher(globs) {
	gsub(/[.+]/, "\\\\&", globs)
	gsub(/\*/, ".*", globs)
	gsub(/^ +| +$/, "", globs)
	gsub(/ +/, "|", globs)
	return "^(" globs ")$"
}

FILENAME == ARGV[1] {
	if ($0 == "" || /^#/)
		next
	if (split($0, f, "\t") != 3) {
		print FILENAME ":" FNR ": three columns with tabs between"
		next
	}
	rows++
	line[rows] = FNR
	where[rows] = matcher(f[1])
	symbols[rows] = matcher(f[2])
	except[rows] = f[3] == "-" ? "" : matcher(f[3])
	next
}

# build/lib/core/err.o:                 U strlen
{
	seen++
	object = $1
	sub("^" build "/", "", object)
	sub(/\.o:.*/, "", object)
	symbol = $NF
	sub(/@.*/, "", symbol)
	sub(/^__/, "", symbol)
	sub(/_chk$/, "", symbol)
	for (i = 1; i <= rows; i++)
		if (object ~ where[i] && symbol ~ symbols[i] &&
		    (except[i] == "" || object !~ except[i]))
			print object ".o refers to " symbol " (" ARGV[1] ":" line[i] ")"
}

END {
	if (!rows || seen < 100)
		print "no table, or no objects"
}
