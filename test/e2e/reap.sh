#!/bin/sh
# SPDX-License-Identifier: ISC
title="reap ends the sessions of who was denied, and touches nobody else"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

RUN=/run/aadssh
SESSIONS=$RUN/sessions
OID=1c9a52de-7b30-4f86-9e41-6a0d8c35b2f1
SSHD=$SSHD_EXE

# --- sshd with plain keys: who may log in is not the question here -----------

conf() # on_denial
{
	mkdir -p /etc/aadssh
	printf '[session]\non_denial = %s\n' "$1" >"$CONF"
	chmod 0644 "$CONF"
}

need conf terminate
need start_sshd
need kill "$(cat /run/sshd.pid)"
mkdir -p /etc/ssh/keys
for key in alice bob; do
	need new_key $key
	need cp "$W/$key.pub" "/etc/ssh/keys/$key"
	echo "key $(ssh-keygen -lf "$W/$key.pub" | cut -d ' ' -f 2)" >"$W/$key.fp"
done
need wait_for 30 eval '[ ! -e /run/sshd.pid ]'
need setsid /usr/sbin/sshd -E "$SSHD_LOG" -o AuthorizedKeysCommand=none \
    -o AuthorizedKeysCommandUser=none -o AuthorizedKeysFile=/etc/ssh/keys/%u
need wait_for 30 test -e /run/sshd.pid
need install -d -m 0755 "$RUN"
need install -d -m 0700 "$SESSIONS"

start_of() # PID
{
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}

parent_of() # PID
{
	sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 2
}

runs() # PID
{
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
	'' | Z*) return 1 ;;
	esac
}

ended() # PID
{
	! runs "$1"
}

# session LOGIN: open one that stays.  Sets client to the pid of ssh, and
# monitor to that of sshd's process which outlives the login.
session()
{
	: >"$W/$1.out"
	# shellcheck disable=SC2016
	ssh_as "$1" "$W/$1" 'echo $PPID; exec sleep 600' >"$W/$1.out" \
	    2>"$W/$1.err" &
	client=$!
	wait_for 30 test -s "$W/$1.out" || return 1
	monitor=$(parent_of "$(cat "$W/$1.out")")
	[ "$(readlink "/proc/$monitor/exe")" = "$SSHD" ]
}

# register PID LOGIN [START [EXE]]: what the PAM module leaves.
register()
{
	register_as "$1" "$@"
}

register_as() # NAME PID LOGIN [START [EXE]]
{
	{
		echo "aadssh-session 1"
		echo "pid $2"
		echo "start ${4-$(start_of "$2")}"
		echo "exe ${5-$SSHD}"
		echo "opened $(date +%s)"
		echo "login $3"
		echo "source 127.0.0.1"
		[ "$3" != alice ] || echo "oid $OID"
		[ "$3" != alice ] || echo "upn alice@contoso.com"
		cat "$W/$3.fp"
		echo "method publickey"
		echo "end"
	} >"$SESSIONS/$1"
	chmod 0600 "$SESSIONS/$1"
}

# Somebody else's process that has the pid of a session now.
stranger()
{
	sleep 600 &
	stranger=$!
	wait_for 30 eval '[ "$(readlink /proc/$stranger/exe)" != "$(readlink /proc/$$/exe)" ]'
}

counts() # "OPEN open, …"
{
	has "$W/out" "$1"
}

# --- nobody is denied ---------------------------------------------------------

ok "without RUN/sessions there is nothing to do" \
    sh -c "mv $SESSIONS $RUN/away && aadssh reap && mv $RUN/away $SESSIONS"
need aadssh deny --login carol
need session alice
alice=$monitor alice_client=$client
need register "$alice" alice
need session bob
bob=$monitor
need register "$bob" bob
ok "two sessions, nobody denied" aadssh reap
also "... both are counted" counts "2 open, 0 ended, 0 to end, 0 stale, 0 unclear."
also "... both run" eval 'runs $alice && runs $bob'

# --- told, not ended ------------------------------------------------------------

