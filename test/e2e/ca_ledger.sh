#!/bin/sh
# SPDX-License-Identifier: ISC
title="the ledger has every certificate, and what was altered is found"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

A="aadssh-ca -f $CA_CONF"
PUBLIC=$CA_STATE/public
LEDGER=$CA_STATE/ledger/ledger.db
stage_forged <<-END
	hosts = web
	[login deploy]
	allow = role:ssh.user
	hosts = web
END
for key in k1 k2 k3 kb host; do
	need new_key "$key"
done

# --- a run -----------------------------------------------------------------------

start=$(date -u +%Y-%m-%dT%H:%M:%SZ)
need issue k1 "$ALICE_OID" "$ALICE"
first=$(serial_of k1)
need issue k1 "$ALICE_OID" "$ALICE"
second=$(serial_of k1)
need issue k2 "$ALICE_OID" "$ALICE" login=deploy ttl=600
need issue kb "$BOB_OID" "$BOB"
need issue k3 "$ALICE_OID" "$ALICE" ttl=1
need $A sign-host --key "$W/host.pub" --name web.example.test
# A key that cannot be read: the certificate fails, and that is a row.
ca=$(cut -d ' ' -f 2 "$CERT_CA" | base64 -d | sha256sum | cut -d ' ' -f 1)
need mv "$CA_STATE/keys/$ca.key" "$W/kept.key"
need new_key kf
exits 3 "a certificate that cannot be signed" issue kf "$CAROL_OID" "$CAROL"
also "by that reason" has "$W/out" "end 3 ca_key"
need mv "$W/kept.key" "$CA_STATE/keys/$ca.key"
need $A revoke --serial "$first" --reason 'lost, "really"'
need $A revoke --user "$BOB" --reason left
need $A unrevoke --user "$BOB" --reason back
sleep 1.1

# --- what it says of it -------------------------------------------------------------

ok "list has all of it" $A list --json
cp "$W/out" "$W/list"
also "seven certificates" json "$W/out" \
    'o.length === 8 && o[7].certificates === 7'
also "and what became of each" json "$W/out" 'o.slice(0, 7)
    .map(c => c.state).sort().join() ===
    "expired,failed,issued,issued,issued,revoked,revoked"'
also "each with its own serial" json "$W/out" \
    'new Set(o.slice(0, 7).map(c => c.serial)).size === 7'
also "whose, for which logins" json "$W/out" "o[0].upn === '$ALICE' &&
    o[0].oid === '$ALICE_OID' && o[0].tid === '$TENANT' &&
    o[0].logins.join() === 'alice' && o[0].principals.join() === 'alice@web'"
also "why revoked" json "$W/out" 'o.find(c => c.serial ===
    "'"$first"'").revoked_reason === "lost, \"really\""'
also "each serial as text" json "$W/out" 'o.slice(0, 7)
    .every(c => /^[1-9][0-9]{0,18}$/.test(c.serial))'
ok "for people a line each" $A list
also "seven" test "$(wc -l <"$W/out")" -eq 7
ok "for a spreadsheet" $A list --csv
cp "$W/out" "$W/list.csv"
# RFC 4180 as a spreadsheet reads it, against the JSON.
cat >"$W/csv.mjs" <<-'END'
	import fs from 'node:fs'
	const text = fs.readFileSync(process.argv[2], 'utf8')
	const rows = []
	let row = [], field = '', quoted = false
	for (let i = 0; i < text.length; i++) {
		const c = text[i]
		if (quoted && c === '"' && text[i + 1] === '"') field += text[++i]
		else if (c === '"') quoted = !quoted
		else if (!quoted && c === ',') { row.push(field); field = '' }
		else if (!quoted && c === '\r' && text[i + 1] === '\n') {
			row.push(field); rows.push(row); row = []; field = ''; i++
		} else field += c
	}
	const json = fs.readFileSync(process.argv[3], 'utf8').trim().split('\n')
	    .map(JSON.parse)
	const head = rows.shift()
	if (rows.length !== json.length - 1 || field !== '' || quoted)
		process.exit(1)
	for (const [i, r] of rows.entries()) {
		if (r.length !== head.length) process.exit(2)
		for (const [j, name] of head.entries()) {
			const want = [].concat(json[i][name] ?? '').join(', ')
			if (r[j] !== want) {
				console.log(name, r[j], want)
				process.exit(3)
			}
		}
	}
