#!/bin/sh
# SPDX-License-Identifier: ISC
title="an authority's tenant keys, and the token of a sign-in for a certificate"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

need start_idp
need write_ca_conf </dev/null
need new_key k1
KEYS=$CA_STATE/tenant/keys.json

# --- check, and the verbs that are none of an authority's ------------------------

ok "check finds an authority's configuration sound" aadssh -f "$CA_CONF" check
also "and warns of nothing" lacks "$W/out" warning
for verb in "login alice $W/k1.pub" status "explain alice $W/k1.pub" refresh \
    "refresh --force" "deny --login alice" "undeny --login alice" \
    "forget alice" rekey reap; do
	# shellcheck disable=SC2086 # words
	exits 2 "not for an authority: aadssh ${verb%% "$W"*}" \
	    aadssh -f "$CA_CONF" $verb </dev/null
	also "and that is what it says" has "$W/err" "certificate authority"
done
untouched()
{
	[ "$(find "$CA_STATE" -mindepth 1 -printf '%P %U %m\n')" = "tenant 901 755" ]
}
ok "nothing was made below its directory" untouched

# --- the tenant keys ---------------------------------------------------------------

kept_as() # OWNER
{
	[ "$(stat -c '%U:%G %a' "$KEYS")" = "$1 644" ] &&
	    [ "$(find "$CA_STATE/tenant" -type f | wc -l)" -eq 1 ]
}
ok "root fetches the tenant keys" aadssh -f "$CA_CONF" refresh --keys-only
also "as aadssh, readable for everybody" kept_as aadssh:aadssh
ok "a second time they are fresh enough" \
    aadssh -f "$CA_CONF" refresh --keys-only
also "and that is what it says" has "$W/out" "fresh enough"
ok "aadssh itself does it as well" \
    as aadssh aadssh -f "$CA_CONF" refresh --keys-only --force
also "and changes no mode" kept_as aadssh:aadssh
exits 3 "nobody else does" \
    as aadssh-ca aadssh -f "$CA_CONF" refresh --keys-only --force
also "by the owner of the directory" has "$W/err" "another user"
need cp "$KEYS" "$W/keys.before"
need stop_idp
exits 3 "without the provider none are fetched" \
    aadssh -f "$CA_CONF" refresh --keys-only --force
also "the old ones stay" cmp "$W/keys.before" "$KEYS"
need start_idp

mv "$CA_STATE/tenant" "$CA_STATE/aside"
exits 3 "without a tenant directory root becomes nobody" \
    aadssh -f "$CA_CONF" refresh --keys-only
also "and makes none" test ! -e "$CA_STATE/tenant"
ln -s aside "$CA_STATE/tenant"
exits 3 "a link is not followed" \
    aadssh -f "$CA_CONF" refresh --keys-only --force
also "nothing changed behind it" cmp "$W/keys.before" "$CA_STATE/aside/keys.json"
rm "$CA_STATE/tenant"
mv "$CA_STATE/aside" "$CA_STATE/tenant"
chmod 0777 "$CA_STATE/tenant"
exits 3 "nor a directory taken that others can write to" \
    aadssh -f "$CA_CONF" refresh --keys-only --force
chmod 0755 "$CA_STATE/tenant"

# --- the token: how it is called ------------------------------------------------------

exits 2 "token wants a key and a descriptor" aadssh -f "$CA_CONF" token
exits 2 "no key" aadssh -f "$CA_CONF" token --fd 1
exits 2 "no descriptor" aadssh -f "$CA_CONF" token --key "$W/k1.pub"
for fd in 0 2 -1 x 1x '' 99999999999; do
	exits 2 "descriptor '$fd'" \
	    aadssh -f "$CA_CONF" token --key "$W/k1.pub" --fd "$fd"
done
exits 2 "a descriptor that is closed" \
    aadssh -f "$CA_CONF" token --key "$W/k1.pub" --fd 7
read_only()
{
	aadssh -f "$CA_CONF" token --key "$W/k1.pub" --fd 7 7</dev/null
}
exits 2 "a descriptor for reading only" read_only
also "and that is what it says" has "$W/err" "not open for writing"
exits 3 "a key file that is not there" \
    aadssh -f "$CA_CONF" token --key "$W/none.pub" --fd 1
need new_key ca
need cert_made ca k1 alice@web
exits 1 "I-C9 a certificate is no key to be certified" \
    aadssh -f "$CA_CONF" token --key "$W/k1-cert.pub" --fd 1
also "by its own reason" has "$W/err" "certificate"
also "and nothing on standard output" empty "$W/out"
rm "$W/k1-cert.pub"

# --- a sign-in ---------------------------------------------------------------------------