need aadssh deny --oid "$OID"
log_mark
ok "--dry-run ends nothing" aadssh reap --dry-run
also "... but tells whom, and why" has "$W/out" "alice  pid $alice  identity_denied  would_end"
also "... the session runs" runs "$alice"
ok "--dry-run --json" aadssh reap --dry-run --json
also "... is one object" node -e '
    const o = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
    const d = o.denied[0];
    process.exit(o.v === 1 && o.sessions === 2 && o.would_end === 1 &&
	o.ended === 0 && o.cannot_tell === 0 && o.denied.length === 1 &&
	d.login === "alice" && d.pid === +process.argv[2] &&
	d.reason === "identity_denied" && d.result === "would_end" &&
	d.oid === process.argv[3] && d.key.startsWith("SHA256:") ? 0 : 1)' \
    "$W/out" "$alice" "$OID"
need conf none
ok "on_denial = none ends nothing" aadssh reap
also "... but tells whom" counts "2 open, 0 ended, 1 to end, 0 stale, 0 unclear."
also "... the session runs" runs "$alice"
ok "... the log has it" log_has event=reap result=would_end reason=identity_denied \
    login=alice "oid=$OID" "pid=$alice"
need conf terminate

# --- files that are not to be believed -----------------------------------------

refuses() # the whole directory, and nobody is harmed
{
	local status=0
	aadssh reap || status=$?
	[ "$status" -eq 3 ] && runs "$alice"
}

need chmod 0770 "$SESSIONS"
ok "a group-writable directory is refused" refuses
also "... with its reason" has "$W/err" "(sessions_unreadable)"
need chmod 0702 "$SESSIONS"
ok "a directory that all can write is refused" refuses
need chmod 0700 "$SESSIONS"
need chown aadssh "$SESSIONS"
ok "another user's directory is refused" refuses
need chown root "$SESSIONS"
need mv "$SESSIONS" /tmp/sessions
need ln -s /tmp/sessions "$SESSIONS"
ok "a link in its place is refused" refuses
need rm "$SESSIONS"
need mv /tmp/sessions "$SESSIONS"
need chmod 0777 "$RUN"
ok "a [state] run that all can write is refused" refuses
need chmod 0755 "$RUN"
ok "user aadssh can't reap" sh -c \
    "! setpriv --reuid aadssh --regid aadssh --init-groups $(command -v aadssh) reap && test -e /proc/$alice"

need chown aadssh "$SESSIONS/$alice"
ok "another user's file is not believed" refuses
also "... and that is told" counts "1 open, 0 ended, 0 to end, 0 stale, 1 unclear."
need chown root "$SESSIONS/$alice"
need chmod 0620 "$SESSIONS/$alice"
ok "a file that others can write is not believed" refuses
need chmod 0600 "$SESSIONS/$alice"
need cp "$SESSIONS/$alice" "$W/kept"
need eval 'echo junk >>"$SESSIONS/$alice"'
ok "a damaged file is not believed" refuses
need eval 'head -c 40 "$W/kept" >"$SESSIONS/$alice"'
ok "a torn file is not believed" refuses
need eval 'cat "$W/kept" >"$SESSIONS/$alice"'

# --- processes that are not the session's ---------------------------------------

need stranger
need register_as "$stranger" "$stranger" alice 1
need mv "$SESSIONS/$alice" "$W/alice.session"
ok "a pid that somebody else has now" aadssh reap
also "... its process is not touched" runs "$stranger"
also "... its file is removed" test ! -e "$SESSIONS/$stranger"
also "... as one that is stale" counts "1 open, 0 ended, 0 to end, 1 stale, 0 unclear."

need register "$stranger" alice
exits 3 "the right start time, another program" aadssh reap
also "... its process is not touched" runs "$stranger"
also "... and that is told" has "$W/out" "alice  pid $stranger  identity_denied  other_program"
need rm "$SESSIONS/$stranger"

need register_as 1 "$alice" alice
exits 3 "a file whose name is not its pid" aadssh reap
also "... nobody is ended" eval 'runs 1 && runs $alice'
need rm "$SESSIONS/1"

need eval 'sleep 0.1 & gone=$!; register $gone bob; register_as $gone.auth $gone bob; wait $gone'
need register_as "$bob.auth" "$bob" bob
need eval 'echo torn >"$SESSIONS/999999999"'
ok "files of who is gone" aadssh reap
also "... are removed" sh -c "! ls $SESSIONS/$gone* $SESSIONS/999999999"
also "... what waits for its session stays" test -e "$SESSIONS/$bob.auth"
also "... and are counted" counts "1 open, 0 ended, 0 to end, 3 stale, 0 unclear."
need rm "$SESSIONS/$bob.auth"
need mv "$W/alice.session" "$SESSIONS/$alice"

