#!/bin/sh
# SPDX-License-Identifier: ISC
title="a full disk leaves no half state, no false yes, the old state still answers"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
need state_on_tmpfs 1m
need fill_disk "$STATE"
exits 3 "a first sign-in on a full disk fails" \
    signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "with a sentence about the disk" grep -qi 'space' "$W/login.err"
expect_refused "and lets nobody in" alice "$W/k1"

rm "$STATE/.fill"
ok "with room again it succeeds" \
    signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "and the key opens the door" says_yes alice "$W/k1.pub"

sum=$(state_sum)
need fill_disk "$STATE"
ok "the disk full again, the key still opens" whoami_is alice "$W/k1"
exits 3 "a second key can't sign in" \
    signin "$ALICE" aadssh login alice "$W/k2.pub"
ok "and gets nothing" says_no alice "$W/k2.pub"
exits 3 "a new sign-in of the first key fails" \
    signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "and leaves the old one" says_yes alice "$W/k1.pub"
need cp "$CONF" "$W/conf"
printf '[token]\nkeys_refresh = 1s\n' >>"$CONF"
need curl -fsS --max-time 5 --cacert "$IDP/ca.pem" \
    -d '{"endpoint":"token","kind":"access_denied"}' "$AUTHORITY/_test/fault"
sleep 2 # the tenant keys are due
exits 1 "a sign-in that the person refuses is refused" \
    timeout 25 aadssh login alice "$W/k2.pub"
also "and not called a matter of the disk" \
    eval 'has "$W/err" "(signin_declined)" && lacks "$W/err" "(disk)"'
cp "$W/conf" "$CONF"
exits 3 "a denial that can't be stored is not called done" \
    aadssh deny --oid "$ALICE_OID"
also "and says so" grep -qi 'space' "$W/err"
ok "status works" aadssh status
rm "$STATE/.fill"
ok "nothing changed, nothing lies about" [ "$sum" = "$(state_sum)" ]
ok "with room again the denial works" aadssh deny --oid "$ALICE_OID"
ok "and stops the key" says_no alice "$W/k1.pub"

# A limit on file sizes is a disk that is full for one process.  Units: 512.
exits 3 "a file size limit of nothing is an error, not an end by signal" \
    sh -c "ulimit -f 0; exec aadssh deny --login bob"
log_mark
exits 3 "nor is one that is too small for a record" \
    signin "$BOB" sh -c "ulimit -f 2; exec aadssh login bob $W/k2.pub"
ok "and the log says what it was" log_has event=signin reason=disk
ok "and nothing lies about" eval \
    '! find "$STATE" -name ".*.tmp.*" | grep . && says_no bob "$W/k2.pub"'
finish
