# SPDX-License-Identifier: ISC
title="aadssh-ca: the verbs of who owns the authority"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
need start_idp
write_ca_conf <<-END
hosts = web
END
ca()
{
	aadssh-ca -f "$CA_CONF" "$@"
}
json() # FILE EXPRESSION of o, its first object
{
	node -e 'const o = JSON.parse(require("fs").readFileSync(
	    process.argv[1], "utf8").split("\n")[0])
	    process.exit(eval(process.argv[2]) ? 0 : 1)' "$1" "$2"
}

# --- usage ---------------------------------------------------------------------

exits 2 "no verb" ca
exits 2 "an unknown verb" ca frobnicate
ok "help" ca help
cp "$W/out" "$W/help"
for verb in init sign sign-host show list verify keys revoke unrevoke krl \
    rotate publish backup restore check; do
	also "names $verb" grep -q "^  $verb" "$W/help"
	exits 2 "$verb --nonsense" ca $verb --nonsense
	also "says how it is called" grep -q "^usage: .*$verb" "$W/err"
	ok "$verb --help" ca $verb --help
	also "says it where it was asked" grep -q "^usage: .* $verb " "$W/out"
done
exits 2 "revoke without a reason" ca revoke --serial 1
exits 2 "revoke of nothing" ca revoke --reason x
exits 2 "revoke of two things" ca revoke --serial 1 --key x --reason x
exits 2 "unrevoke of a serial" ca unrevoke --serial 1
exits 2 "half a pair of agent keys" ca init --user-ca x.pub
exits 2 "two forms at once" ca list --csv --json
exits 2 "a time that is none" ca list --since yesterday
also "says what one is" has "$W/err" "--since takes a time"
exits 2 "a duration that is none" ca sign --ttl 1x
also "says what one is" has "$W/err" "--ttl takes a duration: 90s"
exits 2 "another" ca sign --min-left soon
also "says so by its name" has "$W/err" "--min-left takes a duration"
exits 2 "a recovery key without --bundle" ca rotate --recovery x
exits 3 "a host's configuration is none of an authority's" \
    aadssh-ca -f /etc/aadssh/none.conf keys
exits 3 "publish before there is an authority" ca publish
for verb in keys list verify check rotate; do
	exits 3 "$verb before there is an authority" ca $verb
	also "$verb says so" has "$W/err" no_ca
done

# --- init ------------------------------------------------------------------------

need aadssh -f "$CA_CONF" refresh --keys-only
ssh-keygen -q -t ed25519 -N secret -C '' -f "$W/foreign"
ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f "$W/rsa"
exits 1 "no RSA key becomes a CA" ca init --import "$W/rsa"
exits 3 "nor an encrypted one without a terminal" \
    setsid aadssh-ca -f "$CA_CONF" init --import "$W/foreign"
also "and no recovery key was left" test ! -e aadssh-recovery-key
on_tty() # COMMAND: it is given a passphrase when it asks for one
{
	local status=0
	: >"$W/tty"
	mkfifo "$W/typed"
	exec 8<>"$W/typed"
	script -qefc "$1" /dev/null <"$W/typed" >"$W/tty" 2>&1 8>&- &
	wait_for 30 grep -qi passphrase "$W/tty" && echo secret >&8
	wait $! || status=$?
	exec 8>&-
	rm "$W/typed"
	cat "$W/tty"
	return "$status"
}
echo mine >taken
exits 1 "a file that is there does not become the recovery key" \
    ca init --recovery-out taken
also "as it was" grep -qx mine taken
ok "init, with a foreign key and its passphrase" on_tty \
    "aadssh-ca -f $CA_CONF init --import $W/foreign --json"
cut -d ' ' -f 2 foreign.pub >want
also "which is the user CA now" grep -qFf want "$CERT_CA"
also "the recovery key is its owner's only" \
    test "$(stat -c '%a %U' aadssh-recovery-key)" = "600 root"
also "and is a key" ssh-keygen -yf aadssh-recovery-key
also "keys belong to the authority" \
    test "$(stat -c '%U %a' "$CA_STATE/keys" "$CA_STATE"/keys/*.key | sort -u |
	tr '\n' ' ')" = "aadssh-ca 600 aadssh-ca 700 "
also "tenant keys to aadssh" \
    test "$(stat -c %U "$CA_STATE/tenant")" = aadssh
exits 1 "a second init changes nothing" ca init --recovery-out other
also "and says so" has "$W/err" ca_exists
also "and leaves no key" test ! -e other
ok "check finds all of it sound" ca check
ok "the owner can do it, too" as aadssh-ca aadssh-ca -f "$CA_CONF" check

# --- certificates, and what is told of them --------------------------------------

need start_signer_socket
mkdir -p /home/alice/.ssh
ssh-keygen -q -t ed25519 -N '' -C '' -f /home/alice/.ssh/id_ed25519
chown -R alice: /home/alice
need ca_sign "$ALICE" alice
ok "list has it" ca list
also "by its user" has "$W/out" "$ALICE"
ok "as JSON" ca list --json --user "$ALICE" --valid --since 1h
also "one object a line" json "$W/out" 'o.v === 1 && o.upn === "'"$ALICE"'"
	&& /^[0-9]+$/.test(o.serial) && o.state === "issued"'
