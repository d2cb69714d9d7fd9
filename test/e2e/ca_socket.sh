#!/bin/sh
# SPDX-License-Identifier: ISC
title="the signer's socket: who may ask, what, how often; and a signer that lies"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

A="aadssh-ca -f $CA_CONF"
SOCK=$CA_RUN/signer.sock
H=/home/alice/.ssh
CA_ALSO="per_peer = 2"
cd / || exit 1
stage_forged <<-END
	hosts = web
	[profile short]
	for = alice
	max_ttl = 10h
END
need start_signer_socket
need a_key alice id_ed25519 -t ed25519
need a_key alice other -t ed25519
need a_key bob id_ed25519 -t ed25519
PUB=$H/id_ed25519.pub
CERT=$H/id_ed25519-cert.pub

# The sign-in itself is not the matter here: a token is there at once.
cat >"$W/aadssh" <<-END
	#!/bin/sh
	printf %s "\$(cat $W/token)" >&3
END
need install -m 0755 "$W/aadssh" /opt/aadssh/bin/aadssh
sign() # ACCOUNT [ARGUMENT…]
{
	local account
	account=$1
	shift
	as "$account" aadssh-ca -f "$CA_CONF" sign "$@"
}
new_token()
{
	forged_token "$ALICE_OID" "$ALICE" >"$W/token"
}
ledger_rows()
{
	$A verify --json | sed -n 's/.*"rows":\([0-9]*\).*/\1/p'
}
message() # FILE OP FIELD…
{
	local file
	file=$1
	shift
	"$ASK" -w "$file" "$@"
}
# send FILE [hold|leave]: alice, to the socket; its answer is printed.
send()
{
	as alice node "$SRC/test/e2e/casock.mjs" "$SOCK" "$@" | tr '\0' ' '
}

# --- who ------------------------------------------------------------------------

need new_token
ok "a member of the group signs" sign alice
also "and has it" ssh-keygen -L -f "$CERT"
exits 3 "who is none does not" sign bob
also "which is said" has "$W/err" signer_unreachable
also "and why" has "$W/err" "only members of its group"
also "and nothing is stored" test ! -e /home/bob/.ssh/id_ed25519-cert.pub
for verb in list verify keys "revoke --serial 1 --reason x" \
    "unrevoke --user $ALICE" "krl --out -" "rotate --now" publish \
    "backup --out /home/alice/b" check \
    "sign-host --key $PUB --name web.example.test --out /home/alice/h"; do
	# shellcheck disable=SC2086
	status=0
	as alice $A $verb >"$W/said" 2>&1 || status=$?
	ok "II-C14 a member cannot ${verb%% *}" test "$status" -ne 0
	also "II-C14 ... by that reason: ${verb%% *}" \
	    has "$W/said" request_refused
done
cp "$CA_STATE/tenant/keys.json" "$W/keys.json"

# --- what ----------------------------------------------------------------------------

before=$(ledger_rows)
need new_token
need message "$W/good" sign key="$PUB" token="@$W/token" context=via=test
: >"$W/empty"
# Who says nothing is waited for while the rest goes on.
as alice node "$SRC/test/e2e/casock.mjs" "$SOCK" "$W/empty" hold \
    >"$W/silent" 2>"$W/silent.err" &
silent=$!
silent_from=$(date +%s)
head -c 100 "$W/good" >"$W/half"
ok "I-C16 half a request" send "$W/half"
also "I-C16 ... is none" has "$W/out" request_malformed
cat "$W/good" "$W/good" >"$W/two"
ok "I-C16 two requests" send "$W/two"
also "I-C16 ... are none" has "$W/out" request_malformed
need message "$W/m" revoke context=x serial=1 text=x
ok "I-C16 a revocation" send "$W/m"
also "I-C16 ... is not for strangers" has "$W/out" request_refused
need message "$W/m" rotate context=x now
ok "I-C16 rotation" send "$W/m"
also "I-C16 ... neither" has "$W/out" request_refused
need message "$W/m" sign key="$PUB" context=via=test
ok "I-C16 no token" send "$W/m"
also "I-C16 ... no certificate" has "$W/out" request_malformed
need message "$W/m" sign key="$PUB" token=x.y.z context=via=test
ok "I-C16 a token that is none" send "$W/m"
also "I-C16 ... no certificate" lacks "$W/out" cert-v01
head -c 200000 /dev/urandom >"$W/noise"
as alice node "$SRC/test/e2e/casock.mjs" "$SOCK" "$W/noise" \
    >"$W/out" 2>&1 || :
ok "noise is no request" lacks "$W/out" cert-v01
ok "I-C16 nothing of this left a row" test "$(ledger_rows)" -eq "$before"

# --- a caller that goes away --------------------------------------------------------

issued_more()
{
	[ "$($A list --json --valid | wc -l)" -gt "$certs" ]
}
certs=$($A list --json --valid | wc -l)
ok "a caller goes away" send "$W/good" leave
ok "its certificate is in the ledger" wait_for 30 issued_more
also "with both rows" test "$(ledger_rows)" -eq $((before + 2))
ok "who asks again with the same token gets it" send "$W/good"
also "that one" has "$W/out" '"again":true'
also "and no row more" test "$(ledger_rows)" -eq $((before + 2))

