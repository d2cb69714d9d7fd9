# SPDX-License-Identifier: ISC
title="aadssh-ca sign --if-needed signs when it has to, and only then"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
stage_forged <<-END
	hosts = web
	[login deploy]
	allow = role:ssh.user
	hosts = web
END
need stage_quick
need start_signer_socket
need a_key alice id_ed25519 -t ed25519
need a_key alice other -t ed25519
C=/home/alice/.ssh/id_ed25519-cert.pub
sign()
{
	as alice "$QUICK" -f "$CA_CONF" sign "$@" </dev/null
}
needed()
{
	sign --if-needed "$@"
}
# NB. script(1) is its terminal, and no sign-in waits for an answer.
on_tty() # WORD…
{
	as alice script -qec "$QUICK -f $CA_CONF sign $*" /dev/null </dev/null
}
signed() # N: so many sign-ins, all in all
{
	[ "$(wc -l <"$W/signed-in")" -eq "$1" ]
}
# Not fresh: without a terminal it says so, starts nothing, changes nothing.
stale() # TITLE [WORD…]
{
	local title="$1" n
	shift
	n=$(wc -l <"$W/signed-in")
	[ ! -e "$C" ] || cp -p "$C" "$W/kept"
	exits 1 "not fresh: $title" needed "$@"
	also "by that reason: $title" has "$W/err" sign_in_needed
	also "nobody signs in: $title" signed "$n"
	[ ! -e "$C" ] || also "the file stays: $title" cmp "$C" "$W/kept"
}
fresh() # TITLE [WORD…]
{
	local title="$1" n
	shift
	n=$(wc -l <"$W/signed-in")
	ok "fresh: $title" needed "$@"
	also "in silence: $title" empty "$W/out"
	also "on stderr, too: $title" empty "$W/err"
	also "nobody signs in: $title" signed "$n"
}

stale "there is none"
ok "on a terminal it signs in" on_tty --if-needed
also "once" signed 1
fresh "what was signed"
ok "on a terminal that is the same" on_tty --if-needed
also "in silence" empty "$W/out"
also "and without a sign-in" signed 1
ok "without --if-needed one signs in" sign --quiet
also "says nothing when asked for that" empty "$W/out"
also "... on stderr either" empty "$W/err"
also "and has" signed 2

# --- how long --------------------------------------------------------------------------

need sign --ttl 1h
fresh "an hour is long enough" --min-left 59m
stale "and not for more than that" --min-left 61m
need sign --ttl 10m
fresh "of a short one, half of it does"
stale "but not when asked for" --min-left 15m
need sign --ttl 40s
fresh "of a shorter one, too"
need sign --ttl 4s
sleep 4.2
stale "it has ended"
ok "what has ended is replaced" on_tty --if-needed
fresh "after that"

# --- for what ----------------------------------------------------------------------------

fresh "for the login that it has" --login alice
stale "for another" --login deploy
stale "for both" --login alice,deploy
stale "for one address" --source-address 192.0.2.7/32
need sign --source-address 192.0.2.0/24
fresh "for the addresses that it has" --source-address 192.0.2.0/24
fresh "for more than those" --source-address 192.0.0.0/16
stale "for fewer" --source-address 192.0.2.0/25
need sign
need sign --login deploy
stale "the own login, with one for another"
fresh "that other" --login deploy
need sign
stale "for another key" --key /home/alice/.ssh/other.pub
need cp -p "$C" "$W/good"

# --- what is no certificate of ours ----------------------------------------------------------

need ssh-keygen -q -t ed25519 -N '' -C '' -f "$W/foreign"
put() # FILE: it is what is there
{
	install -o alice -m 0644 "$1" "$C"
}
need put /home/alice/.ssh/id_ed25519.pub
stale "a plain key"
head -c 200 "$W/good" >"$W/half"
need put "$W/half"
stale "half of one"
need put /dev/null
stale "nothing"
cp /home/alice/.ssh/id_ed25519.pub "$W/alice.pub"
need ssh-keygen -q -s "$W/foreign" -I "$ALICE oid=$ALICE_OID tid=$TENANT uti=x" \
    -n alice@web -V -1m:+8h "$W/alice.pub"
need put "$W/alice-cert.pub"
stale "of a foreign authority"
# NB. nobody but its own authority's key could have put it there: it stays.
exits 1 "which is not overwritten" sign
also "by that reason" has "$W/err" cert_file
need aadssh-ca -f "$CA_CONF" sign-host --key "$W/alice.pub" \
    --name a.example.test --out "$W/host-cert.pub"
need put "$W/host-cert.pub"
stale "a host's"
need put "$W/good"
fresh "the one before, again"

# --- what was revoked, what is not there ------------------------------------------------------

serial=$(ssh-keygen -L -f "$C" | sed -n 's/^ *Serial: //p')
need aadssh-ca -f "$CA_CONF" revoke --serial "$serial" --reason lost
stale "revoked"
ok "which is replaced" on_tty --if-needed
fresh "after that, too"
need mv "$CA_STATE/public/current" "$W/current"
status=0
needed >"$W/out" 2>"$W/err" || status=$?
also "without a publication it is not called fresh" test "$status" -ne 0
also "and that is said" grep -q . "$W/err"
need mv "$W/current" "$CA_STATE/public/current"
fresh "with it"
need mv "$CA_CONF" "$W/conf"
exits 3 "without a configuration nothing is known" needed
need mv "$W/conf" "$CA_CONF"
ok "as JSON" needed --json
also "it is told what there is" json "$W/out" \
    'o[0].how === "fresh" && o[0].done === true'
finish
