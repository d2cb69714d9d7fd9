#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: the hook as a program: its arguments, its answer and its exit, on a
# scratch installation of test/tools/mkstate.  Needs no sshd and no root (what
# needs root is skipped without it).  Ends with "hook: N passed, N failed, N
# skipped".
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
hook=$(pwd -P)/$B/aadssh-authkeys
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

"$B/test/tools/mkstate" "$dir/s" >"$dir/args" 2>/dev/null
conf=$(sed -n 2p "$dir/args")
type=$(sed -n 5p "$dir/args")
key=$(sed -n 6p "$dir/args")
echo "$type $key" >"$dir/line"

# answers TITLE STATUS yes|nothing|=TEXT COMMAND...: a yes is exactly the key's
# line, TEXT another one.
answers() {
	title=$1 want=$2 what=$3
	shift 3
	status=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	case $what in
	yes) cmp -s "$dir/out" "$dir/line" && right=1 || right=0 ;;
	nothing) [ ! -s "$dir/out" ] && right=1 || right=0 ;;
	=*) echo "${what#=}" | cmp -s - "$dir/out" && right=1 || right=0 ;;
	esac
	if [ $status -eq "$want" ] && [ $right -eq 1 ]; then
		echo "ok - $title"
		passed=$((passed + 1))
	else
		echo "not ok - hook: $title"
		echo "    exit $status, not $want; or not $what:"
		sed 's/^/    /' "$dir/out"
		failed=$((failed + 1))
	fi
}

skip() {
	echo "skip - $1: $2"
	skipped=$((skipped + 1))
}

answers 'the key of the sign-in' 0 yes "$hook" -f "$conf" alice 1001 "$type" "$key"
answers 'another login' 0 nothing "$hook" -f "$conf" bob 1001 "$type" "$key"
answers 'no arguments' 2 nothing "$hook"
answers 'one argument more' 2 nothing "$hook" -f "$conf" alice 1001 "$type" "$key" x
answers 'one argument less' 2 nothing "$hook" -f "$conf" alice 1001 "$type"
for uid in '' -1 +1 ' 1' 1x 0x10 4294967295 4294968297 99999999999 18446744073709552617; do
	answers "uid \"$uid\"" 2 nothing "$hook" -f "$conf" alice "$uid" "$type" "$key"
done
answers 'uid below min_uid' 0 nothing "$hook" -f "$conf" alice 999 "$type" "$key"

# Five arguments with -f first are -f's; four are LOGIN UID TYPE KEY, so what
# looks like an option there is only a bad login.
for login in -f --help -oX --config=/tmp/x -- - "-f$conf"; do
	answers "I-B1 a login that looks like an option: $login" 0 nothing \
	    "$hook" -f "$conf" "$login" 1001 "$type" "$key"
done
answers 'I-B1 -f behind the login' 2 nothing "$hook" alice -f "$conf" 1001 "$type" "$key"
answers 'I-B1 -f twice' 2 nothing "$hook" -f "$conf" -f "$conf" alice 1001 "$type" "$key"

long=$(printf '%08192d' 0)
for login in '' . .. ../alice alice/ 'alice ' 'alice
bob' Alice alice, 'alice"' '*' "$long"; do
	answers "I-B2 login \"$(printf %.20s "$login" | tr '\n' '?')\"" 0 nothing \
	    "$hook" -f "$conf" "$login" 1001 "$type" "$key"
done
answers 'II-O4 a key of 100 kB' 0 nothing "$hook" -f "$conf" alice 1001 "$type" \
    "$(printf '%0100000d' 0)"
answers 'I-A10 the type of a certificate' 0 nothing "$hook" -f "$conf" alice 1001 \
    "${type%%@*}-cert-v01@openssh.com" "$key"

answers 'a configuration that is not there' 3 nothing \
    "$hook" -f "$dir/none.conf" alice 1001 "$type" "$key"
answers 'a configuration that is a directory' 3 nothing \
    "$hook" -f "$dir" alice 1001 "$type" "$key"
(umask 022 && echo '[nonsense]' >"$dir/bad.conf")
answers 'a configuration with a mistake' 3 nothing \
    "$hook" -f "$dir/bad.conf" alice 1001 "$type" "$key"

# /dev/full takes nothing: the exit must void the answer.
full() {
	"$hook" -f "$conf" alice 1001 "$type" "$key" >/dev/full
}
answers 'I-A8 an answer that cannot be written whole' 3 nothing full
closed() {
	"$hook" -f "$conf" alice 1001 "$type" "$key" >&-
}
answers 'I-A8 a closed stdout: the answer goes nowhere else' 0 nothing closed
# The reader is gone before the hook starts: it must end by itself with 3, not
# by SIGPIPE.
unread() {
	mkfifo "$dir/fifo"
	sleep 5 <"$dir/fifo" &
	exec 5>"$dir/fifo"
	kill $!
	wait $! 2>/dev/null || :
	"$hook" -f "$conf" alice 1001 "$type" "$key" >&5
}
answers 'II-O11 nobody reads the answer' 3 nothing unread

