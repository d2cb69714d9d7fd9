#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: what the hook, a login and a sign-in cost, as ratios in one run.
# Prints one table, keeps it as docs/bench.md, and exits 1 when a limit is
# broken.
#
# ROUNDS (300) interleaved runs of each command; SSH_ROUNDS (150) of a login
# through sshd; CROWD (1000000) record names over 1000 logins; LOGINS (10)
# sign-ins; SIGNINS ("500 5000"): how many are checked live by one refresh.
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
rounds=${ROUNDS:-300} ssh_rounds=${SSH_ROUNDS:-150} crowd=${CROWD:-1000000} logins=${LOGINS:-10}
signins=${SIGNINS:-500 5000}
tab=$(printf '\t')

dir=$(mktemp -d)
# /run is in memory, and so are the offers.
run=$(mktemp -d -p /dev/shm)
server=
quit() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || :
	rm -rf "$dir" "$run"
}
trap quit EXIT
trap 'exit 130' INT TERM

say() {
	echo "bench: $*" >&2
}

# ---- what the commands work on ----------------------------------------------
top=$(pwd -P)
mkstate=$top/$B/test/tools/mkstate
hook=$top/$B/aadssh-authkeys
shared=$top/$B/shared/aadssh-authkeys
bin=$top/$B/test/bench

# state NAME OPTION...: a scratch installation; its arguments in NAME.args,
# parted by tabs.
state() {
	name=$1
	shift
	"$mkstate" "$dir/$name" "$@" 2>>"$dir/log" >"$dir/lines"
	mv "$dir/$name/run" "$run/$name"
	sed -i "s|^run = .*|run = $run/$name|" "$dir/$name/aadssh.conf"
	paste -s -d "$tab" "$dir/lines" >"$dir/$name.args"
}

say "making a host with $crowd record names"
state plain --size 2300 --keys 6
state groups --size 2300 --keys 6 --groups 200
state crowd --size 2300 --keys 6
"$mkstate" "$dir/crowd" --crowd 1000 "$crowd"
state other

yes=$(cat "$dir/plain.args")
# A login that nobody signed in for, with a key that is known elsewhere.
no_record=$(echo "$yes" | sed "s/${tab}alice${tab}/${tab}bob${tab}/")
# A login with a record, and another key.
wrong_key=$(echo "$yes" | cut -f 1-4)$tab$(cut -f 5- "$dir/other.args")

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$dir/tls.key" \
    -out "$dir/tls.pem" -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost 2>>"$dir/log"
cut -f 5- "$dir/plain.args" >"$dir/answer"
# A port that nobody holds: the server is asked which it got.
(cd "$dir" && exec openssl s_server -accept localhost:0 -cert tls.pem \
    -key tls.key -WWW >server.log 2>&1) &
server=$!
port=
for _ in 1 2 3 4 5 6 7 8 9 10; do
	port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$dir/server.log")
	[ -z "$port" ] || break
	sleep 0.3
done
[ -n "$port" ] || { cat "$dir/server.log" >&2; exit 1; }

# ---- the runs ---------------------------------------------------------------
# NAME, BASE, ANSWER, COMMAND
cat >"$dir/cases" <<END
/bin/true${tab}/bin/true${tab}-${tab}/bin/true
floor, no libc${tab}/bin/true${tab}-${tab}$bin/floor
yes${tab}/bin/true${tab}yes${tab}$hook${tab}$yes
no, no record${tab}/bin/true${tab}no${tab}$hook${tab}$no_record
no, wrong key${tab}/bin/true${tab}no${tab}$hook${tab}$wrong_key
yes, 200 groups${tab}yes${tab}yes${tab}$hook${tab}$(cat "$dir/groups.args")
yes, $crowd records${tab}yes${tab}yes${tab}$hook${tab}$(cat "$dir/crowd.args")
yes (shared)${tab}/bin/true${tab}yes${tab}$shared${tab}$yes
no, no record (shared)${tab}/bin/true${tab}no${tab}$shared${tab}$no_record
no, wrong key (shared)${tab}/bin/true${tab}no${tab}$shared${tab}$wrong_key
END
# Apart from the others: its megabytes would cool the caches for all of them.
cat >"$dir/peers" <<END
/bin/true${tab}/bin/true${tab}-${tab}/bin/true
a fetch over TLS on loopback${tab}/bin/true${tab}yes${tab}$bin/fetch${tab}https://localhost:$port/answer${tab}$dir/tls.pem
END

