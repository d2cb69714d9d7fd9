#!/bin/sh
# SPDX-License-Identifier: ISC
title="a host with a certificate is known without a question"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

A="aadssh-ca -f $CA_CONF"
PUBLIC=$CA_STATE/public
HOST_KEY=/etc/ssh/host_key
CA_ALSO="host_ttl = 2d
host_max_ttl = 10d"
stage_forged <<-END
	hosts = web
END
need write_cert_conf <<-END
	[host]
	groups = web
END
for type in ed25519 ecdsa rsa; do
	need ssh-keygen -q -t "$type" -N '' -C '' -f "/etc/ssh/host_$type"
done
need mv /etc/ssh/host_ed25519 "$HOST_KEY"
need mv /etc/ssh/host_ed25519.pub "$HOST_KEY.pub"
need new_key k1
need issue k1 "$ALICE_OID" "$ALICE"

host_says() # TEXT
{
	ssh-keygen -L -f "$HOST_KEY-cert.pub" | grep -Eq -- "$1"
}

# --- the certificate -------------------------------------------------------------

ok "sign-host" $A sign-host --key "$HOST_KEY.pub" \
    --name web.example.test,shop.example.test
also "a host's" host_says 'Type: .* host certificate'
also "with the name" host_says '^ +web.example.test$'
also "and the other" host_says '^ +shop.example.test$'
also "with no options" test "$(ssh-keygen -L -f "$HOST_KEY-cert.pub" |
    grep -c '(none)')" -eq 2
also "by the authority for hosts" host_says \
    "Signing CA: .*$(ssh-keygen -lf "$PUBLIC/current/host_ca.pub" |
    cut -d ' ' -f 2 | sed 's/[+]/[+]/g')"
also "and is told what to do with it" has "$W/out" HostCertificate

CERT_SSHD_ALSO="HostCertificate $HOST_KEY-cert.pub"
need start_cert_sshd
# knows NAME: a client that has the publication's known_hosts and no more
# connects to a host of this name, and is not asked.
knows()
{
	[ "$(ssh_cert_as alice "$W/k1" -o HostKeyAlias="$1" \
	    -o UserKnownHostsFile="$W/known" -o GlobalKnownHostsFile=none \
	    -o UpdateHostKeys=no id -un 2>"$W/ssh.err")" = alice ]
}
stranger() # NAME
{
	! knows "$1" && has "$W/ssh.err" "Host key verification failed" &&
	    cat "$W/ssh.err"
}
need cp "$PUBLIC/current/known_hosts" "$W/known"
ok "it is one line" test "$(wc -l <"$W/known")" -eq 1
ok "a client that has only that line connects" knows web.example.test
ok "also by its other name" knows shop.example.test
ok "and has written nothing" cmp "$PUBLIC/current/known_hosts" "$W/known"
for name in db.example.test web.example.tes web www.web.example.test \
    127.0.0.1; do
	ok "not by another name: $name" stranger "$name"
done
sed "s|^@cert-authority . .*|@cert-authority * $(cut -d ' ' -f 1,2 \
    "$PUBLIC/current/user_ca.pub")|" "$PUBLIC/current/known_hosts" >"$W/known"
ok "I-C11 the authority for users makes no host known" stranger \
    web.example.test
cut -d ' ' -f 1,2 "$PUBLIC/current/host_ca.pub" >"$W/host_ca"
need cp "$PUBLIC/current/known_hosts" "$W/known"
ok "I-C11 the one for hosts lets nobody in" sh -c '
    sed -i "s|^TrustedUserCAKeys.*|TrustedUserCAKeys $1|" "$2"' - \
    "$W/host_ca" /etc/ssh/sshd_cert_config
chmod 0755 "$W"
need stop_cert_sshd
need cert_sshd_again
ok "I-C11 ... a user's certificate" cert_refused alice "$W/k1"
cp "$W/k1-cert.pub" "$W/k1.kept"
ok "I-C11 ... nor a host's" $A sign-host --key "$W/k1.pub" --name alice.example.test \
    --out "$W/k1h-cert.pub"
need cp "$W/k1h-cert.pub" "$W/k1-cert.pub"
ok "I-C11 ... whatever its name" cert_refused alice "$W/k1"
need cp "$W/k1.kept" "$W/k1-cert.pub"

# --- other keys, other lives -------------------------------------------------------

lives() # CERTFILE: hours
{
	local from to
	from=$(ssh-keygen -L -f "$1" | sed -n 's/.*Valid: from \(.*\) to .*/\1/p')
	to=$(ssh-keygen -L -f "$1" | sed -n 's/.*Valid: from .* to //p')
	echo $((($(date -d "$to" +%s) - $(date -d "$from" +%s)) / 3600))
}
ok "it lives as the configuration has it" \
    test "$(lives "$HOST_KEY-cert.pub")" -eq 48
