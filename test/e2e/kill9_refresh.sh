#!/bin/sh
# SPDX-License-Identifier: ISC
title="kill -9 while a refresh stores what it learned"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need says_yes alice "$W/k1.pub"
keep signed_in

# Azure AD's old refresh tokens stay good, so a run that was killed between
# redeeming one and storing the next is repeated without a sign-in.
walk "renewal" signed_in yes yes aadssh refresh

# An eviction that was begun is ended by the next run, also when all that was
# done is the denial.
idp_refuse 50057 "$ALICE"
walk "eviction" signed_in "yes no" no aadssh refresh
ok "the identity is denied then" \
    has "$STATE/denials/oid/$ALICE_OID" '"origin":"idp"'
ok "and no refresh token is left" [ "$(tokens_left)" -eq 0 ]

idp_refuse 50173 "$ALICE"
walk "sign in again" signed_in "yes no" no aadssh refresh
ok "nothing is held against her then" [ ! -e "$STATE/denials/oid/$ALICE_OID" ]

finish
