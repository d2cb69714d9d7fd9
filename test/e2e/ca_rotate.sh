# SPDX-License-Identifier: ISC
title="keys of the authority walk through their stages and nobody is shut out"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh

cd "$W" || exit 1
need drive_clock
need start_idp
CA_ALSO="rotate_every = 30d" # publish_before is 1d, publish_valid 7d
write_ca_conf <<-END
hosts = web
END
need start_ca --recovery-out "$W/recovery"
need write_cert_conf <<-END
[host]
groups = web
END
for name in k1 k2 k3 k4; do
	need new_key "$name"
done
chown -R alice: "$W"/k?
chmod 0755 "$W"

# The provider keeps up with the clock by being started again.
at() # HOURS
{
	clock_at "$1"
}

# As alice does: a sign-in, and KEY-cert.pub.
signs() # KEY
{
	stop_idp && start_idp && aadssh -f "$CA_CONF" refresh --keys-only &&
	    signin "$ALICE" $CA sign --key "$W/$1.pub" --out "$W/$1-cert.pub"
}

# The host's certificate is one that clients of the publication believe.
host_opens() # KEY
{
	[ "$(ssh -F "$W/ssh_cert_config" -o BatchMode=yes -i "$W/$1" \
	    -o UserKnownHostsFile="$CA_DONE/known_hosts" \
	    -o CertificateFile="$W/$1-cert.pub" alice@cert id -un \
	    </dev/null)" = alice ]
}

version()
{
	readlink "$CA_DONE"
}

all_well() # WHEN
{
	ok "$1: the publication is whole, current, and has every key in use" \
	    published_well
	ok "$1: verify finds no fault" no_faults
}

host_cert() # HOURS
{
	$CA sign-host --key /etc/ssh/host_key.pub --name cert.example.test \
	    --ttl "$1h" --out /etc/ssh/host_key-cert.pub
}

# --- the first month ------------------------------------------------------------

need ssh-keygen -q -t ed25519 -N '' -C host -f /etc/ssh/host_key
need host_cert 24
CERT_SSHD_ALSO="HostCertificate /etc/ssh/host_key-cert.pub"
need start_cert_sshd
ok "alice signs in and gets a certificate" signs k1
also "which opens" cert_opens alice "$W/k1"
ok "the host's certificate is believed" host_opens k1
v=$(version)
ok "nothing is due" $CA rotate
also "that is silent" empty "$W/out"
also "and changes nothing" [ "$(version)" = "$v" ]
all_well "at first"
: >"$W/over"
for day in 3 6 9 12 15 18 21 24 27; do
	at $((day * 24))
	published_well >/dev/null 2>&1 || echo "before day $day" >>"$W/over"
	$CA rotate >>"$W/cron" 2>&1 || echo "rotate on day $day" >>"$W/over"
	published_well >/dev/null 2>&1 || echo "on day $day" >>"$W/over"
done
ok "II-R5 the manifest is renewed long before it is over" empty "$W/over"
also "version by version" [ "$(version)" -gt "$v" ]
also "and no key is new" stages_are user active
exits 255 "the certificate of the first day is over for sshd" \
    ssh_cert_as alice "$W/k1" true

# --- the next key is made -------------------------------------------------------

at 695
ok "one hour before it is due" $CA rotate
also "there is no new key" stages_are user active
at 697
need host_cert 30
need stop_cert_sshd
need start_cert_sshd
ok "alice signs in again, by the old key" signs k2
old=$(key_at user active)
ok "--dry-run says what is due" $CA rotate --dry-run
also "a key for people" has "$W/out" "prepare user"
also "a key for hosts" has "$W/out" "prepare host"
also "and does nothing" stages_are user active
ok "rotate makes it" $CA rotate
also "for people" stages_are user "active prepared"
also "for hosts" stages_are host "active prepared"
next=$(key_at user prepared)
also "hosts hear of it at once" \
    eval "ssh-keygen -lf $CA_DONE/user_ca.pub | grep -Fq '$next'"
