#!/bin/sh
# SPDX-License-Identifier: ISC
title="the hook opens no network socket, starts no program, writes its offer only"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

command -v strace >/dev/null || skip_all "no strace"
strace -qq -o /dev/null true 2>/dev/null ||
    skip_all "the kernel allows no ptrace here"
stage
need signin "$ALICE" aadssh login alice "$W/k1.pub"
mkdir "$W/trace"

# Root traces, since the hook lets nobody else look into it; what setpriv did
# before it became the hook is cut off.
traced() # LOGIN PUBFILE NAME
{
	hook "$1" "$2" strace -f -y -o "$W/all" >"$W/trace/$3.out" 2>/dev/null
	sed -n "\\|execve(\"$HOOK\"|,\$p" "$W/all" >"$W/trace/$3"
}

# The trace is one of the hook, whole, and it ended well.
whole()
{
	grep -q "execve(\"$HOOK\"" "$1" && grep -q 'exited with 0' "$1"
}

only_syslog()
{
	grep -Eq '(socket|connect)\(.*AF_UNIX' "$1" &&
	    ! grep -E ' (socket|socketpair)\(' "$1" | grep -qv AF_UNIX &&
	    ! grep -E ' connect\(' "$1" | grep -qv '"/dev/log"' &&
	    ! grep -Eq ' (bind|listen|accept4?)\(' "$1"
}

alone()
{
	[ "$(grep -c ' execve(' "$1")" -eq 1 ] &&
	    ! grep -Eq ' (fork|vfork|clone3?)\(' "$1"
}

writes_nothing()
{
	! grep -E ' (open|openat|creat)\(' "$1" |
	    grep -Eq 'O_(WRONLY|RDWR|CREAT)' && changes_no_names "$1"
}

changes_no_names()
{
	! grep -Eq ' (rename|unlink|link|symlink|mkdir|chmod|chown)' "$1"
}

# One file is opened to be written, by its parent's number, in the directory
# of the offers, to the end of it; and one line is written there.
writes_an_offer()
{
	[ "$(grep -E ' (open|openat|creat)\(' "$1" |
	    grep -cE 'O_(WRONLY|RDWR|CREAT)')" -eq 1 ] &&
	    grep -Eq "openat\\([0-9]+<$RUN/offers>, \"[0-9]+\", O_WRONLY\\|O_CREAT\\|.*O_APPEND\\|.*O_NOFOLLOW" "$1" &&
	    [ "$(grep -cE "write\\([0-9]+<$RUN/offers/[0-9]+>" "$1")" -eq 1 ] &&
	    changes_no_names "$1"
}

for case in "yes alice k1" "no alice k2" "other bob k1"; do
	# shellcheck disable=SC2086 # three words
	set -- $case
	traced "$2" "$W/$3.pub" "$1" || :
	ok "the trace is the hook's ($1)" whole "$W/trace/$1"
	ok "no socket but syslog's ($1)" only_syslog "$W/trace/$1"
	ok "no other program or process ($1)" alone "$W/trace/$1"
	if [ "$1" = yes ]; then
		ok "no file written ($1)" writes_nothing "$W/trace/$1"
	else
		ok "no file written but the offer ($1)" \
		    writes_an_offer "$W/trace/$1"
	fi
done
ok "the answer was yes once" [ -s "$W/trace/yes.out" ]
ok "and no for another key" empty "$W/trace/no.out"
ok "and no for another login" empty "$W/trace/other.out"

# The same for a certificate, which leaves no offer.
need write_cert_conf <<END
[host]
groups = web
[state]
dir = $STATE
END
need new_key ca
need cert_made ca k2 carol@web
for login in carol bob; do
	trace=$W/trace/cert.$login
	principals "$login" "$W/k2-cert.pub" strace -f -y -o "$W/all" \
	    >"$trace.out" 2>/dev/null || :
	sed -n "\\|execve(\"$HOOK\"|,\$p" "$W/all" >"$trace"
	ok "the trace is the hook's (certificate, $login)" whole "$trace"
	ok "no socket but syslog's (certificate, $login)" only_syslog "$trace"
	ok "no other program or process (certificate, $login)" alone "$trace"
	ok "no file written (certificate, $login)" writes_nothing "$trace"
done
ok "the answer was the principal" \
    sh -c '[ "$(cat "$1")" = carol@web ]' - "$W/trace/cert.carol.out"
ok "and nothing for another login than the certificate's" \
    empty "$W/trace/cert.bob.out"
finish