say "$rounds interleaved rounds"
"$bin/bench" "$rounds" "$run/plain/offers" <"$dir/cases" >"$dir/times"
"$bin/bench" "$rounds" <"$dir/peers" | tail -n 1 >>"$dir/times"

# The ratio of the medians, and no peak, which would be the client's.
say "$ssh_rounds interleaved rounds of logins through sshd"
test/e2e/sandbox.sh sh -eu /src/test/bench/sshd.sh "$ssh_rounds" >"$dir/sshd" ||
    { cat "$dir/sshd" >&2; exit 1; }
awk -F "$tab" -v OFS="$tab" 'NR == 1 { base = $2 }
    { print $1, $2, sprintf("%.3f", $2 / base), "" }' "$dir/sshd" \
    >>"$dir/times"

# instructions NAME: of its command, from start to end.
instructions() {
	sed -n "s|^$1$tab[^$tab]*$tab[^$tab]*$tab||p" "$dir/cases" | tr '\t' '\n' |
	    sed "s|^$hook$|$bin/hook|; s|^$shared$|$top/$B/shared/test/bench/hook|" |
	    xargs -d '\n' valgrind --tool=callgrind \
	    --callgrind-out-file="$dir/callgrind" >/dev/null 2>"$dir/valgrind"
	sed -n 's/.*Collected : *\([0-9]*\).*/\1/p' "$dir/valgrind"
}

say 'instructions'
for name in /bin/true yes 'no, no record' 'no, wrong key' 'yes, 200 groups' \
    'yes (shared)' 'no, no record (shared)'; do
	echo "$name$tab$(instructions "$name")"
done >"$dir/instructions"

say "$logins sign-ins"
node test/bench/login.mjs "$top/$B/aadssh" "$dir" "$logins" |
    tr ' ' '\n' | awk '{ v[NR] = $1 }
	END { print int(NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }' \
    >"$dir/stored"

say "refreshes of $signins sign-ins"
# shellcheck disable=SC2086 # numbers are words
node test/bench/refresh.mjs "$top/$B/aadssh" "$top/$B/test/tools/mksignins" \
    "$dir" $signins >"$dir/refreshes"

say 'certificates and revocation lists'
test/bench/certs.sh >"$dir/certs"

# ---- the table --------------------------------------------------------------
{
	cat <<END
# What it costs

Made by \`make bench\` on $(uname -s) $(uname -r | sed 's/-.*//') $(uname -m), $(getconf _NPROCESSORS_ONLN) cores, $(${CC:-gcc} --version | head -n 1).
Each command was started $rounds times, interleaved with all others. A ratio is the median over the rounds of
two runs of the same round, so it holds on a slower machine too; the microseconds do not. Instructions are
callgrind's, in user space, with the seccomp filter left out. The token has 2.3 kB, there are 6 tenant keys.
"shared" is the hook built with \`HOOK_LIBS=shared\`. A login is \`ssh ... true\` from start to end, $ssh_rounds times by
each way, interleaved, in a sandbox: the same sshd, the same PAM stack but for our lines; their ratio is that of the
medians.

END
	awk -F "$tab" -v crowd="$crowd" -f test/bench/table.awk \
	    "$dir/instructions" "$dir/stored" "$dir/times"
	awk -F "$tab" -f test/bench/refresh.awk "$dir/refreshes"
	echo
	cat "$dir/certs"
	cat <<'END'

The floor is a program without libc that only ends: what no process can beat. The fetch is for orientation: one
GET with libcurl and one trusted certificate, to a server on the same machine, without which no helper that asks
a server for each key can do. The live check is limited here by the test provider, which signs two tokens for
each answer on the same cores; its own share is the CPU time. Google's `google_authorized_keys` and other helpers: not run.

A request to the signer is one process from start to end, with a fresh token in hand: the token verified, two rows in
the ledger, each on the disk before the next step, the certificate signed and verified; `ssh-keygen -s` waits for no disk.
END
} >"$dir/bench.md"
cp "$dir/bench.md" docs/bench.md
cat "$dir/bench.md"
! grep -q 'BROKEN' "$dir/bench.md"
