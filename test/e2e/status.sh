#!/bin/sh
# SPDX-License-Identifier: ISC
title="status shows sign-ins, sessions and who waits, once or whenever it changes"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

RUN=/run/aadssh
SESSIONS=$RUN/sessions

need start_idp
need write_conf </dev/null
need new_key k1
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need install -d -m 0755 "$RUN"

register() # PID LOGIN [START]
{
	{
		echo "aadssh-session 1"
		echo "pid $1"
		echo "start ${3-$(sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20)}"
		echo "exe /usr/sbin/sshd"
		echo "opened 1795514400"
		echo "login $2"
		echo "source 192.0.2.7"
		echo "oid 1c9a52de-7b30-4f86-9e41-6a0d8c35b2f1"
		echo "upn $2@contoso.com"
		echo "serial 18446744073709551615"
		echo "method publickey"
		echo "end"
	} >"$SESSIONS/.new"
	chmod 0600 "$SESSIONS/.new"
	mv "$SESSIONS/.new" "$SESSIONS/$1"
}

as_aadssh()
{
	setpriv --reuid aadssh --regid aadssh --init-groups "$@"
}

# says EXPRESSION: true of the object o in $W/out.
says()
{
	node -e 'const o = JSON.parse(require("fs").readFileSync(
	    process.argv[1], "utf8")); process.exit(eval(process.argv[2]) ? 0 : 1)' \
	    "$W/out" "$1"
}

# --- once ------------------------------------------------------------------------

ok "before the first session" aadssh status --json
also "... there is none, and nobody waits" says 'o.v === 1 &&
    o.sessions.length === 0 && o.signing_in.length === 0 &&
    o.sign_ins.length === 1 && o.sign_ins[0].reason === "allowed" &&
    o.tenant_keys.reason === "allowed" && Date.parse(o.at) > 0'

need install -d -m 0700 "$SESSIONS"
sleep 600 &
one=$!
sleep 600 &
two=$!
need register "$one" alice
need register "$two" alice 1
ok "a session" aadssh status
also "... is shown" has "$W/out" \
    "session  alice  publickey  alice@contoso.com  from 192.0.2.7  since 2026-11-24T10:00:00Z  pid $one"
also "... that of another process is not" lacks "$W/out" "$two"
ok "a session as JSON" aadssh status --json
also "... has its members" says "o.sessions.length === 1 &&
    o.sessions[0].login === 'alice' && o.sessions[0].pid === $one &&
    o.sessions[0].serial === '18446744073709551615' &&
    o.sessions[0].opened === '2026-11-24T10:00:00Z' &&
    o.sessions[0].source === '192.0.2.7' &&
    o.sessions[0].method === 'publickey' && o.sessions[0].key === ''"
ok "another login's" aadssh status bob
also "... are not its" lacks "$W/out" session
ok "user aadssh" as_aadssh aadssh status
also "... sees the sign-ins" has "$W/out" "alice@contoso.com  since"
also "... and is told that sessions are root's" has "$W/out" "Sessions: "
ok "user aadssh, as JSON" as_aadssh aadssh status --json
also "... has null for them" says 'o.sessions === null'

echo "1795514400 4711 bob 192.0.2.9" >"$STATE/locks/@flow.3"
need chown aadssh:aadssh "$STATE/locks/@flow.3"
need chmod 0600 "$STATE/locks/@flow.3"
flock "$STATE/locks/@flow.3" sleep 600 &
waiting=$!
need wait_for 30 eval '! flock -n "$STATE/locks/@flow.3" true'
ok "somebody who signs in" aadssh status
also "... is shown" has "$W/out" \
    "signing in  bob  from 192.0.2.9  since 2026-11-24T10:00:00Z"
ok "as JSON" aadssh status --json bob
also "... has its members" says 'o.signing_in.length === 1 &&
    o.signing_in[0].login === "bob" && o.signing_in[0].pid === 4711 &&
    o.signing_in[0].source === "192.0.2.9" && o.sign_ins.length === 0'
# NB. sleep has the lock too.
need pkill -P "$waiting"
need wait_for 30 flock -n "$STATE/locks/@flow.3" true

ok "before the first refresh" aadssh status --json
also "... none is shown" says 'o.last_refresh === null'
need aadssh refresh
ok "after it" aadssh status --json
also "... its result and counts are shown" says \
    'o.last_refresh.result === "ok" && o.last_refresh.at <= o.at &&
    typeof o.last_refresh.checked === "number"'
ok "... to people, too" aadssh status
also "... in a line" grep -Eq '^Last refresh at 20[^ ]*Z: ok(, [1-9][0-9]* [a-z]+)*[.]$' "$W/out"

