#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: the signer as a program: what a stranger or a broken caller sends,
# what it inherits, what it answers and how it ends, on a scratch authority of
# this user.  Needs no root and no network.  Ends with "signer: N passed, N
# failed, N skipped".
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
case $B in /*) ;; *) B=$(pwd -P)/$B ;; esac
signer=$B/aadssh-ca-signer
ask=$B/test/tools/ask
mktoken=$B/test/tools/mktoken
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
passed=0 failed=0 skipped=0

ok() {
	printf 'ok - %s\n' "$1"
	passed=$((passed + 1))
}

fail() { # TITLE WHY
	printf 'not ok - signer: %s\n    %s\n' "$1" "$2"
	sed 's/^/    /' "$dir/out" | cut -c 1-200
	failed=$((failed + 1))
}

# answers TITLE STATUS REGEX COMMAND...: one line of what it prints is of the
# form ('': any), and it ends so.
answers() {
	title=$1 want=$2 regex=$3
	shift 3
	status=0
	"$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	if [ "$status" -ne "$want" ]; then
		fail "$title" "exit $status, not $want"
	elif [ -n "$regex" ] && ! grep -Eq -e "$regex" "$dir/out"; then
		fail "$title" "nothing like $regex"
	else
		ok "$title"
	fi
}

# is TITLE COMMAND...: the command succeeds.
is() {
	title=$1
	shift
	if "$@" >"$dir/out" 2>&1; then
		ok "$title"
	else
		fail "$title" "exit $?"
	fi
}

# ---- a scratch authority ---------------------------------------------------
umask 022
conf=$dir/ca.conf
cat >"$conf" <<END
[idp]
tenant = 5e1f0c3a-7d42-4b19-8c55-0a9be2d41f77
client_id = b7a4c9d2-31e6-4f08-9d2b-6c5f1e0a83d4
authority = https://login.example.test
[state]
dir = $dir/state
run = $dir/run
[ca]
per_peer = 2
certs_per_hour = 1000
[map]
domain = contoso.com
require = role:ssh.user
hosts = *
[login deploy]
allow = role:ssh.user
hosts = web
END
s() { # OPTIONS... OP FIELDS...: ask the signer
	"$ask" "$@" -- "$signer" -f "$conf"
}
token() { # SECONDS-AGO: one that there was never before
	"$mktoken" token "$1" c2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa \
	    alice@contoso.com ",\"n\":\"$(date +%s%N)\""
}
ledger() {
	sha256sum <"$dir/state/ledger/ledger.db"
}

ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/id" </dev/null
ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/id2" </dev/null
key=$dir/id.pub
answers 'without an authority a key is not looked at' 3 '^end 3 no_ca' \
    s sign key="$key" token=x
ssh-keygen -q -t ed25519 -N '' -C '' -f "$dir/recovery" </dev/null
answers 'init without a recovery key' 1 '^end 1 request_malformed' s init
answers 'init' 0 '^end 0 allowed' s init key="$dir/recovery.pub"
answers 'init again changes nothing' 1 '^end 1 ca_exists' \
    s init key="$dir/recovery.pub"
mkdir -p "$dir/state/tenant"
good=$(token 5)
answers 'no tenant keys' 3 '^end 3 no_tenant_keys' s sign key="$key" token="$good"
"$mktoken" keys >"$dir/state/tenant/keys.json"

# ---- what it is for -----------------------------------------------------------
answers 'a certificate over a pipe' 0 '^certificate ssh-ed25519-cert' \
    s sign key="$key" token="$good" context=via=test
answers 'the same again over the socket' 0 '"again":true' \
    s -s sign key="$key" token="$good" context=via=test
answers 'I-C18 the same token for another key' 1 '^end 1 token_used' \
    s -s sign key="$dir/id2.pub" token="$good"
answers 'ssh-keygen reads it' 0 'user certificate' sh -c "
	'$ask' sign key='$key' token='$good' context=via=test \
	    -- '$signer' -f '$conf' | sed -n 's/^certificate //p' >'$dir/c.pub'
	ssh-keygen -L -f '$dir/c.pub'"
answers 'a dry run' 0 '"dry_run":true' s -s sign key="$key" \
    token="$(token 6)" dry_run
answers 'a certificate of a host' 0 '^certificate ssh-ed25519-cert' \
    s sign_host key="$dir/id2.pub" name=web.example.org
answers 'an old token' 1 '^end 1 token_age' s -s sign key="$key" \
    token="$(token 700)"
"$mktoken" keys 90000 >"$dir/state/tenant/keys.json"
answers 'old tenant keys' 1 '^end 1 tenant_keys_stale' \
    s sign key="$key" token="$good"
"$mktoken" keys | sed 's/forged-key-1/forged-key-2/' \
    >"$dir/state/tenant/keys.json"
answers 'a key that is not there yet is no definite no' 3 \
    '^end 3 unknown_kid .*refresh --keys-only' s -s sign key="$key" token="$good"
"$mktoken" keys >"$dir/state/tenant/keys.json"
chmod 0666 "$dir/state/tenant/keys.json"
answers 'tenant keys that others can write' 3 '^end 3 tenant_keys_unreadable' \
    s sign key="$key" token="$good"
chmod 0644 "$dir/state/tenant/keys.json"

# ---- what is no request -----------------------------------------------------
fresh=$(token 7)
before=$(ledger)
s -w "$dir/message" sign key="$key" token="$fresh"
size=$(stat -c %s "$dir/message")
for cut in 0 1 8 15 16 17 19 100 $((size - 1)); do
	head -c "$cut" "$dir/message" >"$dir/cut"
	answers "I-C17 $cut bytes of a request, by a pipe" 1 \
	    '^end 1 request_malformed the request ended' s -r "$dir/cut" raw
	answers "I-C17 $cut bytes of a request, by a socket" 1 \
	    '^end 1 request_malformed the request ended' s -s -r "$dir/cut" raw
done
answers 'II-C17 two requests, by a pipe' 1 \
    '^end 1 request_malformed something stands behind' \
    s -n 2 sign key="$key" token="$fresh"
answers 'II-C17 two requests, by a socket' 1 \
    '^end 1 request_malformed something stands behind' \
    s -s -n 2 sign key="$key" token="$fresh"
cat "$dir/message" >"$dir/junk" && printf x >>"$dir/junk"
answers 'I-C17 a byte behind the request' 1 '^end 1 request_malformed' \
    s -r "$dir/junk" raw
for junk in 'GET / HTTP/1.1\r\n\r\n' 'aadssh2\n\0\0\0\1\0\0\0\0' \
    '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' 'aadssh1\n\0\0\0\1\377\377\377\377' \
    'aadssh1\n\0\0\0\1\0\2\0\1' 'aadssh1\n\377\377\377\377\0\0\0\0' \
    'aadssh1\n\0\0\0\1\0\0\0\6\0\1\377\377\377\377' \
    'aadssh1\n\0\0\0\1\0\0\0\6\0\0\0\0\0\0' \
    'aadssh1\n\0\0\0\1\0\0\0\6\0\34\0\0\0\0'; do
	# shellcheck disable=SC2059
	printf "$junk" >"$dir/junk"
	answers "I-C17 $junk" 1 '^end 1 request_malformed' s -s -r "$dir/junk" raw
done
for op in 0 2 15 31 63 64 65 66 67; do
	answers "I-D8 a message of type $op" 1 '^end 1 request_malformed' s $op
	answers "I-D8 a message of type $op, by a stranger" 1 \
	    '^end 1 request_refused' s -s $op
done
answers 'I-C16 no token' 1 '^end 1 request_malformed a field is missing' \
    s -s sign key="$key"
answers 'I-C16 an empty token' 1 '^end 1 token_size' s -s sign key="$key" token=
answers 'I-C16 no key' 1 '^end 1 request_malformed' s -s sign token="$fresh"
answers 'a login with a line feed' 1 '^end 1 request_malformed' \
    s -s sign key="$key" token="$fresh" login='alice
bob'
answers 'fields out of order' 1 '^end 1 request_malformed' \
    s -s sign token="$fresh" key="$key"
for field in oid=c2f8a1d6-49b3-4e70-b1f2-83d75c60e9aa \
    user=alice@contoso.com name=web.example.org serial=1 json='{}'; do
	answers "II-C15 nobody says who it is for: ${field%%=*}" 1 \
	    '^end 1 request_malformed a field has no place' \
	    s -s sign key="$key" token="$fresh" "$field"
done

# ---- what a stranger can't ask -------------------------------------------------
while read -r op fields; do
	# shellcheck disable=SC2086
	answers "I-C15 a stranger asks for $op" 1 '^end 1 request_refused' \
	    s -s $op $fields
done <<END
init
sign_host key=$key name=web.example.org
list
verify
keys
revoke user=alice@contoso.com text=x
unrevoke user=alice@contoso.com text=x
krl
rotate
stage
commit version=1
backup
restore secret=x length=1
check
rotate_bundle
END
if [ "$before" = "$(ledger)" ]; then
	ok 'II-C13 none of all this left a row'
else
	fail 'II-C13 none of all this left a row' 'the ledger has changed'
fi

# ---- how often, how long --------------------------------------------------------
head -c 20 "$dir/message" >"$dir/cut"
start=$(date +%s)
s -s -k -r "$dir/cut" raw >"$dir/silent1" 2>&1 &
one=$!
s -s -k -r "$dir/cut" raw >"$dir/silent2" 2>&1 &
two=$!
tries=0
until [ "$(find "$dir/state/locks" -name 'peer-*' | wc -l)" -eq 2 ] ||
    [ $tries -eq 300 ]; do
	sleep 0.1
	tries=$((tries + 1))
done
answers 'II-C17 more at once than per_peer' 3 '^end 3 signer_busy' \
    s -s sign key="$key" token="$fresh"
answers 'II-C17 that is no bound of our own' 0 '^end 0 allowed' \
    s sign key="$key" token="$(token 8)"
pid=$(pgrep -f "^$signer -f $conf" | head -n 1)
is 'I-C22 it can get no new privileges' \
    grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$pid/status"
is 'I-C22 and leaves no core' \
    grep -Eq '^Max core file size +0 +0' "/proc/$pid/limits"
wait $one $two
took=$(($(date +%s) - start))
cp "$dir/silent1" "$dir/out"
if grep -q '^end 1 request_malformed no whole request' "$dir/silent1" &&
    grep -q '^end 1 request_malformed no whole request' "$dir/silent2" &&
    [ $took -ge 9 ] && [ $took -le 60 ]; then
	ok 'II-C17 who says nothing is sent away'
else
	fail 'II-C17 who says nothing is sent away' "after $took s"
fi
answers 'II-C17 and the place is free again' 0 '^end 0 allowed' \
    s -s sign key="$key" token="$(token 9)"

# ---- many at once ----------------------------------------------------------------
n=0
while [ $n -lt 10 ]; do
	n=$((n + 1))
	s sign key="$key" token="$(token 10)" ttl=$((600 + n)) \
	    >"$dir/many.$n" 2>&1 &
done
wait
cat "$dir"/many.* >"$dir/out"
if [ "$(grep -c '^end 0 allowed' "$dir/out")" -eq 10 ] &&
    [ "$(grep -o '"serial":"[0-9]*"' "$dir/out" | sort -u | wc -l)" -eq 10 ]; then
	ok 'II-S4 ten at once, each its own certificate'
else
	fail 'II-S4 ten at once, each its own certificate' "$(date)"
fi

# ---- what it inherits -------------------------------------------------------------
limited() { # PRLIMIT-OPTION...: the request never ends, and isn't read
	"$ask" -k -r /dev/null raw -- /usr/bin/prlimit "$@" "$signer" -f "$conf"
}
before=$(ledger)
for limit in --fsize=0 --fsize=1000000:unlimited --nofile=16 --as=200000000; do
	answers "II-C13 $limit" 3 '^end 3 limits' limited $limit
done
is 'and it is said on stderr, too' grep -q limits "$dir/err"
is 'II-C13 and leaves no row' [ "$before" = "$(ledger)" ]

closed() { # REDIRECTION: run with a descriptor closed
	"$ask" -w "$dir/one" sign key="$key" token="$(token 12)" ttl=$((700 + $2))
	eval "\"$signer\" -f \"$conf\" <\"$dir/one\" $1"
}
answers 'no stdin' 1 '' closed '<&-' 0
answers 'no stdout: done all the same' 0 '' closed '>&-' 1
answers 'no stderr' 0 '' closed '2>&-' 2
answers 'nothing at all' 1 '' closed '<&- >&- 2>&-' 3
masked() (
	umask 0777
	cd / || return
	exec 7<"$conf" 8>"$dir/eight"
	s "$@"
)
answers 'descriptors, umask and directory of the caller' 0 '^end 0 allowed' \
    masked sign key="$key" token="$(token 13)"
is 'nothing was written to a descriptor that was open' [ ! -s "$dir/eight" ]
hostile() {
	env -i PATH=/nonexistent HOME=/nonexistent TMPDIR=/nonexistent \
	    SQLITE_TMPDIR=/nonexistent TZ=/etc/passwd TZDIR=/tmp \
	    LANG=tr_TR.UTF-8 LC_ALL=tr_TR.UTF-8 SSH_AUTH_SOCK=/nonexistent \
	    MALLOC_CHECK_=3 AADSSH_CONF=/tmp/x SQLITE_HISTORY=/tmp/x \
	    "$ask" sign key="$key" token="$(token 14)" -- "$signer" -f "$conf"
}
answers 'a hostile environment' 0 '^end 0 allowed' hostile
ignored() {
	"$ask" sign key="$key" token="$(token 15)" -- /usr/bin/env \
	    --ignore-signal=ALRM --block-signal "$signer" -f "$conf"
}
answers 'signals that are ignored or blocked' 0 '^end 0 allowed' ignored

# ---- who goes away ---------------------------------------------------------------
away=$(token 16)
answers 'II-O11 a caller that goes away, pipe' 0 '^exit 0' \
    s -g sign key="$key" token="$away" ttl=800
answers 'and its certificate is in the ledger' 0 '"again":true' \
    s sign key="$key" token="$away" ttl=800
answers 'II-O11 a caller that goes away, socket' 0 '^exit 0' \
    s -s -g sign key="$key" token="$away" ttl=801
answers 'and this one, too' 0 '"again":true' \
    s sign key="$key" token="$away" ttl=801

# ---- arguments and configuration ---------------------------------------------------
for args in '' '-f' "$conf" "-f $conf x" "-x $conf" "-f $conf -f $conf"; do
	# shellcheck disable=SC2086
	answers "usage: \"$(echo "$args" | sed "s|$dir|DIR|g")\"" 2 '' "$signer" $args
done
broken() { # OPTION: a request that the configuration in $dir/bad.conf gets
	"$ask" $1 sign key="$key" token="$good" -- "$signer" -f "$dir/bad.conf"
}
answers 'a configuration that is not there' 3 '^end 3 config' broken ''
echo '[nonsense]' >"$dir/bad.conf"
answers 'a mistake in it, with its line' 3 '^end 3 config .*bad.conf:1:' broken ''
answers 'II-S5 a stranger does not hear which' 3 \
    '^end 3 config its log on the host' broken -s
sed '/^\[ca\]/,/^certs/d' "$conf" >"$dir/bad.conf"
answers 'no section [ca]' 3 '^end 3 config' broken ''
sed '/^hosts/d' "$conf" >"$dir/bad.conf"
answers 'logins without hosts' 3 '^end 3 config' broken ''
cp "$conf" "$dir/bad.conf"
chmod 0666 "$dir/bad.conf"
answers 'one that others can write' 3 '^end 3 config' broken ''
chmod 0775 "$dir/state"
answers 'II-C18 a state directory that others can write' 3 '^end 3 state_owner' \
    s sign key="$key" token="$good"
chmod 0755 "$dir/state"
chmod 0644 "$dir/state/ledger/ledger.db"
answers 'II-C18 a ledger that others can read' 3 '^end 3 ledger' \
    s sign key="$key" token="$good"
chmod 0600 "$dir/state/ledger/ledger.db"
chmod 0640 "$dir/state/keys"/*.key
answers 'II-C18 keys that others can read' 3 '^end 3 ca_key' \
    s sign key="$key" token="$(token 17)"
answers 'II-S5 a stranger does not hear why' 3 '^end 3 ca_key its log' \
    s -s sign key="$key" token="$(token 17)"
chmod 0600 "$dir/state/keys"/*.key
if [ "$(id -u)" -eq 0 ]; then
	chown 65534 "$dir/state"
	answers 'II-C18 a state directory of another user' 3 '^end 3 state_owner' \
	    s sign key="$key" token="$good"
	chown 0 "$dir/state"
	chown 65534 "$dir/state/tenant/keys.json"
	answers "II-C18 tenant keys that are not their directory's owner's" 3 \
	    '^end 3 tenant_keys_unreadable' s sign key="$key" token="$good"
	chown 65534 "$dir/state/tenant"
	answers 'that whose both are is nothing to us' 0 '^certificate' \
	    s sign key="$key" token="$(token 21)"
	chown 0 "$dir/state/tenant" "$dir/state/tenant/keys.json"
else
	echo 'skip - a state directory of another user: needs root'
	echo 'skip - tenant keys of another user: needs root'
	skipped=$((skipped + 2))
fi

# ---- what hosts are told ------------------------------------------------------------
sed "s|$dir/state|$dir/state3|" "$conf" >"$dir/told.conf"
t() {
	"$ask" "$@" -- "$signer" -f "$dir/told.conf"
}
publish() { # stage it, and switch to it
	t stage >"$dir/staged" &&
	    t commit version="$(sed -n 's/.*"version":\([0-9]*\).*/\1/p' \
		"$dir/staged")"
}
listed() { # whether the current list revokes the key's last certificate
	ssh-keygen -Q -l -f "$dir/state3/public/current/krl" \
	    "$dir/short.pub" | tail -n 1
}
answers 'an authority to tell of' 0 '^end 0 allowed' \
    t init key="$dir/recovery.pub"
