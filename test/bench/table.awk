# SPDX-License-Identifier: ISC
#
# awk -f table.awk INSTRUCTIONS LOGIN TIMES: the measurements, beside the
# limits that they must keep.

function limit(name, of, ratio, instructions, kib) {
	base[name] = of
	ratio_max[name] = ratio
	instructions_max[name] = instructions
	kib_max[name] = kib
}

# VALUE, and what it must not exceed; counts the broken ones.
function judge(value, max, form) {
	if (value == "")
		return "–"
	if (max == "")
		return sprintf(form, value)
	return sprintf(form " (≤ " form ")%s", value, max,
	    value + 0 > max ? " BROKEN" : "")
}

BEGIN {
	limit("yes", "", 1.6, 3.5, 3072)
	limit("no, no record", "", 1.2, "", "")
	limit("no, wrong key", "", 1.2, "", "")
	limit("yes, 200 groups", "yes", 1.3, "", "")
	limit("yes, " crowd " records", "yes", 1.05, "", "")
	limit("yes (shared)", "", 2.6, "", "")
	limit("no, no record (shared)", "", 1.6, "", "")
	limit("no, wrong key (shared)", "", 1.6, "", "")
	limit("login, authorized_keys file", "itself", "", "", "")
	limit("login, aadssh", "login, authorized_keys file", 1.10, "", "")
	print "| command | median, µs | ratio (limit) | to | M instructions | peak, KiB |"
	print "|---|---|---|---|---|---|"
}

FILENAME == ARGV[1] { instructions[$1] = sprintf("%.2f", $2 / 1e6); next }
FILENAME == ARGV[2] { login = $1; next }

{
	rows++
	name = $1
	printf "| %s | %d | %s | %s | %s | %s |\n", name, $2,
	    judge($3, ratio_max[name], "%.2f"),
	    base[name] == "" ? "/bin/true" : base[name],
	    judge(instructions[name], instructions_max[name], "%.2f"),
	    judge($4, kib_max[name], "%d")
	delete ratio_max[name]
}

END {
	print ""
	print "| sign-in | median, ms |"
	print "|---|---|"
	print "| `aadssh login`, from the last click to stored, interval 1 s | " \
	    judge(login, 1500, "%d") " |"
	for (name in ratio_max)
		if (ratio_max[name] != "")
			print "BROKEN: " name " was not measured"
	if (instructions["yes"] + 0 == 0 || login + 0 == 0)
		print "BROKEN: no instructions or no sign-in was measured"
}
