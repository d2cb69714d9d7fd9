#!/bin/sh
# SPDX-License-Identifier: ISC
title="a stock sshd asks the hook which principal of a certificate opens a login"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

# Certificates of plain ssh-keygen, so that there are those that ours would
# never make.
CERT_CA=/etc/ssh/user_ca.pub
CERT_KRL=/etc/ssh/revoked
need new_key ca
need new_key ca2
need new_key foreign
need new_key k1
need new_key k2
cat "$W/ca.pub" "$W/ca2.pub" >"$CERT_CA"
need ssh-keygen -q -k -f "$CERT_KRL"
need write_cert_conf <<END
[host]
groups = web,prod
END
need start_cert_sshd
CERT_ID="$ALICE oid=$ALICE_OID tid=$TENANT uti=x"
CERT_SERIAL=4711

# with PRINCIPALS [OPTION…]: k1's next certificate.
with()
{
	cert_made ca k1 "$@"
}

# --- a yes ----------------------------------------------------------------------

need with alice@web
log_mark
ok "LOGIN@GROUP opens the login on a host of the group" cert_opens alice "$W/k1"
ok "sshd says by which authority, serial and key id" has "$CERT_LOG" \
    "ID $CERT_ID (serial 4711) CA ED25519 $(key_print ca)"
ok "so does the hook's log" log_has event=principals verdict=yes \
    reason=allowed login=alice "$(key_print k1)" serial=4711 \
    "oid=$ALICE_OID" "ca=$(key_print ca)"
ok "the hook prints that principal and nothing else" \
    principals_say alice "$W/k1-cert.pub" alice@web
ok "another login stays shut" cert_refused bob "$W/k1"
ok "logged with its reason" log_has event=principals verdict=no \
    reason=cert_principal login=bob
need with bob@prod,alice@db,alice@prod
ok "one of many groups will do" cert_opens alice "$W/k1"
ok "for each its own" cert_opens bob "$W/k1"
for principals in alice@db alice Alice@web alice@web2 web@alice; do
	need with "$principals"
	ok "principal $principals opens nothing here" cert_refused alice "$W/k1"
done
need with ""
ok "I-C1 a certificate without principals opens nothing" \
    cert_refused alice "$W/k1"

# --- what no certificate of ours lists ---------------------------------------------

need write_cert_conf <<END
[host]
groups = web,prod
accept_all = yes
END
need with alice
ok "with accept_all the bare login counts" cert_opens alice "$W/k1"
ok "for nobody else" cert_refused bob "$W/k1"
log_mark
# NB. ssh-keygen divides at commas; what has one is built in the unit tests.
for principals in 'alice,bob_gmail.com#EXT#@contoso.com' '#alice,alice' \
    'alice root,alice' 'alice,	alice' 'alice"' 'command="id" alice' \
    'alice@web,*' 'alice@*' '@web,alice' 'alice@,alice@web' \
    'alice@web@db,alice' 'alice@WEB,alice' "alice,$(printf 'x%.0s' $(seq 40))" \
    "$(printf 'alice\r'),alice" "$(printf 'alice\nroot'),alice" \
    "cert-authority,alice,x y"; do
	shown=$(printf %.30s "$principals" | tr -c ' -~' '?')
	need with "$principals"
	ok "I-E15 refused whole: $shown" cert_refused alice "$W/k1"
	log_has event=principals reason=cert_principal_bad ||
	    ok "I-E15 ... by its reason: $shown" false
	log_mark
done
# What ssh-keygen does not write.
need forge_key forge
cat "$W/ca.pub" "$W/ca2.pub" "$W/forge.pub" >"$CERT_CA"
forged() # FIELD=JSON…
{
	cert_forged forge k1 "$@"
}
need forged 'principals=["alice"]'
ok "an authority of whose key we have the bytes" cert_opens alice "$W/k1"
for list in '["","alice"]' '["alice","","bob"]' '["alice",""]'; do
	need forged "principals=$list"
	log_mark
	ok "I-A5 an empty principal spoils the others: $list" \
	    cert_refused alice "$W/k1"
	ok "I-A5 ... by its reason" log_has event=principals \
	    reason=cert_principal_bad
done
need forged 'principals=["alice,root","alice"]'
ok "the forgery is a certificate to ssh-keygen" \
    ssh-keygen -L -f "$W/k1-cert.pub"
also "with a comma in a principal" grep -q 'alice,root' "$W/out"
log_mark
ok "I-A4 a comma in a principal spoils them all: alice" \
    cert_refused alice "$W/k1"
ok "I-A4 ... and root" cert_refused root "$W/k1"
ok "I-A4 ... by its reason" log_has event=principals reason=cert_principal_bad \
    login=alice