mkdir -p "$dir/state3/tenant"
"$mktoken" keys >"$dir/state3/tenant/keys.json"
answers 'it publishes' 0 '^end 0 allowed' publish
t sign key="$key" token="$(token 21)" ttl=2 |
    sed -n 's/^certificate //p' >"$dir/short.pub"
cp "$dir/state3/ledger/ledger.db" "$dir/older.db"
sleep 3
answers 'II-C4 what ended just now is revoked all the same' 0 \
    '"revoked":1,' t revoke user=alice@contoso.com text="$(printf 'no\374')"
answers 'it publishes that' 0 '^end 0 allowed' publish
answers 'II-C4 and stays listed, for hosts whose clock is behind' 0 \
    ': REVOKED$' listed
cp "$dir/state3/ledger/ledger.db" "$dir/newer.db"
cat "$dir/older.db" >"$dir/state3/ledger/ledger.db"
for op in stage rotate; do
	answers "II-R5 $op: an older ledger makes no older list" 3 \
	    '^end 3 ledger_altered .* knows a row' t $op
done
answers 'II-R5 nor does a version that was staged before' 3 \
    '^end 3 ledger_altered .* knows a row' t commit version=2
answers 'II-R5 and check says so' 3 'knows a row' t check
n=0
while [ $n -lt 12 ]; do # rows, so that it is longer than what was published
	n=$((n + 1))
	t sign_host key="$dir/id2.pub" name=web.example.org >/dev/null
