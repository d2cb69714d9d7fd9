# SPDX-License-Identifier: ISC
title="kill -9 at every write of a publication: hosts always have a whole one"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh
STATE=$CA_STATE # what keep and restore are about

stage_first

# The list of the current version revokes the first certificate.
hosts_know()
{
	local status=0
	ssh-keygen -Q -f "$CA_DONE/krl" "$W/first-cert.pub" >/dev/null 2>&1 ||
	    status=$?
	[ "$status" -eq 1 ] || echo "hosts do not know: $status"
	no_row_lost
}

# A publication in its two halves; "current" always is a whole one.
publishes_again()
{
	published_well >"$W/said.well" 2>&1 || cat "$W/said.well"
	$CA publish >"$W/said.pub" 2>&1 || cat "$W/said.pub"
	published_well >"$W/said.well" 2>&1 || cat "$W/said.well"
	hosts_know
}

need asks revoke serial="$first" text=stolen
need keep revoked
kill_every=2
kill_walk "II-R8 stage" revoked publishes_again stage
restore revoked
need asks stage
next=$(sed -n 's/.*"version":\([0-9]*\).*/\1/p' "$W/out")
need keep staged
kill_walk "II-R8 commit" staged publishes_again commit version="$next"

# --- never back ---------------------------------------------------------------------

restore staged
krl_version()
{
	ssh-keygen -Qlf "$CA_DONE/krl" | sed -n 's/^# KRL version //p'
}
need $CA publish
was=$(krl_version)
ok "II-R5 an older version is not switched to" asks commit version="$next"
also "a newer one says as much" has "$W/out" '"superseded":true'
also "the list stays" [ "$(krl_version)" -eq "$was" ]
need asks stage
new=$(sed -n 's/.*"version":\([0-9]*\).*/\1/p' "$W/out")
cp "$CA_STATE/public/1/krl" "$CA_STATE/public/$new/krl"
exits 3 "II-R5 nor to one with an older list in it" asks commit version="$new"
also "the list stays that is there" [ "$(krl_version)" -eq "$was" ]
rm -rf "$CA_STATE/public"/*
ok "II-R5 when all versions are lost" $CA publish
also "the next is newer than any before" [ "$(krl_version)" -gt "$was" ]
also "and whole" published_well
ok "no fault is found" no_faults
finish
