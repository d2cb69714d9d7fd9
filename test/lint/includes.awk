# SPDX-License-Identifier: ISC
#
# awk -f includes.awk includes.tsv FILE...: each #include that no row allows,
# and each row that allows something nobody includes any more.

function matcher(glob) {
	gsub(/[.+]/, "\\\\&", glob)
	gsub(/\*/, "[^/]*", glob)
	return "^" glob "$"
}

FILENAME == ARGV[1] {
	if ($0 == "" || /^#/)
		next
	if (split($0, f, "\t") != 3) {
		print FILENAME ":" FNR ": three columns with tabs between"
		next
	}
	k = split(f[3], headers, " ")
	for (i = 1; i <= k; i++) {
		rows++
		line[rows] = FNR
		folder[rows] = matcher(f[1])
		file[rows] = matcher(f[2])
		named[rows] = f[2] != "*"
		header[rows] = headers[i]
		re[rows] = matcher(headers[i])
	}
	next
}

FNR == 1 {
	seen++
	dir = name = FILENAME
	sub(/\/[^\/]*$/, "", dir)
	sub(/.*\//, "", name)
	sub(/\.[ch]$/, "", name)
}

/^[ \t]*#[ \t]*include/ {
	what = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*/, "", what)
	if (what ~ /^"/) {
		sub(/^"/, "", what)
		sub(/".*/, "", what)
	} else
		sub(/>.*/, ">", what)
	for (i = 1; i <= rows; i++)
		if (dir ~ folder[i] && name ~ file[i] && what ~ re[i]) {
			used[i] = 1
			next
		}
	print FILENAME ":" FNR ": " dir " may not include " what
}

END {
	if (!rows || !seen)
		print "no table or no files"
	for (i = 1; i <= rows; i++)
		if (named[i] && !used[i])
			print ARGV[1] ":" line[i] ": nobody includes " header[i]
}
