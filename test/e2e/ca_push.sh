# SPDX-License-Identifier: ISC
title="what is published comes to the hosts, by root's push over ssh"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

PUSH=$SRC/conf/aadssh-ca-push
HOST_DIR=/etc/ssh/aadssh
CERT_CA=$HOST_DIR/current/user_ca.pub
CERT_KRL=$HOST_DIR/current/krl
cd "$W" || exit 1

# --- this machine is the authority's and, as web1 and web2, its hosts ------------

# Root's way in as the README has it: break-glass, without the list.
need ssh-keygen -q -t ed25519 -N '' -C '' -f /root/push
need install -D -m 0644 /root/push.pub /etc/ssh/breakglass/root
echo 'breakglass:x:950:root' >>/etc/group
CERT_SSHD_ALSO='Match Group breakglass
AuthorizedKeysFile /etc/ssh/breakglass/%u
RevokedKeys /dev/null'
need write_cert_conf <<-END
	[host]
	groups = web
END
need start_cert_sshd
mkdir -p -m 0700 /root/.ssh
{
	echo 'Match originalhost web1,web2'
	sed 1d "$W/ssh_cert_config"
	echo 'IdentityFile /root/push'
} >/root/.ssh/config

has_version() # N
{
	[ "$(readlink $HOST_DIR/current)" = "$1" ]
}
same_as_published()
{
	diff -r "$HOST_DIR/current" "$CA_STATE/public/current"
}

# --- the first one ---------------------------------------------------------------

exits 1 "nothing is published yet" "$PUSH" web1
also "and that is said" has "$W/err" "no $CA_STATE/public/current"
need write_ca_conf <<-END
	hosts = web
END
need aadssh-ca -f "$CA_CONF" init --recovery-out "$W/recovery"
need forged_keys
exits 2 "no host, and no list of hosts" "$PUSH"
ok "the first publication arrives" "$PUSH" web1
also "silently" empty "$W/err"
also "it is the one that was published" same_as_published
also "and everybody may read it" \
    test -z "$(find $HOST_DIR/current/ -type f ! -perm 0644)"
need a_key alice key -t ed25519
need cp /home/alice/.ssh/key /home/alice/.ssh/key.pub "$W/"
need issue key "$ALICE_OID" "$ALICE"
ok "a certificate opens the host" cert_opens alice "$W/key"

# --- what is revoked, and hosts that are down --------------------------------------

need aadssh-ca -f "$CA_CONF" revoke --oid "$ALICE_OID" --reason test
ok "revoked, but the host does not know" cert_opens alice "$W/key"
printf '%s\n' '# all of them' down.invalid 'web1 # the first' '' web2 \
    >/etc/aadssh/ca-hosts
exits 1 "one host of the list is down" "$PUSH"
also "it is named" has "$W/err" "version 2 is not on down.invalid"
also "and no other" lacks "$W/err" web
also "the others were told" has_version 2
ok "and the certificate opens nothing any more" cert_refused alice "$W/key"
ok "a second push changes nothing" "$PUSH" web1 web2
also "and says nothing" empty "$W/err"

# --- what must not lock anybody out --------------------------------------------------

need aadssh-ca -f "$CA_CONF" unrevoke --oid "$ALICE_OID"
need issue key "$ALICE_OID" "$ALICE"
need "$PUSH" web1
ok "a new certificate opens the host" cert_opens alice "$W/key"

# The way to the host breaks off in the middle.
mkdir bin
cat >bin/ssh <<'END'
#!/bin/sh
for last; do :; done
head -c "$(cat /tmp/work/bytes)" | sh -c "$last"
END
chmod 0755 bin/ssh
broken_off() # BYTES
{
	echo "$1" >"$W/bytes"
	! PATH=$W/bin:$PATH "$PUSH" web1 && has_version 3
}
need aadssh-ca -f "$CA_CONF" publish
for bytes in 0 1 512 1024 3000 4096 7000; do
	ok "broken off after $bytes bytes, the host has what it had" \
	    broken_off $bytes
done
# NB. an archive that ends between two files is whole for tar.
need tar -C "$CA_STATE/public" -cf whole.tar 4
last=$(tar -tRf whole.tar | sed -n 's/^block \([0-9]*\): 4.*/\1/p' | tail -n 1)
ok "without its last file, too" broken_off $((last * 512))
ok "and the certificate still opens it" cert_opens alice "$W/key"
ok "the next push is whole" "$PUSH" web1
also "and nothing is left beside it" test ! -e $HOST_DIR/.new
also "it is the one that was published" same_as_published

need rm "$HOST_DIR/current/krl"
ok "without the list no certificate opens the host" cert_refused alice "$W/key"
ok "... but root's push gets in, and mends that" "$PUSH" web1
also "it is the one that was published" same_as_published
ok "and the certificate opens the host again" cert_opens alice "$W/key"
echo x >>"$HOST_DIR/current/user_ca.pub"
ok "a file that somebody changed is mended" "$PUSH" web1
also "it is the one that was published" same_as_published

# As after a restore of the same backup twice.
need aadssh-ca -f "$CA_CONF" publish
need "$PUSH" web1
sed -i 's/"issued"/"Issued"/' "$HOST_DIR/current/manifest.json"
ok "another publication of the same number is replaced" "$PUSH" web1
also "by the one that was published" same_as_published

# --- never back ----------------------------------------------------------------------

need ln -sfn 4 "$CA_STATE/public/current"
exits 1 "an older publication is refused" "$PUSH" web1
also "and why" has "$W/err" "version 5 is there, and newer than 4"
also "the host keeps what it has" has_version 5
need ln -sfn 5 "$CA_STATE/public/current"

for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	need aadssh-ca -f "$CA_CONF" publish
	need "$PUSH" web1
done
ok "ten versions are kept" \
    test "$(find "$HOST_DIR" -name '[0-9]*' | wc -l)" -eq 10
also "the last of them is in force" has_version 17
ok "and a certificate opens the host" cert_opens alice "$W/key"

# --- what is published is aadssh-ca's, and root carries it -----------------------------

# In a publication that its owner wrote by hand.
need cp -a "$CA_STATE/public/17" "$CA_STATE/public/18"
need ln -sfn 18 "$CA_STATE/public/current"
hostile() # COMMAND, in the directory of that version
{
	rm -rf "$CA_STATE/public/18" &&
	    cp -a "$CA_STATE/public/17" "$CA_STATE/public/18" &&
	    (cd "$CA_STATE/public/18" && sh -c "$1")
}
refused_hostile()
{
	! "$PUSH" web1 && has_version 17
}
need hostile 'rm krl; ln -s /etc/shadow krl'
ok "a link in the place of a file is refused" refused_hostile
need hostile 'ln -s /etc extra'
ok "and one beside the files" refused_hostile
need hostile 'rm known_hosts; mkfifo known_hosts'
ok "and a pipe, which nobody waits for" refused_hostile
need hostile 'mkdir -p a/b'
ok "and a directory" refused_hostile
need hostile 'cp /bin/true extra; chmod 6777 extra krl'
ok "a program comes" "$PUSH" web1
also "but no mode of it" \
    test -z "$(find $HOST_DIR/18 -type f -perm /7022)"
need ln -sfn '18; touch /tmp/work/pwned' "$CA_STATE/public/current"
exits 1 "a version that is a command is none" "$PUSH" web1
also "and was not run" test ! -e "$W/pwned"
finish