# Nothing in the environment, no descriptor, mask or limit changes the answer.
answers 'I-B12 an empty environment' 0 yes \
    env -i "$hook" -f "$conf" alice 1001 "$type" "$key"
answers 'I-B12 a hostile environment' 0 yes env LANG=tr_TR.UTF-8 \
    LC_ALL=tr_TR.UTF-8 TZ=/etc/passwd TZDIR=/tmp AADSSH_CONF=/tmp/x \
    http_proxy=http://127.0.0.1:1 SSL_CERT_FILE=/tmp/x MALLOC_CHECK_=3 \
    HOME=/nonexistent "$hook" -f "$conf" alice 1001 "$type" "$key"
masked() {
	umask 0777
	exec 7</dev/null 8</dev/null
	cd /
	exec "$hook" -f "$conf" alice 1001 "$type" "$key"
}
few() {
	(masked)
}
answers 'II-O9 descriptors, umask and directory of the caller' 0 yes few

# Offers: what a refused key leaves for the sign-in that may follow.  The
# hook's parent is this shell.
offers=$dir/s/run/offers
mine=$offers/$$
line="^[0-9]+ bob $type [A-Za-z0-9+/=]+\$"
leaves() { # TITLE LINES
	if [ "$(cat "$mine" 2>/dev/null | wc -l)" -eq "$2" ]; then
		echo "ok - $1"
		passed=$((passed + 1))
	else
		echo "not ok - hook: $1"
		ls -l "$offers"
		failed=$((failed + 1))
	fi
}

