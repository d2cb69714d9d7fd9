# SPDX-License-Identifier: ISC
title="keys of the authority in an agent: ssh-agent, SoftHSM, a lying one"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh

cd "$W" || exit 1
chmod 0755 "$W"
AGENT=/run/ca-agent/agent
CA_ALSO="backend = agent:$AGENT"
write_bare_conf </dev/null
write_cert_conf <<-END
[host]
groups = web
END
install -d -m 0700 -o aadssh-ca -g aadssh-ca /run/ca-agent "$W/hsm" \
    "$W/hsm/tokens"
need new_key k1

# begin COMMAND…: in the background, as the authority; end_it ends it.
begin()
{
	rm -f "$AGENT"
	as aadssh-ca env SOFTHSM2_CONF="$W/hsm/conf" sh -c \
	    'echo $$ >/run/ca-agent/pid; exec "$@"' sh "$@" \
	    >"$W/agent.log" 2>&1 &
	wait_for 30 test -S "$AGENT"
}

end_it()
{
	kill "$(cat /run/ca-agent/pid)" && wait_for 30 ended
}

ended()
{
	! kill -0 "$(cat /run/ca-agent/pid)"
}

start_agent() # [OPTION…]
{
	begin ssh-agent -D -a "$AGENT" "$@"
}

add() # OPTION…
{
	as aadssh-ca env SSH_AUTH_SOCK="$AGENT" SSH_ASKPASS="$W/pin" \
	    SSH_ASKPASS_REQUIRE=force ssh-add -q "$@" </dev/null
}

# ca_key NAME TYPE [BITS]: a key into the agent; NAME.pub stays.
ca_key()
{
	ssh-keygen -q -t "$2" ${3:+-b "$3"} -N '' -C '' -f "$W/$1" \
	    </dev/null && chown aadssh-ca "$W/$1" && add "$W/$1" &&
	    rm "$W/$1"
}

signs_in() # KEY of the authority
{
	new_token && bare_sign "$W/k1" &&
	    [ "$(by k1)" = "$(key_print "$1")" ]
}

by() # KEY
{
	ssh-keygen -Lf "$W/$1-cert.pub" |
	    sed -n 's/.*Signing CA: [^ ]* \([^ ]*\).*/\1/p'
}

no_authority()
{
	rm -rf "$CA_STATE"
}

# --- init ---------------------------------------------------------------------

need start_agent
need ca_key p256 ecdsa 256
need ca_key p384 ecdsa 384
need ca_key p521 ecdsa 521
need ca_key rsa rsa 2048
need ca_key ed ed25519
exits 3 "without the names of keys there is no authority" bare_init
need new_key foreign
exits 3 "nor with a key that the agent does not hold" \
    bare_init --user-ca foreign.pub --host-ca rsa.pub
exits 3 "nor with one for both" bare_init --user-ca ed.pub --host-ca ed.pub
exits 3 "no half authority stays" $CA keys
first=yes
for key in ed p256 p384 p521 rsa; do
	no_authority
	host=rsa
	[ "$key" != rsa ] || host=p256
	ok "$key signs for people, $host for hosts" \
	    bare_init --user-ca "$key.pub" --host-ca "$host.pub"
	[ -z "$first" ] || need start_cert_sshd
	first=
	ok "$key: a certificate" signs_in "$key"
	ok "$key: and sshd takes it" cert_opens alice "$W/k1"
	ok "$key: a host's" asks sign_host key="$W/k1.pub" name=web.example.org
	ok "$key: only the bundle key has a file" \
	    [ "$(find "$CA_STATE/keys" -type f | wc -l)" -eq 1 ]
	ok "$key: no fault is found" no_faults
done

# --- the next key ----------------------------------------------------------------

no_authority
sed -i 's/^\[ca\]$/&\npublish_before = 1s/' "$CA_CONF"
need bare_init --user-ca ed.pub --host-ca p256.pub
need signs_in ed
ok "a rotation with a named key" $CA rotate --user-ca p384.pub
also "is prepared" [ "$(key_at user prepared)" = "$(key_print p384)" ]
exits 3 "one that it does not hold" $CA rotate --host-ca foreign.pub
exits 3 "or that it has been already" $CA rotate --host-ca ed.pub
sleep 2
ok "later it signs" $CA rotate
also "it does" signs_in p384
ok "and opens" cert_opens alice "$W/k1"
also "with the old one retired" stages_are user "active retired"
ok "no fault is found" no_faults

# --- an agent that is gone, or another's ---------------------------------------------