# --- again and again ----------------------------------------------------------------

exits 2 "0 seconds" aadssh status --watch 0
exits 2 "more than an hour" aadssh status --watch 3601
exits 2 "no number" aadssh status --watch=x
exits 2 "two logins" aadssh status --watch 5 alice bob

# NB. setsid: what a script starts with & ignores SIGINT from the outset.
watch_with() # COMMAND ARGUMENT…
{
	local command
	command=$1
	shift
	: >"$W/watch"
	# shellcheck disable=SC2086 # a command is words
	setsid $command aadssh status "$@" >"$W/watch" 2>"$W/watch.err" &
	watch=$!
	wait_for 30 test -s "$W/watch"
}

watch() # ARGUMENT…
{
	watch_with "" "$@"
}

blocks() # N
{
	[ "$(grep -c '^20..-..-..T..:..:..Z$' "$W/watch")" -eq "$1" ]
}

objects() # N
{
	[ "$(grep -c '^{"v":1,.*}$' "$W/watch")" -eq "$1" ]
}

interrupted() # SIGNAL
{
	local status=0
	kill "-$1" "$watch"
	wait_for 30 eval '! kill -0 "$watch"' || return 1
	wait "$watch" || status=$?
	[ "$status" -eq 0 ] && empty "$W/watch.err"
}

need watch --watch 1
need sleep 3
ok "nothing changes: one block" blocks 1
need register "$two" bob
ok "a new session: another block" wait_for 30 blocks 2
also "... it is in it" has "$W/watch" "pid $two"
also "... a blank line is between them" [ "$(grep -c '^$' "$W/watch")" -eq 1 ]
need rm "$SESSIONS/$two"
ok "its end: a third" wait_for 30 blocks 3
need aadssh deny --login alice
ok "a denial: a fourth" wait_for 30 blocks 4
also "... the sign-in is a no" eval 'tail -n 5 "$W/watch" | grep -q "no: login_denied"'
need aadssh undeny --login alice
ok "Ctrl-C ends it with 0" interrupted INT

need watch --json --watch=1 alice
need sleep 2
ok "JSON: one object" objects 1
need kill "$one"
ok "a process that ends: another" wait_for 30 objects 2
tail -n 1 "$W/watch" >"$W/out"
also "... without the session" says 'o.sessions.length === 0'
ok "SIGTERM ends it with 0" interrupted TERM

need watch_with "setpriv --reuid aadssh --regid aadssh --init-groups" --watch 1
ok "user aadssh may watch, too" interrupted INT
also "... and sees what it may" has "$W/watch" alice@contoso.com
ok "nobody reads it any more: the end" \
    sh -c 'timeout 60 aadssh status --watch 1 >/dev/full; [ $? -eq 3 ]'

# --- on a terminal -------------------------------------------------------------------

# NB. what a script starts with & ignores SIGINT from the outset.
need mkfifo "$W/typed"
exec 8<>"$W/typed" # or the first to type would hang up, too
env --default-signal=INT,QUIT script -qefc 'exec aadssh status --watch 1' /dev/null \
    <"$W/typed" >"$W/tty" 2>&1 8>&- &
watch=$!
need wait_for 30 grep -q "20..-" "$W/tty"

typed() # TEXT, as printf(1) has it: how it ends
{
	local status=0
	# shellcheck disable=SC2059
	printf "$1" >&8
	wait_for 30 eval '! kill -0 "$watch"' || return 1
	wait "$watch" || status=$?
	return "$status"
}

ok "Ctrl-C on a terminal ends it with 0" typed '\003'
ok "a terminal is cleared first" grep -q "$(printf '\033\\[H\033\\[2J20..-')" "$W/tty"

# --- as root: in a child each time, and never the state as root ---------------------

if strace -qq -o /dev/null true 2>/dev/null; then
	need watch_with "strace -qq -f -o $W/calls -e trace=openat,setresuid,kill" \
	    --watch 1
	ok "the session files are read as root, the state as aadssh" wait_for 60 awk '
	    /setresuid\(901, 901, 901\)/ { dropped[$1] = 1; n++ }
	    /\/run\/aadssh\/sessions/ { if (dropped[$1]) bad = 1; s++ }
	    /"\/var\/lib\/aadssh"/ { if (!dropped[$1]) bad = 1; d++ }
	    END { exit bad || n < 2 || s < n || d < n }' "$W/calls"
	pkill -INT -x aadssh
	wait "$watch" || :
else
	skip "who reads what" "no ptrace here"
fi
finish