need forged 'principals=["alice\u0000,root"]'
ok "I-A4 a NUL in a principal" cert_refused alice "$W/k1"

# --- other certificates ---------------------------------------------------------------

need cert_made foreign k1 alice@web,alice
log_mark
ok "II-O6 all is right but the authority" cert_refused alice "$W/k1"
ok "II-O6 ... and the hook is not even asked for it" \
    log_lacks event=principals
ssh-keygen -q -s "$W/ca" -h -I host -n alice,alice@web "$W/k1.pub"
ok "I-D3 a host's certificate is none of a user" cert_refused alice "$W/k1"
ok "I-D3 ... nor to the hook" principals_say alice "$W/k1-cert.pub" ""
also "I-D3 ... by its reason" log_has event=principals reason=cert_type
need with alice@web
need cp "$W/k1-cert.pub" "$W/inner"
need forged 'principals=["alice"]' "authority=\"$W/inner\""
ok "II-9.1 a certificate whose authority is a certificate" \
    cert_refused alice "$W/k1"
log_mark
ok "II-9.1 ... the hook says no as well" principals_say alice "$W/k1-cert.pub" ""
ok "II-9.1 ... by its reason" log_has event=principals reason=cert_malformed
cat "$W/ca.pub" "$W/ca2.pub" >"$CERT_CA"
need sh -c ': >"$1"' - "$W/ca-cert.pub"
ok "I-A11 the authority's own key opens nothing" cert_refused alice "$W/ca"
rm "$W/ca-cert.pub"
log_mark
ok "a plain key is no certificate" principals_say alice "$W/k1.pub" ""
ok "by its reason" log_has event=principals reason=cert_plain_key
ok "I-C9 a weak certified key" sh -c 'ssh-keygen -q -t rsa -b 1024 -N "" \
    -f "$1" -C weak </dev/null' - "$W/weak"
need cert_made ca weak alice@web
ok "I-C9 ... is refused" principals_say alice "$W/weak-cert.pub" ""
ok "I-C9 ... by its reason" log_has event=principals reason=key_weak

# --- what is sshd's business --------------------------------------------------------------

need with alice@web -O source-address=192.0.2.0/24
log_mark
ok "I-D5 from another address sshd refuses it" cert_refused alice "$W/k1"
ok "I-D5 ... although the principal was right" log_has event=principals \
    verdict=yes login=alice
need with alice@web -O source-address=127.0.0.0/8
ok "I-D5 from the right address it opens" cert_opens alice "$W/k1"
need with alice@web -O force-command="echo forced"
forced()
{
	[ "$(ssh_cert_as alice "$W/k1" id -un)" = forced ]
}
ok "a forced command is run" forced
need with alice@web -O critical:unknown@example.test=x
ok "an unknown critical option is a refusal" cert_refused alice "$W/k1"
CERT_VALID=-2h:-1h
need with alice@web
ok "I-F7 an expired certificate is refused" cert_refused alice "$W/k1"
CERT_VALID=+1h:+2h
need with alice@web
ok "I-F7 so is one of tomorrow" cert_refused alice "$W/k1"
unset CERT_VALID

need cert_made ca k1 alice@web
need cert_made ca2 k2 alice@web
ok "before the revocation both authorities count" \
    sh -c 'cp "$1" "$1.kept"' - "$W/k1-cert.pub"
ok "the first" cert_opens alice "$W/k1"
ok "the second" cert_opens alice "$W/k2"
ssh-keygen -q -k -f "$CERT_KRL.new" "$W/ca.pub" && mv "$CERT_KRL.new" "$CERT_KRL"
ok "I-D6 what a revoked authority signed is refused" cert_refused alice "$W/k1"
ok "I-D6 ... at once, and the other's goes on" cert_opens alice "$W/k2"
echo "serial: 4711" >"$W/spec"
ssh-keygen -q -k -f "$CERT_KRL.new" -s "$W/ca2.pub" "$W/spec" &&
    mv "$CERT_KRL.new" "$CERT_KRL"
ok "so is a revoked serial" cert_refused alice "$W/k2"
ok "and the other authority's of that number goes on" cert_opens alice "$W/k1"
need ssh-keygen -q -k -f "$CERT_KRL"

# --- denials and pins of this host --------------------------------------------------------

