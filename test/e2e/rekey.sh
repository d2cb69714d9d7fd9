#!/bin/sh
# SPDX-License-Identifier: ISC
title="new keys of the host: nobody is kept out, and what is sealed opens"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh

tokens()
{
	find "$STATE/refresh" -type f ! -name '.*' | wc -l
}

stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need says_yes alice "$W/k1.pub"
ok "II-L11 a refresh token is kept" [ "$(tokens)" -eq 1 ]
keep signed_in

cp "$STATE/keys/record.pub" "$W/old.pub"
log_mark
ok "rekey" aadssh rekey
also "... says what it did" has "$W/out" "1 record, 1 refresh token"
also "... has another key" [ "$(cmp -s "$STATE/keys/record.pub" \
    "$W/old.pub" && echo same)" != same ]
ok "... is in the log" log_has event=rekey records=1 refresh_tokens=1
ok "... and the key opens the door as before" says_yes alice "$W/k1.pub"
ok "rekey --json" aadssh rekey --json
also "... counts" has "$W/out" '"refresh_tokens":1'
exits 2 "rekey takes no argument" aadssh rekey alice

# The provider's answer proves that the token that was sealed anew is the one.
ok "the live check redeems the refresh token" aadssh refresh --force --json
also "... one" grep -Eq '"renewed": ?1[,}]' "$W/out"
ok "... and the key still opens the door" says_yes alice "$W/k1.pub"

walk "rekey" signed_in yes yes aadssh rekey
ok "and when all is over one key is left" \
    [ "$(stat -c %s "$STATE/keys/record.pub")" -eq 32 ]
ok "... and one seal key" [ ! -e "$STATE/keys/seal.key.other" ]

ok "forget" aadssh forget alice
ok "II-L11 the refresh token is gone with its record" [ "$(tokens)" -eq 0 ]
finish
