#!/bin/sh
# SPDX-License-Identifier: ISC
title="what the hook can't read lets nobody in, and the log says what it was"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need says_yes alice "$W/k1.pub"

cannot_tell() # LOGIN PUBFILE
{
	status=0
	hook "$1" "$2" >"$W/hook.out" || status=$?
	[ "$status" -eq 3 ] && empty "$W/hook.out"
}

# shut PATH REASON: the hook's user loses PATH, and gets it back.
shut()
{
	mode=$(stat -c %a "$1")
	chmod 000 "$1"
	log_mark
	ok "$1 shut: exit 3 and nothing said" cannot_tell alice "$W/k1.pub"
	ok "$1 shut: the log names it" log_has event=key "$2"
	expect_refused "$1 shut: sshd refuses the key" alice "$W/k1"
	chmod "$mode" "$1"
	ok "$1 open again: yes again" says_yes alice "$W/k1.pub"
}

record=$(find "$STATE/records/alice" -type f)
shut "$CONF" reason=config
shut "$STATE/denials" denials_unreadable
shut "$STATE/denials/login" denials_unreadable
shut "$STATE/denials/key" denials_unreadable
shut "$STATE/denials/oid" denials_unreadable
shut "$STATE/keys/record.pub" record_key_unreadable
shut "$STATE/keys.json" tenant_keys_unreadable
shut "$record" record_unreadable
shut "$STATE/pins" pin_unreadable
shut /etc/machine-id no_machine_id

# Root can read it, so only a word of check keeps root from a lock-out.
for mode in 0600 0640; do
	chmod "$mode" "$CONF"
	ok "check of a configuration with mode $mode" aadssh check
	also "warns that sshd's helper can't read it" has "$W/out" aadssh-hook
	chgrp aadssh "$CONF"
	ok "check when it is group aadssh's" aadssh check
	[ "$mode" = 0600 ] ||
	    also "is content" lacks "$W/out" aadssh-hook
	chgrp root "$CONF"
done
chmod 0644 "$CONF"

# Whoever can change ca_file can be Azure AD.
sum=$(state_sum)
for who in "root 0666" "root 0664" "bob 0644"; do
	chown "${who% *}" /etc/aadssh/idp-ca.pem
	chmod "${who#* }" /etc/aadssh/idp-ca.pem
	exits 3 "a ca_file of $who is not used for tenant keys" \
	    aadssh refresh --keys-only --force
	also "and is named" has "$W/err" ca_file
	exits 3 "nor for a sign-in" timeout 20 aadssh login alice "$W/k2.pub"
	also "and is named" has "$W/err" "ca_file can"
	ok "check" aadssh check
	also "warns of it" has "$W/out" ca_file
done
ok "nothing was stored" [ "$sum" = "$(state_sum)" ]
chown aadssh /etc/aadssh/idp-ca.pem
chmod 0644 /etc/aadssh/idp-ca.pem
ok "aadssh's own is no worse than aadssh" aadssh refresh --keys-only --force
ok "check" aadssh check
also "agrees" lacks "$W/out" ca_file
chown root /etc/aadssh/idp-ca.pem

mv "$STATE/denials/oid" "$STATE/denials/away"
log_mark
ok "a missing denials directory: exit 3" cannot_tell alice "$W/k1.pub"
ok "the log names it" log_has event=key denials_unreadable
mv "$STATE/denials/away" "$STATE/denials/oid"

for text in '' 'soon' '0' '-1' '99999999999999999999'; do
	printf '%s' "$text" >"$STATE/denials/login/alice"
	chown aadssh:aadssh "$STATE/denials/login/alice"
	ok "a denial that reads '$text' is a denial in force" \
	    says_no alice "$W/k1.pub"
done
chmod 000 "$STATE/denials/login/alice"
ok "and so is one that can't be read" says_no alice "$W/k1.pub"
rm "$STATE/denials/login/alice"
ok "without it: yes again" says_yes alice "$W/k1.pub"
finish
