#!/bin/sh
# SPDX-License-Identifier: ISC
title="kill -9 before any write: the old state or the new one, never a third"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

# Every call that changes a file, or makes it last.
CALLS="openat,?open,?creat,write,pwrite64,writev,ftruncate,fchmod,fchmodat,\
fchown,fchownat,fsync,fdatasync,?rename,?renameat,renameat2,?link,linkat,\
?unlink,unlinkat,?mkdir,mkdirat,?rmdir"
CHANGES='O_CREAT|O_WRONLY|O_RDWR|(write|truncate|ch(mod|own)|sync|rename|link|mkdir|rmdir)[a-z0-9]*\('

command -v strace >/dev/null || skip_all "no strace"
strace -qq -o /dev/null true 2>/dev/null ||
    skip_all "the kernel allows no ptrace here"
stage

window() # COMMAND…: first and last of CALLS that touch the state
{
	"$runner" strace -qq -y -o "$W/calls" -e trace="$CALLS" \
	    -e signal=none "$@" || return 1
	touched=$(grep -nE "$STATE" "$W/calls" | grep -E "$CHANGES" |
	    cut -d : -f 1)
	first=$(echo "$touched" | head -n 1)
	last=$(echo "$touched" | tail -n 1)
	[ "$first" ] && [ "$last" -gt "$first" ]
}

directly()
{
	"$@"
}

as_alice()
{
	signin "$ALICE" "$@"
}

keep()
{
	rm -rf "${W:?}/$1" && cp -a "$STATE" "$W/$1"
}

restore()
{
	rm -rf "$STATE"
	[ ! -d "$W/$1" ] || cp -a "$W/$1" "$STATE"
}

# What the hook now says: yes, no or cannot.
answer()
{
	status=0
	hook alice "$W/k1.pub" >"$W/hook.out" || status=$?
	case $status in
	0) if empty "$W/hook.out"; then
		echo no
	else
		says_yes alice "$W/k1.pub" && echo yes
	fi ;;
	3) empty "$W/hook.out" && echo cannot ;;
	esac
}

# walk TITLE BEFORE ALLOWED AFTER COMMAND…: kill COMMAND at each of its
# changes, from state BEFORE.  The hook must then say one of ALLOWED; and the
# same COMMAND, run again over what was left, must end in AFTER.
walk()
{
	what=$1 before=$2 allowed=$3 after=$4
	shift 4
	restore "$before"
	if ! window "$@" >"$W/out" 2>"$W/err"; then
		ok "$what: a run that is not killed changes the state" false
		return 0
	fi
	points=$((last - first + 1))
	killed=0
	n=$first
	while [ "$n" -le "$last" ]; do
		restore "$before"
		status=0
		"$runner" strace -qq -o /dev/null -e trace="$CALLS" \
		    -e signal=none -e inject="$CALLS:signal=KILL:when=$n" \
		    "$@" >"$W/out" 2>"$W/err" || status=$?
		say=$(answer)
		case " $allowed " in
		*" ${say:-nonsense} "*) ;;
		*)
			ok "$what, killed at call $n: says ${say:-nonsense}" \
			    false
			sed -n "${n}s/^/# /p" "$W/calls"
			return 0
			;;
		esac
		[ "$status" -ne 137 ] || killed=$((killed + 1))
		# Nothing left to undeny or forget is a no (1), not a fault.
		status=0
		"$runner" "$@" >"$W/out" 2>"$W/err" || status=$?
		[ "$status" -le 1 ] || {
			ok "$what: works again after call $n" false
			sed 's/^/# /' "$W/err"
			return 0
		}
		say=$(answer)
		[ "$say" = "$after" ] || {
			ok "$what: after call $n and once more it says $say" \
			    false
			return 0
		}
		n=$((n + 1))
	done
	leftovers=$(find "$STATE" -name '*.tmp*' -o -name '.*' -type f)
	# What a waiting sign-in writes varies by a call or two.
	ok "$what: killed before each of $points calls" \
	    [ "$killed" -ge $((points > 12 ? points - 3 : points)) ]
	ok "$what: the run after leaves no rubbish" [ -z "$leftovers" ]
}

need signin "$ALICE" aadssh login alice "$W/k1.pub"
need says_yes alice "$W/k1.pub"
keep signed_in
need aadssh deny --oid "$ALICE_OID"
need says_no alice "$W/k1.pub"
keep denied

runner=directly
walk "deny" signed_in "yes no" no aadssh deny --oid "$ALICE_OID"
walk "undeny" denied "no yes" yes aadssh undeny --oid "$ALICE_OID"
walk "refresh" signed_in yes yes aadssh refresh --keys-only
walk "forget" signed_in "yes no" no aadssh forget alice
runner=as_alice
walk "sign in again" signed_in yes yes aadssh login alice "$W/k1.pub"
walk "first sign-in" nothing "no yes cannot" yes \
    aadssh login alice "$W/k1.pub"
finish
