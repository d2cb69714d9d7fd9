#!/bin/sh
# SPDX-License-Identifier: ISC
title="started as root, aadssh works as aadssh and leaves the modes of the design"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
# Files that exist must look so; those marked + must exist.
cat >"$W/modes" <<-END
+ . d 750
+ ./records d 750
+ ./records/alice d 750
+ ./records/alice/* f 640
+ ./denials d 750
+ ./denials/login d 750
+ ./denials/key d 750
+ ./denials/oid d 750
+ ./denials/oid/* f 640
+ ./pins d 750
+ ./pins/* f 640
+ ./keys d 750
+ ./keys/record.key f 600
+ ./keys/record.pub f 640
- ./keys/seal.key f 600
+ ./keys.json f 640
- ./refresh d 700
- ./refresh/* f 600
- ./locks d 700
- ./locks/* f 600
END

modes_match()
{
	(cd "$STATE" && find . -printf '%p %y %m %u:%g\n') >"$W/found"
	bad=0
	while read -r path kind mode owner; do
		want=
		while read -r _ glob k m; do
			# shellcheck disable=SC2254 # a pattern on purpose
			case $path in
			$glob) want="$k $m" ;;
			esac
		done <"$W/modes"
		[ "$want aadssh:aadssh" = "$kind $mode $owner" ] || {
			echo "$path is $kind $mode $owner, wants $want"
			bad=1
		}
	done <"$W/found"
	grep '^+' "$W/modes" | while read -r _ glob _ _; do
		# shellcheck disable=SC2086 # a pattern on purpose
		(cd "$STATE" && ls -d $glob >/dev/null 2>&1) ||
		    { echo "$glob is missing"; false; } || exit 1
	done || bad=1
	return "$bad"
}

# Who is the process that talks to the provider?
powerless()
{
	grep -Eq '^Uid:(.901){4}$' "$1" && grep -Eq '^Gid:(.901){4}$' "$1" &&
	    ! grep -E '^Groups:' "$1" | grep -Eqw '0|902' &&
	    grep -Eq '^CapEff:.0+$' "$1" && grep -Eq '^CapPrm:.0+$' "$1" &&
	    grep -Eq '^NoNewPrivs:.1$' "$1"
}

ok "before the first sign-in there is nothing to show" aadssh status
also "and that is what it says" has "$W/out" "No sign-ins."
ok "nor for a login" aadssh status alice
install -m 0600 "$W/k1.pub" /root/only-for-root.pub
umask 077
aadssh login alice /root/only-for-root.pub >"$W/login.out" 2>"$W/login.err" &
login_pid=$!
wait_for 30 code_shown_or_gone "$W/login.err" || :
cp "/proc/$login_pid/status" "$W/status" 2>/dev/null || : >"$W/status"
ok "while it waits it is aadssh, without rights" powerless "$W/status"
need approve "$ALICE" "$W/login.err"
ok "the sign-in, of a key file that only root can read, ends well" \
    wait "$login_pid"
umask 022
ok "the key opens the door, whatever root's umask was" \
    says_yes alice "$W/k1.pub"
ok "deny works as root" aadssh deny --oid "$BOB_OID"
ok "owners and modes are the design's" modes_match

need cp "$CONF" "$W/conf"
sum=$(state_sum)
printf '[process]\nuser = nosuchuser\n' >>"$CONF"
exits 3 "a process user that does not exist is no reason to stay root" \
    aadssh deny --oid "$ALICE_OID"
line=$(grep -n '^user = ' "$CONF" | cut -d : -f 1)
also "and is named with file and line" has "$W/err" "$CONF:$line"
cp "$W/conf" "$CONF"
printf '[process]\nuser = root\n' >>"$CONF"
exits 3 "user = root does not work on another user's state" \
    aadssh deny --oid "$ALICE_OID"
cp "$W/conf" "$CONF"
mkdir -m 0755 /var/lib/made-by-root
printf '[state]\ndir = /var/lib/made-by-root\n' >>"$CONF"
exits 3 "a state directory that root made is not aadssh's" \
    aadssh deny --oid "$ALICE_OID"
also "and the sentence says what to do" eval \
    'has "$W/err" "give it to [process] user" && lacks "$W/err" EREFUSED'
cp "$W/conf" "$CONF"
ok "none of it changed anything" [ "$sum" = "$(state_sum)" ]
exits 3 "bob can't deny anybody" \
    setpriv --reuid bob --regid bob --clear-groups \
    aadssh deny --oid "$ALICE_OID"
ok "nor did he change anything" [ "$sum" = "$(state_sum)" ]
chown root "$STATE/denials/oid"
exits 3 "a directory of root's in it is said in words" \
    aadssh deny --oid "$ALICE_OID"
also "and not in a constant's name" eval \
    "has \"$W/err\" \"another user's\" && lacks \"$W/err\" EPERM"
finish
