# SPDX-License-Identifier: ISC
. test/lint/lib.sh

tables=$B/test/tools/tables
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# same NAME WHAT-THE-CODE-SAYS WHAT-THE-TEXT-SAYS: sorted lines in files.
same() {
	[ -s "$2" ] || echo "$1: the code names nothing"
	[ -s "$3" ] || echo "$1: the text names nothing"
	diff "$2" "$3" | sed -n "s|^< |$1 lacks: |p; s|^> |$1 has, the code not: |p"
}

# docs/reasons.md: | code | class | sentence |, each code once.
reasons() {
	"$tables" | awk '$1 == "reason" { print $2, $3 }' | sort >"$dir/code"
	awk -F ' *[|] *' 'NF >= 5 && $2 ~ /^`?[a-z_]+`?$/ && $2 != "code" {
		gsub(/`/, "", $2)
		if ($4 !~ /[a-z][a-z].*[.]$/ || length($4) < 15)
			print "docs/reasons.md: " $2 " has no sentence" >"/dev/stderr"
		print $2, $3 }' docs/reasons.md | sort >"$dir/text"
	same docs/reasons.md "$dir/code" "$dir/text"
}

# Every code that a page quotes as reason=CODE exists.
quoted() {
	"$tables" | awk '$1 == "reason" { print $2 }' | sort -u >"$dir/codes"
	# shellcheck disable=SC2046
	grep -ohE '("reason": ?"|reason=)[a-z_]+' $(files '*.md' '*.[158]') |
	    sed 's/.*[="]//' | sort -u >"$dir/quoted"
	comm -13 "$dir/codes" "$dir/quoted" | sed 's/$/ is no reason/'
	[ -s "$dir/quoted" ] || echo 'the pages quote no reason at all'
}

# aadssh.conf(5): ".Ss Section Bq NAME", ".It Ic KEY Ns = Ns Ar TYPE", then a
# line "A list…" and "Default:" with the default quoted on the next line.
manual() {
	"$tables" | sed -n 's/^keyword //p' | awk '{
		fallback = $5
		for (i = 6; i <= NF; i++)
			fallback = fallback " " $i
		print $1, $2, $3, $4, fallback }' | sort >"$dir/code"
	awk '
	function flush() {
		if (key != "")
			print section, key, type, list, fallback
		key = ""
	}
	/^\.Ss Section Bq / { flush(); section = $4 }
	/^\.It Ic [a-z_]+ Ns = Ns Ar / {
		flush()
		key = $3; type = $8; list = "single"; fallback = "-"; next
	}
	/^\.(El|Sh)/ && depth == 0 { flush() }
	key != "" && /^A list[., ]/ { list = "list" }
	key != "" && /^Default(:|, .*:)$/ { want = 1; next }
	want && /^\.(Ql|Pa) / {
		fallback = $0
		sub(/^\.(Ql|Pa) /, "", fallback)
		gsub(/"/, "", fallback)
		sub(/ [.,]$/, "", fallback)
	}
	{ want = 0 }' docs/aadssh.conf.5 | sort >"$dir/text"
	same docs/aadssh.conf.5 "$dir/code" "$dir/text"
}

# conf/aadssh.conf: every keyword once, commented out with its default unless
# the comment above calls it an example or it has none.
sample() {
	"$tables" | sed -n 's/^keyword //p' |
	    awk '{ print $1, $2 }' | sort >"$dir/code"
	awk '
	/^#?\[/ { section = $0; gsub(/[#\[\]]/, "", section); sub(/ .*/, "", section) }
	/^#?[a-z_]+ = / { key = $1; sub(/^#/, "", key); print section, key }
	' conf/aadssh.conf | sort -u >"$dir/text"
	same conf/aadssh.conf "$dir/code" "$dir/text"
	"$tables" | sed -n 's/^keyword //p' | awk '$5 != "-"' |
	while read -r section key _ _ fallback; do
		[ "$section" != login ] || continue
		awk -v section="$section" -v want="#$key = $fallback" '
		/^#?\[/ { here = $0; gsub(/[#\[\]]/, "", here) }
		here == section && $0 == want { found = 1 }
		END { exit !found }' conf/aadssh.conf ||
		    echo "conf/aadssh.conf lacks: [$section] #$key = $fallback"
	done
}

mdoc() {
	list=$(files '*.[158]')
	[ -n "$list" ] || echo 'no manual pages'
	for page in $list; do
		mandoc -T lint -W warning "$page" || :
	done
}

check 'docs/reasons.md has one row for each reason, of its class' reasons
check 'the reasons that pages quote exist' quoted
check 'aadssh.conf(5) has every keyword with type and default' manual
check 'conf/aadssh.conf has every keyword with its default' sample
check 'mandoc finds nothing in the manual pages' mdoc