serial=$(sed -n '1s/.*"serial":"\([0-9]*\)".*/\1/p' "$W/out")
ok "as CSV" ca list --csv
also "with a head" sh -c "head -n 1 $W/out | grep -q '^serial,type,state,'"
ok "none of another user" ca list --json --oid 11111111-1111-1111-1111-111111111111
also "which is so" has "$W/out" '"certificates":0'
ok "by key" ca list --key /home/alice/.ssh/id_ed25519-cert.pub
also "it is there" has "$W/out" "$serial"
ok "show by serial" ca show "$serial"
also "says whose" has "$W/out" "upn: $ALICE"
exits 1 "show of none" ca show 12345
also "says so" has "$W/err" unknown_serial
ok "show of a file" ca show /home/alice/.ssh/id_ed25519-cert.pub --json
also "says how it stands" json "$W/out" \
    'o.state === "valid" && o.ours === "yes"'
exits 1 "show of a private key" ca show /home/alice/.ssh/id_ed25519
also "says that it is no certificate" has "$W/err" cert_malformed
exits 1 "show of a public key" ca show /home/alice/.ssh/id_ed25519.pub
also "says what it is" has "$W/err" cert_plain_key
# The same line again, of another authority, when its time is over.
need ssh-keygen -q -t ed25519 -N '' -C '' -f ended
need ssh-keygen -q -s ended -I "$(printf 'a\033[31mb')" -n x -V -2h:-1h ended.pub
evil=$(printf 'e\033[31mvil-cert.pub')
need mv ended-cert.pub "$evil"
ok "show of a foreign one" ca show "$evil"
also "says whose it is not" has "$W/out" "ours: no"
also "and that it is over" has "$W/out" "state: expired"
also "in plain text only" test "$(LC_ALL=C grep -c '[^ -~]' "$W/out")" -eq 0
exits 3 "show of a name that is not there" ca show "$evil.not"
also "in plain text, too" test "$(LC_ALL=C grep -c '[^ -~]' "$W/err")" -eq 0
ok "keys" ca keys
also "has a user CA" grep -q '^user *active' "$W/out"
ok "verify" ca verify

# --- taking back -------------------------------------------------------------------

fresh()
{
	as alice aadssh-ca -f "$CA_CONF" sign --if-needed
}
ok "fresh before" fresh
ok "revoke the user" ca revoke --user "$ALICE" --reason 'laptop lost'
also "is published" has "$W/out" 'published: version 2'
also "ssh-keygen reads it" sh -c \
    "ssh-keygen -Q -f $CERT_KRL /home/alice/.ssh/id_ed25519-cert.pub | grep -q REVOKED"
exits 1 "not fresh after" fresh
exits 1 "and no new one" ca_sign "$ALICE" alice
also "for that reason" has "$W/err" identity_revoked
ok "list says why" ca list
also "in its words" has "$W/out" 'revoked: laptop lost'
ok "unrevoke" ca unrevoke --user "$ALICE"
ok "and there is a new one" ca_sign "$ALICE" alice
exits 1 "nothing to lift twice" ca unrevoke --user "$ALICE"
ok "free the login" ca unrevoke --pin alice --reason 'a new alice'

# --- keys, publications, hosts ---------------------------------------------------

ok "rotate, when nothing is due" ca rotate
also "is silent" empty "$W/out"
also "on stderr too" empty "$W/err"
ok "rotate --dry-run, then" ca rotate --dry-run
also "says that, to a person" has "$W/out" "Nothing is due."
ok "for a script" ca rotate --dry-run --json
also "it is a number" json "$W/out" 'o.actions === 0'
ok "rotate --dry-run" ca rotate --now --dry-run
also "says what is due" has "$W/out" 'prepare user'
ok "rotate --now" ca rotate --now
also "publishes both" test "$(wc -l <"$CERT_CA")" -eq 2
ok "another bundle key" ca rotate --bundle
ok "and one by the recovery key" ca rotate --bundle --recovery aadssh-recovery-key
ok "publish" ca publish --json
also "as JSON" json "$W/out" 'o.version >= 6'
ok "krl to stdout" ca krl --out -
also "is one" sh -c "ssh-keygen -Q -l -f $W/out | grep -q '^# KRL version'"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$W/h"
ok "a host's certificate" ca sign-host --key h.pub --name a.example.com --ttl 1d
also "is one" sh -c "ssh-keygen -L -f $W/h-cert.pub | grep -q 'host certificate'"
exits 1 "not for a wildcard" ca sign-host --key h.pub --name '*.example.com'
ok "a thousand days become what the configuration allows" ca sign-host \
    --key h.pub --name a.example.com --ttl 1000d
also "which is 90" sh -c "ssh-keygen -L -f $W/h-cert.pub |
    grep -q \"to $(date -u -d '+90 days' +%Y-%m-%d)\""
fp=$(ssh-keygen -lf foreign.pub | cut -d ' ' -f 2)
ok "revoke the user CA" ca revoke --ca-key "$fp" --reason stolen
also "its key is gone" test "$(find "$CA_STATE/keys" -name '*.key' | wc -l)" -eq 4
also "and sshd is told" sh -c \
    "ssh-keygen -Q -f $CERT_KRL $W/foreign.pub | grep -q REVOKED"

# --- a backup ----------------------------------------------------------------------

ok "backup" ca backup --out b1
also "for its owner" test "$(stat -c %a b1)" = 600
exits 1 "not over another" ca backup --out b1
exits 1 "not opened by another key" ca restore b1 --recovery foreign
need ca publish
exits 1 "nor where there is an authority" \
    ca restore b1 --recovery aadssh-recovery-key
need stop_signer_socket
mv "$CA_STATE" /var/lib/before
ok "restored" ca restore b1 --recovery aadssh-recovery-key
ok "it knows what it knew" ca list
also "all of it" has "$W/out" "$serial"
ok "and verifies" ca verify
finish
