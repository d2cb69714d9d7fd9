#!/bin/sh
# SPDX-License-Identifier: ISC
title="who was denied is out, however they come in; break-glass needs nothing"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

TID=$TENANT

need start_idp
need write_conf <<-END
[pam]
per_source = 64
END
for key in k1 k2 file ca glass; do
	need new_key $key
done

# A key file for plain, a certificate authority that is not ours yet, and a
# way in for members of breakglass.
cp "$W/file.pub" /etc/ssh/keys.plain
cp "$W/ca.pub" /etc/ssh/user_ca.pub
mkdir -p /etc/ssh/breakglass /etc/ssh/sshd_config.d
cp "$W/glass.pub" /etc/ssh/breakglass/deploy
echo "breakglass:x:950:deploy" >>/etc/group
cat >/etc/ssh/sshd_config.d/60-test.conf <<END
TrustedUserCAKeys /etc/ssh/user_ca.pub
Match User plain
	AuthorizedKeysFile /etc/ssh/keys.%u
Match Group breakglass
	AuthorizedKeysFile /etc/ssh/breakglass/%u
Match all
END
stage_pam

# certify NAME KEY-ID LOGIN…: a new key and its certificate.
certify()
{
	new_key "$1"
	ssh-keygen -q -s "$W/ca" -I "$2" -n "$3" -z "${4-4711}" \
	    "$W/$1.pub"
}

# Like a script's client, which shows what sshd has to say.
key_in() # LOGIN KEY [COMMAND…]
{
	local login key
	login=$1 key=$2
	shift 2
	ask_new key
	ssh_ask "$login" "$W/$key" -o PreferredAuthentications=publickey -- \
	    "${@-echo inside}"
}

in_by() # LOGIN KEY
{
	[ "$(key_in "$1" "$2" id -un)" = "$1" ]
}

# turned_away TITLE LOGIN KEY SENTENCE: sshd took the key, PAM did not.
turned_away()
{
	local status
	status=0
	key_in "$2" "$3" 'echo inside' >"$W/key.out" 2>"$W/key.err" || status=$?
	cat "$W/key.out" "$W/key.err" | tr -d '\r' | tr '\n' ' ' >"$W/told"
	ok "$1 is turned away" [ "$status" -ne 0 ]
	ok "... nothing runs" lacks "$W/key.out" inside
	ok "... for a reason that is told: $4" has "$W/told" "$4"
}

no_session()
{
	[ -z "$(find "$RUN/sessions" -mindepth 1)" ]
}

# --- a login --------------------------------------------------------------------

need ssh_signin "$ALICE" alice "$W/k1"
need whoami_is alice "$W/k1"
need aadssh deny --login alice
ok "a denied login's confirmed key opens nothing" shut alice "$W/k1"
ok "... says the hook" log_has event=key reason=login_denied login=alice
log_mark
exits 255 "... nor does keyboard-interactive" \
    ssh_signin "$ALICE" alice "$W/k1"
also "... which asks nothing" [ "$(prompts)" -eq 0 ]
also "... and says why" has "$W/err" "This login is denied"
need aadssh deny --login plain
turned_away "a denied login with a key file" plain file \
    "This login is denied on this host."
ok "... in the account phase" log_has event=pam phase=account login=plain \
    login_denied
need aadssh undeny --login plain
ok "... and is in again afterwards" in_by plain file
need aadssh undeny --login alice
ok "as is the confirmed key" whoami_is alice "$W/k1"

# denied_meanwhile WHAT VALUE SENTENCE: while the person is at the browser.
denied_meanwhile()
{
	ask_new meanwhile
	ssh_ask_begin alice "$W/k2"
	need wait_for 30 asked_or_gone 1
	need aadssh deny "$1" "$2"
	need approve "$ALICE" "$ask_dir/prompt.1"
	reply 1 ''
	exits 255 "$1 while the sign-in waits refuses it" ssh_ask_end
	also "... says why" has "$W/err" "$3"
	also "... after one question" [ "$(prompts)" -eq 1 ]
	ok "... and nothing is remembered" bound alice k1
	need aadssh undeny "$1" "$2"
}
denied_meanwhile --login alice "This login is denied"
denied_meanwhile --oid "$ALICE_OID" "This Azure AD user is denied"
denied_meanwhile --key "$(key_print k2)" "This key is denied"

# --- a key, an identity -----------------------------------------------------------

need aadssh deny --key "$(key_print k1)"
ok "a denied key opens nothing" shut alice "$W/k1"
ok "... says the hook" log_has event=key reason=key_denied login=alice
ok "... it is not asked about" ssh_signin "$ALICE" alice "$W/k1"
also "... " lacks "$ask_dir/prompt.1" "$(key_print k1)"
need aadssh undeny --key "$(key_print k1)"
ok "... and opens its login again" whoami_is alice "$W/k1"
need aadssh deny --oid "$ALICE_OID"
ok "a denied identity's key opens nothing" shut alice "$W/k1"
ok "... says the hook" log_has event=key reason=identity_denied login=alice
exits 255 "... nor does a sign-in" ssh_signin "$ALICE" alice "$W/k1"
also "... which says why" has "$W/err" "This Azure AD user is denied"
also "... once" [ "$(prompts)" -eq 1 ]
need aadssh undeny --oid "$ALICE_OID"

