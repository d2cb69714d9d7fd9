#!/bin/sh
# SPDX-License-Identifier: ISC
title="whatever goes wrong with a sign-in has its exit, its code and its sentence, and stores nothing"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

API=$AUTHORITY/_test/fault

# fault JSON: what the provider does wrong from now on.
fault()
{
	curl -fsS --max-time 5 --cacert "$IDP/ca.pem" -X DELETE "$API" &&
	    curl -fsS --max-time 5 --cacert "$IDP/ca.pem" -d "$1" "$API"
}

# One sentence with the code, perhaps one line of detail, no control byte.
said() # CODE TEXT
{
	[ "$(grep -c "^aadssh: .*\. ($1)\$" "$W/err")" -eq 1 ] &&
	    has "$W/err" "$2" && ! LC_ALL=C grep -q '[^[:print:]]' "$W/err"
}

nothing_stored()
{
	[ "$(state_sum)" = "$state" ] && says_no alice "$W/k1.pub"
}

# no TITLE FAULT EXIT CODE TEXT: with this fault a login ends so.
no()
{
	need fault "$2"
	exits "$3" "$1" timeout 25 aadssh login alice "$W/k1.pub"
	also "... with its code and sentence ($4)" said "$4" "$5"
	also "... and nothing on stdout or disk" eval \
	    'empty "$W/out" && nothing_stored'
}

# yes TITLE FAULT: in spite of this fault a login succeeds.
yes()
{
	need fault "$2"
	ok "$1" signin "$ALICE" timeout 25 aadssh login alice "$W/k1.pub"
	ok "... and is stored" says_yes alice "$W/k1.pub"
	need aadssh forget alice
	state=$(state_sum)
}

edit() # ENDPOINT MEMBERS
{
	echo "{\"endpoint\":\"$1\",\"kind\":\"edit\",\"set\":{$2}}"
}

kind() # ENDPOINT KIND [MORE]
{
	echo "{\"endpoint\":\"$1\",\"kind\":\"$2\"${3+,$3}}"
}

# The person presses Cancel.
declined()
{
	local status=0
	aadssh login alice "$W/k1.pub" >"$W/login.out" 2>"$W/login.err" &
	wait_for 30 code_shown "$W/login.err"
	node "$SRC/test/idp/click.mjs" --ca "$IDP/ca.pem" --deny \
	    "$(shown_url "$W/login.err")" "$(shown_code "$W/login.err")" \
	    "$ALICE" >/dev/null 2>&1
	wait $! || status=$?
	cat "$W/login.out"
	cat "$W/login.err" >&2
	return "$status"
}

log() # [OPTION…]
{
	curl -fsS --max-time 5 --cacert "$IDP/ca.pem" "$@" "${API%fault}log"
}

polled()
{
	log | grep -q '"endpoint":"token"'
}

# Ctrl-C while the command waits for something that does not come: an answer
# that hangs is given up after 30 seconds.
interrupted()
{
	local status=0 begin
	log -X DELETE >/dev/null || status=97
	aadssh login alice "$W/k1.pub" >"$W/login.out" 2>"$W/login.err" &
	wait_for 30 polled || status=98
	begin=$(date +%s)
	kill -INT $!
	wait $! || status=$?
	[ $(($(date +%s) - begin)) -le 15 ] || status=99
	cat "$W/login.out"
	cat "$W/login.err" >&2
	return "$status"
}

need start_idp
need write_conf </dev/null
need new_key k1
need aadssh refresh --keys-only
# The first one makes directories and the record key.
need fault "$(kind devicecode access_denied)"
exits 1 "a first login that is refused" aadssh login alice "$W/k1.pub"
state=$(state_sum)

# --- what the person, the tenant and the application refuse ------------------
need fault '[]'
exits 1 "declined in the browser" declined
also "... with its code and sentence" said signin_declined "declined"
also "... and nothing stored" nothing_stored
no "declined, by the standard's word" "$(kind token access_denied)" \
    1 signin_declined "declined in the browser"
