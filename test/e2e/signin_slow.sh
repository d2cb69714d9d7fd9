#!/bin/sh
# SPDX-License-Identifier: ISC
title="a provider that hangs or drips costs thirty seconds, not more"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

fault()
{
	curl -fsS --max-time 5 --cacert "$IDP/ca.pem" -d "$1" \
	    "$AUTHORITY/_test/fault"
}

# within MIN MAX COMMAND…: it takes so many seconds.
within()
{
	local min=$1 max=$2 begin status=0
	shift 2
	begin=$(date +%s)
	"$@" || status=$?
	begin=$(($(date +%s) - begin))
	[ "$begin" -ge "$min" ] && [ "$begin" -le "$max" ] || status=99
	return "$status"
}

need start_idp
need write_conf </dev/null
need new_key k1

need fault '{"endpoint":"discovery","kind":"hang"}'
exits 3 "I-B13 an answer that never comes" \
    within 29 50 aadssh login alice "$W/k1.pub"
also "... is said" has "$W/err" "(unreachable)"
need fault '{"endpoint":"keys","kind":"drip","ms":1000}'
exits 3 "II-T15 keys that come a byte a second" \
    within 29 50 aadssh login alice "$W/k1.pub"
also "... is said" has "$W/err" "(unreachable)"
need fault '{"endpoint":"token","kind":"hang"}'
ok "I-B13 one poll that hangs delays the sign-in, no more" \
    within 30 55 signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "... which is stored" says_yes alice "$W/k1.pub"
finish
