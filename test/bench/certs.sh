#!/bin/sh
# SPDX-License-Identifier: ISC
#
# certs.sh: what certificates and revocation lists cost, against libsodium
# and ssh-keygen, in one run.  Prints two tables; a limit that is broken says
# BROKEN in its row.
#
# CERT_ROUNDS (200) requests to the signer; SIGN_SECONDS (6) in one process;
# KRL_SERIALS (100000, 1000000 with BENCH=full), KRL_ROUNDS (3).
set -eu
cd "$(dirname "$0")/../.."
top=$(pwd -P)
b=$top/${B:-build}
rounds=${CERT_ROUNDS:-200} seconds=${SIGN_SECONDS:-6} krl_rounds=${KRL_ROUNDS:-3}
[ "${BENCH-}" = full ] && serials=${KRL_SERIALS:-1000000} ||
    serials=${KRL_SERIALS:-100000}
tab=$(printf '\t')
umask 022
disk=$(mktemp -d)
mem=$(mktemp -d -p /dev/shm)
trap 'rm -rf "$disk" "$mem"' EXIT
trap 'exit 130' INT TERM

# A scratch authority below $1, of this user.
authority() {
	cat >"$1/ca.conf" <<-END
	[idp]
	tenant = 5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77
	client_id = b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4
	authority = https://login.example.test
	[process]
	user = $(id -un)
	[state]
	dir = $1/state
	run = $1/run
	[ca]
	certs_per_hour = 10000
	[map]
	domain = contoso.com
	require = role:ssh.user
	hosts = web
	hosts = db
	END
	"$b/aadssh-ca" -f "$1/ca.conf" init --recovery-out "$1/recovery" \
	    >"$1/log" 2>&1 || { cat "$1/log" >&2; return 1; }
	"$b/test/tools/mktoken" keys >"$1/state/tenant/keys.json"
	ssh-keygen -q -t ed25519 -N '' -C bench -f "$1/key"
	ssh-keygen -q -t ed25519 -N '' -C bench -f "$1/ca"
}

# As many requests as there will be runs, each with a token of its own.
requests() {
	n=0
	while [ "$n" -le "$rounds" ]; do
		"$b/test/tools/mktoken" token 1 \
		    c2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa alice@contoso.com \
		    ",\"n\":$n" >"$mem/token"
		"$b/test/tools/ask" -w "$1/request.$n" sign \
		    "key=$1/key.pub" "token=@$mem/token" context=bench
		n=$((n + 1))
	done
}

cases() { # WHERE
	cat <<-END
	ssh-keygen -s, $1${tab}ssh-keygen -s, $1${tab}-${tab}/usr/bin/ssh-keygen${tab}-q${tab}-s${tab}$2/ca${tab}-I${tab}id${tab}-n${tab}alice@web,alice@db${tab}-V${tab}+8h${tab}$2/key.pub
	a request to the signer, $1${tab}ssh-keygen -s, $1${tab}yes${tab}<$2/request${tab}$b/aadssh-ca-signer${tab}-f${tab}$2/ca.conf
	END
}

for where in "$disk" "$mem"; do
	authority "$where"
	requests "$where"
done
{
	printf '/bin/true\t/bin/true\t-\t/bin/true\n'
	cases tmpfs "$mem"
	cases disk "$disk"
} >"$mem/cases"
"$b/test/bench/bench" "$rounds" <"$mem/cases" >"$mem/times"

# A certificate that is fresh: nothing to do.
"$b/test/tools/mktoken" token 1 >"$mem/token"
"$b/test/tools/ask" sign "key=$mem/key.pub" "token=@$mem/token" context=bench \
    -- "$b/aadssh-ca-signer" -f "$mem/ca.conf" |
    sed -n 's/^certificate //p' >"$mem/key-cert.pub"
{
	printf '/bin/true\t/bin/true\t-\t/bin/true\n'
	printf 'sign --if-needed, fresh\t/bin/true\tno\t%s\t-f\t%s\tsign\t--key\t%s\t--if-needed\n' \
	    "$b/aadssh-ca" "$mem/ca.conf" "$mem/key.pub"
} >"$mem/cases"
"$b/test/bench/bench" "$rounds" <"$mem/cases" | tail -n 1 >>"$mem/times"
"$b/test/bench/sign" "$seconds" >"$mem/rates"

# ---- revocation lists ------------------------------------------------------
seconds_of() { # COMMAND...: wall time
	from=$(date +%s%N)
	"$@" >"$mem/out" 2>&1 || { cat "$mem/out" >&2; return 1; }
	echo $((($(date +%s%N) - from) / 1000))
}
ours() {
	"$b/test/tools/mkkrl" <"$mem/ours.spec" >"$mem/ours.krl"
}
theirs() {
	ssh-keygen -q -k -f "$mem/them.krl" -s "$mem/ca.pub" "$mem/theirs.spec"
}
asked() { # KRL: exit 1 is "revoked"
	ssh-keygen -Q -f "$mem/$1.krl" "$mem/key-cert.pub" || [ $? -eq 1 ]
}
# NB. both names are as long: a longer one would be more work.
instructions() { # KRL
	valgrind --tool=callgrind --callgrind-out-file="$mem/callgrind" \
	    ssh-keygen -Q -f "$mem/$1.krl" "$mem/key-cert.pub" \
	    >/dev/null 2>"$mem/valgrind" || [ $? -eq 1 ]
	sed -n 's/.*Collected : *\([0-9]*\).*/\1/p' "$mem/valgrind"
}
# Random serials of 63 bits, the same in every run.
awk -v n="$serials" 'BEGIN { srand(1)
    for (i = 0; i < n; i++)
	printf "%.0f\n", int(rand() * 4294967296) * 2147483648 + \
	    int(rand() * 2147483647) + 1 }' >"$mem/serials"
{
	echo "ca $mem/ca.pub"
	sed 's/^/serial /' "$mem/serials"
} >"$mem/ours.spec"
sed 's/^/serial: /' "$mem/serials" >"$mem/theirs.spec"
n=0
while [ "$n" -lt "$krl_rounds" ]; do
	echo "theirs $(seconds_of theirs)"
	echo "ours $(seconds_of ours)"
	echo "theirs_asked $(seconds_of asked them)"
	echo "ours_asked $(seconds_of asked ours)"
	n=$((n + 1))
done >"$mem/krl"
{
	echo "theirs_size $(stat -c %s "$mem/them.krl")"
	echo "ours_size $(stat -c %s "$mem/ours.krl")"
	echo "theirs_work $(instructions them)"
	echo "ours_work $(instructions ours)"
} >>"$mem/krl"

awk -F "$tab" -v serials="$serials" -f test/bench/certs.awk "$mem/rates" \
    "$mem/times" "$mem/krl"