done
answers 'II-R5 not even when it grows longer' 3 \
    '^end 3 ledger_altered .* knows a row' t stage
answers 'II-R5 what was listed is' 0 ': REVOKED$' listed
cat "$dir/newer.db" >"$dir/state3/ledger/ledger.db"
answers 'and with the right ledger it goes on' 0 '^end 0 allowed' publish

mkdir -p "$dir/above/between"
sed "s|^\[ca\]|[ca]\npublish_dir = $dir/above/between/public|
    s|$dir/state|$dir/state4|" "$conf" >"$dir/above.conf"
above() {
	"$ask" "$@" -- "$signer" -f "$dir/above.conf"
}
answers 'an authority that publishes elsewhere' 0 '^end 0 allowed' \
    above init key="$dir/recovery.pub"
answers 'II-P13 with sound directories above' 3 'owners and modes are right' \
    above check
chmod 0777 "$dir/above"
answers 'II-P13 one above that others can write is told of' 3 \
    '"ok":false.*above, which holds .*/public, can be written' above check
chmod 01777 "$dir/above"
answers 'II-P13 a sticky one is not' 3 'owners and modes are right' above check

# ---- a key in an agent --------------------------------------------------------------
eval "$(ssh-agent -a "$dir/agent" 2>/dev/null)" >/dev/null
ssh-keygen -q -t ecdsa -N '' -C '' -f "$dir/ca" </dev/null
ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f "$dir/hostca" </dev/null
SSH_AUTH_SOCK=$dir/agent ssh-add -q "$dir/ca" "$dir/hostca" 2>/dev/null
sed "s|^\[ca\]|[ca]\nbackend = agent:$dir/agent|; s|$dir/state|$dir/state2|" \
    "$conf" >"$dir/agent.conf"
