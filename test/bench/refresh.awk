# SPDX-License-Identifier: ISC
#
# awk -f refresh.awk REFRESHES: what refresh.mjs measured, beside the limits
# that it must keep.  Memory must not grow with the number of sign-ins, but
# for the short entry of each; connections must be used again.

function broken(value, max) {
	return max != "" && value + 0 > max ? " BROKEN" : ""
}

BEGIN {
	parallel = 16 # [refresh] parallel
	entry = 0.25 # KiB that one more sign-in may cost
	print ""
	print "| live check | a second | CPU ms each | peak, KiB | connections | requests |"
	print "|---|---|---|---|---|---|"
}

{
	max = NR == 1 ? "" : first_peak + ($1 - first) * entry + 1024
	conns = parallel * 2 + 2
	printf "| `aadssh refresh`, %d sign-ins | %.0f | %.2f | %d%s%s | %d (≤ %d)%s | %d |\n",
	    $1, $1 * 1000 / $2, $3 / $1, $4,
	    max == "" ? "" : sprintf(" (≤ %d)", max),
	    broken($4, max),
	    $5, conns, broken($5, conns), $6
	if (NR == 1) {
		first = $1
		first_peak = $4
	}
}

END {
	if (NR < 2)
		print "BROKEN: refreshes were not measured"
}
