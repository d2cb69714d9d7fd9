# SPDX-License-Identifier: ISC
#
# awk -f certs.awk RATES TIMES KRL: what certs.sh measured, beside the limits
# that it must keep.

function most(value, max) {
	return sprintf("%.2f (≤ %.2f)%s", value, max,
	    value > max ? " BROKEN" : "")
}

function least(value, min) {
	return sprintf("%.2f (≥ %.2f)%s", value, min,
	    value < min ? " BROKEN" : "")
}

# The middle of what was measured several times.
function median(name,    n, i, j, v, t) {
	n = split(all[name], v, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return v[int((n + 1) / 2)] + 0
}

FILENAME == ARGV[1] { rate[$1] = $2; next }
FILENAME == ARGV[2] { us[$1] = $2; ratio[$1] = $3; next }
{ split($0, f, " "); all[f[1]] = all[f[1]] " " f[2] }

END {
	print "| certificates | | ratio (limit) | to |"
	print "|---|---|---|---|"
	printf "| libsodium's bare Ed25519 signature | %d a second | | |\n", \
	    rate["raw"]
	printf "| built and signed, in one process | %d a second | %s | bare |\n", \
	    rate["built and signed"], \
	    least(rate["built and signed"] / rate["raw"], 0.7)
	printf "| and read back and verified | %d a second | %s | bare |\n", \
	    rate["and verified"], least(rate["and verified"] / rate["raw"], 0.2)
	for (i = split("tmpfs disk", where, " "); i > 0; i--) {
		printf "| `ssh-keygen -s`, %s | %d µs | | |\n", where[i], \
		    us["ssh-keygen -s, " where[i]]
		name = "a request to the signer, " where[i]
		printf "| a request to `aadssh-ca-signer`, %s | %d µs | %s | `ssh-keygen -s` |\n", \
		    where[i], us[name], where[i] == "tmpfs" ? \
		    most(ratio[name], 1.5) : sprintf("%.2f", ratio[name])
	}
	name = "sign --if-needed, fresh"
	printf "| `aadssh-ca sign --if-needed`, fresh | %d µs | %s | /bin/true |\n", \
	    us[name], most(ratio[name], 8)
	print ""
	printf "| a revocation list of %d random serials | ours | `ssh-keygen -k`'s | ratio (limit) |\n", serials
	print "|---|---|---|---|"
	printf "| making it, ms | %.0f | %.0f | %s |\n", median("ours") / 1e3, \
	    median("theirs") / 1e3, most(median("ours") / median("theirs"), 0.1)
	printf "| its size, bytes | %d | %d | %s |\n", median("ours_size"), \
	    median("theirs_size"), \
	    most(median("ours_size") / median("theirs_size"), 1)
	# Two runs of one command differ by some thousand of 400 million.
	printf "| `ssh-keygen -Q` on it, M instructions | %.1f | %.1f | %s |\n", \
	    median("ours_work") / 1e6, median("theirs_work") / 1e6, \
	    most(sprintf("%.4f", median("ours_work") / median("theirs_work")) + 0, 1)
	printf "| `ssh-keygen -Q` on it, ms | %.1f | %.1f | %.2f |\n", \
	    median("ours_asked") / 1e3, median("theirs_asked") / 1e3, \
	    median("ours_asked") / median("theirs_asked")
}
