#!/bin/sh
# SPDX-License-Identifier: ISC
title="kill -9 while a sign-in is stored"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh

stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need says_yes alice "$W/k1.pub"
keep signed_in

# A sign-in takes a second or two: not after every kill another one.
runner=as_alice redo_every=5
walk "sign in again" signed_in yes yes aadssh login alice "$W/k1.pub"
walk "first sign-in" nothing "no yes cannot" yes \
    aadssh login alice "$W/k1.pub"
finish
