#!/bin/sh
# SPDX-License-Identifier: ISC
title="a refresh on a full disk: nothing is lost, nobody is let in wrongly"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

need start_idp
need write_conf </dev/null
state_on_tmpfs 2m
need crowd 60 session user1@contoso.com user2@contoso.com
need aadssh refresh
before=$(sha256sum "$STATE"/records/user1/* "$STATE"/refresh/user1.*)

need fill_disk "$STATE"
exits 3 "with all well at the provider: exit 3" aadssh refresh --json
also "and the reason" has "$W/err" "(disk)"
also "nothing could be renewed" counted renewed 0
ok "what was there is there" \
    [ "$(sha256sum "$STATE"/records/user1/* "$STATE"/refresh/user1.*)" = \
    "$before" ]
ok "and opens the door" says_yes user1 "$W/crowd/user1.pub"
ok "no temporary file is left" [ -z "$(find "$STATE" -name '*.tmp.*')" ]

idp_refuse 50057 user1@contoso.com
exits 3 "one is gone: exit 3" aadssh refresh --json
also "and the reason" has "$W/err" "(disk)"
ok "the log says what could not be stored" log_has event=renew disk
ok "she is shut out all the same" says_no user1 "$W/crowd/user1.pub"
ok "and the log says so" log_has event=evict identity_gone login=user1
ok "her refresh token is destroyed" [ "$(tokens_left)" -eq 1 ]
# NB. nobody asks about her again; without it her sessions would go on.
ok "and she is denied, in the room that her sign-in left" \
    has "$STATE/denials/oid/$(ls "$STATE/denials/oid")" '"origin":"idp"'
rm "$STATE/.fill"
ok "with room again the next refresh" aadssh refresh --json
also "renews the other" counted renewed 1
ok "who gets in" says_yes user2 "$W/crowd/user2.pub"
finish
