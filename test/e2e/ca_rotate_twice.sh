# SPDX-License-Identifier: ISC
title="two rotations at once are one, and kill -9 at any time costs nothing"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh
STATE=$CA_STATE # what keep and restore are about

stage_rotation


# --- two at once ------------------------------------------------------------------

# From the kept state BEFORE ten times two at once, which both end well.
twice() # TITLE BEFORE STAGES
{
	local run first second
	: >"$W/wrong"
	for run in 1 2 3 4 5 6 7 8 9 10; do
		restore "$2"
		$CA rotate >"$W/first" 2>&1 &
		first=$!
		$CA rotate >"$W/second" 2>&1 &
		second=$!
		wait "$first" || echo "first: $? $(cat "$W/first")"
		wait "$second" || echo "second: $? $(cat "$W/second")"
		ends_in "$3"
		[ "$run" -lt 10 ] || cert_opens alice "$W/k1" || echo shut out
	done >"$W/wrong" 2>&1
	ok "II-C19 $1: ten times two at once are one" empty "$W/wrong"
	sed 's/^/# /' "$W/wrong" | head -n 20
}

# --- kill -9 of all of it, ever later -----------------------------------------------

# From BEFORE; at 0, 12, 24 … ms, until one was not hit.
kills() # TITLE BEFORE STAGES
{
	local after pid n status
	n=0
	for after in $(seq 0 12 600); do
		restore "$2"
		$CA rotate >"$W/out" 2>&1 &
		pid=$!
		sleep "0.$(printf %03d "$after")"
		kill -KILL "$pid" 2>/dev/null || :
		status=0
		wait "$pid" 2>/dev/null || status=$?
		wait_for 5 no_signer || echo "its signer goes on"
		n=$((n + 1))
		ends_in "$3"
		[ "$status" -ne 0 ] || break
	done >"$W/wrong" 2>&1
	ok "II-R8 $1: kill -9 ever later, $n times, each time ended by the next" empty "$W/wrong"
	sed 's/^/# /' "$W/wrong" | head -n 20
}

no_signer()
{
	! pgrep -x aadssh-ca-signe
}

clock_at 697
need bare_tenant
need new_token
need bare_sign "$W/k1" ttl=86400
by_k1=$(by k1)
need keep due
twice "prepare" due "$(printf 'active\nprepared')"
kills "prepare" due "$(printf 'active\nprepared')"
restore due
need $CA rotate
clock_at 722
need bare_tenant
need new_token
need bare_sign "$W/k1" ttl=86400
need keep waits
twice "activate" waits "$(printf 'active\nretired')"
kills "activate" waits "$(printf 'active\nretired')"
restore waits
need $CA rotate
clock_at 747
need bare_tenant
need new_token
need bare_sign "$W/k1" ttl=86400
by_k1=$(by k1)
need keep over
twice "remove" over "$(printf 'active\nremoved')"
finish
