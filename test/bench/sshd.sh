#!/bin/sh
# SPDX-License-Identifier: ISC
#
# sshd.sh ROUNDS: what a whole login through sshd costs with us, beside the
# same login by an authorized_keys file.  Runs in a sandbox (test/e2e) and
# prints the lines of bench.
#
# Two daemons of the same sshd and the same PAM stack, but for our lines.  The
# stack is shorter than Debian's, whose other modules would make us look
# cheaper.
#
# NB. sshd rounds the time of a step that does not log in yet up to 5 to 9 ms
# times a power of two; how many it makes out of the user's name, the host
# keys and its configuration file.  Both must have the same, or this would
# measure that: what differs is on the command line.
title="bench"
# shellcheck source=../e2e/lib.sh
. /src/test/e2e/lib.sh
tab=$(printf '\t')
PLAIN_PORT=2223

# start NAME PORT [OPTION…]: sshd under that name, which it takes for that of
# its PAM service, too.
start()
{
	local name port
	name=$1 port=$2
	shift 2
	ln -s /usr/sbin/sshd "/opt/aadssh/$name" &&
	    setsid "/opt/aadssh/$name" -f "$W/sshd_config" -E "$W/$name.log" \
		-o "ListenAddress=127.0.0.1:$port" \
		-o "PidFile=/run/$name.pid" "$@" &&
	    wait_for 5 grep -q 'Server listening' "$W/$name.log"
}

start_both()
{
	grep -v -e '^ListenAddress' -e '^PidFile' /etc/ssh/sshd_config \
	    >"$W/sshd_config"
	mkdir -p /etc/ssh/keys
	cp "$W/k1.pub" /etc/ssh/keys/alice
	cp /etc/pam.d/sshd /etc/pam.d/ours
	grep -v -e aadssh -e breakglass /etc/pam.d/sshd >/etc/pam.d/plain
	start ours "$SSHD_PORT" && start plain "$PLAIN_PORT" \
	    -o AuthorizedKeysCommand=none -o AuthorizedKeysCommandUser=none \
	    -o AuthorizedKeysFile=/etc/ssh/keys/%u
}

# ssh by the same client configuration, to the other port.
line() # NAME BASE CONFIG
{
	printf '%s\t' "$1" "$2" - /usr/bin/ssh -F "$3" -o BatchMode=yes \
	    -i "$W/k1" alice@localhost
	echo true
}

need start_idp
need write_conf </dev/null
need new_key k1
stage_pam
need stop_sshd
need start_both
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need stop_idp
sed "s/^Port .*/Port $PLAIN_PORT/" "$W/ssh_config" >"$W/ssh_plain"
need whoami_is alice "$W/k1"
need ssh -F "$W/ssh_plain" -o BatchMode=yes -i "$W/k1" alice@localhost true
# The measured path must be the one that is meant.
need log_has event=key verdict=yes login=alice
need log_has event=login login=alice method=publickey
log_mark
{
	line "login, authorized_keys file" "login, authorized_keys file" \
	    "$W/ssh_plain"
	line "login, aadssh" "login, authorized_keys file" "$W/ssh_config"
} >"$W/cases"
/src/"${E2E_B-build}"/test/bench/bench "$1" <"$W/cases"
