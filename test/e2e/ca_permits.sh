#!/bin/sh
# SPDX-License-Identifier: ISC
title="a stock sshd grants what a certificate permits, and no more"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

H=/home/alice/.ssh
B=/home/bob/.ssh
K=$H/ed25519
cd "$W" || exit 1
stage_ca <<-END
	hosts = web
	[login deploy]
	allow = role:ssh.deploy
	hosts = web
	[profile deploy]
	for = deploy
	max_ttl = 1h
	force_command = /usr/bin/id -un
	source_address = 127.0.0.0/8,::1
	[profile agents]
	for = bob
	extensions = permit-agent-forwarding
END
need write_cert_conf <<-END
	[host]
	groups = web
END
need start_cert_sshd
need sed -i 's/^aadssh-issue:.*/&,bob/' /etc/group

extensions()
{
	ssh-keygen -L -f "$1" | sed -n 's/(none)/& /; /Extensions:/,$p' |
	    sed 's/.*Extensions://' | tr -s ' \n' ' '
}

# --- permits ---------------------------------------------------------------------

need a_key alice ed25519 -t ed25519
need ca_sign "$ALICE" alice --key "$K.pub"
ok "permits are those of the configuration" test \
    "$(extensions "$K-cert.pub")" = " permit-port-forwarding permit-pty "
need a_key bob ed25519 -t ed25519
ok "bob's profile is another" ca_sign "$BOB" bob --key "$B/ed25519.pub"
also "with its permits" test "$(extensions "$B/ed25519-cert.pub")" = \
    " permit-agent-forwarding "
need ssh-agent -a "$W/fwd"
forwards_agent() # LOGIN KEY
{
	# shellcheck disable=SC2016 # is for the other end
	ssh_cert_as "$1" "$2" -A -o IdentityAgent="$W/fwd" \
	    'test -S "$SSH_AUTH_SOCK"'
}
# What answers at the other end of a tunnel.
tunnels() # LOGIN KEY
{
	timeout 60 ssh -F "$W/ssh_cert_config" -o BatchMode=yes -i "$2" \
	    -o CertificateFile="$2-cert.pub" -W "127.0.0.1:$CERT_PORT" \
	    "$1@cert" </dev/null 2>/dev/null | head -c 4 | grep -q SSH-
}
has_tty() # LOGIN KEY
{
	ssh_cert_as "$1" "$2" -tt tty >"$W/tty" 2>&1 && has "$W/tty" /dev/pts/
}
ok "an agent is forwarded with the permit" forwards_agent bob "$B/ed25519"
ok "and not without" not forwards_agent alice "$K"
ok "a port is with its own" tunnels alice "$K"
ok "and not without" not tunnels bob "$B/ed25519"
ok "there is a terminal with the third" has_tty alice "$K"
ok "and not without" not has_tty bob "$B/ed25519"

# --- one command, from here, for a while ------------------------------------------

need a_key bob deploy -t ed25519
exits 1 "a login of another profile is not mixed in" ca_sign "$BOB" bob \
    --key "$B/deploy.pub" --login bob,deploy
also "by that reason" has "$W/err" profile
ok "bob asks for deploy" ca_sign "$BOB" bob --key "$B/deploy.pub" \
    --login deploy --ttl 9h
says_deploy()
{
	[ "$(ssh_cert_as deploy "$B/deploy" echo other)" = deploy ]
}
ok "II-C6 only the forced command runs" says_deploy
also "II-C6 ... with no permit at all" test \
    "$(extensions "$B/deploy-cert.pub")" = " (none) "
ok "II-C6 no tunnel" not tunnels deploy "$B/deploy"
ok "and bob's own login is not in it" cert_refused bob "$B/deploy"
lives() # SECONDS CERTFILE: from the sign-in, less what is dated back
{
	local from to
	from=$(ssh-keygen -L -f "$2" | sed -n 's/.*Valid: from \(.*\) to .*/\1/p')
	to=$(ssh-keygen -L -f "$2" | sed -n 's/.*Valid: from .* to //p')
	[ $(($(date -d "$to" +%s) - $(date -d "$from" +%s) - 60)) -eq "$1" ]
}
ok "for no longer than the profile has it" lives 3600 "$B/deploy-cert.pub"
need a_key alice there -t ed25519
need ca_sign "$ALICE" alice --key "$H/there.pub" --source-address 192.0.2.0/24
ok "I-D5 our source-address is enforced by sshd" cert_refused alice "$H/there"
need ca_sign "$ALICE" alice --key "$H/there.pub" --source-address \
    192.0.2.0/24,127.0.0.0/24
ok "I-D5 ... and opens from where it says" cert_opens alice "$H/there"
exits 1 "II-C7 wider than the profile is refused" ca_sign "$BOB" bob \
    --key "$B/deploy.pub" --login deploy --source-address 0.0.0.0/0
also "II-C7 ... by its reason" has "$W/err" source_address
need a_key alice short -t ed25519
ok "three seconds are a lifetime" ca_sign "$ALICE" alice \
    --key "$H/short.pub" --ttl 3s
sleep 4
ok "then sshd refuses it" cert_refused alice "$H/short"
also "as expired" grep -q 'Certificate invalid: expired' "$CERT_LOG"
finish
