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

# keywords OF: those of a host's file, or what only an authority's has, as
# `tables` says them.
keywords() {
	"$tables" | sed -n 's/^keyword //p' | case $1 in
	host) grep -vE '^(ca|profile) ' ;;
	authority) grep -E '^(ca|profile) |^[a-z]+ hosts ' ;;
	esac
}

# manual OF PAGE: ".Ss Section Bq NAME", ".It Ic KEY Ns = Ns Ar TYPE", then a
# line "A list…" and "Default:" with the default quoted on the next line.
manual() {
	keywords "$1" | awk '{
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
	{ want = 0 }' "$2" | sort >"$dir/text"
	same "$2" "$dir/code" "$dir/text"
}

# The keys of a sample, "SECTION KEY", commented out or not.
sample_keys() {
	awk '
	/^#?\[/ { section = $0; gsub(/[#\[\]]/, "", section); sub(/ .*/, "", section) }
	/^#?[a-z_]+ = / { key = $1; sub(/^#/, "", key); print section, key }
	' "$1" | sort -u
}

# shows FILE SECTION KEY DEFAULT: commented out, in its section.
shows() {
	awk -v section="$2" -v want="#$3 = $4" '
	/^#?\[/ { here = $0; gsub(/[#\[\]]/, "", here); sub(/ .*/, "", here) }
	here == section && $0 == want { found = 1 }
	END { exit !found }' "$1" || echo "$1 lacks: [$2] #$3 = $4"
}

# conf/aadssh.conf: every keyword once, commented out with its default unless
# the comment above calls it an example or it has none.
sample() {
	keywords host | awk '{ print $1, $2 }' | sort >"$dir/code"
	sample_keys conf/aadssh.conf >"$dir/text"
	same conf/aadssh.conf "$dir/code" "$dir/text"
	keywords host | awk '$5 != "-"' |
	while read -r section key _ _ fallback; do
		[ "$section" = login ] ||
		    shows conf/aadssh.conf "$section" "$key" "$fallback"
	done
}

# conf/aadssh-ca.conf: all that only an authority has, and of the rest what
# it likes; each with the default that an authority has.
sample_authority() {
	file=conf/aadssh-ca.conf
	sample_keys $file >"$dir/text"
	keywords authority | awk '{ print $1, $2 }' | sort >"$dir/code"
	comm -23 "$dir/code" "$dir/text" | sed "s|^|$file lacks: |"
	"$tables" | sed -n 's/^keyword //p' | awk '{ print $1, $2 }' | sort |
	    comm -13 - "$dir/text" | sed "s|^|$file has, the code not: |"
	[ -s "$dir/code" ] || echo "the code names nothing"
	"$tables" | awk -v keys="$dir/text" '
	BEGIN { while ((getline line <keys) > 0) has[line] = 1 }
	{ at = $2 " " $3; rest = $0; n = $1 == "keyword" ? 5 : 3
	  while (n-- > 0) sub(/^[^ ]+ /, "", rest) }
	$1 == "keyword" && $6 != "-" && at in has { say[at] = rest }
	$1 == "authority" { say[at] = rest }
	END { for (at in say) print at, say[at] }' >"$dir/defaults"
	[ -s "$dir/defaults" ] || echo "the code has no defaults"
	while read -r section key fallback; do
		shows $file "$section" "$key" "$fallback"
	done <"$dir/defaults"
}

# calls PROGRAM PAGE: the verbs and their options, as "help" has them and as
# the page's SYNOPSIS.
calls() {
	"$B/$1" help | awk '/^  [a-z]/ {
		verb = $1
		print verb
		while (match($0, /--[a-z-]+/)) {
			print verb, substr($0, RSTART, RLENGTH)
			$0 = substr($0, RSTART + RLENGTH)
		} }' | sort -u >"$dir/code"
	awk '
	/^\.Sh / { on = $2 == "SYNOPSIS" }
	!on { next }
	/^\.Nm/ { n = 0 }
	/^\.Cm / {
		for (i = 2; i <= NF; i++)
			if ($i ~ /^[a-z-]+$/ && $2 != "help") {
				verb[++n] = $i
				print $i
			}
	}
	{ for (i = 2; i <= NF; i++)
		for (j = 1; $i ~ /^-[a-z]/ && j <= n; j++)
			print verb[j], "-" $i }
	' "$2" | sort -u >"$dir/text"
	same "$2" "$dir/code" "$dir/text"
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
check 'aadssh.conf(5) has every keyword with type and default' \
    manual host docs/aadssh.conf.5
check 'aadssh-ca.conf(5) has what only an authority has' \
    manual authority docs/aadssh-ca.conf.5
check 'conf/aadssh.conf has every keyword with its default' sample
check 'conf/aadssh-ca.conf has every keyword with its default' \
    sample_authority
check 'mandoc finds nothing in the manual pages' mdoc
check 'aadssh(1) has the verbs and options that help names' \
    calls aadssh docs/aadssh.1
check 'aadssh-ca(1) has the verbs and options that help names' \
    calls aadssh-ca docs/aadssh-ca.1