also "it signs nothing yet" [ "$(key_at user active)" = "$old" ]
ok "the certificate opens" cert_opens alice "$W/k2"
all_well "with a key prepared"
# Who steals the key now has it for good: see below.
hash=$(printf %s "${old#SHA256:}=" | base64 -d | od -An -vtx1 | tr -d ' \n')
cp "$CA_STATE/keys/$hash.key" "$W/stolen"
chmod 0600 "$W/stolen"

# --- not too early -----------------------------------------------------------------

at 720
v=$(version)
exits 3 "I-E11 nobody makes it sign before hosts had a day, --now or not" \
    $CA rotate --now
also "by that reason" has "$W/err" published_too_late
also "the old one signs" [ "$(key_at user active)" = "$old" ]
ok "cron says nothing of it" $CA rotate
also "and does nothing" [ "$(version)" = "$v" ]
ok "alice signs in" signs k3
also "by the old key" [ "$(by k3)" = "$old" ]
ok "and is let in" cert_opens alice "$W/k3"

# --- it signs -----------------------------------------------------------------------

at 722
ok "a day later it is made active" $CA rotate
also "and the old one retired" stages_are user "active retired"
also "for hosts, too" stages_are host "active retired"
also "it is that key" [ "$(key_at user active)" = "$next" ]
ok "the certificate of the old key opens, as valid" cert_opens alice "$W/k3"
ok "alice signs in by the new one" signs k4
also "by that" [ "$(by k4)" = "$next" ]
ok "and is let in as well" cert_opens alice "$W/k4"
ok "the host's certificate of the old key is believed" host_opens k4
all_well "with both in use"

# --- it is gone ----------------------------------------------------------------------

at 726
need host_cert 720
need stop_cert_sshd
need start_cert_sshd
ok "II-C19 while a certificate of it lives" $CA rotate
also "it stays" stages_are user "active retired"
ok "the old certificate opens" cert_opens alice "$W/k3"
ok "so does the new one" cert_opens alice "$W/k4"
ok "the host's of the new key is believed" host_opens k4
at 729
ok "when the last is over" $CA rotate
also "it is removed" stages_are user "active removed"
also "for hosts, too" stages_are host "active removed"
also "I-C22 and its file destroyed" test ! -e "$CA_STATE/keys/$hash.key"
also "two authorities and the bundle key have one" \
    [ "$(find "$CA_STATE/keys" -name '*.key' | wc -l)" -eq 3 ]
also "hosts do not trust it" \
    eval "! ssh-keygen -lf $CA_DONE/user_ca.pub | grep -Fq '$old'"
ok "the certificate of the new key opens" cert_opens alice "$W/k4"
ok "and that of the host" host_opens k4
all_well "in the end"
need ssh-keygen -y -f "$W/stolen"
cp "$W/out" "$W/stolen.pub"
exits 1 "I-E12 the list revokes the key that was removed" \
    ssh-keygen -Q -f "$CA_DONE/krl" "$W/stolen.pub"
need ssh-keygen -q -s "$W/stolen" -I thief -z 1 -n alice@web -V -1m:+1h \
    "$W/k1.pub"
ok "I-E12 a certificate of who stole it opens nothing" \
    cert_refused alice "$W/k1"
sed -i "s|^TrustedUserCAKeys.*|TrustedUserCAKeys $W/stolen.pub|" \
    /etc/ssh/sshd_cert_config
need stop_cert_sshd
need setsid /usr/sbin/sshd -f /etc/ssh/sshd_cert_config -E "$CERT_LOG"
need wait_for 30 test -e /run/sshd-cert.pid
log_at=$(wc -l <"$CERT_LOG")
ok "I-E12 not even where the key is still believed" cert_refused alice "$W/k1"
also "as it is revoked" \
    eval "tail -n +$log_at $CERT_LOG | grep -qi 'revoked'"
finish
