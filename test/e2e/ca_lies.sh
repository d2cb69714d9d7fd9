# SPDX-License-Identifier: ISC
title="certificates that aadssh-ca does not believe its signer"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

# The programs once more, with a signer and a sign-in of our own beside them.
# The signer has the authority's true key: what it signs verifies, and is not
# what was asked for.
cd "$W" || exit 1
B=/opt/lies
mkdir -p "$B"
cp /opt/aadssh/bin/aadssh-ca "$B/"
stage_forged <<-END
	hosts = web
END
for key in k1 k2 foreign; do
	need new_key "$key"
done
: >"$B/log"
cat >"$B/aadssh" <<-'END'
#!/bin/sh
echo signed-in >>/opt/lies/log
while [ "$1" != --fd ]; do shift; done
eval "printf %s a.b.c >&$2"
END
cat >"$B/aadssh-ca-signer" <<-'END'
#!/bin/sh
cat >/dev/null
cat /opt/lies/answer
END
chmod 0755 "$B/aadssh" "$B/aadssh-ca-signer"
ca_hash() # ROLE: the name of its key's file
{
	cut -d ' ' -f 2 "$CA_STATE/public/current/$1_ca.pub" | base64 -d |
	    sha256sum | cut -d ' ' -f 1
}
for role in user host; do
	need cp "$CA_STATE/keys/$(ca_hash $role).key" "$W/$role"
	chmod 0600 "$W/$role"
	ssh-keygen -y -f "$W/$role" >"$W/$role.pub"
done

# CERTIFICATE and END, as docs/formats.md frames them.
cat >"$W/answer.mjs" <<-'END'
	import fs from 'node:fs'
	const field = (label, bytes) => {
		const head = Buffer.alloc(6)
		head.writeUInt16BE(label, 0)
		head.writeUInt32BE(bytes.length, 2)
		return Buffer.concat([head, bytes])
	}
	const message = (type, fields) => {
		const head = Buffer.from('aadssh1\n\0\0\0\0\0\0\0\0', 'latin1')
		const rest = Buffer.concat(fields)
		head.writeUInt32BE(type, 8)
		head.writeUInt32BE(rest.length, 12)
		return Buffer.concat([head, rest])
	}
	const code = Buffer.alloc(8)
	for (const file of process.argv.slice(2))
		process.stdout.write(message(65, [field(1, Buffer.from(fs
		    .readFileSync(file, 'utf8').split(' ')[1], 'base64')),
		    field(24, Buffer.from('{"v":1}'))]))
	process.stdout.write(message(67, [field(16, Buffer.alloc(0)),
	    field(25, code), field(26, Buffer.from('allowed'))]))
END

# certify AUTHORITY KEY OPTION…: KEY-cert.pub by it, in our ways unless said.
certify()
{
	local ca="$1" key="$2"
	shift 2
	rm -f "$W/$key-cert.pub"
	# shellcheck disable=SC2086 # words
	ssh-keygen -q -s "$W/$ca" -I x -z 7 ${names--n alice@web} -V -1m:+1h \
	    "$@" "$W/$key.pub" </dev/null
}
# asked WORD…: sign for k1, for an hour; $answer has the certificates.
asked()
{
	rm -f "$W/out-cert.pub"
	node "$W/answer.mjs" $answer >"$B/answer" &&
	    "$B/aadssh-ca" -f "$CA_CONF" sign --key "$W/k1.pub" \
	    --out "$W/out-cert.pub" --login alice --ttl 1h "$@" </dev/null
}
# believed TITLE OPTION…: of ssh-keygen -s, which make a certificate.
answer=$W/k1-cert.pub
believed()
{
	local title="$1"
	shift
	need certify user k1 "$@"
	ok "$title" asked
	also "is stored: $title" cmp_keys "$W/out-cert.pub" "$W/k1-cert.pub"
}
cmp_keys() # FILE FILE: the same key or certificate
{
	[ "$(cut -d ' ' -f 2 "$1")" = "$(cut -d ' ' -f 2 "$2")" ]
}
not_believed() # TITLE [WORD…]
{
	local title="$1"
	shift
	exits 3 "II-L9 not believed: $title" asked "$@"
	also "II-L9 ... by its reason: $title" has "$W/err" signer_reply
	also "II-L9 ... and not stored: $title" test ! -e "$W/out-cert.pub"
}
lies() # TITLE OPTION…
{
	local title="$1"
	shift
	need certify user k1 "$@"
	not_believed "$title"
}

believed "what was asked for"
also "of a sign-in" grep -qx signed-in "$B/log"
believed "for less long" -V -1m:+5m
believed "at more hosts" -n alice@web,alice@db
believed "from fewer addresses" -O source-address=192.0.2.0/24
believed "for one command" -O clear -O force-command=/bin/true

lies "longer than asked for" -V -1m:+2h
lies "for ever" -V always:forever
lies "over already" -V -2h:-1h
lies "from tomorrow on" -V +1m:+30m
lies "since yesterday" -V -1d:+30m
lies "another's login, too" -n alice@web,bob@web
lies "another's login" -n bob@web
lies "root" -n root
names=
lies "no principal"
unset names
lies "a critical option that nobody knows" -O critical:x=y
lies "a pattern" -n '*'
lies "a host's" -h
need certify host k1
not_believed "of the authority for hosts"
need certify foreign k1
not_believed "of another authority"
need certify user k2
answer=$W/k2-cert.pub
not_believed "for another key"
answer="$W/k1-cert.pub $W/k1-cert.pub"
need certify user k1
not_believed "two of them"
answer=$W/k1.pub
not_believed "a plain key"
answer=$W/k1-cert.pub
need certify user k1
not_believed "without the addresses asked for" --source-address 192.0.2.0/24
need certify user k1 -O source-address=192.0.0.0/16
not_believed "with wider ones" --source-address 192.0.2.0/24
need certify user k1 -O source-address=192.0.2.0/24,10.0.0.0/8
not_believed "with more of them" --source-address 192.0.2.0/24
need certify user k1 -O source-address=192.0.2.128/25
ok "with narrower ones it is stored" asked --source-address 192.0.2.0/24
# One byte of each is another.
need certify user k1
need cp "$W/k1-cert.pub" "$W/good"
missed=
for at in 5 40 90 150 200 300 380 450; do
	node -e 'const fs = require("fs"), [type, b] = fs.readFileSync(
	    process.argv[1], "utf8").split(" "), p = Buffer.from(b, "base64")
	p[process.argv[2] % p.length] ^= 1
	fs.writeFileSync(process.argv[3], type + " " + p.toString("base64"))' \
	    "$W/good" "$at" "$W/k1-cert.pub"
	status=0
	asked >"$W/out" 2>&1 || status=$?
	[ "$status" -eq 3 ] && [ ! -e "$W/out-cert.pub" ] || missed="$missed $at"
done
ok "I-D1 nor one of which a bit is another" test -z "$missed"

# A file that is there is as it was, whatever comes.
need certify user k1
need asked
need cp "$W/out-cert.pub" "$W/kept"
need certify user k1 -n root
need node "$W/answer.mjs" "$W/k1-cert.pub"
cp "$W/out" "$B/answer"
exits 3 "II-L10 over a certificate of before" "$B/aadssh-ca" -f "$CA_CONF" \
    sign --key "$W/k1.pub" --out "$W/out-cert.pub" --login alice --ttl 1h
also "II-L10 ... which stays" cmp "$W/kept" "$W/out-cert.pub"
finish
