# SPDX-License-Identifier: ISC
title="a disk that is full, read-only, damaged or in use: no certificate, nothing lost"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh

cd "$W" || exit 1
chmod 0755 "$W"
LEDGER=$CA_STATE/ledger

# A file system of its own, SIZE large, in place of a directory.
on_tmpfs() # DIR SIZE
{
	local uid gid mode
	read -r uid gid mode <<-END
	$(stat -c '%u %g %a' "$1")
	END
	cp -a "$1" "$W/moved" &&
	    mount -t tmpfs -o "size=$2,mode=$mode,uid=$uid,gid=$gid" t "$1" &&
	    cp -a "$W/moved/." "$1/" && rm -rf "$W/moved"
}

rows()
{
	asks verify | sed -n 's/.*"rows":\([0-9]*\).*/\1/p'
}

# The reason is in what the signer or aadssh-ca printed, with its second line.
says() # REGEX
{
	cat "$W/out" "$W/err" | tr '\n' ' ' | grep -Eq "(end 3 |[(])$1" &&
	    return 0
	cat "$W/out" "$W/err"
	return 1
}

# fails TITLE REASON COMMAND…: exit 3, that reason, and no certificate.
fails()
{
	local title="$1" reason="$2"
	shift 2
	exits 3 "$title" "$@"
	also "... with its reason" \
	    says "$reason"
	also "... and no certificate" lacks "$W/out" "certificate ssh-"
}

write_bare_conf </dev/null
need new_key k1
need bare_init
need new_token
need bare_sign "$W/k1"

# --- full ---------------------------------------------------------------------

need on_tmpfs "$LEDGER" 512k
before=$(rows)
need new_token
dd if=/dev/zero of="$LEDGER/.fill" bs=4k >/dev/null 2>&1 || :
fails "II-C13 on a full disk nobody gets a certificate" 'ledger.*full' \
    bare_sign "$W/k1"
log_mark
fails "II-C13 nor over the socket, where no more is said" 'ledger its log' \
    asks -s sign key="$W/k1.pub" token="$token"
ok "but in the log" log_has event=signer reason=ledger via=socket full
fails "nor a host" 'ledger.*full' asks sign_host key="$W/k1.pub" name=web.example.org
fails "revoke says so" 'ledger.*full' $CA revoke --oid "$ALICE_OID" --reason x
fails "rotate, too" 'ledger.*full' $CA rotate --now
ok "what only reads goes on: list" $CA list
ok "keys" $CA keys
ok "verify" $CA verify
rm "$LEDGER/.fill"
ok "nothing was lost, nothing came" [ "$(rows)" -eq "$before" ]
ok "with room again the same token is good" bare_sign "$W/k1"
ok "and no fault is found" no_faults

# Ever less room: where in its writing it is that the room ends.
: >"$W/wrong"
for room in $(seq 4 4 60); do
	new_token
	rm -f "$LEDGER/.fill" "$W/k1-cert.pub"
	dd if=/dev/zero of="$LEDGER/.fill" bs=4k >/dev/null 2>&1 || :
	truncate -s "-${room}k" "$LEDGER/.fill"
	bare_sign "$W/k1" >"$W/out" 2>&1 || :
	if [ -s "$W/k1-cert.pub" ]; then
		serial=$(ssh-keygen -Lf "$W/k1-cert.pub" |
		    sed -n 's/ *Serial: //p')
		asks list serial="$serial" | grep -Fq '"state":"issued"' ||
		    echo "$room kB: a certificate without a row"
	else
		grep -q '^end 3 ledger.*full' "$W/out" || cat "$W/out"
	fi
	rm -f "$LEDGER/.fill"
	no_faults || echo "$room kB"
done >"$W/wrong" 2>&1
ok "II-C13 wherever the room ends: no certificate without its row" \
    empty "$W/wrong"
sed 's/^/# /' "$W/wrong" | head -n 20

# --- the publication's disk ---------------------------------------------------------

need $CA publish
need on_tmpfs "$CA_STATE/public" 256k
dd if=/dev/zero of="$CA_STATE/public/.fill" bs=4k >/dev/null 2>&1 || :
version=$(readlink "$CA_DONE")
exits 3 "no room for a publication" $CA publish
also "and it says so" has "$W/err" "No space left"
exits 3 "a revocation is recorded all the same" \
    $CA revoke --oid "$ALICE_OID" --reason x
also "and says that hosts do not know yet" has "$W/err" "run aadssh-ca publish"
ok "hosts have what they had" \
    eval "[ $version = $(readlink "$CA_DONE") ] && published_well"
rm "$CA_STATE/public/.fill"
ok "with room again cron's rotate makes up for it" $CA rotate
also "and hosts know" has "$CA_DONE/denials.json" "$ALICE_OID"
also "and nothing lies about" eval \
    "! find $CA_STATE/public -name '*.tmp.*' | grep ."
