#!/bin/sh
# SPDX-License-Identifier: ISC
title="what somebody left in records/ keeps nobody else out"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

need start_idp
need write_conf </dev/null
need new_key k1
need crowd 60 session user1@contoso.com user2@contoso.com
need aadssh refresh

# A copy as root makes it; one of its own; a file.
need cp -r "$STATE/records/user1" "$STATE/records/copy"
need mkdir -m 0700 "$STATE/records/backup"
need touch "$STATE/records/alice.old"
need chmod -R go-w "$STATE/records"

ok "a live check goes on" aadssh refresh --json
also "and asks about each" counted renewed 2
exits 3 "the copy opens nothing" hook copy "$W/crowd/user1.pub"
also "indeed" empty "$W/out"
ok "somebody signs in" signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "and is let in" says_yes alice "$W/k1.pub"
ok "new keys can be made" aadssh rekey
ok "after which each gets in" says_yes user1 "$W/crowd/user1.pub"
idp_refuse 50057 user2@contoso.com
ok "who is gone is found" aadssh refresh --json
also "and evicted" counted evicted 1
exits 3 "the walk of that one login tells what is wrong" aadssh forget backup
finish