need write_cert_conf <<END
[host]
groups = web
[state]
dir = $STATE
END
shuts() # REASON: refused by the hook, by that reason
{
	log_mark
	cert_refused alice "$W/k1" && log_has event=principals "reason=$1"
}
deny() # WORD…
{
	aadssh -f "$CERT_CONF" "$@"
}
ok "a denied login" deny deny --login alice
ok "... is shut" shuts login_denied
ok "... until the denial is lifted" deny undeny --login alice
ok "... and open then" cert_opens alice "$W/k1"
ok "a denied key" deny deny --key "$(key_print k1)"
ok "... is shut" shuts key_denied
need deny undeny --key "$(key_print k1)"
ok "I-D6 a denied authority" deny deny --key "$(key_print ca)"
ok "I-D6 ... is shut, whatever the KRL says" shuts key_denied
need deny undeny --key "$(key_print ca)"
ok "a denied identity" deny deny --oid "$ALICE_OID"
ok "... is shut, as the key id has it" shuts identity_denied
CERT_ID="oid=$BOB_OID@contoso.com oid=$ALICE_OID tid=$TENANT uti=x"
need with alice@web
ok "... whatever the user name looks like" shuts identity_denied
need deny undeny --oid "$ALICE_OID"
ok "and open again" cert_opens alice "$W/k1"
pin() # OID
{
	printf '{"v":1,"tid":"%s","oid":"%s","at":1}\n' "$TENANT" "$1" \
	    >"$STATE/pins/alice"
	chown aadssh:aadssh "$STATE/pins/alice"
	chmod 0640 "$STATE/pins/alice"
}
need pin "$ALICE_OID"
ok "a pin of this identity" cert_opens alice "$W/k1"
need pin "$BOB_OID"
ok "a pin of another shuts it" shuts pinned_other
rm "$STATE/pins/alice"
chmod 0777 "$STATE/denials/oid"
ok "II-P9 denials that anybody could change: nobody gets in" \
    shuts denials_unreadable
chmod 0750 "$STATE/denials/oid"
ok "and everybody again" cert_opens alice "$W/k1"
mv "$STATE" "$STATE.aside"
ok "a host without a state directory has no denials" cert_opens alice "$W/k1"
mv "$STATE.aside" "$STATE"

# --- what this host's own file says of an account ------------------------------------------

need write_cert_conf <<END
[host]
groups = web
[map]
min_uid = 60000
END
log_mark
# NB. to its authority no account is too low: it looks at none.
ok "I-B5 min_uid is for certificates, too" cert_refused alice "$W/k1"
ok "logged with its reason" log_has event=principals verdict=no \
    reason=uid_too_low login=alice
need write_cert_conf <<END
[host]
groups = web
[map]
min_uid = 60000
[login alice]
allow = $REQUIRE
options = restrict
END
# Whether a channel to another port is opened.
forwards()
{
	ssh_cert_as alice "$W/k1" -W "127.0.0.1:$CERT_PORT" | grep -q SSH-2.0
}
ok "with a section of its own it opens" cert_opens alice "$W/k1"
ok "and the section's options hold, whatever the certificate permits" \
    not forwards
need write_cert_conf <<END
[host]
groups = web
[login alice]
allow = $REQUIRE
END
ok "without them it forwards" forwards

# --- explain ----------------------------------------------------------------------------------

need with alice@web
need write_cert_conf <<END
[host]
groups = web
[state]
dir = $STATE
END

explain() # LOGIN [WORD…]
{
	local login
	login=$1
	shift
	aadssh -f "$CERT_CONF" explain "$login" "$W/k1-cert.pub" "$@"
}
ok "explain says yes" explain alice
also "and what sshd gets" has "$W/out" "sshd gets: alice@web"
also "in four steps" sh -c '[ "$(grep -c "^[1-4] ok " "$1")" -eq 4 ]' - "$W/out"
exits 1 "explain says no" explain bob
also "with the reason" has "$W/out" "no (cert_principal)"
ok "explain --json" explain alice --json
also "says the same" node -e 'const o = JSON.parse(require("fs")
    .readFileSync(process.argv[1])); process.exit(o.v === 1 &&
    o.verdict === "yes" && o.principal === "alice@web" &&
    o.serial === "4711" && o.steps.length === 4 ? 0 : 1)' "$W/out"
mv "$STATE" "$STATE.aside"
ok "explain on a host without a state directory" explain alice
also "makes none" test ! -e "$STATE"
mv "$STATE.aside" "$STATE"

# --- configurations -------------------------------------------------------------------------

need write_cert_conf <<END
[host]
groups = Web
END
ok "with a mistake in the configuration nobody gets in" shuts config
need write_cert_conf <<END
[ca]
[host]
groups = web
END
ok "nor with an authority's" shuts config
need write_cert_conf </dev/null
ok "without [host] no principal counts" shuts cert_principal
ok "check finds a host's of certificates alone sound" sh -c '
    printf "[host]\ngroups = web\n" >"$1" && aadssh -f "$1" check' - "$CERT_CONF"
also "and warns of nothing" lacks "$W/out" warning
finish