# --- certificates: only the session phase knows who it is -------------------------------

need certify cert "$ALICE oid=$ALICE_OID tid=$TID uti=x" alice
need certify bobs "$BOB oid=$BOB_OID tid=$TID uti=x" alice,bob 4712
need certify other "somebody" alice
need certify theirs "$ALICE oid=$ALICE_OID tid=11111111-2222-4333-8444-555555555555 uti=x" \
    alice
log_mark
# shellcheck disable=SC2016 # the remote shell's
ok "a certificate opens its login" key_in alice cert \
    'echo "$AADSSH_UPN $AADSSH_OID"'
also "... which knows who it is" has "$W/out" "$ALICE $ALICE_OID"
ok "... as does the log" log_has event=login login=alice "upn=$ALICE" \
    "oid=$ALICE_OID" "key=$(key_print cert)" serial=4711 method=publickey
ok "one that names nobody is not ours" in_by alice other
ok "... and not logged as ours" log_lacks event=login login=alice \
    "key=$(key_print other)"

log_mark
turned_away "another than the pin names" alice bobs \
    "This login belongs to another Azure AD user"
ok "... in the log, too" log_has event=login verdict=no reason=pinned_other \
    login=alice "upn=$BOB" "oid=$BOB_OID" "key=$(key_print bobs)" \
    serial=4712 source=127.0.0.1
ok "... where no pin is, it opens" in_by bob bobs
turned_away "the same user of another tenant" alice theirs \
    "This login belongs to another Azure AD user"

need aadssh deny --oid "$ALICE_OID"
log_mark
turned_away "a denied identity's certificate" alice cert \
    "This Azure AD user is denied"
ok "... in the log, too" log_has event=login verdict=no \
    reason=identity_denied login=alice "oid=$ALICE_OID"
ok "... and no session is registered" wait_for 30 no_session
sftp_in()
{
	echo "get /etc/hostname $W/got" | sftp_as alice "$W/cert"
}
exits 255 "... sftp is shut, too" sftp_in
ok "... and brings nothing" test ! -e "$W/got"
ok "another's is not" in_by bob bobs
need aadssh undeny --oid "$ALICE_OID"
need aadssh deny --key "$(key_print cert)"
turned_away "a denied key's certificate" alice cert "This key is denied"
ok "... in the log, too" log_has event=login verdict=no reason=key_denied \
    login=alice "oid=$ALICE_OID" "key=$(key_print cert)" serial=4711
need aadssh undeny --key "$(key_print cert)"
need aadssh deny --key "$(key_print file)"
turned_away "a denied key of a key file" plain file "This key is denied"
ok "... in the log, too" log_has event=login verdict=no reason=key_denied \
    login=plain "key=$(key_print file)"
need aadssh undeny --key "$(key_print file)"
need aadssh deny --login alice
turned_away "a denied login with a certificate" alice cert \
    "This login is denied on this host."
need aadssh undeny --login alice
ok "undeny lets the certificate in" in_by alice cert

# --- denials that can't be read -----------------------------------------------------------

fog="The denials cannot be read, so nobody is let in"
for kind in login key oid; do
	need mv "$STATE/denials/$kind" "$STATE/denials/away"
	ok "without denials/$kind no key opens" shut alice "$W/k1"
	case $kind in
	login) turned_away "... a certificate" alice cert \
	    "can't tell now whether this login is denied" ;;
	*) turned_away "... a certificate" alice cert "$fog" ;;
	esac
	[ $kind = oid ] || turned_away "... a key file" plain file ""
	ok "... but break-glass does" in_by deploy glass
	# NB. whoever writes makes what is missing, and may: nobody signs in.
	rm -rf "$STATE/denials/$kind"
	need mv "$STATE/denials/away" "$STATE/denials/$kind"
done

# --- break-glass ----------------------------------------------------------------------------

ok "with everything in order a member of breakglass is in" in_by deploy glass
ok "... and is not asked to sign in" sh -c '! grep -q Azure "$1"' - "$W/err"
need mv "$STATE" "$STATE.away"
need mv "$RUN" "$RUN.away"
need mv "$CONF" "$CONF.away"
ok "without state, run and configuration he is in" in_by deploy glass
ok "... and alice is not" shut alice "$W/k1"
turned_away "... nor by certificate" alice cert \
    "can't tell now whether this login is denied"
turned_away "... nor plain by key file" plain file \
    "can't tell now whether this login is denied"
exits 255 "... nor by a sign-in" ssh_signin "$ALICE" alice "$W/k1"
also "... which asks nothing" [ "$(prompts)" -eq 0 ]
need mv /usr/libexec/aadssh /usr/libexec/away
ok "... and without the programs" in_by deploy glass
need mv /usr/libexec/away /usr/libexec/aadssh
need mv "$CONF.away" "$CONF"
need mv "$RUN.away" "$RUN"
need mv "$STATE.away" "$STATE"
ok "with all that back alice is in" whoami_is alice "$W/k1"
finish
