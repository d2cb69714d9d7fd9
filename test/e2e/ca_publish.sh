#!/bin/sh
# SPDX-License-Identifier: ISC
title="what hosts read is whole and newer at each moment"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

A="aadssh-ca -f $CA_CONF"
PUBLIC=$CA_STATE/public
stage_forged <<-END
	hosts = web
END
need write_cert_conf <<-END
	[host]
	groups = web
END
need start_cert_sshd
for key in k1 k2 r1 r2 r3 r4; do
	need new_key "$key"
done
need issue k1 "$ALICE_OID" "$ALICE"
need issue k2 "$ALICE_OID" "$ALICE"
need $A revoke --key "$W/k2.pub" --reason test

version()
{
	readlink "$PUBLIC/current"
}
manifest_holds()
{
	json "$PUBLIC/current/manifest.json" "o[0].version === $(version)" &&
	    (cd "$PUBLIC/current" && node -e '
		const m = JSON.parse(require("fs").readFileSync("manifest.json"))
		for (const f in m.files)
			console.log(m.files[f].sha256 + "  " + f)' |
	    sha256sum --quiet -c) &&
	    printf 'bundle %s\n' "$(cut -d ' ' -f 1,2 \
		"$PUBLIC/current/bundle_key.pub")" >"$W/allowed" &&
	    ssh-keygen -Y verify -f "$W/allowed" -I bundle -n aadssh-bundle \
		-s "$PUBLIC/current/manifest.json.sig" \
		<"$PUBLIC/current/manifest.json"
}

# --- one after the other ----------------------------------------------------------

before=$(version)
ok "publish" $A publish
also "says which version" has "$W/out" "published: version $(version)"
also "which is newer" test "$(version)" -gt "$before"
ok "ssh-keygen verifies the manifest" manifest_holds
ok "publish once more" $A publish
also "is newer again" test "$(version)" -eq $((before + 2))
also "is the version of the list" test \
    "$(krl_version "$CERT_KRL")" -eq "$(version)"
also "everybody can read it" as plain ssh-keygen -Q -l -f "$CERT_KRL"
also "nobody else can change it" sh -c '! find -H "$1" -perm /022 ! -type l |
    grep .' - "$PUBLIC"

# --- at each moment ------------------------------------------------------------------

# A host that looks all the time: k2 is always revoked, k1 never, and nothing
# gets older.
watch()
{
	local now last status
	last=0
	: >"$W/seen"
	while [ ! -e "$W/stop" ]; do
		status=0
		ssh-keygen -Q -f "$CERT_KRL" "$W/k1.pub" "$W/k2.pub" \
		    >"$W/q" 2>&1 || status=$?
		[ "$status" -eq 1 ] && [ "$(sed 's/.*: //' "$W/q" |
		    tr '\n' ' ')" = "ok REVOKED " ] || cat "$W/q" >>"$W/bad"
		now=$(krl_version "$CERT_KRL" 2>&1)
		[ "$now" -ge "$last" ] || echo "$now after $last" >>"$W/bad"
		last=$now
		ssh-keygen -lf "$CERT_CA" >"$W/q" 2>&1 || cat "$W/q" >>"$W/bad"
		echo "$now" >>"$W/seen"
	done
}
twenty()
{
	local i
	for i in $(seq 20); do
		$A publish >>"$W/twenty" 2>&1 || echo "failed: $i" >>"$W/bad"
	done
}
: >"$W/bad"
before=$(version)
watch &
watch_pid=$!
twenty &
twenty_pid=$!
logins=0 refused=0
while kill -0 "$twenty_pid" 2>/dev/null; do
	logins=$((logins + 1))
	cert_opens alice "$W/k1" 2>>"$W/bad" || refused=$((refused + 1))
done
wait "$twenty_pid"
: >"$W/stop"
wait "$watch_pid"
ok "I-E2 twenty versions later" test "$(version)" -eq $((before + 20))
also "I-E2 ... the list was never missing, unreadable or older" \
    empty "$W/bad"
also "and it was looked at all the time" \
    test "$(sort -u "$W/seen" | wc -l)" -ge 10
ok "I-E10 each of $logins logins meanwhile succeeded" test "$refused" -eq 0
also "and there were some" test "$logins" -ge 2
ok "the last ten are kept" test \
    "$(find "$PUBLIC" -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 10
ok "the ledger has each" $A verify --json
also "with a manifest" json "$W/out" "o[0].manifests >= $(version)"