END
also "the same" node "$W/csv.mjs" "$W/list.csv" "$W/list"
# shows N WORD…: with these filters it lists N.
shows()
{
	local n
	n=$1
	shift
	$A list --json "$@" >"$W/some" && json "$W/some" "o.length === $n + 1" ||
	    { cat "$W/some"; return 1; }
}
ok "--user" shows 4 --user "$ALICE"
ok "--user in capitals" shows 4 --user ALICE@contoso.com
ok "--user of nobody" shows 0 --user mallory@contoso.com
ok "--oid" shows 1 --oid "$BOB_OID"
ok "--key by file" shows 2 --key "$W/k1.pub"
ok "--key by certificate" shows 2 --key "$W/k1-cert.pub"
ok "--key by fingerprint" shows 2 --key "$(key_print k1)"
ok "--valid" shows 3 --valid
ok "--valid --user" shows 2 --valid --user "$ALICE"
ok "--since a time" shows 7 --since "$start"
ok "--since a while" shows 7 --since 1h
ok "--since tomorrow" shows 0 --since 2099-01-01T00:00:00Z
exits 2 "--since nonsense" $A list --since yesterday
exits 2 "--oid nonsense" $A list --oid x
exits 2 "two forms" $A list --csv --json

ok "show by number" $A show "$second" --json
also "the certificate" json "$W/out" "o[0].serial === '$second' &&
    o[0].state === 'issued' && o[0].fingerprint === '$(key_print k1)'"
ok "show by file" $A show "$W/k1-cert.pub" --json
also "says the same" json "$W/out" "o[0].serial === '$second' &&
    o[0].principals.join() === 'alice@web'"
exits 1 "show of no serial" $A show 4711
also "by that reason" has "$W/err" unknown_serial
ok "keys" $A keys --json
also "one of each role, and active" json "$W/out" 'o.slice(0, -1)
    .map(k => k.role + k.stage).sort().join() ===
    "bundleactive,hostactive,recoveryactive,useractive"'
also "and nothing secret" lacks "$W/out" PRIVATE
ok "verify" $A verify --json
also "counts the same" json "$W/out" "o[0].certificates === 7 &&
    o[0].faults === 0 && o[0].open === 0 &&
    o[0].manifests === $(readlink "$PUBLIC/current")"
ok "check" $A check

# --- a backup ---------------------------------------------------------------------------

ok "backup" $A backup --out "$W/backup"
also "for nobody else's eyes" test "$(stat -c %a "$W/backup")" = 600
also "with no key and no name in it" sh -c '! grep -aqE \
    "PRIVATE|alice|SQLite" "$1"' - "$W/backup"
exits 1 "not over another" $A backup --out "$W/backup"

# --- altered -------------------------------------------------------------------------------

