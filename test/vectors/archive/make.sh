#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: texts of a backup, before it is sealed.
#
#   NAME.text       a byte, the length of a chunk less one, then entries:
#                   u32 length of the name, name, u64 length, bytes
set -eu
cd "$(dirname "$0")"
rm -f ./*.text

# number BYTES N: big endian.
number()
{
	printf "%0$(($1 * 2))X" "$2" | basenc -d --base16
}

# entry NAME TEXT [SAID]: SAID: the length, if it is to be another.
entry()
{
	number 4 "${#1}"
	printf %s "$1"
	number 8 "${3-${#2}}"
	printf %s "$2"
}

# of CHUNK: its byte in front of standard input.
of()
{
	number 1 $(($1 - 1))
	cat
}

hex=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
all()
{
	entry manifests/1.json '{"v":1}'
	entry manifests/1.json.sig "a signature"
	entry ledger.db "SQLite format 3"
	entry "keys/$hex.key" "a key"
}
all | of 256 >whole.text
all | of 7 >chunks.text
all | head -c 60 | of 16 >cut.text
of 1 </dev/null >none.text
entry x '' | of 32 >empty.text
entry ledger.db abc 4 | of 32 >short.text
entry ledger.db abc 70368744177665 | of 32 >large.text
