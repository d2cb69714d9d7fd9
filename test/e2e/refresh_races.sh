#!/bin/sh
# SPDX-License-Identifier: ISC
title="forget, deny, sign-in and a second refresh during a refresh: nothing is undone"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

need start_idp
need write_conf </dev/null
need new_key k1
need new_key k2
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need crowd 60 session user1@contoso.com
need aadssh refresh

# begin FAULT…: a refresh that is still waiting for its answers.
begin()
{
	local fault
	idp_log_reset
	for fault; do
		idp_fault "$fault"
	done
	aadssh refresh --json >"$W/run.out" 2>"$W/run.err" &
	run_pid=$!
	wait_for 20 asked_two
}

asked_two()
{
	[ "$(idp_asked)" -ge 2 ]
}

# So many of its answers are still to come, and come now.
answers() # N
{
	[ "$(curl_idp release -d '')" = "{\"released\":$1}" ]
}

# It ends with this status; what it said is in $W/out then.
ends() # STATUS
{
	local status=0
	wait "$run_pid" || status=$?
	cat "$W/run.out"
	cat "$W/run.err" >&2
	[ "$status" -eq "$1" ]
}

# NB. a refresh waits 30 seconds for an answer.
HOLD='{"endpoint":"token","kind":"hold","times":2}'

need begin "$HOLD"
ok "a second refresh meanwhile ends at once, with 0" timeout 20 aadssh refresh
also "and says why, in one line" \
    [ "$(cat "$W/out")" = "Another aadssh refresh is at work." ]
ok "so does its JSON" aadssh refresh --json
also "with the code" has "$W/out" refresh_running
ok "the tenant keys can be fetched meanwhile" aadssh refresh --keys-only --force
ok "forget meanwhile" aadssh forget user1
need answers 2
ok "the refresh ends well" ends 0
also "one of two was renewed" counted renewed 1
also "both were asked about" counted checked 2
ok "the forgotten one is still forgotten" says_no user1 "$W/crowd/user1.pub"
ok "there is no record" [ -z "$(ls "$STATE/records/user1")" ]
ok "the next refresh" aadssh refresh
ok "leaves no refresh token of it" [ "$(tokens_left)" -eq 1 ]

need crowd 60 session user1@contoso.com
for kind in login oid key; do
	case $kind in
	login) what=alice ;;
	oid) what=$ALICE_OID ;;
	key) what=$(ssh-keygen -lf "$W/k1.pub" | cut -d ' ' -f 2) ;;
	esac
	need begin "$HOLD"
	ok "deny --$kind meanwhile" aadssh deny "--$kind" "$what"
	before=$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)
	need answers 2
	ok "the refresh ends well ($kind)" ends 0
	also "the other was renewed ($kind)" counted renewed 1
	ok "the denial is in force ($kind)" says_no alice "$W/k1.pub"
	ok "and nothing was stored over it ($kind)" \
	    [ "$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)" = \
	    "$before" ]
	ok "undeny ($kind)" aadssh undeny "--$kind" "$what"
	ok "and she gets in ($kind)" says_yes alice "$W/k1.pub"
done
ok "a refresh without a denial" aadssh refresh --json
also "renews both" counted renewed 2

# --- a sign-in meanwhile -----------------------------------------------------------
need begin "$HOLD"
ok "she signs in anew meanwhile" signin "$ALICE" aadssh login alice "$W/k1.pub"
before=$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)
need answers 2
ok "the refresh ends well, with an answer about the old sign-in" ends 0
also "which changes nothing about the new one" counted renewed 1
ok "neither record nor refresh token" \
    [ "$(sha256sum "$STATE/records/alice"/* "$STATE"/refresh/alice.*)" = \
    "$before" ]

# Gone, and back before the run is over.  Which sign-in is asked about first is
# a matter of chance, so both are alice's.
need aadssh forget user1
need signin "$ALICE" aadssh login alice "$W/k2.pub"
need begin '[{"endpoint":"token","kind":"aadsts","code":50057},
    {"endpoint":"token","kind":"hold"},
    {"endpoint":"token","kind":"slow_down","after":2}]'
# The other answer then says neither yes nor gone.
idp_refuse 53003 "$ALICE"
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need answers 1
ok "gone, says one answer, while she signs in again" ends 0
also "the other answer is about a policy" counted policy 1
also "then she is not" counted gone 0
ok "nothing is held against her" [ ! -e "$STATE/denials/oid/$ALICE_OID" ]
ok "she gets in" says_yes alice "$W/k1.pub"
idp_clear
idp_pardon

# --- interrupted ----------------------------------------------------------------------
before=$(state_sum)
need begin '{"endpoint":"token","kind":"hang","times":2}'
start=$(date +%s)
kill -TERM "$run_pid"
ok "a refresh that is told to stop" ends 3
also "says so" has "$W/err" "(interrupted)"
ok "at once" [ $(($(date +%s) - start)) -le 15 ]
ok "and leaves all as it was" [ "$(state_sum)" = "$before" ]
idp_clear
ok "the next one is not hindered" aadssh refresh --json
also "and renews both" counted renewed 2
kill -KILL "$idp_pid"
finish
