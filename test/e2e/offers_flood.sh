#!/bin/sh
# SPDX-License-Identifier: ISC
title="offers of anybody who reaches sshd leave room for the sessions"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

need start_idp
need write_conf </dev/null
need new_key k1
need new_key k2 rsa
need mkdir -p "$RUN"
need mount -t tmpfs -o size=512k,mode=0755 run "$RUN"
need install -d -m 2770 -o aadssh-hook -g aadssh "$RUN/offers"
stage_pam
need ssh_signin "$ALICE" alice "$W/k1"

room() # blocks that are free
{
	stat -f -c %a "$RUN"
}

# As connections do that ask about a key and go: each of another process.
flood()
{
	local n
	read -r type blob _ <"$W/k2.pub"
	n=0
	while [ "$n" -lt 160 ]; do
		sh -c '"$@"; :' - setpriv --reuid aadssh-hook \
		    --regid aadssh-hook --init-groups \
		    "$HOOK" root 0 "$type" "$blob" </dev/null >>"$W/flood"
		n=$((n + 1))
	done
}
all=$(stat -f -c %b "$RUN")
need flood
ok "a flood of offers gets no yes" empty "$W/flood"
ok "and ends where an eighth is free" [ "$(room)" -ge $((all / 8)) ]
ok "not before" [ "$(room)" -le $((all / 8 + 1)) ]
ok "a key still opens its login" whoami_is alice "$W/k1"
ask_new held
ssh_ask_begin alice "$W/k1" -- 'echo in; sleep 600'
need wait_for 30 has "$ask_dir/out" in
ok "whose session is registered" [ "$(ls "$RUN/sessions")" ]
ssh_ask_leave
ok "a sign-in lets in who has no key" ssh_signin "$BOB" bob "$W/k2"
ok "though it can't remember one" says_no bob "$W/k2.pub"
finish
