#!/bin/sh
# SPDX-License-Identifier: ISC
title="what aadssh-ca revokes sshd refuses at once"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

A="aadssh-ca -f $CA_CONF"
PUBLIC=$CA_STATE/public
stage_forged <<-END
	hosts = web
END
need write_cert_conf <<-END
	[host]
	groups = web
END
need start_cert_sshd
for key in k1 k2 k3 k4 kb; do
	need new_key "$key"
done
revoke()
{
	$A revoke "$@" --reason "of the test"
}
last=0
# Each change is a newer version, and the list is one that is read.
newer()
{
	local now
	now=$(krl_version "$CERT_KRL")
	[ "$now" -gt "$last" ] && [ -s "$CERT_KRL" ] || return 1
	last=$now
}
need newer

# --- a serial ---------------------------------------------------------------------

need issue k1 "$ALICE_OID" "$ALICE"
ok "before it, the certificate opens" cert_opens alice "$W/k1"
serial=$(serial_of k1)
ok "I-E9 a serial is revoked" revoke --serial "$serial"
also "I-E9 ... one" has "$W/out" "certificates revoked: 1"
ok "I-E9 ... and refused at once" cert_refused alice "$W/k1"
also "I-E9 ... by a newer list" newer
ok "once more changes nothing" revoke --serial "$serial"
also "and says so" has "$W/out" "certificates revoked: 0"
ok "who had it signs again" issue k1 "$ALICE_OID" "$ALICE"
ok "and gets in" cert_opens alice "$W/k1"
exits 2 "no serial is ever unrevoked" $A unrevoke --serial "$serial"

# --- a hand on Ctrl-C ---------------------------------------------------------------

# What was asked for is done and published, or was not asked for yet: the
# signal goes to the whole group, as a terminal sends it.
half_done()
{
	local ms code state done=0
	for ms in 01 03 05 08 12 16 20 25 30 40 60; do
		issue k9 "$ALICE_OID" "$ALICE" >"$W/issued" || return 1
		serial=$(serial_of k9) code=0
		timeout --preserve-status -s INT "0.0$ms" \
		    $A revoke --serial "$serial" --reason "of the test" \
		    >"$W/half" 2>&1 || code=$?
		$A show "$serial" --json >"$W/shown"
		state=$(sed -n 's/.*"state": *"\([a-z]*\)".*/\1/p' "$W/shown")
		case $code:$state in
		0:revoked)
			ssh-keygen -Q -f "$CERT_KRL" "$W/k9-cert.pub" && return 1
			done=$((done + 1)) ;;
		130:issued | 3:issued) ;;
		*) echo "$ms ms: $code: $state"; cat "$W/half"; return 1 ;;
		esac
		revoke --serial "$serial" || return 1
	done
	echo "$done of 11 were done"
}
need new_key k9
ok "revoke is done whole or not at all" half_done

# --- a key --------------------------------------------------------------------------

need issue k2 "$ALICE_OID" "$ALICE"
need cert_opens alice "$W/k2"
ok "I-E9 a key is revoked" revoke --key "$W/k2.pub"
ok "I-E9 ... and refused at once" cert_refused alice "$W/k2"
ok "the other keys go on" cert_opens alice "$W/k1"
exits 1 "nothing is signed for it" issue k2 "$ALICE_OID" "$ALICE"
also "by that reason" has "$W/out" "end 1 key_revoked"
exits 1 "for nobody" issue k2 "$BOB_OID" "$BOB"
also "by that reason, too" has "$W/out" "end 1 key_revoked"
exits 1 "nor for a host" $A sign-host --key "$W/k2.pub" \
    --name web.example.test --out "$W/host-cert.pub"
also "by the same" has "$W/err" key_revoked
exits 2 "a key is never unrevoked" $A unrevoke --key "$W/k2.pub"

# --- a user, also what is under way ---------------------------------------------------

# A signer that is killed before the second row: what it signed nobody has.
killed_before_issued()
{
	"$ASK" sign key="$W/k4.pub" \
	    token="$(forged_token "$ALICE_OID" "$ALICE")" context=via=test \
	    -- /usr/bin/strace -qq -o /dev/null \
	    -e inject=unlink:signal=SIGKILL:when=2 \
	    /usr/bin/setpriv --reuid aadssh-ca --regid aadssh-ca --init-groups \
	    "$CA_SIGNER" -f "$CA_CONF" >"$W/killed" 2>&1
	[ $? -ne 0 ] && lacks "$W/killed" certificate
}
prepared=0
if strace -qq -o /dev/null true 2>/dev/null; then
	prepared=1
	ok "a signer is killed before it answers" killed_before_issued
	ok "its certificate stays prepared" $A list --json --user "$ALICE"
	also "and nothing else" json "$W/out" \
	    'o.filter(c => c.state === "prepared").length === 1'
else
	skip "a certificate that stays prepared" "the kernel allows no ptrace"
fi
need issue k3 "$ALICE_OID" "$ALICE"
need issue kb "$BOB_OID" "$BOB"
need cert_opens alice "$W/k3"
need newer
ok "I-E9 a user is revoked, whatever the case" revoke --user Alice@Contoso.COM
also "I-E9 ... with all that is valid or under way" \
    has "$W/out" "certificates revoked: $((2 + prepared))"
ok "I-E9 ... and refused at once" cert_refused alice "$W/k1"
ok "I-E9 ... with each key" cert_refused alice "$W/k3"
also "by a newer list" newer
ok "others go on" cert_opens bob "$W/kb"
ok "none of hers is prepared any more" $A list --json --user "$ALICE"
also "all are revoked" json "$W/out" 'o.slice(0, -1)
    .every(c => c.state === "revoked" && c.revoked_reason === "of the test")'
