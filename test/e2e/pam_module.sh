#!/bin/sh
# SPDX-License-Identifier: ISC
title="pam_aadssh: what it tells its child, believes of it and does for nobody"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
#
# The child is played by scripts of this test; sshd and ssh are real.

CHILD=/usr/libexec/aadssh/aadssh
NOTES=/tmp/child
TID=11111111-2222-4333-8444-555555555555
OID=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee

# fake [SESSION]: the child's part of the auth phase is standard input, that of
# the session phase SESSION.  Both have read their header, which is kept.
fake()
{
	{
		cat <<-END
		#!/bin/sh
		phase=\${4-auth}
		PATH=/usr/bin:/bin
		printf '%s ' "\$@" >$NOTES/args.\$phase
		echo "\$\$" >$NOTES/pid.\$phase
		while IFS= read -r line && [ "\$line" ]; do
			printf '%s\n' "\$line"
		done >$NOTES/header.\$phase
		if [ "\$phase" = session ]; then
			${1-echo R OK}
			exit
		fi
		END
		cat
	} >"$CHILD.new"
	chmod 0755 "$CHILD.new"
	mv "$CHILD.new" "$CHILD"
	rm -f "$NOTES"/*
}

# The child, by its note, is no more.
child_gone()
{
	! kill -0 "$(cat "$NOTES/pid.auth")" 2>/dev/null
}

noted() # FILE
{
	[ -s "$NOTES/$1" ]
}

# Nobody was started.
no_child()
{
	[ -z "$(ls -A "$NOTES")" ]
}

# expect_no TITLE [LOGIN [OPTION…]]: asked once at most, refused, child gone.
expect_no()
{
	local _title login
	_title=$1 login=${2-alice}
	[ $# -lt 2 ] || shift
	shift
	ask_new no
	reply 1 ''
	exits 255 "$_title" ssh_ask "$login" "" \
	    -o NumberOfPasswordPrompts=1 "$@"
	also "... by sshd" has "$W/err" "Permission denied"
}

sessions()
{
	find "$RUN/sessions" -mindepth 1 -printf '%f\n'
}

no_sessions()
{
	[ -z "$(sessions)" ]
}

mkdir -m 1777 "$NOTES"
install -d -m 0750 -o aadssh -g aadssh "$STATE" "$STATE/denials" \
    "$STATE/denials/login"
need new_key k1
stage_pam

# --- a sign-in ----------------------------------------------------------------

fake 'echo "F key SHA256:0123456789012345678901234567890123456789010"
    echo "F serial 18446744073709551615"; echo "R OK"' <<-END
echo "I To sign in, open"
echo "I   https://login.example.test/device"
echo "I █▀▄ ▐"
echo "P Press Enter:"
IFS= read -r line
printf '%s\n' "\$line" >$NOTES/answer
echo "V AADSSH_UPN=alice@contoso.com"
echo "V AADSSH_OID=$OID"
echo "V LD_PRELOAD=/tmp/evil.so"
echo "F tid $TID"
echo "F oid $OID"
echo "F upn alice@contoso.com"
echo "F colour red"
(
	echo "pid \$\$"
	grep -E '^(PPid|Uid|Gid|Groups|NoNewPrivs|Sig(Blk|Ign|Cgt)|Cap(Inh|Prm|Eff|Amb)):' /proc/\$\$/status
	tr '\0' '\n' </proc/\$\$/environ | sed 's/^/env /'
	readlink /proc/\$\$/fd/0 /proc/\$\$/fd/1 /proc/\$\$/fd/2 | sed 's/^/fd /'
	ls /proc/\$\$/fd | tr '\n' ' ' | sed 's/^/fds /'
	echo
	readlink /proc/\$\$/cwd | sed 's/^/cwd /'
	umask | sed 's/^/umask /'
	ulimit -c | sed 's/^/core /'
) >$NOTES/self
echo "R OK"
END

ask_new one
# shellcheck disable=SC2016 # the remote shell's variables
ssh_ask_begin alice "$W/k1" -- 'echo "in $AADSSH_UPN $AADSSH_OID ${LD_PRELOAD-}"
    while [ ! -e /tmp/child/leave ]; do sleep 0.05; done'
need wait_for 30 asked_or_gone 1
cat >"$W/want" <<-END
(alice@localhost) To sign in, open
  https://login.example.test/device
█▀▄ ▐
END
printf 'Press Enter:' >>"$W/want"
ok "the person sees all lines as one question" \
    sh -c 'sed "s/^(alice@[^)]*)/(alice@localhost)/" "$1" | cmp - "$2"' - \
    "$ask_dir/prompt.1" "$W/want"
reply 1 '  2	two'
ok "the person is in" wait_for 30 has "$ask_dir/out" "in "
also "... with the variables that are ours and no other" \
    grep -qx "in alice@contoso.com $OID " "$ask_dir/out"
ok "the answer reached the child, without control bytes" \
    grep -qx 'A   2two' "$NOTES/answer"
ok "the child was called as aadssh pam" \
    grep -qx -- "-f $CONF pam " "$NOTES/args.auth"
ok "... and as aadssh pam session" \
    grep -qx -- "-f $CONF pam session " "$NOTES/args.session"

# The monitor is the parent of the auth phase's process, and has the session.
monitor=$(sessions)
start=$(sed 's/.*) //' "/proc/$monitor/stat" | cut -d ' ' -f 20)
cat >"$W/want" <<-END
aadssh-pam 1
login alice
monitor $monitor $start
source 127.0.0.1
END
ok "the child is told login, monitor and source" \
    cmp "$NOTES/header.auth" "$W/want"
cat >>"$W/want" <<-END
auth keyboard-interactive/pam
identity $TID $OID
END
ok "the session's child also how and who" \
    cmp "$NOTES/header.session" "$W/want"

self() # WORD…
{
	grep -Eqx "$*" "$NOTES/self"
}
ok "the child is the state directory's owner" self 'Uid:(	901){4}'
ok "... and its group" self 'Gid:(	901){4}'
ok "... without other groups" self 'Groups:	 *'
ok "... without capabilities" \
    [ "$(grep -c '^Cap.*:	0*$' "$NOTES/self")" -eq 4 ]
ok "... and never gets more" self 'NoNewPrivs:	1'
ok "its signals are not blocked" self 'SigBlk:	0*'
# NB. 32 and 33 are glibc's own: posix_spawn(3), by which make starts a shell,
# leaves them ignored, and sigaction(3) refuses to touch them.
ok "... not ignored" self 'SigIgn:	0*(180000000)?'
ok "its environment is two variables" [ "$(grep '^env ' "$NOTES/self" |
    sort | tr '\n' ' ')" = "env LANG=C env PATH=/usr/bin:/bin " ]
ok "it reads and writes pipes" [ "$(grep -c '^fd pipe:' "$NOTES/self")" -eq 2 ]
ok "... complains to nobody" self 'fd /dev/null'
# 10 is the script that dash reads.
ok "... and has no other descriptor" self 'fds 0 1 10 2 '
ok "it starts at the root" self 'cwd /'
ok "... leaves no core" self 'core 0'
ok "... and no file open to others" self 'umask 0077'

opened=$(sed -n 's/^opened //p' "$RUN/sessions/$monitor")
cat >"$W/want" <<-END
aadssh-session 1
pid $monitor
start $start
exe $SSHD_EXE
opened $opened
login alice
source 127.0.0.1
tid $TID
oid $OID
upn alice@contoso.com
key SHA256:0123456789012345678901234567890123456789010
serial 18446744073709551615
method keyboard-interactive
end
END
ok "the session is registered" cmp "$RUN/sessions/$monitor" "$W/want"
ok "... at this time" [ "$(($(date +%s) - opened))" -lt 30 ]
ok "... for root alone" [ "$(stat -c '%U %a' "$RUN/sessions/$monitor")" = \
    "root 600" ]
ok "... and what the auth phase left is gone" [ "$(sessions)" = "$monitor" ]
log_mark
touch "$NOTES/leave"
ok "the session ends well" ssh_ask_end
ok "... and is no longer registered" wait_for 30 no_sessions
ok "... which is logged" log_has event=logout login=alice "oid=$OID" \
    upn=alice@contoso.com \
    key=SHA256:0123456789012345678901234567890123456789010 source=127.0.0.1
ok "the child is gone" child_gone

# --- verdicts -------------------------------------------------------------------

fake <<-END
echo "E You are not wanted."
echo "R NO"
END
ask_new no
exits 255 "NO refuses" ssh_ask alice ""
also "... and says why" has "$W/err" "You are not wanted."
also "... once" [ "$(grep -c wanted "$W/err")" -eq 1 ]
ok "... without a question" [ ! -e "$ask_dir/prompt.1" ]

for verdict in UNAVAIL IGNORE; do
	echo "echo R $verdict" | fake
	expect_no "$verdict refuses"
done
ok "no one left anything" no_sessions

# broken TITLE WHY: as expect_no, but the child is at fault (input:
# what it does), which is logged.
broken()
{
	local began
	fake
	log_mark
	began=$(date +%s)
	expect_no "$1: nobody gets in"
	ok "... because $2" log_has event=pam phase=auth login=alice "$2"
	ok "... and it doesn't take long" \
	    [ "$(($(date +%s) - began))" -le 30 ]
	ok "... and no child is left" child_gone
}

echo 'echo "R MAYBE"' | broken "an unknown verdict" "unknown verdict"
echo 'echo "R OK please"' | broken "a longer verdict" "unknown verdict"
echo 'echo hello' | broken "junk" "means nothing"
echo 'echo; echo "R OK"' | broken "an empty line" "means nothing"
echo 'echo "X text"; echo "R OK"' | broken "an unknown letter" "means nothing"
echo 'echo "ROK"' | broken "no blank" "means nothing"
echo 'echo "I hello"' | broken "no verdict" "no verdict"
echo 'printf "R OK"' | broken "half a verdict" "no verdict"
echo ':' | broken "silence" "no verdict"
echo 'kill -KILL $$' | broken "a killed child" "no verdict"
echo 'echo "R OK"; kill -KILL $$' | broken "killed after OK" "it was killed"
echo 'echo "R OK"; exit 3' |
    broken "an error after OK" "ended with an error"
echo 'echo "R OK"; echo "R OK"' |
    broken "a word after the verdict" "after its verdict"
printf '%s\n' 'printf "R OK\n\n"' |
    broken "a newline after the verdict" "after its verdict"
printf '%s\n' 'printf "R O\0K\n"' | broken "a NUL byte" "NUL byte"
printf '%s\n' 'head -c 1025 /dev/zero | tr "\0" I; echo; echo "R OK"' |
    broken "a line that is too long" "too long"
echo 'yes "I hello"' | broken "endless lines" "too much"
echo 'exec cat /dev/zero' | broken "an endless line" "too long"
echo 'echo "V AADSSH_OID=evil"; echo "R OK"' |
    broken "an oid that is none" "no GUID"
echo 'echo "F key SHA256:short"; echo "R OK"' |
    broken "a fact that is none" "a fact"
echo 'echo "F serial 18446744073709551616"; echo "R OK"' |
    broken "a number too large" "a fact"
echo 'echo "R OK"; sleep 100' | broken "no end after OK" "does not end"
echo 'echo "R OK"; trap "" TERM; exec 1>&-; exec sleep 100' |
    broken "no end, deaf, after OK" "does not end"
fake <<-'END'
head -c 1022 /dev/zero | tr '\0' x | sed 's/^/I /'
echo
echo "R OK"
END
ask_new longest
ok "a line of 1024 bytes is not too long" ssh_ask alice ""
ok "that session is over" wait_for 30 no_sessions

# --- nothing goes on for nobody ----------------------------------------------------

fake <<-'END'
trap "" TERM
echo "P Press Enter:"
exec sleep 100
END
ask_new left
ssh_ask_begin alice ""
need wait_for 30 asked_or_gone 1
ssh_ask_leave
ok "Ctrl-C at the question ends a child that is deaf" wait_for 30 child_gone

fake <<-END
trap "echo \$? >$NOTES/words; exit 1" TERM
echo "P Press Enter:"
sleep 100 & wait
END
ask_new left
ssh_ask_begin alice ""
need wait_for 30 asked_or_gone 1
ssh_ask_leave
ok "... and one that hears has time for a last word" wait_for 30 noted words

# With the answer given, sshd itself would wait for the child to its end.
fake <<-END
echo "P Press Enter:"
read -r line
echo "\$line" >$NOTES/answer
exec sleep 100
END
leaves_after_enter() # [OPTION…]
{
	ask_new left
	reply 1 ''
	ssh_ask_begin alice "" "$@"
	wait_for 30 noted answer || return 1
	ssh_ask_leave
	wait_for 30 child_gone
}
log_mark
ok "a client that leaves after the answer ends the child" leaves_after_enter
ok "... and is logged" log_has event=pam login=alice "the client is gone"

if [ -e /proc/sys/net/ipv6 ] && stop_sshd &&
    SSHD_ALSO_LISTEN="ListenAddress [::1]:$SSHD_PORT" start_sshd ask; then
	rm -f "$NOTES"/*
	ok "... also over IPv6" leaves_after_enter -o HostName=::1
	ok "... whose address is the source" \
	    has "$NOTES/header.auth" "source ::1"
else
	skip "a client over IPv6" "the kernel has none"
fi

# --- time -------------------------------------------------------------------------

fake <<-END
echo "I hello"
exec sleep 100
END
need write_pam sshd timeout=5
log_mark
expect_no "timeout= ends a sign-in that hangs"
ok "... and is logged" log_has event=pam login=alice "takes too long"
ok "... with the child" child_gone

# The child gave up in time, while the person was still reading.
fake <<-END
echo "P Press Enter:"
echo "E Nobody signed in in time."
echo "R NO"
exit 1
END
log_mark
ask_new late
ssh_ask_begin alice ""
need wait_for 30 asked 1
sleep 6
reply 1 ''
exits 255 "an answer after timeout= is refused" ssh_ask_end
also "... by the child's word" has "$W/err" "Nobody signed in in time."
also "... once" [ "$(prompts)" -eq 1 ]
ok "... and not as a fault" log_lacks event=pam "takes too long"
# One that still has no word then gets no more time.
fake <<-END
echo "P Press Enter:"
exec sleep 100
END
log_mark
ask_new later
ssh_ask_begin alice "" -o NumberOfPasswordPrompts=1
need wait_for 30 asked 1
sleep 6
reply 1 ''
exits 255 "... but one that hangs then is ended" ssh_ask_end
ok "... and is logged" log_has event=pam login=alice "takes too long"
ok "... with the child" child_gone
need write_pam

# in_grace: sshd's own limit, with the module waiting for child or person.
in_grace() # [ANSWER]
{
	ask_new grace
	[ $# -eq 0 ] || reply 1 "$1"
	ssh_ask_begin alice ""
	wait_for 30 noted pid.auth && wait_for 30 child_gone || return 1
	ssh_ask_leave
}
need stop_sshd
sed -i 's/^LoginGraceTime .*/LoginGraceTime 3/' \
    /etc/ssh/sshd_config.d/50-aadssh.conf
need setsid /usr/sbin/sshd -E "$SSHD_LOG"
fake <<-END
echo "P Press Enter:"
trap "" TERM
exec sleep 100
END
ok "LoginGraceTime ends the child at the question" in_grace
rm -f "$NOTES"/*
ok "... and while it works" in_grace ''
need stop_sshd
need start_sshd ask

# --- the session phase ----------------------------------------------------------------

# session_no TITLE WHY SESSION: the sign-in is good, the session is not.
session_no()
{
	echo 'echo "R OK"' | fake "$3"
	log_mark
	ask_new session
	exits 254 "$1: no session" ssh_ask alice "" -- echo inside
	cat "$W/out" "$W/err" >"$W/told"
	also "... and nothing runs" lacks "$W/out" inside
	[ -z "$2" ] || ok "... because $2" log_has event=pam phase=session "$2"
	ok "... and none is registered" wait_for 30 no_sessions
}
session_no "NO" "" 'echo "E Your key was withdrawn."; echo "R NO"'
ok "... and the person is told why" has "$W/told" "Your key was withdrawn."
session_no "UNAVAIL" "" 'echo "R UNAVAIL"'
session_no "no verdict" "no verdict" 'echo "I hello"'
session_no "a question" "a question" 'echo "P who?"; read -r line; echo "R OK"'
session_no "killed" "no verdict" 'kill -KILL $$'
echo 'echo "R OK"' | fake 'echo "I Until five."; echo "R IGNORE"'
ask_new session
ok "IGNORE opens a session" ssh_ask alice ""

# --- the login is judged by the module ------------------------------------------------

fake </dev/null
for login in nobodyhere Alice alice.; do
	expect_no "the unknown login \"$login\" is asked for nothing" "$login"
	ok "... and no child is started" no_child
done

# A child that says yes to everything does not become root.
conf_of_root()
{
	mkdir -p /etc/aadssh
	printf '%s\n' "$@" >"$CONF"
	chmod 0644 "$CONF"
}
conf_of_root '[map]'
fake </dev/null
log_mark
expect_no "root, whom the configuration does not name, is asked for nothing" \
    root
ok "... and no child is started" no_child
ok "... and the log says why" log_has event=pam login=root login_never

# root without PermitRootLogin yes: sshd hides the answer.
conf_of_root '[login root]' 'allow = role:ssh.root'
fake <<-END
echo "P Press Enter:"
read -r line
echo "\$line" >$NOTES/answer
echo "R OK"
END
log_mark
ask_new root
reply 1 'letmein'
exits 255 "sshd's junk in place of an answer refuses" ssh_ask root "" \
    -o NumberOfPasswordPrompts=1
ok "... for that reason" log_has event=pam login=root \
    "sshd does not let this login in"
# NB. the child sees the end of its input, which is no answer.
ok "... and is not handed on" sh -c '! grep -q . "$1" 2>/dev/null' - \
    "$NOTES/answer"
for option in nosuch conf=relative timeout=0 timeout=4x timeout=2d \
    min_uid=0 state= debug; do
	need write_pam sshd "$option"
	fake </dev/null
	log_mark
	expect_no "the option $option lets nobody in"
	ok "... and is named in the log" log_has event=pam option= "$option"
	ok "... without a child" no_child
done
need write_pam

# A password to check is no dialogue.
need stop_sshd
sed -i 's/^PasswordAuthentication .*/PasswordAuthentication yes/
    s/^AuthenticationMethods .*/AuthenticationMethods password/' \
    /etc/ssh/sshd_config.d/50-aadssh.conf
need setsid /usr/sbin/sshd -E "$SSHD_LOG"
fake </dev/null
ask_new password
reply 1 guess
exits 255 "a guessed password starts no sign-in" ssh_ask alice "" \
    -o NumberOfPasswordPrompts=1
ok "... and no child" no_child
need stop_sshd
need start_sshd ask

# --- the account phase ------------------------------------------------------------------

# A key that sshd accepts by itself, for the phases behind a key login.
cp "$W/k1.pub" /etc/ssh/keys.alice
echo 'Match User alice
AuthorizedKeysFile /etc/ssh/keys.%u' >>/etc/ssh/sshd_config
need stop_sshd
need setsid /usr/sbin/sshd -E "$SSHD_LOG"
echo 'echo "R OK"' | fake 'echo "F oid '"$OID"'"; echo "R OK"'
ok "a key opens a session" ssh_as alice "$W/k1" true
cut -d ' ' -f 1,2 "$W/k1.pub" | sed 's/^/auth publickey /' >"$W/want"
ok "... whose child is told the key" \
    sh -c 'grep "^auth " "$1" | cmp - "$2"' - "$NOTES/header.session" "$W/want"
ok "... and no identity of anybody" lacks "$NOTES/header.session" identity
ok "... and no auth phase ran" [ ! -e "$NOTES/header.auth" ]
ssh_as alice "$W/k1" 'cat >/dev/null; sleep 3' &
ok "... and is registered" wait_for 30 grep -qr "^method publickey$" \
    "$RUN/sessions"
ok "... with what the session's child knew" grep -qr "^oid $OID$" \
    "$RUN/sessions"
wait

denied() # TEXT [COMMAND…]
{
	local text status
	text=$1 status=0
	ask_new denied
	ssh_ask alice "$W/k1" -o PreferredAuthentications=publickey \
	    >"$W/ssh.out" 2>"$W/ssh.err" || status=$?
	cat "$W/ssh.err" >&2
	[ "$status" -eq 255 ] && has "$W/ssh.err" "$text"
}
no_text="This login is denied on this host."
fog="This host can't tell now whether this login is denied."
DENIAL=$STATE/denials/login/alice

# deny CONTENT: as printf has it.
deny()
{
	# shellcheck disable=SC2059
	printf -- "$1" >"$DENIAL.new"
	chown aadssh:aadssh "$DENIAL.new"
	mv "$DENIAL.new" "$DENIAL"
}
deny '0\n{"v":1,"origin":"admin","at":1795514400}\n'
log_mark
ok "a denied login is turned away with its key" denied "$no_text"
ok "... which is logged" log_has event=pam phase=account login=alice \
    reason=login_denied source=127.0.0.1
ask_new denied
exits 255 "... and after a sign-in" ssh_ask alice "" \
    -o NumberOfPasswordPrompts=1
also "... with its reason" has "$W/err" "$no_text"
ok "another login is not" [ "$(
    ask_new bob
    ssh_ask bob "" -- id -un)" = bob ]
deny '99\n{"v":1,"origin":"idp","at":1}\n'
ok "a denial that has ended denies nobody" ssh_as alice "$W/k1" true
n=0
for text in '' '99' '99\n' '99\n{}\n' '-1\n{"v":1,"origin":"idp","at":1}\n' \
    '99\n{"v":2,"origin":"idp","at":1}\n' \
    '99\n{"v":1,"origin":"idp","at":1}\n\0' \
    '99\n{"v":1,"origin":"me","at":1}\n' \
    '9999999999999\n{"v":1,"origin":"idp","at":1}\n'; do
	deny "$text"
	n=$((n + 1))
	ok "one that is malformed or later is in force ($n)" denied "$no_text"
done
rm "$DENIAL"
ln -s /nowhere "$DENIAL"
ok "... as is a link" denied "$no_text"
rm "$DENIAL"
mkdir "$DENIAL"
ok "... and a directory" denied "$no_text"
rmdir "$DENIAL"
ok "without one the key works" ssh_as alice "$W/k1" true
mv "$STATE/denials/login" "$STATE/denials/away"
ok "a missing directory of denials can't be told" denied "$fog"
ln -s away "$STATE/denials/login"
ok "... nor one behind a link" denied "$fog"
rm "$STATE/denials/login"
mv "$STATE/denials/away" "$STATE/denials/login"
chmod 0770 "$STATE/denials/login"
ok "... nor one that others can write" denied "$fog"
chmod 0750 "$STATE/denials/login"
chown root "$STATE/denials/login"
ok "... nor one of another owner" denied "$fog"
chown aadssh "$STATE/denials/login"
mv "$STATE" "$STATE.away"
ok "... nor without a state directory" denied "$fog"

# Members of breakglass need none of our files.
echo "breakglass:x:950:alice" >>/etc/group
chmod 0000 "$CHILD"
ok "a break-glass key works without state and child" \
    ssh_as alice "$W/k1" true
mv "$PAM_MODULE" "$PAM_MODULE.away"
ok "... and without the module" ssh_as alice "$W/k1" true
mv "$PAM_MODULE.away" "$PAM_MODULE"
sed -i /breakglass/d /etc/group
mv "$STATE.away" "$STATE"
log_mark
expect_no "a child that can't be started lets nobody in" bob
ok "... for want of a verdict" log_has event=pam phase=auth "no verdict"
mv "$STATE" "$STATE.away"
expect_no "no state directory lets nobody in" bob
mv "$STATE.away" "$STATE"

# --- who signed in must be storable ----------------------------------------------------

echo 'echo "R OK"' | fake
chmod 0770 "$RUN/sessions"
log_mark
expect_no "a directory of sessions that others can write lets nobody in" bob
ok "... which is logged" log_has event=pam login=bob "can't be stored"
ok "a key still works" ssh_as alice "$W/k1" true
ok "... but that it isn't registered is logged" \
    log_has event=pam login=alice "not registered"
rm -rf "$RUN/sessions"
ask_new made
ok "a missing one is made" ssh_ask bob ""
ok "... for root alone" [ "$(stat -c '%U %a' "$RUN/sessions")" = "root 700" ]

# What the auth phase of another connection left is nobody's identity: here for
# each pid that can come next.
fake <<-END
echo "F tid $TID"
echo "F oid $OID"
echo "R OK"
END
stale() # PID
{
	printf '%s\n' "aadssh-session 1" "pid $1" "start 1" \
	    "exe /usr/sbin/sshd" "opened 1" "login alice" "tid $TID" \
	    "oid $OID" "method keyboard-interactive" end \
	    >"$RUN/sessions/$1.auth"
}
next=$(sh -c 'echo $$')
pid=$next
while [ "$pid" -lt $((next + 600)) ]; do
	stale "$pid"
	pid=$((pid + 1))
done
chmod 0600 "$RUN/sessions"/*
rm -f "$NOTES"/*
ok "a stale identity is there at a key login" ssh_as alice "$W/k1" true
ok "... and is not taken over" lacks "$NOTES/header.session" identity
rm -f "$RUN/sessions"/*

# --- the password that is only asked for when Azure AD is away --------------------------

need usermod -p "$(openssl passwd -6 -salt salt hunter2)" bob
need write_pam sshd-fallback
asks_password() # VERDICT
{
	echo "echo 'E Azure AD is away.'; echo 'R $1'" | fake
	ask_new fallback
	reply 1 hunter2
	ssh_ask bob "" -o NumberOfPasswordPrompts=1 -- true
}
ok "UNAVAIL asks for the password" asks_password UNAVAIL
# NB. sshd 10.6 has it shown before the question.
ok "... and says why" grep -qF "Azure AD is away." "$ask_dir/prompt.1" \
    "$ask_dir/err"
ok "... for which it is" has "$ask_dir/prompt.1" "Password:"
for verdict in NO IGNORE JUNK; do
	exits 255 "$verdict does not" asks_password "$verdict"
	ok "... ask at all" [ ! -e "$ask_dir/prompt.1" ]
done
echo 'echo R UNAVAIL' | fake
ask_new fallback
reply 1 wrong
exits 255 "a wrong password is refused" ssh_ask bob "" \
    -o NumberOfPasswordPrompts=1
need write_pam
echo 'echo R UNAVAIL' | fake
ask_new fallback
reply 1 hunter2
exits 255 "without the fallback none is asked for" ssh_ask bob "" \
    -o NumberOfPasswordPrompts=1
ok "... indeed" [ ! -e "$ask_dir/prompt.1" ]
finish
