#!/bin/sh
# SPDX-License-Identifier: ISC
title="Ctrl-C ends a sign-in at once and stores nothing, whenever it comes"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
# The login's lock file, for later.
need aadssh refresh --keys-only
exits 1 "there is nothing yet" aadssh forget alice

# NB. setsid: what a script starts with & ignores SIGINT from the outset.
begin()
{
	: >"$W/login.err"
	setsid aadssh login alice "$W/k1.pub" >"$W/login.out" \
	    2>"$W/login.err" &
	login_pid=$!
	wait_for 10 code_shown "$W/login.err"
}

# Interrupt it; it is gone within two seconds, with exit 3 and its reason.
ends_at_once()
{
	local status=0
	kill -INT "$login_pid"
	wait_for 2 eval '! kill -0 "$login_pid"' || {
		kill -KILL "$login_pid"
		return 1
	}
	wait "$login_pid" || status=$?
	[ "$status" -eq 3 ] && has "$W/login.err" '(interrupted)' &&
	    empty "$W/login.out"
}

nothing_stored()
{
	# The record key may be made before anybody is asked.
	(cd "$STATE" && find records pins -type f) | cmp - /dev/null &&
	    says_no alice "$W/k1.pub"
}

need begin
ok "while the code is shown" ends_at_once
ok "... nothing is stored" nothing_stored

flock "$STATE/locks/alice" sleep 20 &
need wait_for 5 eval '! flock -n "$STATE/locks/alice" true'
need begin
need approve "$ALICE" "$W/login.err"
sleep 2 # for the poll: an interval is one second
ok "while the store waits for the login's lock" ends_at_once
ok "... nothing is stored" nothing_stored
finish