need $CA unrevoke --oid "$ALICE_OID" --reason x

# --- read-only ------------------------------------------------------------------------

need new_token
before=$(rows)
need mount -o remount,bind,ro "$LEDGER"
fails "II-C13 read-only: no certificate" ledger bare_sign "$W/k1"
fails "read-only: no revocation" ledger \
    $CA revoke --oid "$ALICE_OID" --reason x
need mount -o remount,bind,rw "$LEDGER"
ok "writable again, the token is good" bare_sign "$W/k1"
ok "no row is lost" [ "$(rows)" -gt "$before" ]

# --- what the caller passes on --------------------------------------------------------

# NB. a file would have no room for its words either.
limited()
{
	{
		(ulimit -f 0 && exec "$@") 2>&1
		echo "$?" >"$W/status"
	} </dev/null | cat
	return "$(cat "$W/status")"
}

before=$(rows)
for verb in "sign-host --key $W/k1.pub --name web.example.org --out $W/h.pub" \
    "revoke --oid $ALICE_OID --reason x" "rotate --now" publish; do
	# shellcheck disable=SC2086 # words
	exits 3 "II-C13 with no room for a file: ${verb%% *}" limited $CA $verb
	also "... and it says so" has "$W/out" "(limits)"
done
ok "no row came" [ "$(rows)" -eq "$before" ]
ok "nor a certificate" [ ! -e "$W/h.pub" ]
hostile()
{
	env -i PATH=/nonexistent IFS=x LD_PRELOAD=/nonexistent.so TZ=../../x \
	    MALLOC_CHECK_=3 TMPDIR=/nonexistent SQLITE_TMPDIR=/nonexistent \
	    HOME=/nonexistent LC_ALL=tr_TR.UTF-8 \
	    /opt/aadssh/bin/aadssh-ca -f "$CA_CONF" "$@"
}
ok "a hostile environment changes nothing" hostile publish
closed()
{
	$CA publish <&- >&- 2>&-
}
ok "with its descriptors closed it does its work" closed
ok "nothing is written where it has no place" no_faults
ok "and hosts have a whole publication" published_well

# --- another process has it --------------------------------------------------------

# One that stopped in its middle, with the lock.
need new_token
before=$(rows)
signer_via="/usr/bin/strace -u aadssh-ca -qq -e signal=none -o /dev/null
    -e trace=fdatasync -e inject=fdatasync:signal=STOP:when=1" \
    asks sign key="$W/k1.pub" token="$token" >"$W/stopped" 2>&1 &
holder=$!
stopped()
{
	grep -q '^State:.*[Tt]' "/proc/$(pgrep -x aadssh-ca-signe)/status"
}
need wait_for 30 stopped
fails "in use by another process: no certificate" ledger_busy \
    bare_sign "$W/k1"
pkill -KILL -x aadssh-ca-signe
wait "$holder" || :
ok "when that is gone, the token is good" bare_sign "$W/k1"
ok "and no fault is found" no_faults

# --- altered, cut short ---------------------------------------------------------------

db=$LEDGER/ledger.db
cp -p "$db" "$W/ledger.good"
size=$(stat -c %s "$db")
oops() # TITLE [REASON]: the ledger is not what it was
{
	fails "$1: no certificate" "${2-ledger}" bare_sign "$W/k1"
	exits 3 "$1: rotate refuses" $CA rotate
	exits 3 "$1: verify says so" $CA verify
	ok "$1: hosts have what they had" [ "$version" = "$(readlink "$CA_DONE")" ]
	cp -p "$W/ledger.good" "$db"
}
version=$(readlink "$CA_DONE")
need new_token
at=$(grep -abo '"upn"' "$db" | head -n 1 | cut -d : -f 1)
printf X | dd of="$db" bs=1 seek="$((at + 8))" conv=notrunc 2>/dev/null
exits 3 "II-C14 a letter of a row is another: verify names it" $CA verify
also "the row" grep -Eq '^ *[0-9]+|row [0-9]+' "$W/out"
cp -p "$W/ledger.good" "$db"
truncate -s "$((size / 2))" "$db"
oops "cut to half"
truncate -s 4096 "$db"
oops "cut to a page"
truncate -s 0 "$db"
oops "emptied"
head -c "$size" /dev/urandom >"$db"
oops "noise"
rm "$db"
oops "lost" no_ca
chmod 0644 "$db"
oops "open to others"
chmod 0600 "$db"
mv "$db" "$W/ledger.moved"
ln -s "$W/ledger.moved" "$db"
oops "a link"
rm -f "$db"
cp -p "$W/ledger.good" "$db"
ok "with what was there again all is well" bare_sign "$W/k1"
ok "and no fault is found" no_faults
finish