a() {
	"$ask" "$@" -- "$signer" -f "$dir/agent.conf"
}
answers 'an authority whose keys an agent holds' 0 '^end 0 allowed' \
    a init key="$dir/recovery.pub" user_ca="$dir/ca.pub" \
    host_ca="$dir/hostca.pub"
mkdir -p "$dir/state2/tenant"
"$mktoken" keys >"$dir/state2/tenant/keys.json"
answers 'ECDSA signs for people' 0 '^certificate' \
    a -s sign key="$key" token="$(token 18)"
answers 'RSA signs for hosts' 0 '^certificate' \
    a sign_host key="$key" name=web.example.org
sed -n 's/^certificate //p' "$dir/out" >"$dir/h.pub"
answers 'I-C23 with SHA-2' 0 'rsa-sha2-512' ssh-keygen -L -f "$dir/h.pub"
ssh-keygen -q -t ecdsa -N '' -C '' -f "$dir/next" </dev/null
SSH_AUTH_SOCK=$dir/agent ssh-add -q "$dir/next" 2>/dev/null
answers 'users and hosts never have the same key' 3 \
    '^end 3 ca_key users and hosts' \
    a rotate user_ca="$dir/next.pub" host_ca="$dir/next.pub"
SSH_AUTH_SOCK=$dir/agent ssh-add -q -D 2>/dev/null
answers 'I-D9 an agent that has lost the key' 3 '^end 3 ca_agent' \
    a sign key="$key" token="$(token 19)"
kill "${SSH_AGENT_PID:-0}" 2>/dev/null
answers 'I-D9 an agent that is gone' 3 '^end 3 ca_agent' \
    a sign key="$key" token="$(token 20)"

echo "signer: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