# --- denials that can't be told ------------------------------------------------

need cp -a "$STATE" "$W/state"
need eval 'echo junk >"$STATE/denials/oid/$OID"'
ok "a damaged denial ends nobody" refuses
also "... and that is told" has "$W/out" "alice  pid $alice  denials_unreadable  cannot_tell"
need rm -r "$STATE/denials/oid"
ok "no directory of denials ends nobody" refuses
need rm -r "$STATE"
ok "no state directory ends nobody" refuses
need cp -a "$W/state" "$STATE"

# --- the end -----------------------------------------------------------------------

client_ended() # PID: its connection was closed
{
	local status=0
	wait_for 30 ended "$1" || return 1
	wait "$1" || status=$?
	[ "$status" -eq 255 ]
}

log_mark
ok "terminate ends the session" aadssh reap
also "... and counts it" counts "2 open, 1 ended, 0 to end, 0 stale, 0 unclear."
also "... its sshd is gone" ended "$alice"
also "... the client sees it" client_ended "$alice_client"
also "... its file is gone" test ! -e "$SESSIONS/$alice"
also "... nobody else's session is" runs "$bob"
ok "... the log has it" log_has event=reap result=ended reason=identity_denied \
    login=alice "oid=$OID" "pid=$alice"
need aadssh undeny --oid "$OID"

need session alice
alice=$monitor
need register "$alice" alice
need aadssh deny --login alice --until 1h
ok "a denied login" aadssh reap
also "... its session is ended" ended "$alice"
also "... for that" has "$W/out" login_denied
need aadssh undeny --login alice

need session alice
alice=$monitor
need register "$alice" alice
need aadssh deny --key "$(cut -d ' ' -f 2 "$W/alice.fp")"
ok "a denied key" aadssh reap
also "... its session is ended" ended "$alice"
also "... for that" has "$W/out" key_denied
also "... and no other" runs "$bob"

# What does not end by SIGTERM.  Its program is a shell, and so its file says.
cat >"$W/deaf.sh" <<'END'
trap '' TERM
while :; do sleep 0.2; done
END
setsid sh "$W/deaf.sh" &
deaf=$!
need sleep 0.3
need register "$deaf" alice "$(start_of $deaf)" "$(readlink /proc/$deaf/exe) (deleted)"
ok "who does not hear SIGTERM" aadssh reap
also "... is killed" ended "$deaf"
also "... and that is told" has "$W/out" "alice  pid $deaf  key_denied  killed"
also "... its file is gone" test ! -e "$SESSIONS/$deaf"

# More at once than are dealt with at once.
many=
for i in $(seq 70); do
	sleep 600 &
	many="$many $!"
	register $! alice "$(start_of $!)" "$(readlink -f /usr/bin/sleep)"
done
ok "many at once" aadssh reap
also "... all of them" counts "71 open, 70 ended, 0 to end, 0 stale, 0 unclear."
for i in $many; do
	ended "$i" || echo "not ok - $i runs"
done

# --- a scratch installation: its own user's, no root -----------------------------------

cat >"$W/scratch.conf" <<END
[state]
dir = /home/bob/state
run = /home/bob/run
[session]
on_denial = terminate
END
chmod 0755 /tmp "$W"
chmod 0644 "$W/scratch.conf"
as_bob()
{
	setpriv --reuid bob --regid bob --init-groups env HOME=/home/bob "$@"
}
need as_bob mkdir -p -m 0700 /home/bob/run/sessions
need as_bob aadssh -f "$W/scratch.conf" deny --login bob
# NB. no function here: $! would be a shell's.
setpriv --reuid bob --regid bob --init-groups sleep 600 &
need sleep 0.3
need register "$!" bob "$(start_of $!)" "$(readlink -f /usr/bin/sleep)"
need mv "$SESSIONS/$!" /home/bob/run/sessions/
need chown bob "/home/bob/run/sessions/$!"
ok "a scratch installation reaps for its user" as_bob aadssh -f "$W/scratch.conf" reap
also "... and ends the session" ended "$!"
finish
