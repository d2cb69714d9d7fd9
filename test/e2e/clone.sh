#!/bin/sh
# SPDX-License-Identifier: ISC
title="a cache copied to another machine opens nothing there"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
need whoami_is alice "$W/k1"
need cp /etc/machine-id "$W/machine-id"

tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
log_mark
ok "another machine-id: the hook says no" says_no alice "$W/k1.pub"
expect_refused "and sshd refuses the key" alice "$W/k1"
ok "the log says foreign_host" log_has event=key foreign_host alice
exits 1 "explain says no" aadssh explain alice "$W/k1.pub"
also "for that reason" grep -q foreign_host "$W/out"
ok "a new sign-in here" signin "$ALICE" aadssh login alice "$W/k1.pub"
ok "works here" whoami_is alice "$W/k1"

cp "$W/machine-id" /etc/machine-id
ok "and not on the first machine" says_no alice "$W/k1.pub"

no_machine_id()
{
	log_mark
	exits 3 "machine-id $1: can't tell" hook alice "$W/k1.pub"
	cp "$W/out" "$W/hook.out"
	ok "machine-id $1: nothing said" empty "$W/hook.out"
	ok "machine-id $1: the log says so" log_has event=key no_machine_id
}

rm /etc/machine-id
no_machine_id missing
for text in '' uninitialized 0123456789abcdef \
    'g0000000000000000000000000000000'; do
	printf '%s' "$text" >/etc/machine-id
	no_machine_id "'$text'"
done
finish
