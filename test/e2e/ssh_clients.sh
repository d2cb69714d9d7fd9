#!/bin/sh
# SPDX-License-Identifier: ISC
title="the sign-in as OpenSSH, PuTTY and Dropbear show it on a terminal"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

need start_idp
need write_conf </dev/null
for key in k1 k2 k3 k4 k5; do
	need new_key "$key"
done
stage_pam

# --- a terminal ------------------------------------------------------------------

# tty_begin NAME COMMAND: run COMMAND on a terminal of its own, which shows
# $screen; $tty_pid.  keys types there.
tty_begin()
{
	screen=$W/screen.$1
	rm -f "$W/keys"
	mkfifo "$W/keys"
	: >"$screen.raw" # or there is still an old code to see
	exec 7<>"$W/keys" # or the first to type would hang up, too
	# NB. what a script starts with & ignores SIGINT from the outset.
	env --default-signal=INT,QUIT script -qfec "$2" /dev/null <"$W/keys" >"$screen.raw" 2>&1 7>&- &
	tty_pid=$!
}

keys() # TEXT, as printf(1) has it
{
	# shellcheck disable=SC2059
	printf "$1" >&7
}

# What is to be read there; PuTTY marks the server's words by "| ", Dropbear of
# 2026 shows all lines as one: then it is the words that must be whole.
look()
{
	tr -d '\r' <"$screen.raw" |
	    sed -e 's/^| \{0,1\}//' -e '/account\.Open/s/ \{1,\}/\n/g' \
	    >"$screen"
}

shows() # TEXT
{
	look
	has "$screen" "$1"
}

shows_code()
{
	look
	code_shown "$screen"
}

# Exits as COMMAND did; 124 when it does not end.
tty_end()
{
	local status=0
	if ! wait_for 30 tty_over; then
		kill "$tty_pid"
		status=124
	fi
	wait "$tty_pid" || status=$?
	exec 7>&-
	look
	cat "$screen"
	return "$status"
}

tty_over()
{
	! kill -0 "$tty_pid"
}

# The screen's last line but the blank ones is LOGIN: id -un has answered.
in_as() # LOGIN
{
	grep -qx "$1" "$screen"
}

# Only what a person needs to type in a browser, in full, on lines of its own.
lines_are_whole()
{
	grep -qxE '[[:space:]]*https://[^[:space:]]*/deviceauth[[:space:]]*' "$screen" &&
	    [ "$(shown_code "$screen" | tr -d '-' | wc -c)" -ge 9 ]
}

# sign_in COMMAND: the prompt of COMMAND, the browser, Enter, and in.
sign_in()
{
	tty_begin "$1" "$2"
	if ! wait_for 30 shows_code || ! approve "$ALICE" "$screen"; then
		tty_end
		return 1
	fi
	keys '\r'
	# PuTTY says by this that from here on it is the host that speaks.
	[ "$1" != plink ] || wait_for 30 shows "Press Return to begin session"
	[ "$1" != plink ] || keys '\r'
	tty_end && in_as alice
}

# Once more, with nobody there who could answer.
silent() # COMMAND
{
	[ "$(setsid sh -c "$1" </dev/null 2>"$W/silent.err")" = alice ]
}

# --- OpenSSH ---------------------------------------------------------------------

openssh() # KEY [OPTION…]
{
	key=$1
	shift
	echo "ssh -F $W/ssh_config -o LogLevel=INFO $* -i $W/$key" \
	    "alice@localhost id -un"
}

ok "OpenSSH: sign-in, then Enter" sign_in openssh "$(openssh k1)"
also "URL and code are whole" lines_are_whole
also "and the second login is silent" silent "$(openssh k1 -o BatchMode=yes)"

enter_first()
{
	tty_begin first "$(openssh k2)"
	wait_for 30 shows_code
	keys '\r'
	sleep 0.5
	approve "$ALICE" "$screen"
	tty_end && in_as alice
}
ok "OpenSSH: Enter first, then the sign-in" enter_first
also "and that key is silent, too" silent "$(openssh k2 -o BatchMode=yes)"

nothing_left()
{
	! pgrep -u aadssh -x aadssh &&
	    [ -z "$(ls "$RUN/offers")$(ls "$RUN/sessions")" ]
}
# ctrl_c [KEYS]: which are typed a moment before.
ctrl_c()
{
	tty_begin ctrl_c "$(openssh k3)"
	wait_for 30 shows_code
	pgrep -u aadssh -x aadssh || return 1
	keys "${1-}"
	sleep 0.5
	keys '\003'
	tty_end
}
exits 130 "OpenSSH: Ctrl-C at the prompt ends the client" ctrl_c
also "and leaves no process, offer or session behind" \
    wait_for 30 nothing_left
exits 130 "OpenSSH: so does Ctrl-C when Enter came before" ctrl_c '\r'
also "and that leaves nothing either" wait_for 30 nothing_left
also "and the key unknown" says_no alice "$W/k3.pub"

# The prompt comes again, with the upper left corner of a code.
qr_shown()
{
	shows '██ ▄▄▄▄▄ █' &&
	    [ "$(grep -c '^Press Enter' "$screen")" -eq 2 ]
}
qr_code()
{
	tty_begin qr "$(openssh k3)"
	wait_for 30 shows_code
	keys 'q\r'
	wait_for 30 qr_shown
	node "$SRC/test/e2e/qrread.mjs" <"$screen" >"$W/qr"
	approve "$ALICE" "$screen"
	keys '\r'
	tty_end && in_as alice
}
ok "OpenSSH: q shows a QR code" qr_code
also "of the page's URL" [ "$(cat "$W/qr")" = "$(shown_url "$screen")" ]

# --- PuTTY -----------------------------------------------------------------------

plink() # [OPTION…]
{
	echo "plink -ssh -noagent -P $SSHD_PORT -l alice -i $W/k4.ppk" \
	    "-hostkey $(ssh-keygen -lf /etc/ssh/host_key.pub |
		cut -d ' ' -f 2) $* 127.0.0.1 id -un"
}

if ! command -v plink >/dev/null || ! command -v puttygen >/dev/null; then
	skip "PuTTY" "no plink (putty-tools)"
else
	need puttygen "$W/k4" -O private -o "$W/k4.ppk"
	ok "PuTTY: sign-in, then Enter" sign_in plink "$(plink)"
	also "URL and code are whole" lines_are_whole
	also "and the second login is silent" silent "$(plink -batch)"
fi

# --- Dropbear --------------------------------------------------------------------

dbclient()
{
	echo "dbclient -y -p $SSHD_PORT -i $W/k5.db alice@127.0.0.1 id -un"
}

if ! command -v dbclient >/dev/null ||
    ! command -v dropbearconvert >/dev/null; then
	skip "Dropbear" "no dbclient (dropbear-bin)"
else
	need dropbearconvert openssh dropbear "$W/k5" "$W/k5.db"
	ok "Dropbear: sign-in, then Enter" sign_in dbclient "$(dbclient)"
	also "URL and code are whole" lines_are_whole
	also "and the second login is silent" silent "$(dbclient)"
fi
finish
