# SPDX-License-Identifier: ISC
title="keys and tokens that get no certificate"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

# NB. there is no provider: an exit of 1 also says that nobody was sent to
# sign in for nothing.
stage_forged <<-END
	hosts = web
	[login deploy]
	allow = role:ssh.user
	hosts = web
END
need a_key alice id_ed25519 -t ed25519
need new_key k1
need new_key k2
H=/home/alice/.ssh
BAD=/src/test/vectors/keys/bad
before=$(ledger_certs)
# NB. a token that is refused is as good as before.
token=$(forged_token "$ALICE_OID" "$ALICE")

# --- a key -------------------------------------------------------------------------

while read -r name reason <&3; do
	file=$BAD/$name.pub
	front "I-C9 a key: $name" "$reason" --key "$file" --out "$H/x-cert.pub"
	case $name in
	wrong_*) continue ;; # another type in front, which is not sent
	esac
	ok "I-C9 signer: a key: $name" refused 1 "^end 1 $reason" \
	    signer -s sign key="$file" token="$token" context=x
done 3<"$BAD.txt"
ssh-keygen -q -t dsa -N '' -C '' -f "$W/dsa" </dev/null 2>/dev/null &&
    front "I-C9 a DSA key of ssh-keygen" key_type --key "$W/dsa.pub" ||
    skip "a DSA key of ssh-keygen" "it makes none"
# What is no public key at all.
mkfifo "$H/fifo.pub"
mkdir "$H/dir.pub"
: >"$H/empty.pub"
head -c 200000 /dev/zero | tr '\0' a >"$H/large.pub"
install -m 0644 "$W/k1" "$H/private.pub"
ln -s /dev/zero "$H/zero.pub"
for what in fifo dir empty large private zero none; do
	status=0
	alice_signs --key "$H/$what.pub" >"$W/out" 2>"$W/err" || status=$?
	also "a key that is $what" test "$status" -eq 1 -o "$status" -eq 3
	also "... and that is said: $what" grep -q "$what" "$W/err"
	also "... and nobody signs in: $what" lacks "$W/err" microsoft
	also "... and nothing of it is shown: $what" lacks "$W/err" OPENSSH
done

# --- a token -----------------------------------------------------------------------------

# What the hosts' app registration was given is none of the authority's.
need cp "$CA_CONF" "$W/conf.kept"
need sed -i "s/^client_id = .*/client_id = 0f9a61c2-64d8-4f11-8a3c-52b7c1d09e36/" \
    "$CA_CONF"
ok "II-T10 a token of the hosts' app registration" refused 1 \
    '^end 1 token_audience' signer -s sign key="$W/k1.pub" token="$token" \
    context=x
need cp "$W/conf.kept" "$CA_CONF"
old_token() # SECONDS-AGO
{
	signer -s sign key="$W/k1.pub" token="$("$MKTOKEN" token "$1" \
	    "$ALICE_OID" "$ALICE" ",\"n\":\"$(date +%s%N)\"")" context=x
}
exits 1 "a token that is older than ten minutes" old_token 605
also "by that reason" has "$W/out" "end 1 token_age"
exits 1 "one that is a day old" old_token 86400
exits 1 "one of tomorrow" old_token -86400
ok "one of nine minutes is good" old_token 540
token=$(forged_token "$ALICE_OID" "$ALICE")
ok "a token is good for one key" \
    signer -s sign key="$W/k1.pub" token="$token" context=x
exits 1 "I-C18 and for no second" \
    signer -s sign key="$W/k2.pub" token="$token" context=x
also "by that reason" has "$W/out" "end 1 token_used"
exits 1 "I-C18 whatever else is asked" signer -s sign key="$W/k2.pub" \
    token="$token" login=deploy ttl=60 context=x
ok "for the first it is good again" \
    signer -s sign key="$W/k1.pub" token="$token" context=y
also "with the same certificate" has "$W/out" '"again":true'
ok "all of it was two certificates" test "$(ledger_certs)" -eq $((before + 2))
finish