# --- how many at once ------------------------------------------------------------------

status=0
wait "$silent" || status=$?
ok "who says nothing is sent away" has "$W/silent" request_malformed
took=$(($(date +%s) - silent_from))
also "after a while" test "$took" -ge 8
holds=
for n in 1 2; do
	as alice node "$SRC/test/e2e/casock.mjs" "$SOCK" "$W/half" hold \
	    >"$W/hold.$n" 2>"$W/hold.$n.err" &
	holds="$holds $!"
done
both_held()
{
	[ "$(pgrep -u aadssh-ca -f "^$CA_SIGNER" | wc -l)" -eq 2 ] &&
	    grep -q sent "$W/hold.1.err" && grep -q sent "$W/hold.2.err"
}
ok "alice holds two lines" wait_for 5 both_held
sleep 0.3
need new_token
exits 3 "II-C17 a third has to wait" sign alice
also "II-C17 ... by that reason" has "$W/err" signer_busy
need sed -i 's/^aadssh-issue:.*/&,bob/' /etc/group
forged_token "$BOB_OID" "$BOB" >"$W/token"
ok "II-C17 bob is served meanwhile" sign bob
ok "II-C17 and the owner too" $A keys
need pkill -u alice -f casock.mjs
gone()
{
	! pgrep -u aadssh-ca -f "^$CA_SIGNER"
}
ok "they leave" wait_for 5 gone
need new_token
ok "II-C17 alice is served again" sign alice
flood()
{
	local n pids
	pids=
	for n in $(seq 12); do
		send "$W/good" >"$W/flood.$n" 2>&1 &
		pids="$pids $!"
	done
	for n in $pids; do
		wait "$n" || :
	done
}
flood
# NB. who is told to wait before he has said all may see the reset alone.
ok "II-C17 of twelve at once each is served or told to wait" test \
    "$(grep -Eal 'allowed|signer_busy|EPIPE|ECONNRESET' "$W"/flood.* | wc -l)" -eq 12
also "II-C17 ... and some are served" grep -q allowed "$W"/flood.*
ok "and the account is in order" $A verify

# --- no signer, another's ------------------------------------------------------------------

stop_signer_socket
exits 3 "no socket" sign alice
also "is said" has "$W/err" signer_unreachable
# Whoever made a socket there gets no token.
need chmod 0777 "$CA_RUN"
as carol systemd-socket-activate --accept --inetd -l "$SOCK" \
    sh -c "cat >/tmp/stolen" >/dev/null 2>&1 &
carol=$!
need wait_for 30 test -S "$SOCK"
chmod 0666 "$SOCK"
need new_token
exits 3 "a socket of somebody else's" sign alice
also "is not spoken to" has "$W/err" "who has no part in this"
also "and gets nothing" test ! -s /tmp/stolen
kill "$carol"
rm -f "$SOCK"
need chmod 0755 "$CA_RUN"

# --- a signer that lies ---------------------------------------------------------------------

# It reads the question and answers what lies in $W/answer.
cat >"$W/liar" <<-END
	#!/bin/sh
	cat >/dev/null
	exec cat $W/answer
END
chmod 0755 "$W/liar"
(
	umask 077
	exec setsid systemd-socket-activate --accept --inetd -l "$SOCK" \
	    "$W/liar"
) >/dev/null 2>&1 &
liar=$!
need wait_for 30 test -S "$SOCK"
need chgrp aadssh-issue "$SOCK"
need chmod 0660 "$SOCK"
hash=$(cut -d ' ' -f 2 "$CERT_CA" | base64 -d | sha256sum | cut -d ' ' -f 1)
OUR_CA=$CA_STATE/keys/$hash.key
cp "$OUR_CA" "$W/ca"
chmod 0600 "$W/ca"
ssh-keygen -y -f "$W/ca" >"$W/ca.pub"
need new_key foreign
cp "$CERT" "$W/before"

