#!/bin/sh
# SPDX-License-Identifier: ISC
title="a stock ssh client: the first login by device code, then silence"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

need start_idp
need write_conf </dev/null
need new_key k1
need new_key k2
stage_pam
print=$(key_print k1)

ok "before the sign-in a script is refused" shut alice "$W/k1"
ok "the first login signs in by device code" \
    ssh_signin "$ALICE" alice "$W/k1" -- 'id -un; echo "$AADSSH_UPN $AADSSH_OID"'
also "and is alice's shell" [ "$(sed -n 1p "$W/out")" = alice ]
also "which knows who signed in" has "$W/out" "$ALICE $ALICE_OID"
also "it asked one question" [ "$(prompts)" -eq 1 ]
also "that names host and login" has "$ask_dir/prompt.1" "Sign in to e2e as alice"
also "and the key that will be remembered" has "$ask_dir/prompt.1" \
    "ED25519 $print"
# NB. the client's own "(alice@host) " in front does not count.
also "and is narrower than 75 columns" \
    awk '{ sub(/^\([^)]*\) /, "") } length($0) > 74 { exit 1 }' \
    "$ask_dir/prompt.1"
ok "the record waits for its first login" \
    sh -c '! grep -q confirmed "$1"/records/alice/*' - "$STATE"

ok "the second login is silent" whoami_is alice "$W/k1"
ok "and confirms the key" \
    sh -c 'grep -q "\"by\":\"session\"" "$1"/records/alice/*' - "$STATE"
ok "the third, too" whoami_is alice "$W/k1"
ok "another key is refused" shut alice "$W/k2"
ok "the key does not open another login" shut bob "$W/k1"

head -c 100000 /dev/urandom >"$W/file"
ok "scp copies a file there" scp_with "$W/k1" "$W/file" alice@localhost:there
ok "it arrived whole" cmp "$W/file" /home/alice/there
sftp_back()
{
	echo "get there $W/back" | sftp_as alice "$W/k1"
}
ok "sftp copies it back" sftp_back
ok "it came back whole" cmp "$W/file" "$W/back"

ok "the log tells the sign-in" log_has event=signin verdict=yes via=pam \
    login=alice "key=$print" "oid=$ALICE_OID" source=127.0.0.1
ok "the login by keyboard-interactive" log_has event=login login=alice \
    "oid=$ALICE_OID" method=keyboard-interactive
ok "the login that confirmed the key" log_has event=login login=alice \
    "upn=$ALICE" "key=$print" method=publickey confirmed=yes
ok "and a later one" log_has event=login "key=$print" confirmed=already
ok "and the logout" log_has event=logout login=alice "oid=$ALICE_OID" \
    "key=$print" source=127.0.0.1
ok "the log holds no token" log_lacks eyJ
ok "no session is left over" [ -z "$(ls "$RUN/sessions")" ]
finish