no "the provider says that the code expired" "$(kind token expired_token)" \
    1 signin_expired "The code expired"
no "the code expires by our own clock" \
    "$(edit devicecode '"expires_in":3')" 1 signin_expired "The code expired"
no "blocked by Conditional Access" "$(kind token aadsts '"code":53003')" \
    1 signin_policy "AADSTS53003"
no "not assigned to the application" "$(kind token aadsts '"code":50105')" \
    1 signin_admin "assigns it under Enterprise applications"
no "account disabled" "$(kind token aadsts '"code":50057')" \
    1 signin_disabled "AADSTS50057"
no "second factor needed" "$(kind token interaction_required)" \
    1 signin_user "second factor"
no "public client flow off" "$(kind token not_public_client)" \
    3 public_client_off "Allow public client flows"
no "public client flow off, with HTTP 200" \
    "$(kind token not_public_client '"status":200')" \
    3 public_client_off "Allow public client flows"
no "public client flow off, at the start, with HTTP 200" \
    "$(kind devicecode not_public_client '"status":200')" \
    3 public_client_off "Allow public client flows"
no "the scope is not known" "$(kind devicecode aadsts '"code":70011')" \
    3 signin_config "[idp] scope"
no "an error that is an object" \
    "$(kind token answer '"status":400,"body":{"error":{"code":"x"}}')" \
    3 provider "unexpected"

# --- trouble that passes ------------------------------------------------------
yes "throttled once, then it works" "$(kind token throttled '"retry_after":2')"
yes "slow_down once, then it works" "$(kind token slow_down)"
yes "503 twice, then it works" "$(kind token unavailable '"times":2')"
yes "the connection breaks twice, then it works" "$(kind token reset '"times":2')"
yes "numbers as strings" "{\"endpoint\":\"devicecode\",\"kind\":\"edit\",
    \"strings\":[\"interval\",\"expires_in\"]}"
no "throttled for longer than the code lives" \
    "$(kind token throttled '"retry_after":3000')" 3 throttled "slow down"
no "throttled at the start" "$(kind devicecode throttled)" \
    3 throttled "slow down"

# --- a provider that lies (I-B13, I-C20, II-T14, II-T15, II-S2) ---------------
no "I-B13 redirect of the token request" "$(kind token redirect)" \
    3 provider "HTTP 302"
no "II-T14 redirect of discovery" "$(kind discovery redirect)" \
    3 provider "redirects are not followed"
no "II-T14 issuer of somebody else" \
    "$(edit discovery '"issuer":"https://evil.example.test/x/v2.0"')" \
    3 discovery "another issuer"
no "II-T14 keys on another host" \
    "$(edit discovery '"jwks_uri":"https://evil.example.test/keys"')" \
    3 discovery "jwks_uri"
no "II-T14 token endpoint on another port" \
    "$(edit discovery "\"token_endpoint\":\"$AUTHORITY:8443/token\"")" \
    3 discovery "token_endpoint"
no "II-S2 an http:// endpoint" "$(edit discovery \
    "\"device_authorization_endpoint\":\"http://$IDP_NAME/devicecode\"")" \
    3 discovery "device_authorization_endpoint"
no "I-B13 endless discovery document" "$(kind discovery endless)" \
    3 provider "too long"
no "I-B13 gzip bomb" "$(kind discovery gzip_bomb)" 3 provider "too long"
no "I-B13 huge start response" "$(kind devicecode huge)" 3 provider "too long"
no "I-B13 huge token response" "$(kind token huge)" 3 provider "too long"
no "II-T15 deeply nested start response" "$(kind devicecode deep '"depth":10000')" \
    3 provider "JSON"
no "a hotel's sign-in page for an answer" "$(kind token garbage)" \
    3 provider "JSON"
no "tokens without an id token" \
    "{\"endpoint\":\"token\",\"kind\":\"answer\",
    \"body\":{\"token_type\":\"Bearer\",\"access_token\":\"x\"}}" \
    3 provider "openid"
