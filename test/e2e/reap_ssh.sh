#!/bin/sh
# SPDX-License-Identifier: ISC
title="a session that sshd and the PAM module opened is seen, and ended when denied"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

need start_idp
need write_conf <<END
[session]
on_denial = terminate
END
need new_key k1
need new_key k2
stage_pam
print=$(ssh-keygen -lf "$W/k1.pub" | cut -d ' ' -f 2)

# says EXPRESSION: true of the object o in $W/out.
says()
{
	node -e 'const o = JSON.parse(require("fs").readFileSync(
	    process.argv[1], "utf8")); process.exit(eval(process.argv[2]) ? 0 : 1)' \
	    "$W/out" "$1"
}

# --- while somebody signs in -------------------------------------------------------

ask_new first
ssh_ask_begin alice "$W/k1"
need wait_for 30 asked 1
ok "somebody who signs in" aadssh status --json
also "... is seen" says 'o.signing_in.length === 1 &&
    o.signing_in[0].login === "alice" &&
    o.signing_in[0].source === "127.0.0.1" && o.sessions.length === 0'
ok "reap has nothing to do" aadssh reap
need approve "$ALICE" "$ask_dir/prompt.1"
reply 1 ''
ok "the sign-in" ssh_ask_end
ok "afterwards nobody is seen" aadssh status --json
also "... to wait, or to be there" says \
    'o.signing_in.length === 0 && o.sessions.length === 0'

# --- sessions that stay ------------------------------------------------------------------

# stay NAME LOGIN KEY [OPTION…]: in the background; client is its pid.
stay()
{
	local name login key
	name=$1 login=$2 key=$3
	shift 3
	: >"$W/$name.out"
	ssh -F "$W/ssh_config" -o BatchMode=yes -i "$key" "$@" \
	    "$login@localhost" 'echo up; exec sleep 600' >"$W/$name.out" \
	    2>"$W/$name.err" </dev/null &
	client=$!
	wait_for 30 test -s "$W/$name.out"
}

client_ended() # PID
{
	local status=0
	wait_for 30 eval '! kill -0 "$1" 2>/dev/null' || return 1
	wait "$1" || status=$?
	[ "$status" -eq 255 ]
}

need stay one alice "$W/k1"
one=$client
ok "a session" aadssh status --json
also "... is seen with whose it is" says "o.sessions.length === 1 &&
    o.sessions[0].login === 'alice' && o.sessions[0].key === '$print' &&
    o.sessions[0].upn === '$ALICE' && o.sessions[0].oid === '$ALICE_OID' &&
    o.sessions[0].source === '127.0.0.1' &&
    o.sessions[0].method === 'publickey'"
need stay tty alice "$W/k1" -tt
tty=$client
# A master whose own session is over holds its connection open for others.
need ssh -F "$W/ssh_config" -o BatchMode=yes -i "$W/k1" -fN -M -S "$W/master" \
    alice@localhost
ok "one with a terminal and a master, too" aadssh status --json
also "... are seen" says 'o.sessions.length >= 2'
ok "nobody is denied: nobody is ended" aadssh reap
also "... all are there" eval 'kill -0 $one && kill -0 $tty'

# With what the unit of conf/systemd leaves of root.
as_the_unit()
{
	local caps
	caps=$(sed -n 's/^CapabilityBoundingSet=//p' \
	    "$SRC/conf/systemd/aadssh-reap.service" | tr 'A-Z ' 'a-z,' |
	    sed 's/cap_/+/g')
	[ "$caps" ] && setpriv --bounding-set="-all,$caps" "$@"
}

log_mark
need aadssh deny --oid "$ALICE_OID"
ok "the person is denied: all sessions end" as_the_unit aadssh reap
ok "... the one without a terminal" client_ended "$one"
ok "... the one with" client_ended "$tty"
ok "... no file is left" [ -z "$(ls "$RUN/sessions")" ]
ok "... the log has it" log_has event=reap result=ended \
    reason=identity_denied login=alice "oid=$ALICE_OID" "key=$print"
ok "... and nothing else is to do" aadssh reap
also "... as it says" has "$W/out" "0 open, 0 ended, 0 to end, 0 stale, 0 unclear."
ok "what a master held open ends, too" \
    sh -c "! ssh -F $W/ssh_config -o BatchMode=yes -S $W/master alice@localhost true"

# --- somebody else ---------------------------------------------------------------------

need aadssh undeny --oid "$ALICE_OID"
ok "bob signs in" ssh_signin "$BOB" bob "$W/k2"
need stay alice alice "$W/k1"
alice=$client
need stay bob bob "$W/k2"
bob=$client
need aadssh deny --login bob
ok "the other is denied" aadssh reap
also "... and ended" client_ended "$bob"
also "... alone" kill -0 "$alice"
ok "who is left" aadssh status --json
also "... is seen" says 'o.sessions.length === 1 &&
    o.sessions[0].login === "alice"'

# The person hides the process: sshd's own, which has their uid, is stopped.
hidden=$(pgrep -u alice -x 'sshd(-session)?')
need [ "$(echo "$hidden" | wc -w)" -eq 1 ]
need setpriv --reuid alice --regid alice --init-groups kill -STOP "$hidden"
need aadssh deny --login alice
ok "one that the person stopped" aadssh reap
also "... is ended" has "$W/out" "login_denied  killed"
kill -CONT "$hidden" 2>/dev/null || :
ok "... and does not come back" client_ended "$alice"
finish
