# SPDX-License-Identifier: ISC
title="aadssh-ca: what it must not do, whoever asks for it"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
ca()
{
	aadssh-ca -f "$CA_CONF" "$@"
}
# within SECONDS STATUS TITLE COMMAND…
within()
{
	local seconds status title
	seconds=$1 status=$2 title=$3
	shift 3
	exits "$status" "$title" timeout -s KILL "$seconds" "$@"
}

# --- keys in an agent, and the only one is stolen -------------------------------

need start_idp
need install -d -o aadssh-ca -m 755 /run/keys
as aadssh-ca ssh-agent -a /run/keys/agent >/dev/null
for key in u h u2; do
	need new_key $key
done
SSH_AUTH_SOCK=/run/keys/agent ssh-add -q u h u2
CA_ALSO="backend = agent:/run/keys/agent"
write_ca_conf <<-END
hosts = web
[login deploy]
allow = $REQUIRE
hosts = web
END
need aadssh -f "$CA_CONF" refresh --keys-only
for dir in "$CA_STATE/tenant" "$CA_STATE"; do
	owner=$(stat -c %U "$dir")
	need chown root "$dir"
	exits 3 "init does not make root the owner of $dir" \
	    ca init --user-ca u.pub --host-ca h.pub
	also "and says whose it is" has "$W/err" 'belongs to root'
	also "and leaves no recovery key" test ! -e aadssh-recovery-key
	need chown "$owner" "$dir"
done
need ca init --user-ca u.pub --host-ca h.pub
ok "the only user CA is stolen, and nothing comes behind it" \
    ca revoke --ca-key u.pub --reason stolen
also "hosts are told all the same" has "$W/out" 'published: version 2'
also "and trust it no more" sh -c "! grep -q ssh- $CERT_CA"
also "sshd's list names it" sh -c \
    "ssh-keygen -Q -f $CERT_KRL u.pub | grep -q REVOKED"
exits 3 "nobody signs in for a key that is not there" \
    ca sign --key u2.pub --out x-cert.pub
also "and is told why" has "$W/err" 'no key of the authority signs now'
lists_no()
{
	ca list --json | grep -q '"certificates":0'
}
ok "the ledger goes on" lists_no
ok "until another is named" ca rotate --user-ca u2.pub
also "which hosts trust" grep -q "$(cut -d ' ' -f 2 u2.pub)" "$CERT_CA"

need chgrp root "$CA_STATE"
ok "root publishes in a directory of root's group" ca publish
also "and the signer is not of it" \
    test "$(stat -Lc %G "$CA_STATE/public/current")" = aadssh-ca
need chgrp aadssh-ca "$CA_STATE"
: >nothing
need mount --bind nothing /usr/bin/ssh-keygen
exits 3 "check without an ssh-keygen" ca check --json
also "names what is missing" has "$W/out" 'there is no /usr/bin/ssh-keygen'
need umount /usr/bin/ssh-keygen

# --- files that root names ------------------------------------------------------

need mknod null c 1 3
exits 1 "krl does not take the place of a device" ca krl --out null
also "by that reason" has "$W/err" cert_file
also "which is still one" test -c null
ln -s /etc/hostname link
exits 1 "nor of a link" ca krl --out link
also "which is still one" test -L link
echo mine >mine
exits 1 "nor of another file" ca krl --out mine
also "as it was" grep -qx mine mine
: >list
ok "of an empty one it does" ca krl --out list
ok "and of the list before" ca krl --out list
also "for everybody to read" test "$(stat -c %a list)" = 644
# A stranger exchanges the directory while root makes an authority that fails.
mkdir -p theirs precious
echo precious >precious/key
cat >swap <<-'END'
	while [ ! -e theirs/key ]; do [ ! -e over ] || exit 0; done
	mv theirs away && ln -s precious theirs
END
sh swap &
swap=$!
exits 1 "a second init, in a directory that is exchanged meanwhile" \
    ca init --user-ca u.pub --host-ca h.pub --recovery-out theirs/key
: >over
need wait $swap
also "removes nothing of others" grep -qx precious precious/key

# --- words ----------------------------------------------------------------------