need cp -p "$LEDGER" "$W/good.db"
put_back()
{
	cp -p "$W/good.db" "$LEDGER"
}
# found TITLE [TEXT]: verify finds it and says so.
found()
{
	exits 3 "$1: verify finds it" $A verify
	also "... by its reason" has "$W/err" ledger_altered
	[ $# -lt 2 ] || also "... and names it" grep -Eq -- "$2" "$W/out"
}
# flip OFFSET: one bit of one byte.
flip()
{
	local byte
	byte=$(od -An -tu1 -j "$1" -N 1 "$LEDGER" | tr -d ' ')
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 1)))" |
	    dd of="$LEDGER" bs=1 seek="$1" conv=notrunc status=none
}
# Each byte of a text that stands in some row: offsets, as grep counts.
offset()
{
	grep -abo -- "$1" "$LEDGER" | head -n 1 | cut -d : -f 1
}
for text in '"upn":"alice' 'alice@web' '"reason":"left"' "$second" \
    '"certificate":"AAAA' "$BOB_OID"; do
	at=$(offset "$text")
	[ -n "$at" ] || continue
	need flip $((at + ${#text} - 1))
	found "one byte of $text" 'row [1-9][0-9]*'
	put_back
done
size=$(stat -c %s "$LEDGER")
missed=
for i in $(seq 1 20); do
	at=$((size * i / 21 + i))
	flip "$at"
	# NB. free space within a page is no content: the file is the same.
	status=0
	$A verify >"$W/also.out" 2>&1 || status=$?
	[ "$status" -eq 3 ] || [ "$status" -eq 0 ] || missed="$missed $at"
	put_back
done
ok "no flipped byte upsets verify" test -z "$missed"
need truncate -s $((size / 2)) "$LEDGER"
exits 3 "half of the file is gone" $A verify
also "which is said" has "$W/err" ledger_altered
also "and how" has "$W/out" "cut short"
put_back
exits 3 "nothing is signed on an altered end" sh -c '
    dd if=/dev/zero of="$1" bs=1 seek=20000 count=4000 conv=notrunc status=none
    shift; "$@"' - "$LEDGER" $A sign-host --key "$W/kf.pub" \
    --name web.example.test
put_back
ok "what was put back is good again" $A verify

# --- a tail that is cut, an older one ----------------------------------------------------------

# An older whole file: its chain holds, but the manifests know better.
need issue k1 "$ALICE_OID" "$ALICE"
need $A publish
need cp -p "$LEDGER" "$W/later.db"
put_back
found "an older copy of the ledger" 'the manifest of version .* knows [0-9]+ rows, and the ledger has [0-9]+'
exits 3 "nothing is published from it" $A publish
log_mark
exits 3 "II-R5 nothing is signed from it" issue k2 "$ALICE_OID" "$ALICE"
also "II-R5 ... by that reason" has "$W/out" "end 3 ledger_altered"
also "II-R5 ... and the log says why" log_has event=signer via=socket \
    reason=ledger_altered "which hosts see, knows a row"
exits 3 "II-R5 ... nor for a host" $A sign-host --key "$W/host.pub" \
    --name web.example.test
cp -p "$W/later.db" "$LEDGER"
ok "with the right one all is well" $A verify
ok "... and it signs" issue k2 "$ALICE_OID" "$ALICE"
need cp -rp "$CA_STATE/manifests" "$W/manifests"
newest=$(readlink "$PUBLIC/current")
need sed -i 's/"version":[0-9]*/"version":99999/' \
    "$CA_STATE/manifests/$newest.json"
found "a manifest that was changed" "manifests/$newest.json is not signed"
need cp -p "$W/manifests/$newest.json" "$CA_STATE/manifests/"
ok "put back, all is well" $A verify

# --- restored ----------------------------------------------------------------------------------

need ssh-keygen -q -t ed25519 -N '' -C '' -f "$W/wrong"
exits 1 "restore overwrites no authority" $A restore "$W/backup" \
    --recovery "$W/recovery"
also "by that reason" has "$W/err" ca_exists
need cp "$CERT_CA" "$W/ca_before"
need sh -c 'rm -rf "$1"/* && mkdir "$1/tenant" && chown aadssh: "$1/tenant"' \
    - "$CA_STATE"
need forged_keys
nothing_there()
{
	[ ! -e "$LEDGER" ] && [ -z "$(ls "$CA_STATE/keys" 2>/dev/null)" ]
}
exits 1 "the wrong recovery key" $A restore "$W/backup" --recovery "$W/wrong"
also "leaves nothing" nothing_there
for at in 10 60 200 5000; do
	cp "$W/backup" "$W/damaged"
	printf '\377\0' | dd of="$W/damaged" bs=1 seek="$at" conv=notrunc \
	    status=none
	status=0
	$A restore "$W/damaged" --recovery "$W/recovery" >"$W/out" 2>"$W/err" ||
	    status=$?
	ok "a backup with damage at $at is refused" test "$status" -ne 0
	also "and leaves nothing: $at" nothing_there
done
head -c 9000 "$W/backup" >"$W/damaged"
exits 1 "one that was cut" $A restore "$W/damaged" --recovery "$W/recovery"
also "leaves nothing" nothing_there
ok "restore" $A restore "$W/backup" --recovery "$W/recovery"
also "and it says what to do" has "$W/out" "advice: What was given"
ok "verify" $A verify
ok "the certificates of before are all there" $A list --json
also "as they were" cmp "$W/list" "$W/out"
ok "the authorities are those of before" cmp "$W/ca_before" "$CERT_CA"
ok "what was revoked is it" sh -c '! ssh-keygen -Q -f "$1" "$2"' - \
    "$CERT_KRL" "$W/kb-cert.pub"
exits 1 "I-C18 a sign-in of before the restore counts no more" \
    issue k1 "$ALICE_OID" "$ALICE"
also "I-C18 ... by that reason" has "$W/out" "end 1 token_restored"
forged_ago=-60
ok "I-C18 ... one of after it does" wait_for 10 issue k1 "$ALICE_OID" "$ALICE"
ok "verify still" $A verify
finish
