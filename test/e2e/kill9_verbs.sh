#!/bin/sh
# SPDX-License-Identifier: ISC
title="kill -9 while denials, records and tenant keys are written"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh

stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need says_yes alice "$W/k1.pub"
keep signed_in
need aadssh deny --oid "$ALICE_OID"
need says_no alice "$W/k1.pub"
keep denied

walk "deny" signed_in "yes no" no aadssh deny --oid "$ALICE_OID"
walk "deny again" denied no no aadssh deny --oid "$ALICE_OID"
walk "undeny" denied "no yes" yes aadssh undeny --oid "$ALICE_OID"
walk "refresh" signed_in yes yes aadssh refresh --keys-only
walk "forget" signed_in "yes no" no aadssh forget alice
walk "forget --pin" signed_in "yes no" no aadssh forget alice --pin
finish
