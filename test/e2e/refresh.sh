#!/bin/sh
# SPDX-License-Identifier: ISC
title="the live check: renewed, evicted, asked to sign in again, or left alone"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

need start_idp
need write_conf <<END
[token]
sign_in_max_age = 12h
confirm = 1h
END
need new_key k1
need new_key k2
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need signin "$BOB" aadssh login bob "$W/k2.pub"
need says_yes alice "$W/k1.pub"

# --- renewed ------------------------------------------------------------------
before=$(sed -n 3p "$STATE/records/alice"/*)
ok "a refresh with all well" aadssh refresh --json
also "renewed both" counted renewed 2
also "and says so in its result" counted result ok
ok "a new token is in the record" \
    [ "$(sed -n 3p "$STATE/records/alice"/*)" != "$before" ]
ok "and opens the door" says_yes alice "$W/k1.pub"
ok "the log has one line about the run" \
    log_has event=refresh result=ok checked=2 renewed=2
ok "and no token" log_lacks eyJ
ok "the next one works with the new refresh tokens" aadssh refresh --json
also "again both" counted renewed 2
find "$STATE/refresh.json" -printf '%m %u\n' >"$W/mode"
ok "refresh.json tells how it went" has "$STATE/refresh.json" '"result":"ok"'
ok "and is aadssh's" has "$W/mode" "640 aadssh"

# --- gone ---------------------------------------------------------------------
idp_refuse 50057 "$ALICE"
log_mark
ok "a refresh after alice was disabled" aadssh refresh --json
also "one is gone" counted gone 1
also "bob is renewed in the same run" counted renewed 1
ok "the hook refuses alice" says_no alice "$W/k1.pub"
ok "because she is gone, says the log" \
    log_has event=key reason=identity_gone login=alice
ok "the record is a tombstone" is_state alice identity_gone
ok "there is a denial of the identity" \
    has "$STATE/denials/oid/$ALICE_OID" '"origin":"idp"'
ok "the log says who was shut out" \
    log_has event=evict identity_gone login=alice "$ALICE_OID"
ok "her refresh token is destroyed" [ "$(tokens_left)" -eq 1 ]
ok "bob gets in" says_yes bob "$W/k2.pub"
ok "and another refresh finds nobody gone" aadssh refresh --json
also "for she is not asked about any more" counted checked 1

# --- and back -----------------------------------------------------------------
idp_pardon
ok "enabled again, alice signs in" \
    signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "and gets in" says_yes alice "$W/k1.pub"
ok "the provider's denial is lifted" [ ! -e "$STATE/denials/oid/$ALICE_OID" ]
ok "a refresh renews her" aadssh refresh --json
also "and bob" counted renewed 2

# --- an administrator's denial stays -------------------------------------------
need aadssh deny --oid "$ALICE_OID"
idp_refuse 50057 "$ALICE"
ok "a refresh while an administrator denies her" aadssh refresh
ok "leaves the denial the administrator's" \
    has "$STATE/denials/oid/$ALICE_OID" '"origin":"admin"'
idp_pardon
need aadssh undeny --oid "$ALICE_OID"
ok "without it she gets in" says_yes alice "$W/k1.pub"

# --- sign in again --------------------------------------------------------------
idp_refuse 50173 "$ALICE"
log_mark
ok "a refresh after her sessions were revoked" aadssh refresh --json
also "one has to sign in again" counted again 1
also "nobody is gone" counted gone 0
ok "the hook refuses her" says_no alice "$W/k1.pub"
ok "the record ended for that reason" is_state alice sign_in_again
ok "nothing is held against her" [ ! -e "$STATE/denials/oid/$ALICE_OID" ]
ok "the log names the number" log_has event=renew sign_in_again AADSTS50173
ok "she signs in again at once" \
    signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "and gets in at once" says_yes alice "$W/k1.pub"
idp_pardon

# --- policy ---------------------------------------------------------------------
idp_refuse 53003 "$ALICE"
log_mark
ok "a refresh that a policy refuses" aadssh refresh --json
also "is counted as that" counted policy 1
ok "and evicts nobody" says_yes alice "$W/k1.pub"
ok "the record remembers" is_renewal alice sign_in_again
ok "the log warns, with the number" \
    log_has event=renew renewal_policy AADSTS53003 login=alice
idp_fault '{"endpoint":"token","kind":"not_public_client","times":2}'
ok "a refresh that finds the registration changed" aadssh refresh --json
also "counts policy" counted policy 2
ok "and evicts nobody either" says_yes bob "$W/k2.pub"
idp_pardon
ok "once that is over" aadssh refresh --json
also "both are renewed" counted renewed 2
ok "and the record is as before" is_renewal alice ok

# --- what cannot be believed ------------------------------------------------------
for what in unsigned other-key hs256 no-oid; do
	need node - "$IDP/users.json" "$ALICE" "$what" <<-'END'
	const fs = require("fs");
	const shipped = JSON.parse(fs.readFileSync("/src/test/idp/users.json"));
	const [file, name, how] = process.argv.slice(2);
	fs.writeFileSync(file, JSON.stringify({ [name]: { ...shipped[name],
	    ...shipped[how], like: undefined, hidden: false,
	    claims: shipped[name].claims } }));
	END
	before=$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)
	ok "a refresh that brings a token that is $what" aadssh refresh --json
	also "does not believe it ($what)" counted failed 1
	ok "and changes nothing ($what)" \
	    [ "$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)" = \
	    "$before" ]
done
cat >"$IDP/users.json" <<END
{ "$ALICE": { "like": "$BOB" } }
END
before=$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)
log_mark
ok "a refresh that brings another identity's token" aadssh refresh --json
also "does not believe it" counted failed 1
ok "and says why in the log" log_has event=renew record_mismatch login=alice
ok "and changes nothing" \
    [ "$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)" = \
    "$before" ]
idp_pardon

# --- tenant keys that changed -------------------------------------------------------
curl_idp keys -d '{"change":"rotate"}' >/dev/null
curl_idp log -X DELETE >/dev/null
ok "a refresh after the tenant's keys were rotated" aadssh refresh --json
also "renews both" counted renewed 2
ok "and they get in with the new keys" says_yes alice "$W/k1.pub"

# --- refresh tokens that nobody can read --------------------------------------------
one=$(ls "$STATE"/refresh/alice.*)
need cp -p "$one" "$W/token"
echo junk >"$one"
ok "one refresh token that is damaged" aadssh refresh --json
also "is counted" counted failed 1
also "and the others are renewed" counted renewed 1
need cp -p "$W/token" "$one"
need mv "$STATE/keys/seal.key" "$W/seal.key"
exits 3 "without the key that opens them, the live check alarms" \
    aadssh refresh --json
also "and says why" has "$W/err" refresh_token_unreadable
also "of all" counted failed 2
ok "it is no outage" has "$STATE/refresh.json" '"result":"failed"'
ok "and nobody is shut out" says_yes alice "$W/k1.pub"
finish
