#!/bin/sh
# SPDX-License-Identifier: ISC
title="the examples in the documents do what they say"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
#
# A document marks what is run here.  In a manual page, the line
#	.\" run [STATUS]
# in front of a .Dl line: "# COMMAND" must end with STATUS (0).  In Markdown,
#	<!-- run -->
# in front of a ```sh block: the block is a script that must succeed.

# man_examples PAGE: "STATUS COMMAND", one a line.
man_examples()
{
	awk '/^\.\\" run( [0-9]+)?$/ { status = $3 + 0; wanted = 1; next }
	    wanted && /^\.Dl # / {
		line = substr($0, 7)
		while (sub(/\\$/, "", line) && (getline more) > 0)
			line = line more
		gsub(/\\\(dq/, "\"", line)
		print status, line
	    }
	    { wanted = 0 }' "$1"
}

# md_examples PAGE: each block into example.1, example.2, ...
md_examples()
{
	rm -f example.*
	awk '/^<!-- run -->$/ { wanted = 1; next }
	    wanted && /^```sh$/ { out = "example." ++n; wanted = 0; next }
	    /^```$/ { out = "" }
	    out != "" { print >out }
	    { wanted = 0 }' "$1"
	[ -s example.1 ]
}

# As root's shell would run it; where it signs in, somebody plays Alice.
run_example()
{
	case $1 in
	"aadssh login "*) signin "$ALICE" sh -c "$1" ;;
	*) sh -c "$1" ;;
	esac
}

man_page() # PAGE
{
	local status command
	need [ -n "$(man_examples "/src/docs/$1")" ]
	man_examples "/src/docs/$1" >examples
	while read -r status command <&3; do
		exits "$status" "$1: $command" run_example "$command"
	done 3<examples
}

md_page() # PAGE
{
	local i
	need md_examples "/src/docs/$1"
	i=1
	while [ -s "example.$i" ]; do
		ok "$1: example $i" sh -eu "example.$i"
		i=$((i + 1))
	done
}

stage
cd "$W"
need cp k1.pub alice.pub
need cp k2.pub bob.pub

man_page aadssh.1
man_page aadssh-authkeys.8
also "aadssh-authkeys.8: and nothing is printed" empty "$W/out"
need signin "$ALICE" aadssh login alice alice.pub
ok "and after them Alice's key is let in" says_yes alice alice.pub

# What formats.md does with its example, done to the record just made.
md_page formats.md
also "formats.md: openssl says so" has "$W/out" "Signature Verified Success"
need sed -n '/^{ printf .302A/,$p' example.1
mv "$W/out" verify.sh
cp "$STATE"/records/alice/* record
cp "$STATE/keys/record.pub" record.pub
ok "formats.md: a real record verifies too" sh -eu verify.sh
also "formats.md: openssl says that too" \
    has "$W/out" "Signature Verified Success"
sed -i 's/"local"/"LOCAL"/' record
exits 1 "formats.md: and not when a byte is changed" sh -eu verify.sh

md_page guide.md
finish
