#!/bin/sh
# SPDX-License-Identifier: ISC
title="one sign-in in the browser, then ssh, scp and sftp with that key only"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
new_key rsa rsa

expect_refused "before the sign-in the key is refused" alice "$W/k1"
ok "aadssh login stores the sign-in" \
    signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "it says who may log in as whom" has "$W/login.out" "$ALICE"

ok "a script's ssh runs a remote command" whoami_is alice "$W/k1"
exits 7 "the remote command's exit status arrives" \
    ssh_as alice "$W/k1" exit 7

head -c 100000 /dev/urandom >"$W/file"
ok "scp copies a file there" \
    scp_with "$W/k1" "$W/file" alice@localhost:there
ok "it arrived whole, as alice's" \
    sh -c 'cmp "$1" /home/alice/there &&
    [ "$(stat -c %U /home/alice/there)" = alice ]' - "$W/file"
ok "scp copies it back" \
    scp_with "$W/k1" alice@localhost:there "$W/back"
ok "it came back whole" cmp "$W/file" "$W/back"
cat >"$W/batch" <<-END
put $W/file by-sftp
rename by-sftp renamed
get renamed $W/from-sftp
END
sftp_batch()
{
	sftp_as alice "$W/k1" <"$W/batch"
}
ok "sftp puts, renames and gets" sftp_batch
ok "the file went both ways whole" cmp "$W/file" "$W/from-sftp"

expect_refused "another key is refused" alice "$W/k2"
expect_refused "a key of another type is refused" alice "$W/rsa"
for login in bob deploy lowuid root; do
	expect_refused "the key does not open $login" "$login" "$W/k1"
done

ok "the hook prints exactly that key" says_yes alice "$W/k1.pub"
ok "and nothing for another" says_no alice "$W/k2.pub"
ok "and nothing for another login" says_no bob "$W/k1.pub"
print=$(ssh-keygen -lf "$W/k1.pub" | cut -d ' ' -f 2)
ok "the log names the yes and its key" \
    log_has event=key reason=allowed login=alice "$print"
ok "the log names the no" log_has event=key reason=no_record login=alice
ok "the log holds no token" log_lacks eyJ
ok "sshd accepted that key" has "$SSHD_LOG" \
    "Accepted publickey for alice from 127.0.0.1"
finish