on_seven() # COMMAND…
{
	"$@" --key "$W/k1.pub" --fd 7 7>"$W/token"
}
# Three parts of base64url and nothing else, of the right person.
a_token_of() # OID
{
	grep -Eq '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$' "$W/token" &&
	    [ "$(wc -l <"$W/token")" -eq 0 ] &&
	    node -e 'const c = JSON.parse(Buffer.from(require("fs")
		.readFileSync(process.argv[1], "utf8").split(".")[1],
		"base64url")); process.exit(c.oid === process.argv[2] ? 0 : 1)' \
	    "$W/token" "$1"
}
log_mark
ok "Alice signs in, with root's aadssh" \
    signin "$ALICE" on_seven aadssh -f "$CA_CONF" token
also "the descriptor got her token, all of it, no newline" a_token_of "$ALICE_OID"
also "standard output got nothing" empty "$W/login.out"
also "it says that this is for a certificate" \
    has "$W/login.err" "for a certificate of this key"
also "of this key" has "$W/login.err" "$(key_print k1)"
also "at this host" grep -Eq '^  authority +e2e$' "$W/login.err"
names_no_login()
{
	! grep -q '^  login ' "$W/login.err"
}
also "and of no login" names_no_login
also "the terminal got no token" lacks "$W/login.err" eyJ
ok "the log says who signed in for which key" log_has event=token \
    verdict=yes "$(key_print k1)" "oid=$ALICE_OID"
ok "the log holds no token" log_lacks eyJ
ok "no state came of it" test ! -e "$STATE/records/alice"

ok "an ordinary user does it as well" \
    signin "$BOB" on_seven as alice aadssh -f "$CA_CONF" token
also "whoever signs in, the token is theirs" a_token_of "$BOB_OID"
ok "no role, no policy: the signer judges" \
    signin carol@contoso.com on_seven aadssh -f "$CA_CONF" token
need write_conf </dev/null
mv "$STATE" "$STATE.aside"
ok "a host's configuration serves too" signin "$ALICE" on_seven aadssh token
also "her token" a_token_of "$ALICE_OID"
also "no state directory was made" test ! -e "$STATE"
mv "$STATE.aside" "$STATE"
ok "standard output will do, too" \
    signin "$ALICE" aadssh token --key "$W/k1.pub" --fd 1
need cp "$W/login.out" "$W/token"
ok "the same there, and nothing else" a_token_of "$ALICE_OID"

# --- who talks to the network -------------------------------------------------------------

powerless() # STATUS-FILE
{
	grep -Eq '^Uid:(.901){4}$' "$1" && grep -Eq '^Gid:(.901){4}$' "$1" &&
	    grep -Eq '^CapEff:.0+$' "$1" && grep -Eq '^NoNewPrivs:.1$' "$1"
}
# A pipe whose reader leaves when told to.
begin_piped()
{
	rm -f "$W/pipe"
	mkfifo "$W/pipe"
	sleep 60 <"$W/pipe" &
	reader=$!
	: >"$W/login.err"
	aadssh -f "$CA_CONF" token --key "$W/k1.pub" --fd 7 5</dev/null \
	    6</etc/shadow 7>"$W/pipe" 2>"$W/login.err" &
	login_pid=$!
	wait_for 30 code_shown_or_gone "$W/login.err"
}
need begin_piped
need cp "/proc/$login_pid/status" "$W/status"
ls "/proc/$login_pid/fd" >"$W/fds"
tr '\0' '\n' <"/proc/$login_pid/environ" >"$W/environ" 2>/dev/null || :
ok "while it waits it is the owner of the tenant directory, without rights" \
    powerless "$W/status"
kept() # of 5, 6 and 7 only 7
{
	grep -qx 7 "$W/fds" && [ "$(readlink "/proc/$login_pid/fd/7")" = "$W/pipe" ] &&
	    ! grep -l shadow "/proc/$login_pid/fdinfo"/* 2>/dev/null &&
	    ! find "/proc/$login_pid/fd" -lname /etc/shadow | grep .
}
ok "of the descriptors above 2 it kept that one only" kept
kill "$reader"
gone()
{
	! kill -0 "$login_pid" 2>/dev/null
}
ended() # it must end by itself, soon
{
	wait_for 3 gone
	wait "$login_pid"
}
exits 3 "when the reader goes away it ends" ended
also "and says that nothing was stored" has "$W/login.err" "Interrupted"
unset login_pid

need begin_piped
kill -TERM "$login_pid"
exits 3 "SIGTERM ends it" ended
kill "$reader" 2>/dev/null || :
unset login_pid

ca_file_unsafe()
{
	chmod 0666 /etc/aadssh/idp-ca.pem
	aadssh -f "$CA_CONF" token --key "$W/k1.pub" --fd 1
}
exits 3 "certificates of TLS that anybody could change are not used" \
    ca_file_unsafe
chmod 0644 /etc/aadssh/idp-ca.pem
finish