rm -f "$offers"/*
answers 'a yes' 0 yes "$hook" -f "$conf" alice 1001 "$type" "$key"
leaves 'I-B14 leaves nothing behind' 0
answers 'a malformed key' 0 nothing "$hook" -f "$conf" bob 1002 "$type" "$key="
leaves 'I-B14 a malformed key is no offer' 0
touch "$dir/s/state/denials/login/bob"
answers 'a denied login' 0 nothing "$hook" -f "$conf" bob 1002 "$type" "$key"
leaves 'I-B14 a denied login is no offer' 0
rm "$dir/s/state/denials/login/bob"
answers 'a key that never signed in' 0 nothing "$hook" -f "$conf" bob 1002 "$type" "$key"
leaves 'is an offer' 1
answers 'presented again' 0 nothing "$hook" -f "$conf" bob 1002 "$type" "$key"
leaves 'is noted again' 2
grep -Eq "$line" "$mine" && [ "$(stat -c %a "$mine")" = 640 ] &&
    leaves 'an offer has time, login and key, and mode 0640' 2 ||
    leaves 'an offer has time, login and key, and mode 0640' -1
head -c 65530 /dev/zero | tr '\0' '\n' >"$mine"
answers 'II-K16 a full file of offers' 0 nothing "$hook" -f "$conf" bob 1002 "$type" "$key"
leaves 'II-K16 grows no further' 65530
rm -f "$mine"
ln -s "$dir/planted" "$mine"
answers 'II-K3 a planted link' 0 nothing "$hook" -f "$conf" bob 1002 "$type" "$key"
leaves 'II-K3 is not followed' 0
rm -f "$mine"
mkfifo "$mine"
answers 'II-K3 a planted FIFO holds nobody up' 0 nothing \
    "$hook" -f "$conf" bob 1002 "$type" "$key"
rm -f "$mine"
chmod 0777 "$offers"
answers 'II-K4 a directory that others can write to' 0 nothing \
    "$hook" -f "$conf" bob 1002 "$type" "$key"
leaves 'II-K4 gets no offer' 0
chmod 0770 "$offers"
mv "$offers" "$offers.gone"
answers 'a host without offers' 0 nothing "$hook" -f "$conf" bob 1002 "$type" "$key"
mv "$offers.gone" "$offers"

# --principals: which principal of a certificate opens a login.
groups() { # FILE LINE...: a host of certificates alone
	file=$1
	shift
	(umask 022 && printf '%s\n' '[state]' "dir = $dir/nowhere" \
	    '[host]' "$@" >"$file")
}
groups "$dir/host.conf" 'groups = web'
(umask 022 && { cat "$conf"; printf '%s\n' '[host]' 'groups = web'; } >"$dir/both.conf")
certify() { # NAME PRINCIPALS [OPTION...]: sets ctype and cert
	name=$1 principals=$2
	shift 2
	ssh-keygen -q -s "$dir/ca" -I "$name" -n "$principals" "$@" "$dir/$name.pub"
	ctype=$(cut -d ' ' -f 1 "$dir/$name-cert.pub")
	cert=$(cut -d ' ' -f 2 "$dir/$name-cert.pub")
}
for name in ca mine; do
	ssh-keygen -q -t ed25519 -N '' -C $name -f "$dir/$name" </dev/null
done
certify mine alice@web,bob@db
ask() { # CONF LOGIN [UID]
	"$hook" -f "$1" --principals "$2" "${3-1001}" "$ctype" "$cert"
}
answers 'a principal of this group' 0 =alice@web ask "$dir/host.conf" alice
answers 'a principal of another group' 0 nothing ask "$dir/host.conf" bob
answers 'a configuration without [host]' 0 nothing ask "$conf" alice
answers 'a certificate is still no key' 0 nothing \
    "$hook" -f "$conf" alice 1001 "$ctype" "$cert"
answers 'a host of certificates alone cannot tell about keys' 3 nothing \
    "$hook" -f "$dir/host.conf" alice 1001 "$type" "$key"
answers 'a plain key is no certificate' 0 nothing \
    "$hook" -f "$dir/host.conf" --principals alice 1001 "$type" "$key"
answers 'I-A10 the type of a plain key for a certificate' 0 nothing \
    "$hook" -f "$dir/host.conf" --principals alice 1001 "$type" "$cert"
answers 'I-A10 the type of another certificate' 0 nothing "$hook" \
    -f "$dir/host.conf" --principals alice 1001 ssh-rsa-cert-v01@openssh.com "$cert"
touch "$dir/s/state/denials/login/alice"
answers 'a denied login' 0 nothing ask "$dir/both.conf" alice
rm "$dir/s/state/denials/login/alice"
mv "$dir/s/state/pins/alice" "$dir/pin"
answers 'a login without a pin' 0 =alice@web ask "$dir/both.conf" alice
mv "$dir/pin" "$dir/s/state/pins/alice"
answers "a pin that doesn't name who the certificate is of" 0 nothing \
    ask "$dir/both.conf" alice
rm -f "$offers"/*
answers 'a refused certificate' 0 nothing ask "$dir/both.conf" bob
leaves 'is no offer' 0

answers '--principals and nothing' 2 nothing "$hook" --principals
answers '--principals and one argument less' 2 nothing \
    "$hook" -f "$dir/host.conf" --principals alice 1001 "$ctype"
answers '--principals and one argument more' 2 nothing \
    "$hook" -f "$dir/host.conf" --principals alice 1001 "$ctype" "$cert" x
answers '--principals twice' 2 nothing "$hook" --principals --principals \
    alice 1001 "$ctype" "$cert"
answers '--principals in front of -f' 2 nothing \
    "$hook" --principals -f "$dir/host.conf" alice 1001 "$ctype" "$cert"
for uid in '' -1 1x 4294967295; do
	answers "--principals, uid \"$uid\"" 2 nothing \
	    ask "$dir/host.conf" alice "$uid"
done
for login in --principals -f --help -oX alice@web 'alice,root' '#alice' "$long"; do
	answers "I-B1 --principals, login $(printf %.20s "$login")" 0 nothing \
	    ask "$dir/host.conf" "$login"
done
answers 'I-B1 --principals as a login' 0 nothing \
    "$hook" -f "$conf" --principals 1001 "$type" "$key"

certify mine alice -h
answers "a host's certificate" 0 nothing ask "$dir/host.conf" alice
groups "$dir/all.conf" 'accept_all = yes'
certify mine alice,alice@web
answers 'accept_all and a bare login' 0 =alice ask "$dir/all.conf" alice
for list in 'alice,root#x' 'alice,#root' 'alice,a b' 'alice,alice@*' 'alice,*'; do
	certify mine "$list"
	answers "I-A4 $list: none counts" 0 nothing ask "$dir/all.conf" alice
done
certify mine alice@web
groups "$dir/wrong.conf" 'groups = *'
answers 'a configuration with a mistake, --principals' 3 nothing \
    ask "$dir/wrong.conf" alice
(umask 022 && printf '%s\n' '[ca]' '[state]' "dir = $dir/s/state" '[host]' \
    'groups = web' >"$dir/ca.conf")
answers "an authority's configuration" 3 nothing ask "$dir/ca.conf" alice
answers "an authority's configuration, for keys" 3 nothing \
    "$hook" -f "$dir/ca.conf" alice 1001 "$type" "$key"
chmod 0777 "$dir/s/state/denials/oid"
(umask 022 && printf '%s\n' '[state]' "dir = $dir/s/state" '[host]' \
    'groups = web' >"$dir/denials.conf")
ssh-keygen -q -s "$dir/ca" -I "oid=1c9a52de-7b30-4f86-9e41-6a0d8c35b2f1" \
    -n carol@web "$dir/mine.pub"
cert=$(cut -d ' ' -f 2 "$dir/mine-cert.pub")
answers 'II-P9 denials that cannot be told' 3 nothing ask "$dir/denials.conf" carol
chmod 0750 "$dir/s/state/denials/oid"
answers 'and again' 0 =carol@web ask "$dir/denials.conf" carol
full_too() {
	ask "$dir/denials.conf" carol >/dev/full
}
answers 'I-A8 a principal that cannot be written whole' 3 nothing full_too

if [ "$(id -u)" -eq 0 ]; then
	chown -R 65534:65534 "$dir/s/state"
	answers 'II-O8 root on the state of another user' 3 nothing \
	    "$hook" -f "$conf" alice 1001 "$type" "$key"
	chown -R 0:0 "$dir/s/state"
	answers 'and on its own again' 0 yes \
	    "$hook" -f "$conf" alice 1001 "$type" "$key"
else
	skip 'II-O8 root on the state of another user' 'needs root'
fi
echo "hook: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