# told KEY [OPTION…]: what ssh-keygen makes of it with our authority's key is
# what the signer says.
answer() # FILE-cert.pub [CODE REASON]
{
	message "$W/a1" 65 key="$1" json='{"v":1}' &&
	    message "$W/a2" 67 text= json='{"v":1}' code="${2-0}" \
	    reason="${3-allowed}" && cat "$W/a1" "$W/a2" >"$W/answer"
}
made() # AUTHORITY KEY OPTION…
{
	local ca key
	ca=$1 key=$2
	shift 2
	cp "$key" "$W/lie.pub"
	ssh-keygen -q -s "$W/$ca" -I "oid=$ALICE_OID" -z 99 "$@" \
	    "$W/lie.pub" </dev/null
}
lied() # TITLE WORDS [ARGUMENT…]
{
	local lie words
	lie=$1 words=$2
	shift 2
	exits 3 "II-L9 $lie" sign alice --login alice --ttl 20m "$@"
	also "II-L9 ... is no reply: $lie" has "$W/err" signer_reply
	also "II-L9 ... which is said: $lie" has "$W/err" "$words"
	also "II-L9 ... and the file is as it was: $lie" cmp "$W/before" "$CERT"
}
lie() # TITLE WORDS AUTHORITY KEY OPTION…
{
	local title words ca key
	title=$1 words=$2 ca=$3 key=$4
	shift 4
	need made "$ca" "$key" "$@"
	need answer "$W/lie-cert.pub"
	lied "$title" "$words"
}
GOOD="-V -30s:+15m"
# shellcheck disable=SC2086
{
	lie "another key" "of another key" \
	    ca "$H/other.pub" -n alice@web $GOOD
	lie "another authority" "not published" \
	    foreign "$PUB" -n alice@web $GOOD
	lie "of a host" "the other type" \
	    ca "$PUB" -h -n alice@web $GOOD
	lie "one login more" "not asked for" \
	    ca "$PUB" -n alice@web,root@web $GOOD
	lie "another login" "not asked for" \
	    ca "$PUB" -n root@web $GOOD
	lie "any login" "not asked for" \
	    ca "$PUB" -n '*' $GOOD
	lie "no login" "not asked for" \
	    ca "$PUB" $GOOD
	lie "longer than asked" "longer than" \
	    ca "$PUB" -n alice@web -V -30s:+25m
	lie "for ever" "longer than" \
	    ca "$PUB" -n alice@web
	lie "ended already" "has ended" \
	    ca "$PUB" -n alice@web -V -2m:-1m
	lie "of yesterday on" "another time than now" \
	    ca "$PUB" -n alice@web -V -1d:+15m
	lie "of tomorrow on" "another time than now" \
	    ca "$PUB" -n alice@web -V +5m:+10m
	lie "an option that nobody knows" "nobody knows" \
	    ca "$PUB" -n alice@web $GOOD \
	    -O critical:x@example.test=y
	need made ca "$PUB" -n alice@web $GOOD
	need answer "$W/lie-cert.pub"
	lied "without the addresses asked for" "without the source" --source-address 192.0.2.0/24
	need made ca "$PUB" -n alice@web $GOOD -O source-address=192.0.0.0/16
	need answer "$W/lie-cert.pub"
	lied "with wider addresses" "wider than" --source-address 192.0.2.0/24
	need made ca "$PUB" -n alice@web $GOOD
}
# A byte of its signature, the last of the line.
need sh -c 'read -r t b c <"$1" && printf "%s %s\n" "$t" \
    "$(echo "$b" | base64 -d | sh -c "head -c -1; printf X" | base64 -w 0)" \
    >"$2"' - "$W/lie-cert.pub" "$W/bad-cert.pub"
cp "$W/lie-cert.pub" "$W/true-cert.pub"
need answer "$W/bad-cert.pub"
lied "with a bad signature" "signature"
need answer "$W/true-cert.pub"
cat "$W/a1" "$W/a1" "$W/a2" >"$W/answer"
lied "two certificates" "nobody asked for"
cp "$W/a2" "$W/answer"
lied "done, and no certificate" "without a certificate"
cp "$W/a1" "$W/answer"
lied "a certificate, and no end" "in its middle"
cat "$W/a1" "$W/a2" "$W/a2" >"$W/answer"
lied "two ends" "where it ends"
need answer "$W/true-cert.pub" 1 allowed
lied "a code and a reason that contradict each other" ""
need answer "$W/true-cert.pub" 0 identity_revoked
lied "a refusal that is none" ""
head -c 40 "$W/a1" >"$W/answer"
lied "half of it" "in its middle"
head -c 4000 /dev/urandom >"$W/answer"
lied "noise" ""
need message "$W/answer" 1 key="$PUB"
lied "a question back" ""
: >"$W/answer"
exits 3 "no answer at all" sign alice --login alice --ttl 20m
also "is that" has "$W/err" signer_unreachable
ok "after all that it is the file of before" cmp "$W/before" "$CERT"
need answer "$W/true-cert.pub"
ok "and the truth is taken" sign alice --login alice --ttl 20m
also "as it was said" sh -c '[ "$(cut -d " " -f 1,2 "$1")" = "$(cut -d " " -f 1,2 "$2")" ]' - \
    "$W/true-cert.pub" "$CERT"
kill "$liar"
rm -f "$SOCK"

# --- what the signer is started with ----------------------------------------------------------

cat >"$W/spy" <<-END
	#!/bin/sh
	{
		id -un
		id -Gn
		env
	} >/tmp/spied
	exec $CA_SIGNER "\$@"
END
need install -m 0755 "$W/spy" /opt/aadssh/bin/aadssh-ca-signer
ok "II-L8 root's aadssh-ca with root's agent" env SSH_AUTH_SOCK="$W/agent" \
    SSH_AGENT_PID=1 LD_LIBRARY_PATH=/tmp TZ=x $A keys
also "II-L8 ... asks a signer that is not root" test \
    "$(head -n 2 /tmp/spied | tr '\n' ' ')" = "aadssh-ca aadssh-ca "
also "II-L8 ... and knows no agent" sh -c '! grep -Eq "SSH|LD_|TZ" /tmp/spied'
finish
