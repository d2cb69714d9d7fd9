#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: make every answer of this folder anew, by a real ssh-agent with
# keys that are thrown away.  Needs ssh-agent of OpenSSH 9.x and node.
#
#   NAME.reply      without its length in front: keys, none, sign, failure
#   NAME.pub        ed25519 and rsa, which the agent holds
#   message         what is signed
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'kill "$SSH_AGENT_PID" && rm -rf "$tmp"' EXIT
rm -f ./*.reply ./*.pub
printf 'message\n' >message
eval "$(ssh-agent -a "$tmp/socket")" >/dev/null

# ask NAME HEX: what the agent answers to the bytes.
ask() {
	node -e '
	const [, socket, hex] = process.argv;
	const s = require("net").connect(socket);
	let got = Buffer.alloc(0);
	s.on("data", (d) => {
		got = Buffer.concat([got, d]);
		if (got.length >= 4 && got.length >= 4 + got.readUInt32BE(0)) {
			process.stdout.write(got.subarray(4));
			s.end();
		}
	});
	s.write(Buffer.from(hex, "hex"));' "$tmp/socket" "$2" >"$1.reply"
}

hex() {
	od -An -v -t x1 | tr -d ' \n'
}

# string HEX: with its length in front.
string() {
	printf '%08x%s' $((${#1} / 2)) "$1"
}

# sign NAME KEY FLAGS
sign() {
	blob=$(cut -d ' ' -f 2 "$2.pub" | base64 -d | hex)
	body=0d$(string "$blob")$(string "$(hex <message)")$3
	ask "$1" "$(string "$body")"
}

ask none 000000010b
ssh-keygen -q -N '' -C ed25519 -t ed25519 -f "$tmp/ed25519"
ssh-keygen -q -N '' -C rsa -t rsa -b 2048 -f "$tmp/rsa"
cp "$tmp"/*.pub .
ssh-add -q "$tmp/ed25519" "$tmp/rsa"
ask keys 000000010b
sign sign_ed25519 ed25519 00000000
sign sign_rsa rsa 00000004
ssh-add -q -d "$tmp/ed25519"
sign failure ed25519 00000000
