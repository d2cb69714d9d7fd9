#!/bin/sh
# SPDX-License-Identifier: ISC
title="on a read-only file system logins go on and writers say why they can't"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
need state_on_tmpfs 4m
need signin "$ALICE" aadssh login alice "$W/k1.pub"
sum=$(state_sum)
need mount -o remount,bind,ro "$STATE"

ok "the key logs in" whoami_is alice "$W/k1"
expect_refused "another does not" alice "$W/k2"
exits 3 "a sign-in fails, before anybody is sent to a browser" \
    timeout 25 aadssh login alice "$W/k2.pub"
also "with its cause, and no code" \
    eval 'grep -qi "read-only" "$W/err" && ! code_shown "$W/err"'
for verb in "deny --oid $ALICE_OID" "forget alice" "refresh --keys-only --force"; do
	# shellcheck disable=SC2086 # words
	exits 3 "$verb fails" aadssh $verb
	also "with its cause (${verb%% *})" grep -qi 'read-only' "$W/err"
done
ok "status works" aadssh status
ok "explain works" aadssh explain alice "$W/k1.pub"
ok "the key still logs in" whoami_is alice "$W/k1"

need mount -o remount,bind,rw "$STATE"
ok "nothing changed" [ "$sum" = "$(state_sum)" ]
ok "writable again, the denial works" aadssh deny --oid "$ALICE_OID"
expect_refused "and stops the key" alice "$W/k1"
finish