ok "the denial is published" json "$PUBLIC/current/denials.json" \
    "o[0].identities.some(i => i.oid === '$ALICE_OID')"
exits 1 "she signs no more" issue k1 "$ALICE_OID" "$ALICE"
also "by that reason" has "$W/out" "end 1 identity_revoked"
exits 1 "also under another name" issue k1 "$ALICE_OID" alice2@contoso.com
ok "until she is let again" $A unrevoke --user "$ALICE" --reason back
ok "which is published, too" json "$PUBLIC/current/denials.json" \
    'o[0].identities.length === 0'
ok "what was revoked stays it" cert_refused alice "$W/k3"
ok "she signs" issue k1 "$ALICE_OID" "$ALICE"
ok "and gets in" cert_opens alice "$W/k1"
exits 1 "twice is too often" $A unrevoke --user "$ALICE"
also "by that reason" has "$W/err" not_revoked
exits 1 "the key of before is not let again" issue k2 "$ALICE_OID" "$ALICE"

# --- an identity -------------------------------------------------------------------------

ok "I-E9 an object id is revoked" revoke --oid "$BOB_OID"
ok "I-E9 ... and refused at once" cert_refused bob "$W/kb"
exits 1 "bob signs no more" issue kb "$BOB_OID" "$BOB"
ok "one that never had a certificate, too" revoke --oid "$CAROL_OID"
exits 1 "and gets none" issue kb "$CAROL_OID" "$CAROL"
also "by that reason" has "$W/out" "end 1 identity_revoked"
need $A unrevoke --oid "$BOB_OID"
need $A unrevoke --oid "$CAROL_OID"

# --- nobody, nothing, two ------------------------------------------------------------------

for serial in 4711 0 00 x 99999999999999999999; do
	exits 1 "a serial that there is not: $serial" revoke --serial "$serial"
	also "by that reason: $serial" has "$W/err" unknown_serial
done
exits 1 "a user who never was here" revoke --user mallory@contoso.com
also "by that reason" has "$W/err" unknown_user
exits 2 "an object id that is none" revoke --oid alice
exits 2 "no reason" $A revoke --oid "$BOB_OID"
exits 2 "two at once" revoke --oid "$BOB_OID" --serial 1
need $A unrevoke --pin alice
need issue k4 "$CAROL_OID" "$ALICE"
exits 1 "a name that two had" revoke --user "$ALICE"
also "by that reason" has "$W/err" ambiguous_user
also "with the first" has "$W/err" "$ALICE_OID"
also "and the second" has "$W/err" "$CAROL_OID"
ok "nobody is revoked by that" cert_opens alice "$W/k1"
ok "the right one is, by object id" revoke --oid "$CAROL_OID"
ok "... and refused at once" cert_refused alice "$W/k4"
ok "... and the other goes on" cert_opens alice "$W/k1"

# --- the list for others -----------------------------------------------------------------

ok "krl writes the list" $A krl --out "$W/krl"
also "0644" test "$(stat -c %a "$W/krl")" = 644
same_verdicts()
{
	(cd "$W" && ssh-keygen -Q -f krl ./*.pub >q1
	ssh-keygen -Q -f "$CERT_KRL" ./*.pub >q2
	grep -q REVOKED q1 && grep -q ok q1 && cmp q1 q2)
}
also "as it is published" same_verdicts
ok "also to a pipe" sh -c "$A krl --out - | cmp -n 8 - $W/krl"

# --- a key of the authority -----------------------------------------------------------------

ca=$(ssh-keygen -lf "$CERT_CA" | cut -d ' ' -f 2)
cp "$CERT_CA" "$W/old_ca"
need issue kb "$BOB_OID" "$BOB"
need cert_opens bob "$W/kb"
ok "I-D6 the authority's key is revoked" revoke --ca-key "$ca"
ok "I-D6 ... what it signed is refused at once" cert_refused bob "$W/kb"
ok "I-D6 ... all of it" cert_refused alice "$W/k1"
ok "it is not published any more" lacks "$CERT_CA" \
    "$(cut -d ' ' -f 2 "$W/old_ca")"
cat "$CERT_CA" "$W/old_ca" >"$W/both"
ok "its private half is gone" sh -c '! ls "$1" | grep -q "$2"' - \
    "$CA_STATE/keys" "$(cut -d ' ' -f 2 "$W/old_ca" | base64 -d |
    sha256sum | cut -d ' ' -f 1)"
ok "the next key signs at once" issue kb "$BOB_OID" "$BOB"
ok "and opens" cert_opens bob "$W/kb"
ok "once more changes nothing" revoke --ca-key "$ca"
also "and says so" has "$W/out" "certificates revoked: 0"
exits 3 "a key that is none of ours" revoke --ca-key "$(key_print k1)"
also "by that reason" has "$W/err" ca_key
exits 3 "a key of ours is not barred by --key" revoke --key "$CERT_CA"
also "by that reason, too" has "$W/err" ca_key
ok "with the old key still trusted somewhere" sh -c '
    cat "$1" >"$2" && sed -i "s|^TrustedUserCAKeys.*|TrustedUserCAKeys $2|" \
    /etc/ssh/sshd_cert_config' - "$W/both" /etc/ssh/both
need stop_cert_sshd
need cert_sshd_again
need new_key k5
need issue k5 "$BOB_OID" "$BOB"
ok "I-E12 ... the list still has it" cert_refused alice "$W/k1"
ok "I-E12 ... and what is good opens" cert_opens bob "$W/k5"
ok "verify finds all in order" $A verify
also "and says what stays open" test "$(grep -c "^open: serial" "$W/out")" -eq "$prepared"
finish
