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

# NB. as on NFS, which knows no rename that replaces nothing.
nfs()
{
	rm -f "$C"
	(cd / && exec strace -u alice -qq -o /dev/null -e trace=renameat2 \
	    -e inject=renameat2:error=EINVAL "$QUICK" -f "$CA_CONF" sign)
}
ok "on NFS it is written, too" nfs
fresh "after that, too"
also "with nothing beside it" test "$(ls -A "${C%/*}" | tr '\n' ' ')" = \
    "id_ed25519 id_ed25519-cert.pub id_ed25519.pub other other.pub "

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

# --- one at a time ------------------------------------------------------------------------

D=${C%/*}
L=$D/.id_ed25519-cert.pub.lock
# hold USER FILE: locked by that user until let_go.
hold()
{
	as "$1" flock -n "$2" sh -c 'echo >"$0"; exec sleep 600' "$W/held" \
	    </dev/null &
	wait_for 5 test -s "$W/held"
}
let_go()
{
	rm "$W/held"
	pkill -f -x 'sleep 600'
}
need chmod 0755 /home/alice "$D"
need chmod 0644 "$D/id_ed25519.pub"
install -m 0666 /dev/null "$W/held"
need hold bob "$D/id_ed25519.pub"
ok "II-L13 who can read a key holds up nobody" timeout 60 setpriv --reuid alice \
    --regid alice --init-groups "$QUICK" -f "$CA_CONF" sign
need let_go
also "II-L13 and what is locked instead is gone" test ! -e "$L"
need as alice touch "$L"
need chmod 0600 "$L"
ok "what a crash left of it holds up nobody" sign
also "and goes, too" test ! -e "$L"
need install -m 0666 /dev/null "$L"
exits 3 "somebody else's file in its place" sign
also "is told" has "$W/err" "is not yours"
also "and stays" test -e "$L"
need rm "$L"
need ln -s /home/alice/elsewhere "$L"
exits 3 "a link in its place" sign
also "is not followed" test ! -e /home/alice/elsewhere
need rm "$L"
# Five at once, all of which find the certificate too old.
need as alice touch "$L"
install -m 0666 /dev/null "$W/held"
need hold alice "$L"
rm "$C"
n=$(wc -l <"$W/signed-in")
five=
for i in 1 2 3 4 5; do
	on_tty --if-needed >"$W/waits.$i" 2>&1 &
	five="$five $!"
done
all_wait()
{
	[ "$(cat "$W"/waits.* | grep -c 'waiting for it')" -eq 5 ]
}
ok "II-L13 of five at once all wait" wait_for 20 all_wait
setpriv --reuid alice --regid alice --init-groups \
    "$QUICK" -f "$CA_CONF" sign >"$W/sixth.out" 2>"$W/sixth" </dev/null &
sixth=$!
need wait_for 20 has "$W/sixth" "waiting for it"
need kill -INT "$sixth"
exits 3 "Ctrl-C ends the waiting" wait "$sixth"
also "which is said" has "$W/sixth" "interrupted; nothing was stored"
also "and the lock stays with who has it" test -e "$L"
need let_go
for pid in $five; do
	ok "II-L13 and get it" wait "$pid"
done
also "II-L13 with one sign-in" signed $((n + 1))
also "II-L13 and nothing is left" test "$(ls -A "$D" | tr '\n' ' ')" = \
    "id_ed25519 id_ed25519-cert.pub id_ed25519.pub other other.pub "

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