# refused REASON: no certificate, by that reason.
refused_by()
{
	local status=0
	new_token
	bare_sign "$W/k1" || status=$?
	[ "$status" -eq 3 ] && grep -Eq "^end 3 $1" "$W/answer" &&
	    [ ! -s "$W/k1-cert.pub" ]
}
need add -D
ok "I-D9 an agent without the key" refused_by ca_agent
need end_it
ok "I-D9 no agent" refused_by ca_agent
rm -f "$AGENT"
ok "I-D9 no socket" refused_by ca_agent
ok "which rows say" eval "asks list | grep -Fq '\"state\":\"failed\"'"
exits 3 "check names it" $CA check
ok "verify needs no key" no_faults
chmod 0777 /run/ca-agent
need as bob ssh-agent -a "$AGENT"
chmod 0777 "$AGENT"
ok "I-D9 an agent of somebody else" refused_by ca_agent
rm -f "$AGENT"
chmod 0700 /run/ca-agent

# --- an agent that lies ----------------------------------------------------------------

# It holds what it is asked for, and signs by its own way.
ssh-keygen -q -t ecdsa -b 384 -N '' -C '' -m PKCS8 -f "$W/liar" </dev/null
chown aadssh-ca "$W/liar"
for how in other-key other-data ed25519 short empty nonsense sha1 twice; do
	need begin node "$SRC/test/e2e/liaragent.mjs" "$AGENT" "$how" \
	    "$W/liar" "$W/p384.pub"
	case $how in
	short | empty | nonsense) why='(ca_agent|signature_bad)' ;;
	*) why=signature_bad ;;
	esac
	ok "I-D9 an agent that lies: $how" refused_by "$why"
	need end_it
done
ok "I-D9 each is a row that says why" eval \
    "[ $(asks list | grep -c '"state":"failed"') -ge 10 ]"
ok "no fault is found" no_faults

# --- SoftHSM --------------------------------------------------------------------------

module=/usr/lib/softhsm/libsofthsm2.so
if [ ! -e "$module" ] || ! command -v pkcs11-tool >/dev/null; then
	skip "keys in SoftHSM" "softhsm2 or opensc is missing"
	finish
fi
printf 'directories.tokendir = %s\nobjectstore.backend = file\n' \
    "$W/hsm/tokens" >"$W/hsm/conf"
chown aadssh-ca "$W/hsm/conf"
printf '#!/bin/sh\necho 1234\n' >"$W/pin"
chmod 0755 "$W/pin"
p11()
{
	as aadssh-ca env SOFTHSM2_CONF="$W/hsm/conf" pkcs11-tool \
	    --module "$module" "$@"
}
need as aadssh-ca env SOFTHSM2_CONF="$W/hsm/conf" softhsm2-util \
    --init-token --free --label ca --pin 1234 --so-pin 5678
need p11 --login --pin 1234 --keypairgen --key-type EC:prime256v1 --id 01 \
    --label user
need p11 --login --pin 1234 --keypairgen --key-type rsa:2048 --id 02 \
    --label host
need p11 --login --pin 1234 --keypairgen --key-type EC:secp384r1 --id 03 \
    --label next
need start_agent -P "/usr/lib/softhsm/*,/usr/lib/*/softhsm/*"
need add -s "$module"
as aadssh-ca env SSH_AUTH_SOCK="$AGENT" ssh-add -L >"$W/held"
for type in nistp256:hsm1 ssh-rsa:hsm2 nistp384:hsm3; do
	grep -F "${type%:*}" "$W/held" >"$W/${type#*:}.pub"
done
no_authority
ok "keys in SoftHSM, through the agent" \
    bare_init --user-ca hsm1.pub --host-ca hsm2.pub
ok "sign" signs_in hsm1
ok "and sshd takes it" cert_opens alice "$W/k1"
ok "a host's, too" asks sign_host key="$W/k1.pub" name=web.example.org
ok "the next is one of its keys" $CA rotate --user-ca hsm3.pub
sleep 2
ok "and signs" eval "$CA rotate && signs_in hsm3"
also "and sshd takes it" cert_opens alice "$W/k1"
ok "no fault is found" no_faults
need end_it
ok "with the agent gone nobody gets a certificate" refused_by ca_agent

# Both that may sign are revoked, and no other is named.
revoke_all()
{
	local fp
	for fp in $($CA keys --json | node -e '
	    require("fs").readFileSync(0, "utf8").trim().split("\n")
	    .map(JSON.parse)
	    .filter(k => k.role === "user" &&
		["prepared", "active", "retired"].includes(k.stage))
	    .forEach(k => console.log(k.fingerprint))'); do
		$CA revoke --ca-key "$fp" --reason stolen || return 1
	done
}
ok "all keys of users can be revoked without another at hand" revoke_all
also "which is published" grep -qx '# no key' "$CERT_CA"
ok "and their certificates open nothing" cert_refused alice "$W/k1"
finish
