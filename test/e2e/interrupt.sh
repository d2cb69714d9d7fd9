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
	wait_for 30 code_shown "$W/login.err"
}

# Interrupt it; it is gone before anything that it waits for comes, with exit 3
# and its reason.
ends_at_once()
{
	local status=0
	kill -INT "$login_pid"
	wait_for 30 eval '! kill -0 "$login_pid"' || {
		kill -KILL "$login_pid"
		return 1
	}
	wait "$login_pid" || status=$?
	[ "$status" -eq 3 ] && has "$W/login.err" '(interrupted)' &&
	    empty "$W/login.out"
}

# So many processes have the login's lock file open.
holders() # N
{
	[ "$(find /proc/[0-9]*/fd -lname "$STATE/locks/alice" 2>/dev/null |
	    cut -d / -f 3 | sort -u | wc -l)" -eq "$1" ]
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

flock -o "$STATE/locks/alice" sleep 300 &
need wait_for 30 holders 1
need begin
need holders 1
need approve "$ALICE" "$W/login.err"
need wait_for 30 holders 2
ok "while the store waits for the login's lock" ends_at_once
ok "... nothing is stored" nothing_stored
finish
