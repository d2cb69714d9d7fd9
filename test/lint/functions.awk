# SPDX-License-Identifier: ISC
#
# In this style a function's body opens and closes with a brace in the first
# column, and nothing else does.
FNR == 1 { start = 0 }
/^\{$/ { start = FNR }
/^\}$/ && start {
	seen++
	if (FNR - start + 1 > 80)
		print FILENAME ":" start ": " FNR - start + 1 " lines"
	start = 0
}
END { if (!seen) print "no functions" }