no "I-C20 verification address of somebody else" \
    "$(edit devicecode '"verification_uri":"https://evil.example.test/"')" \
    3 provider "not its own"
also "I-C20 ... which is not shown" lacks "$W/err" evil
no "I-C20 verification address over http" \
    "$(edit devicecode "\"verification_uri\":\"http://$IDP_NAME/\"")" \
    3 provider "not its own"
no "I-C20 escape sequences in the code" \
    "$(edit devicecode '"user_code":"\u001b[31mK7QHW3ZRT"')" \
    3 provider "user_code"
no "I-C20 escape sequences in an error" \
    "$(kind token answer '"status":400,"body":{"error":"invalid_grant",
    "error_description":"\u001b]0;x\u0007 call 555","error_codes":[53003],
    "suberror":"\u001b[2J"}')" 1 signin_policy "AADSTS53003"
also "I-C20 ... whose description is not shown" lacks "$W/err" 555
yes "I-C20 escape sequences in the message, which is not used" \
    "$(edit devicecode '"message":"\u001b[2Jcall 555"')"

# --- what the person is told (II-L1, I-C19) -------------------------------------
need fault "$(kind token access_denied)"
exits 1 "II-L1 a login that shows what it is for" aadssh login alice "$W/k1.pub"
for what in "$(hostname)" alice "$TENANT" "$CLIENT_ID" \
    "$(ssh-keygen -lf "$W/k1.pub" | cut -d ' ' -f 2)" "Only continue if you"; do
	also "II-L1 ... the person sees: $what" has "$W/err" "$what"
done
also "... address and code stand on lines of their own" code_shown "$W/err"

# --- interrupted ------------------------------------------------------------------
need fault '[]'
exits 3 "Ctrl-C while waiting ends it at once" interrupted
also "... with its code and sentence" said interrupted "nothing was stored"
also "... which is true" nothing_stored
need fault "$(kind token hang)"
exits 3 "I-B13 Ctrl-C while an answer hangs, too" interrupted
also "... with its code and sentence" said interrupted "nothing was stored"

# --- the environment decides nothing ----------------------------------------------
need fault '[]'
ok "II-S2 proxies, trust and key logs of the environment are ignored" \
    signin "$ALICE" env http_proxy=http://127.0.0.1:9 \
    https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 \
    SSL_CERT_FILE=/nonexistent SSL_CERT_DIR=/nonexistent \
    CURL_CA_BUNDLE=/nonexistent CURL_HOME=/nonexistent \
    OPENSSL_CONF=/nonexistent SSLKEYLOGFILE=/tmp/keylog \
    aadssh login alice "$W/k1.pub"
ok "II-S2 ... and no key log is written" [ ! -e /tmp/keylog ]
need aadssh forget alice

# --- the configuration names somebody else ------------------------------------------
sed 's/^tenant = 5/tenant = 6/' "$CONF" >"$W/conf" && cp "$W/conf" "$CONF"
exits 3 "a tenant that does not exist" aadssh login alice "$W/k1.pub"
also "... with its code and sentence" said wrong_tenant "[idp] tenant"
need write_conf </dev/null
grep -v ^ca_file "$CONF" >"$W/conf" && cp "$W/conf" "$CONF"
exits 3 "II-S2 a certificate that the system does not trust" \
    env SSL_CERT_FILE="$IDP/ca.pem" aadssh login alice "$W/k1.pub"
also "... with its code and sentence" said unreachable "certificate"
need write_conf </dev/null
echo "127.0.0.1 other.example.test" >>/etc/hosts
sed 's|^authority = .*|authority = https://other.example.test|' "$CONF" >"$W/conf" &&
    cp "$W/conf" "$CONF"
exits 3 "II-S2 a certificate of another name" aadssh login alice "$W/k1.pub"
also "... with its code and sentence" said unreachable "other.example.test"
need write_conf </dev/null
need stop_idp
exits 3 "the network is down" aadssh login alice "$W/k1.pub"
also "... with its code and sentence" said unreachable "check the network"
also "... and nothing stored" says_no alice "$W/k1.pub"
finish
