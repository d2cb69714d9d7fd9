#!/bin/sh
# SPDX-License-Identifier: ISC
title="aadssh login shows a QR code on a terminal that can show it, and only there"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

need start_idp
need write_conf </dev/null
need new_key k1

# on_terminal COLUMNS ROWS VARIABLE=VALUE: the login's output, as a terminal
# of that size gets it, up to the code; then Ctrl-C.
on_terminal()
{
	: >"$W/screen"
	setsid script -qfec "stty cols $1 rows $2; exec env $3 \
	    aadssh login alice $W/k1.pub" "$W/screen" >/dev/null 2>&1 \
	    </dev/null &
	screen_pid=$!
	wait_for 30 code_shown "$W/screen" || return 1
	sleep 0.2
	kill "$screen_pid"
	wait "$screen_pid" || :
}

# Black on white by its own colours.
coloured()
{
	has "$W/screen" "$(printf '\033[30;47m')"
}

ok "100 x 40, UTF-8" on_terminal 100 40 LC_ALL=C.UTF-8
also "... shows it, in colours of its own" coloured
also "... above the code" eval '
    [ "$(grep -n "30;47m" "$W/screen" | tail -n 1 | cut -d : -f 1)" -lt \
    "$(grep -n "and enter this code" "$W/screen" | cut -d : -f 1)" ]'
ok "80 x 24, UTF-8" on_terminal 80 24 LC_ALL=C.UTF-8
also "... shows it, too" coloured
ok "100 x 40, the C locale" on_terminal 100 40 LC_ALL=C
also "... shows none" lacks "$W/screen" "30;47m"
ok "30 columns" on_terminal 30 40 LC_ALL=C.UTF-8
also "... show none" lacks "$W/screen" "30;47m"
ok "20 rows" on_terminal 100 20 LC_ALL=C.UTF-8
also "... show none" lacks "$W/screen" "30;47m"
ok "a file" signin "$ALICE" env LC_ALL=C.UTF-8 aadssh login alice "$W/k1.pub"
also "... gets none" eval '! LC_ALL=C grep -q "[^[:print:]]" "$W/err"'
finish