# --- a list that cannot be read ------------------------------------------------------

# What ssh-keygen does not read hosts never get; we put another in its place.
unread() # TITLE LINE-OF-SH
{
	printf '#!/bin/sh\n%s\n' "$2" >"$W/keygen"
	chmod 0755 "$W/keygen"
	before=$(version)
	need mount --bind "$W/keygen" /usr/bin/ssh-keygen
	exits 3 "II-R1 a list that ssh-keygen does not read: $1" $A publish
	umount /usr/bin/ssh-keygen
	also "II-R1 ... is not published" test "$(version)" = "$before"
	also "II-R1 ... by its reason" has "$W/err" krl_refused
}
unread "exit 255" 'echo "KRL corrupt" >&2; exit 255'
unread "no verdict" 'exit 0'
unread "half of one" 'printf "x: ok\nx: o"; exit 0'
unread "killed" 'kill -9 $$'
ok "what was before goes on" cert_opens alice "$W/k1"
ok "and so does publishing" $A publish
# NB. a file that was changed between the two steps is not what was signed.
need cp /usr/bin/ssh-keygen "$W/real"
unread_tampered()
{
	cat >"$W/keygen" <<-END
		#!/bin/sh
		$W/real "\$@"
		status=\$?
		echo x >>"\$3"
		exit \$status
	END
	need mount --bind "$W/keygen" /usr/bin/ssh-keygen
	exits 3 "a list that was changed in between" $A publish
	umount /usr/bin/ssh-keygen
}
before=$(version)
unread_tampered
also "is not published" test "$(version)" = "$before"
also "by that reason" has "$W/err" "(publication)"

# --- going back ------------------------------------------------------------------------

before=$(version)
need sh -c 'rm -r "$1"/*' - "$PUBLIC"
ok "II-R5 all that was published is gone: publish" $A publish
also "II-R5 ... is newer all the same" test "$(version)" -gt "$before"
ok "II-R5 ... and knows what is revoked" ssh-keygen -Q -f "$CERT_KRL" \
    "$W/k1.pub"
exits 1 "II-R5 ... all of it" ssh-keygen -Q -f "$CERT_KRL" "$W/k2.pub"
now=$(version)
need $A publish
need ln -sfn "$now" "$PUBLIC/current"
ok "II-R5 somebody switched back: publish" $A publish
also "II-R5 ... is newer than both" test "$(version)" -gt $((now + 1))
before=$(version)
ok "II-R5 the signer is to switch to an older one" signer commit \
    version="$now"
also "II-R5 ... knows a newer" has "$W/out" '"superseded":true'
also "II-R5 ... and stays there" test "$(version)" = "$before"

# --- at once ------------------------------------------------------------------------------

for key in r1 r2 r3 r4; do
	need issue "$key" "$BOB_OID" "$BOB"
done
before=$(version)
pids=
for key in r1 r2 r3 r4; do
	$A revoke --serial "$(serial_of "$key")" --reason test \
	    >"$W/$key.out" 2>&1 &
	pids="$pids $!"
done
$A rotate --now >"$W/rotate.out" 2>&1 &
pids="$pids $!"
$A publish >"$W/publish.out" 2>&1 &
pids="$pids $!"
wrong=0
for pid in $pids; do
	wait "$pid" || wrong=$((wrong + 1))
done
cat "$W"/r?.out "$W/rotate.out" "$W/publish.out" >"$W/all"
ok "II-R8 four revocations, rotate and publish at once all succeed" \
    sh -c 'cat "$2" >&2; [ "$1" -eq 0 ]' - "$wrong" "$W/all"
also "II-R8 ... rotate says what it did" has "$W/rotate.out" "prepare user "
for key in r1 r2 r3 r4; do
	exits 1 "II-R8 ... none is lost: $key" ssh-keygen -Q -f "$CERT_KRL" \
	    "$W/$key-cert.pub"
done
ok "II-R8 ... the key to come is published" test "$(wc -l <"$CERT_CA")" -eq 2
ok "II-R8 ... the manifest is right" manifest_holds
ok "II-R8 ... and so is the account" $A verify
ok "and alice gets in" cert_opens alice "$W/k1"
exits 3 "rotate --now waits until hosts know the next key" $A rotate --now
also "by that reason" has "$W/err" published_too_late
ok "without --now there is nothing to do" $A rotate
also "which cron need not hear of" empty "$W/out"
finish