for type in ecdsa rsa; do
	ok "a host key of type $type" $A sign-host \
	    --key "/etc/ssh/host_$type.pub" --name web.example.test --ttl 1h
	also "for an hour" test "$(lives "/etc/ssh/host_$type-cert.pub")" -eq 1
done
ok "no longer than it may" $A sign-host --key "$HOST_KEY.pub" \
    --name web.example.test --ttl 365d
also "ten days" test "$(lives "$HOST_KEY-cert.pub")" -eq 240

# --- what is refused ----------------------------------------------------------------

rows()
{
	$A list --json | wc -l
}
before=$(rows)
need cp "$HOST_KEY-cert.pub" "$W/kept"
names() # TITLE NAME…
{
	exits 1 "I-C1 a name: $1" $A sign-host --key "$HOST_KEY.pub" --name "$2"
	also "I-C1 ... by its reason: $1" \
	    grep -Eq 'host_name|request_malformed' "$W/err"
}
names "no domain" web
names "an address" 192.0.2.7
names "another address" 2001:db8::7
names "capitals" Web.example.test
names "a dot behind" web.example.test.
names "a wildcard" '*'
names "a wildcard in front" '*.example.test'
names "a question mark" 'web?.example.test'
names "one good and a wildcard" 'web.example.test,*'
names "a negation" '!web.example.test'
names "a blank" 'web example'
names "a line feed" "$(printf 'web\nroot')"
names "an escape" "$(printf 'web\033[2J')"
names "a hash" 'web#1'
names "a port" '[web]:22'
names "a login's principal" 'alice@web'
names "a label of 64" "$(printf 'x%.0s' $(seq 64)).example.test"
names "300 letters" "$(printf 'x%.0s' $(seq 300))"
names "other letters" 'wéb.example.test'
exits 2 "no name" $A sign-host --key "$HOST_KEY.pub"
for name in '' ',' 'web.example.test,' ',web.example.test' \
    'web.example.test,,db.example.test'; do
	status=0
	$A sign-host --key "$HOST_KEY.pub" --name "$name" >"$W/out" 2>&1 ||
	    status=$?
	ok "an empty name in '$name'" test "$status" -ne 0
done
exits 1 "no time at all" $A sign-host --key "$HOST_KEY.pub" --name web.example.test --ttl 0
exits 1 "a certificate for a certificate" $A sign-host \
    --key "$HOST_KEY-cert.pub" --name web.example.test --out "$W/x-cert.pub"
exits 1 "the authority's own key" $A sign-host \
    --key "$PUBLIC/current/host_ca.pub" --name web.example.test --out "$W/x-cert.pub"
need sh -c 'ssh-keygen -q -t rsa -b 1024 -N "" -f "$1" -C "" </dev/null' - \
    "$W/weak"
exits 1 "a weak key" $A sign-host --key "$W/weak.pub" --name web.example.test
exits 1 "another file is not overwritten" $A sign-host --key "$W/k1.pub" \
    --name web.example.test --out /etc/hosts
also "by that reason" has "$W/err" cert_file
ok "nothing of this is in the ledger" test "$(rows)" -eq "$before"
ok "and the certificate is what it was" cmp "$W/kept" "$HOST_KEY-cert.pub"
need start_signer_socket
exits 1 "I-C16 alice signs no host" as alice $A sign-host \
    --key "/etc/ssh/host_rsa.pub" --name web.example.test \
    --out /home/alice/x-cert.pub
also "I-C16 ... by that reason" has "$W/err" request_refused

# --- revoked --------------------------------------------------------------------------

need sed -i "s|^TrustedUserCAKeys.*|TrustedUserCAKeys $CERT_CA|" \
    /etc/ssh/sshd_cert_config
need stop_cert_sshd
need cert_sshd_again
need knows web.example.test
revoked()
{
	! ssh_cert_as alice "$W/k1" -o HostKeyAlias=web.example.test \
	    -o UserKnownHostsFile="$W/known" -o RevokedHostKeys="$CERT_KRL" \
	    true 2>"$W/ssh.err" && has "$W/ssh.err" revoked
}
ok "a client with the list knows it too" not revoked
need $A revoke --serial "$(ssh-keygen -L -f "$HOST_KEY-cert.pub" |
    sed -n 's/^ *Serial: //p')" --reason moved
ok "a revoked host is one no more" revoked
need $A revoke --ca-key "$PUBLIC/current/host_ca.pub" --reason stolen
ok "a revoked authority's hosts are unknown to the next known_hosts" \
    not cmp "$PUBLIC/current/known_hosts" "$W/known"
need cp "$PUBLIC/current/known_hosts" "$W/known"
ok "that is so" stranger web.example.test
ok "the next key signs at once, in the file of before" $A sign-host --key "$HOST_KEY.pub" \
    --name web.example.test
need stop_cert_sshd
need cert_sshd_again
ok "and is known" knows web.example.test
ok "verify finds all in order" $A verify
finish
