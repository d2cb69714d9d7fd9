#!/bin/sh
# SPDX-License-Identifier: ISC
title="keys open the door while 40 sign in and 200 strangers say nothing"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

WAITING=40
PER_SOURCE=8
STRANGERS=200
SENTENCE="Too many sign-ins wait or were started just now"
PASSWORD=opensesame

# conf [LINE…]: lines of [pam].
conf()
{
	{
		echo "[pam]"
		printf '%s\n' "$@"
	} | write_conf
}

set_password() # LOGIN
{
	hash=$(openssl passwd -6 "$PASSWORD") &&
	    sed -i "s|^$1:[^:]*:|$1:$hash:|" /etc/shadow
}

# NB. the least polls that Entra would ask for: the crowd must not be busier
# than a real one.
need start_idp --interval 5
need conf
need new_key k1
need new_key k2
need set_password alice
stage_pam sshd-fallback
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need whoami_is alice "$W/k1"

# --- who waits, and who just stands there --------------------------------------

# A client at its prompt for as long as this test runs.
hold() # NAME ADDRESS
{
	ask_new "$1"
	: >"$ask_dir/hold"
	ssh_ask_begin alice "" -b "$2"
	holders="$holders $ssh_pid"
}

all_asked()
{
	[ "$(find "$W"/ask.wait.* -name prompt.1 | wc -l)" -eq "$WAITING" ]
}

fill_host()
{
	n=0
	holders=
	while [ "$n" -lt "$WAITING" ]; do
		hold "wait.$n" "127.0.1.$((n / PER_SOURCE + 1))"
		n=$((n + 1))
	done
}

# Connections to sshd that say nothing, 20 from each address.  Prints how many
# of them sshd has greeted.
strangers()
{
	cat >"$W/strangers.mjs" <<-'END_JS'
	import net from 'node:net';
	const [port, n] = process.argv.slice(2).map(Number);
	let greeted = 0;

	for (let i = 0; i < n; i += 1) {
	  const s = net.connect({ host: '127.0.0.1', port,
	    localAddress: `127.0.2.${Math.floor(i / 20) + 1}` });
	  s.once('data', () => console.log(greeted += 1));
	  s.on('error', () => {});
	}
	END_JS
	node "$W/strangers.mjs" "$SSHD_PORT" "$STRANGERS" >"$W/greeted" &
	strangers=$!
	wait_for 30 grep -qx "$STRANGERS" "$W/greeted"
}

# Each login within the client's ConnectTimeout of 10 s.
keys_work() # TIMES [OPTION…]
{
	times=$1
	shift
	while [ "$times" -gt 0 ]; do
		[ "$(ssh -F "$W/ssh_config" -o BatchMode=yes -i "$W/k1" "$@" \
		    alice@localhost id -un </dev/null)" = alice ] || return 1
		times=$((times - 1))
	done
}

fill_host
ok "$WAITING people from 5 addresses see a code" wait_for 60 all_asked
ok "$STRANGERS strangers get sshd's greeting" strangers
ok "a key logs in meanwhile, five times" keys_work 5
ok "also from an address where 8 sign in" keys_work 2 -b 127.0.1.1
ok "also from one with 20 strangers" keys_work 2 -b 127.0.2.1
ok "the log says so" log_has event=login login=alice method=publickey

# --- the limits ------------------------------------------------------------------

# over ADDRESS: refused for the limit, by one sentence and without a question.
over()
{
	ask_new over
	ssh_ask_begin alice "$W/k2" -b "$1"
	status=0
	wait_for 30 asked_or_gone 1
	if asked 1; then
		cat "$ask_dir/prompt.1"
		ssh_ask_leave
		return 1
	fi
	ssh_ask_end || status=$?
	[ "$status" -eq 255 ] &&
	    [ "$(grep -c "$SENTENCE" "$ask_dir/err")" -eq 1 ] &&
	    has "$ask_dir/err" "Permission denied (publickey"
}

log_mark
ok "the ninth from one address is refused, once and with a sentence" \
    over 127.0.1.1
also "and the log has the reason" log_has event=signin verdict=no \
    reason=too_many_waiting login=alice source=127.0.1.1
need conf "per_host = $WAITING"
ok "and so is the one too many for the host" over 127.0.3.1
also "and the log has the reason, too" log_has event=signin verdict=no \
    reason=too_many_waiting source=127.0.3.1
ok "keys still log in, also from there" keys_work 2 -b 127.0.3.1

# --- the fallback ------------------------------------------------------------------

# with_password ADDRESS TEXT: what is asked is the password, and TEXT is said.
with_password()
{
	ask_new password
	ssh_ask_begin alice "" -b "$1" -o NumberOfPasswordPrompts=1 -- id -un
	wait_for 30 asked_or_gone 1 && asked 1 &&
	    has "$ask_dir/prompt.1" "Password:" || {
		ssh_ask_leave
		return 1
	}
	reply 1 "$2"
	ssh_ask_end
}

never_asked() # ADDRESS
{
	ask_new never
	ssh_ask_begin alice "" -b "$1"
	wait_for 30 asked_or_gone 1
	if asked 1; then
		cat "$ask_dir/prompt.1"
		ssh_ask_leave
		return 1
	fi
	! ssh_ask_end
}

# An outage that nobody has looked at for long says nothing about now.
age_last_run()
{
	sed -i 's/"at":[0-9]*/"at":1000000000/' "$STATE/refresh.json" &&
	    chown aadssh:aadssh "$STATE/refresh.json"
}

last_run_is() # RESULT
{
	has "$STATE/refresh.json" "\"result\":\"$1\""
}

need stop_idp
need conf
log_mark
ok "with the provider gone for this host, there is no password prompt" \
    never_asked 127.0.4.1
also "but a sentence" has "$ask_dir/err" "Azure AD"
also "and a reason in the log" log_has event=signin reason=unreachable \
    source=127.0.4.1
aadssh refresh >"$W/refresh.out" 2>&1 || :
ok "the live check sees the outage, too" last_run_is outage
ok "over the limit of an address there is still none" over 127.0.1.1
need conf "per_host = $WAITING"
ok "nor over the limit of the host" over 127.0.4.2
need conf
ok "only for others, the local password is asked for" \
    with_password 127.0.4.3 "$PASSWORD"
also "and it opens the door" [ "$(cat "$W/out")" = alice ]
exits 255 "another password does not" with_password 127.0.4.4 "wrong"
ok "keys need neither" keys_work 2
need age_last_run
ok "an outage that the live check saw long ago does not count" \
    never_asked 127.0.4.5
aadssh refresh >"$W/refresh.out" 2>&1 || :
need last_run_is outage

need start_idp
again()
{
	ask_new again
	ssh_ask_begin alice "" -b 127.0.4.6
	wait_for 30 asked_or_gone 1 && code_shown "$ask_dir/prompt.1"
	status=$?
	ssh_ask_leave
	return "$status"
}
ok "the provider is back: a code is shown, whatever the last check saw" again

# --- and they leave ----------------------------------------------------------------
children()
{
	pgrep -u aadssh -x aadssh
}
none_left()
{
	! children
}
# shellcheck disable=SC2086
kill -KILL $holders "$strangers" 2>/dev/null || :
ok "when they leave, nothing of theirs stays" wait_for 30 none_left
ok "and nobody is waiting" aadssh status
also "says the status" lacks "$W/out" 127.0.1.
ok "no session and no offer is left over" \
    [ -z "$(ls "$RUN/sessions" "$RUN/offers" | grep -v :)" ]
finish
