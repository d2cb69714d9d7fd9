#!/bin/sh
# SPDX-License-Identifier: ISC
title="without the provider logins work until the token ends; a denial ends them at once"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

life=30 # seconds that the short token lives
mkdir -p "$IDP"
echo "{ \"short-bob\": { \"like\": \"$BOB\",
    \"claims_override\": { \"exp\": { \"now\": $life } } } }" >"$IDP/users.json"
stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need signin short-bob aadssh login bob "$W/k2.pub"
ends=$(($(date +%s) + life))

need stop_idp
ok "with the provider gone alice logs in" whoami_is alice "$W/k1"
if [ "$(date +%s)" -lt $((ends - 3)) ]; then
	ok "and so does a sign-in that ends soon" \
	    whoami_is bob "$W/k2"
else
	ok "set-up was quick enough to see the short sign-in live" false
fi
while [ "$(date +%s)" -le $((ends + 1)) ]; do
	sleep 0.5
done
expect_refused "after the token's end it is refused" bob "$W/k2"
ok "the log says why" log_has event=key token_expired bob
ok "alice's longer one still works" whoami_is alice "$W/k1"

log_mark
ok "deny --oid, without the provider" aadssh deny --oid "$ALICE_OID"
expect_refused "stops the login at once" alice "$W/k1"
ok "with its reason in the log" log_has event=key identity_denied alice
ok "undeny --oid" aadssh undeny --oid "$ALICE_OID"
ok "lets it in again" whoami_is alice "$W/k1"

for what in login key; do
	case $what in
	login) value=alice ;;
	key) value=$(ssh-keygen -lf "$W/k1.pub" | cut -d ' ' -f 2) ;;
	esac
	log_mark
	ok "deny --$what" aadssh deny "--$what" "$value"
	expect_refused "stops the login at once (by $what)" alice "$W/k1"
	ok "with its reason (by $what)" \
	    log_has event=key "${what}_denied" alice
	ok "undeny --$what" aadssh undeny "--$what" "$value"
	ok "lets it in again (by $what)" whoami_is alice "$W/k1"
done

exits 3 "a new sign-in without the provider says so" \
    aadssh login alice "$W/k2.pub"
ok "and stores nothing" says_no alice "$W/k2.pub"
finish
