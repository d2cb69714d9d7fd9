#!/bin/sh
# SPDX-License-Identifier: ISC
title="from aadssh-ca init to a login at a stock sshd, with every type of key"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

SK=/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so # of openssh-tests
H=/home/alice/.ssh
cd "$W" || exit 1
need start_idp
need write_ca_conf <<-END
	hosts = web
	[login deploy]
	allow = role:ssh.deploy
	hosts = web
END
need aadssh -f "$CA_CONF" refresh --keys-only
mkdir "$W/full"
need mount -t tmpfs -o size=4k full "$W/full"
head -c 4096 /dev/zero >"$W/full/all" || exit 1
exits 3 "init without room for the recovery key does nothing" \
    aadssh-ca -f "$CA_CONF" init --recovery-out "$W/full/key"
also "and leaves no empty file" test ! -e "$W/full/key"
need umount "$W/full"
ok "init makes an authority" aadssh-ca -f "$CA_CONF" init
also "and says what sshd needs of it, where a host has it" has "$W/out" \
    "TrustedUserCAKeys /etc/ssh/aadssh/current/user_ca.pub"
also "and of what it revokes" has "$W/out" \
    "RevokedKeys /etc/ssh/aadssh/current/krl"
also "and where that is copied from" has "$W/out" "$CA_STATE/public"
also "and what known_hosts needs" has "$W/out" "@cert-authority * ssh-ed25519 "
exits 1 "a second init overwrites nothing" aadssh-ca -f "$CA_CONF" init \
    --recovery-out "$W/second"
also "and leaves no second recovery key" test ! -e "$W/second"
ok "check finds it sound" aadssh-ca -f "$CA_CONF" check
need start_signer_socket
need write_cert_conf <<-END
	[host]
	groups = web
END
# The way in that the drop-in's comment tells of.
need new_key glass
mkdir -p /etc/ssh/breakglass
cp "$W/glass.pub" /etc/ssh/breakglass/bob
echo "breakglass:x:950:bob" >>/etc/group
CERT_SSHD_ALSO=$(sed -n 's/^#\t//p' \
    "$SRC/conf/sshd_config.d/40-aadssh-certificates.conf")
need start_cert_sshd

# --- the drop-in, as it is shipped ------------------------------------------------

# drop_ins COMMAND…: what sshd makes of both examples, as a host has them.
drop_ins()
{
	{
		echo "HostKey /etc/ssh/host_key"
		echo "Include $SRC/conf/sshd_config.d/*.conf"
	} >"$W/both"
	/usr/sbin/sshd "$@" -f "$W/both"
}
in_force() # LINE
{
	grep -qix "$1" "$W/out"
}
ok "sshd reads both drop-ins" drop_ins -t
ok "and says what it made of them" drop_ins -T
also "it trusts what was pushed" \
    in_force "trustedusercakeys /etc/ssh/aadssh/current/user_ca.pub"
also "it looks at the list" \
    in_force "revokedkeys /etc/ssh/aadssh/current/krl"
also "it asks which principal" in_force "authorizedprincipalscommand \
/usr/libexec/aadssh/aadssh-authkeys --principals %u %U %t %k"
also "as who may ask" in_force "authorizedprincipalscommanduser aadssh-hook"
also "and keys are asked for as before" in_force "authorizedkeyscommand \
/usr/libexec/aadssh/aadssh-authkeys %u %U %t %k"
echo "SecurityKeyProvider $SK" >>"$W/ssh_cert_config"

# --- every type of key ----------------------------------------------------------

# with_key TYPE [OPTION…]: signed for alice, and alice logs in.
with_key()
{
	local type
	type=$1
	shift
	need a_key alice "$type" "$@"
	ok "a certificate for a key of type $type" ca_sign "$ALICE" alice \
	    --key "$H/$type.pub"
	ok "... opens a login at sshd" cert_opens alice "$H/$type"
}
with_key ed25519 -t ed25519
with_key ecdsa-256 -t ecdsa -b 256
with_key ecdsa-384 -t ecdsa -b 384
with_key ecdsa-521 -t ecdsa -b 521
with_key rsa -t rsa -b 3072
if [ -e "$SK" ]; then
	with_key ed25519-sk -t ed25519-sk -w "$SK"
	with_key ecdsa-sk -t ecdsa-sk -w "$SK"
else
	skip "keys of a security key" "no $SK (package openssh-tests)"
fi
need a_key alice weak -t rsa -b 1024
exits 1 "a weak key is refused before anybody signs in" \
    aadssh-ca -f "$CA_CONF" sign --key "$H/weak.pub"
also "by that reason" has "$W/err" key_weak

# --- the list of what is revoked ----------------------------------------------------

glass_opens()
{
	[ "$(ssh -F "$W/ssh_cert_config" -o BatchMode=yes -i "$W/glass" \
	    bob@cert id -un </dev/null)" = bob ]
}
K=$H/ed25519
ok "a member of breakglass is in, by a key" glass_opens
need mv "$CERT_KRL" "$CERT_KRL.away"
ok "without the list no certificate opens anything" cert_refused alice "$K"
ok "... but a member of breakglass is in" glass_opens
need mv "$CERT_KRL.away" "$CERT_KRL"
ok "with the list in its place it does" cert_opens alice "$K"

# --- what it opens ----------------------------------------------------------------

ok "the certificate opens no other login" cert_refused bob "$K"
ok "nor root" cert_refused root "$K"
need write_cert_conf <<-END
	[host]
	groups = db
END
log_mark
ok "nor any login on hosts of another group" cert_refused alice "$K"
also "by that reason" log_has event=principals reason=cert_principal \
    login=alice
need write_cert_conf <<-END
	[host]
	groups = db,web
END
ok "it does where one of two groups is right" cert_opens alice "$K"
exits 1 "what no rule gives is refused" ca_sign "$ALICE" alice \
    --login deploy --out "$H/x-cert.pub"
also "and nothing is stored" test ! -e "$H/x-cert.pub"

finish
