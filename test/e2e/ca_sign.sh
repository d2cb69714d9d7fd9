# SPDX-License-Identifier: ISC
title="aadssh-ca sign: a sign-in, a certificate beside the key, and no more"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
need start_idp
write_ca_conf <<-END
hosts = web,db
END
need start_ca
need start_signer_socket
C="as alice aadssh-ca -f $CA_CONF"
H=/home/alice/.ssh
mkdir -p "$H"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$H/id_ed25519"
chown -R alice: /home/alice

cert_says() # FILE TEXT
{
	ssh-keygen -L -f "$1" | grep -Fq -- "$2"
}

# --- before there is anything -------------------------------------------------

exits 1 "--if-needed without a terminal does not sign in" $C sign --if-needed
also "and says why" has "$W/err" sign_in_needed
also "with nothing on stdout" empty "$W/out"

# --- one sign-in ----------------------------------------------------------------

ok "alice signs in at the authority" ca_sign "$ALICE" alice
also "is told which login on which hosts" grep -Eq '^  alice on (web, db|db, web)$' "$W/login.out"
also "and how to use it" grep -qx 'ssh alice@HOST' "$W/login.out"
also "the certificate lies beside the key" \
    cert_says "$H/id_ed25519-cert.pub" 'alice@web'
also "0644, hers" test "$(stat -c '%U %a' "$H/id_ed25519-cert.pub")" = "alice 644"
also "with nothing else beside it" \
    test "$(ls "$H" | tr '\n' ' ')" = "id_ed25519 id_ed25519-cert.pub id_ed25519.pub "
ok "now it is fresh" $C sign --if-needed
also "II-L6 and that is silent" empty "$W/out"
also "on stderr too" empty "$W/err"
exits 1 "for another login it is not" $C sign --if-needed --login deploy
exits 1 "for longer than it lives it is not" $C sign --if-needed --min-left 9h
ok "show reads it" $C show "$H/id_ed25519-cert.pub"
also "and knows the authority" has "$W/out" "ours: yes"
ok "again, over the one before" ca_sign "$ALICE" alice

# --- what is refused --------------------------------------------------------------

exits 2 "no such option" $C sign --nonsense
exits 1 "a lifetime of nothing" $C sign --ttl 0
exits 1 "a login that is none" $C sign --login 'a b'
exits 1 "an address that is none" $C sign --source-address 10.0.0.1/8
exits 1 "a key that is a certificate" $C sign --key "$H/id_ed25519-cert.pub" --out x
exits 1 "bob is not alice" ca_sign "$BOB" alice --login alice --out "$H/b-cert.pub"
also "and nothing is stored" test ! -e "$H/b-cert.pub"
echo mine >"$H/other-cert.pub"
cp "$H/id_ed25519.pub" "$H/other.pub"
exits 1 "II-L10 a file that is not ours stays" $C sign --key "$H/other.pub"
also "by that name" has "$W/err" cert_file
also "as it was" grep -qx mine "$H/other-cert.pub"
exits 1 "over the socket no list" $C list
also "by that reason" has "$W/err" request_refused
exits 1 "nor revoke" $C revoke --serial 1 --reason x

# --- narrowing, elsewhere, an agent -----------------------------------------------

ok "narrower, elsewhere" ca_sign "$ALICE" alice --ttl 20m --source-address \
    10.1.0.0/16,fd00::/8 --out "$H/n-cert.pub"
also "with the addresses" cert_says "$H/n-cert.pub" 'source-address 10.1.0.0/16,fd00::/8'
as alice ssh-agent -a /home/alice/agent >/dev/null
ok "into the agent" signin "$ALICE" as alice env \
    SSH_AUTH_SOCK=/home/alice/agent aadssh-ca -f "$CA_CONF" sign --add-to-agent
in_agent()
{
	as alice env SSH_AUTH_SOCK=/home/alice/agent ssh-add -l |
	    grep -q 'ED25519-CERT'
}
also "II-L7 where it is, for as long as the certificate lives" in_agent
exits 0 "dry run" ca_sign "$ALICE" alice --dry-run --out "$H/d-cert.pub"
also "stores nothing" test ! -e "$H/d-cert.pub"

# --- interrupted, two at once -----------------------------------------------------

$C sign --out "$H/i-cert.pub" >"$W/i.out" 2>"$W/i.err" </dev/null &
pid=$!
wait_for 30 code_shown "$W/i.err"
need pkill -TERM -x aadssh-ca
status=0
wait "$pid" || status=$?
ok "stopped in its middle it ends" test "$status" -ne 0
also "with nothing left" test ! -e "$H/i-cert.pub"
also "and no child" sh -c '! pgrep -u alice -x aadssh'

rm "$H/id_ed25519-cert.pub"
: >"$W/first.err"
$C sign >"$W/first.out" 2>"$W/first.err" &
first=$!
wait_for 30 code_shown "$W/first.err"
$C sign >"$W/second.out" 2>"$W/second.err" &
second=$!
wait_for 30 has "$W/second.err" "waiting for it"
need approve "$ALICE" "$W/first.err"
ok "the first gets it" wait "$first"
ok "II-L13 the second waited, and has it too" wait "$second"
also "with one sign-in" lacks "$W/second.err" 'microsoft'
also "and is told the same" has "$W/second.out" 'ssh alice@HOST'

# --- an authority that was revoked --------------------------------------------------

active_ca()
{
	aadssh-ca keys | awk '$1 == "user" && $2 == "active" { print $3 }'
}
ok "the user CA is revoked" aadssh-ca revoke --ca-key "$(active_ca)" \
    --reason stolen
exits 1 "what it signed is not fresh" $C sign --if-needed
ok "and is replaced by a sign-in" ca_sign "$ALICE" alice
ok "by one that is fresh" $C sign --if-needed
finish