for reason in '' 'two
lines' "$(printf 'a\033[2Jb')" "$(printf '%0401d' 0)"; do
	exits 2 "no reason is: $(printf %.8s "$reason" | tr -c ' -~' '?')" \
	    ca revoke --serial 1 --reason "$reason"
	also "and says what would be" has "$W/err" 'takes one line of text'
done
exits 2 "nor a user name of two lines" ca list --user 'a
b'
exits 1 "a refusal of show" ca show --json 77
also "is JSON" has "$W/out" '"reason":"unknown_serial"'
exits 1 "a file that is no certificate, too" ca show --json u.pub
also "is JSON" has "$W/out" '"reason":"cert_plain_key"'
need new_key host
ok "a name said twice is two names" ca sign-host --key host.pub \
    --name a.example.com --name b.example.com
also "in the certificate" sh -c \
    "ssh-keygen -L -f host-cert.pub | grep -c '^ *[ab].example.com' | grep -qx 2"

# --- nobody signs in for nothing --------------------------------------------------

C="setpriv --reuid alice --regid alice --init-groups aadssh-ca -f $CA_CONF"
H=/home/alice/.ssh
mkdir -p "$H"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$H/id_ed25519"
chown -R alice: /home/alice
within 60 3 "there is no signer" $C sign
also "which is said before a code is shown" lacks "$W/err" 'enter this code'
also "with what to do" has "$W/err" aadssh-ca-signer.socket
need start_signer_socket
gpasswd -d alice aadssh-issue >/dev/null 2>&1 || :
within 60 3 "who is not in its group" $C sign
also "is told before a code is shown" lacks "$W/err" 'enter this code'
also "and who is" has "$W/err" 'members of its group'
gpasswd -a alice aadssh-issue >/dev/null 2>&1
flock -o "$H/id_ed25519.pub" sleep 300 &
locked=$!
within 60 3 "a directory that is not there is said at once" \
    $C sign --out /nonexistent/x-cert.pub
also "before anybody waits" lacks "$W/err" waiting
kill $locked
within 60 3 "without an agent to add to" $C sign --add-to-agent
also "that is said first, too" lacks "$W/err" 'enter this code'
ok "a certificate for deploy" ca_sign "$ALICE" alice --login deploy
ok "is fresh for deploy" $C sign --if-needed --login deploy
exits 1 "and not for alice, who is meant without --login" $C sign --if-needed
also "by that reason" has "$W/err" sign_in_needed

# --- a signer, an ssh-keygen, that hang ---------------------------------------------

need stop_signer_socket
cat >deaf.pl <<-'END'
	use Socket qw(:DEFAULT SOCK_NONBLOCK);
	socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die;
	bind($s, pack_sockaddr_un($ARGV[0])) or die;
	listen($s, 0) or die;
	chmod 0666, $ARGV[0];
	my @held;
	for (1 .. 8) {
		socket(my $c, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0) or die;
		connect($c, pack_sockaddr_un($ARGV[0])) or last;
		push @held, $c;
	}
	$| = 1;
	print "full\n";
	close STDOUT;
	sleep 300;
END
perl deaf.pl "$CA_RUN/signer.sock" >deaf.out &
deaf=$!
need wait_for 30 grep -q full deaf.out
within 60 3 "a socket whose queue is full" $C list
also "is said to be busy" has "$W/err" 'too many ask at once'
kill $deaf
rm -f "$CA_RUN/signer.sock"

printf '#!/bin/sh\nexec sleep 300\n' >hanging
chmod 755 hanging
need mount --bind hanging /usr/bin/ssh-keygen
aadssh-ca -f "$CA_CONF" publish >"$W/hang.out" 2>"$W/hang.err" &
hang=$!
wait_for 30 pgrep -u aadssh-ca -x sleep
kill -TERM $hang
status=0
wait $hang || status=$?
ok "publish behind an ssh-keygen that hangs can be stopped" \
    test "$status" -eq 3
also "and it leaves no child" sh -c '! pgrep -u aadssh-ca -x sleep'
umount /usr/bin/ssh-keygen
ok "and works again" ca publish
finish
