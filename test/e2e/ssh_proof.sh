#!/bin/sh
# SPDX-License-Identifier: ISC
title="a key that was only offered proves nothing, and is nobody else's"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

# conf: with room for the sign-ins of this test; input is appended.
conf()
{
	{
		echo "[pam]"
		echo "per_source = 64"
		cat
	} | write_conf
}

need start_idp
need conf </dev/null
for key in lone evil k1 k2 k3; do
	need new_key $key
done
rm "$W/lone" # somebody else has it; here is the public half
stage_pam

# --- offered, never proven ---------------------------------------------------------

log_mark
ok "with a lone public key alice signs in" \
    ssh_signin "$ALICE" alice "$W/lone.pub" -- id -un
also "... and is in" [ "$(cat "$W/out")" = alice ]
also "... after one question" [ "$(prompts)" -eq 1 ]
also "... that names it" marks lone
ok "it is remembered, and waits for its first login" bound alice lone
ok "... which never comes: it opens nothing" shut alice "$W/lone.pub"
lone=$STATE/records/alice/$(key_hash lone)
ok "... and is not confirmed" lacks "$lone" '"confirmed"'
ok "... by nobody's word" log_lacks "key=$(key_print lone)" confirmed=
cp "$lone" "$W/lone.before"
idp_log_reset
ok "the live check" aadssh refresh
ok "... does not ask about it" [ "$(idp_asked)" -eq 0 ]
ok "... and changes nothing" cmp "$lone" "$W/lone.before"
ok "a key with its other half is another one" \
    ssh_signin "$ALICE" alice "$W/k2"
need whoami_is alice "$W/k2"

need conf <<-END
[token]
confirm = 2s
END
need sleep 3.1
ok "after [token] confirm the hook refuses the lone key" \
    says_no alice "$W/lone.pub"
ok "... as unconfirmed" log_has event=key reason=unconfirmed \
    "key=$(key_print lone)"
ok "... and no key that was confirmed" whoami_is alice "$W/k2"
ok "the live check" aadssh refresh
ok "... leaves a tombstone" has "$lone" '"ended"'
also "... with that reason" has "$lone" '"unconfirmed"'
also "... without a token" lacks "$lone" id_token
also "... nor a refresh token" test ! -e \
    "$STATE/refresh/alice.$(key_hash lone)"
ok "... and is in the log" log_has reason=unconfirmed login=alice \
    "key=$(key_print lone)"
ok "the hook says ended" says_no alice "$W/lone.pub"
ok "... in the log, too" log_has event=key reason=unconfirmed \
    "key=$(key_print lone)"
need conf </dev/null
need aadssh forget alice

# --- one key, two people --------------------------------------------------------------

need ssh_signin "$ALICE" alice "$W/k1"
need whoami_is alice "$W/k1"
need ssh_signin "$ALICE" alice "$W/k2"
need whoami_is alice "$W/k2"
log_mark
exits 255 "bob may not have alice's key remembered" \
    ssh_signin "$BOB" bob "$W/k1"
also "... is told why" has "$W/err" "Two Azure AD users signed in with this key"
also "... was asked once" [ "$(prompts)" -eq 1 ]
ok "... in the log, too" log_has event=signin reason=key_shared login=bob \
    "key=$(key_print k1)"
ok "bob has no record" bound bob
ok "the key opens neither login: bob" shut bob "$W/k1"
ok "... nor alice" shut alice "$W/k1"
ok "... says the hook" says_no alice "$W/k1.pub"
ok "alice's record says why" record_has alice k1 '"key_shared"'
ok "... and is in the log" log_has reason=key_shared login=alice \
    "key=$(key_print k1)"
ok "... its refresh token is gone" test ! -e \
    "$STATE/refresh/alice.$(key_hash k1)"
ok "her other key is hers" whoami_is alice "$W/k2"
ok "offering that key she signs in" ssh_signin "$ALICE" alice "$W/k1"
also "... but it is not one that can be remembered" \
    lacks "$ask_dir/prompt.1" "$(key_print k1)"
ok "... and stays shut" says_no alice "$W/k1.pub"
ok "... for that reason" log_has event=key reason=key_shared login=alice
ok "... by record" record_has alice k1 '"key_shared"'
ok "aadssh forget ends that" aadssh forget alice --key "$(key_print k1)"
ok "... then it can be somebody's: bob's" ssh_signin "$BOB" bob "$W/k1"
ok "... whom it lets in" whoami_is bob "$W/k1"
ok "... and not alice" shut alice "$W/k1"
need aadssh forget alice
need aadssh forget bob

# --- offers that are not of this connection ---------------------------------------------

as_hook() # COMMAND…
{
	setpriv --reuid aadssh-hook --regid aadssh-hook --init-groups "$@"
}

# As the hook would have left them for processes that are gone: for each pid
# that can come next.
plant() # LOGIN KEY
{
	# shellcheck disable=SC2016
	as_hook sh -c 'umask 027
	    pid=$1
	    while [ "$pid" -lt $(($1 + 1500)) ]; do
		echo "$4 $2 $3" >"/run/aadssh/offers/$pid"
		pid=$((pid + 1))
	    done' - "$(sh -c 'echo $$')" "$1" \
	    "$(cut -d ' ' -f 1,2 "$W/$2.pub")" \
	    "$(awk '{ printf "%.0f\n", $1 * 1e9 }' /proc/uptime)"
}

need plant alice evil
planted=$(ls "$RUN/offers" | wc -l)
need sleep 0.1
ok "with another's key planted for each coming pid alice signs in" \
    ssh_signin "$ALICE" alice "$W/k1"
also "... and is asked about her own" marks k1
also "... alone" lacks "$ask_dir/prompt.1" "$(key_print evil)"
ok "... which is what is remembered" bound alice k1
ok "... the planted key opens nothing" shut alice "$W/evil"
ok "... one of the files was in its way" \
    [ "$(find "$RUN/offers" -name '[0-9]*' | wc -l)" -lt "$planted" ]
ok "without a key of her own" ssh_signin "$ALICE" alice ""
also "... none is named" has "$ask_dir/prompt.1" "Your client offered no key"
ok "... none is remembered" bound alice k1
rm -f "$RUN/offers"/*
for user in alice nobody; do
	exits 1 "$user plants nothing" setpriv --reuid "$user" --regid "$user" \
	    --clear-groups sh -c 'echo x 2>/dev/null >/run/aadssh/offers/1 ||
	    exit 1'
done
need aadssh forget alice

# --- at the same time ------------------------------------------------------------------

cat >"$IDP/users.json" <<-'END'
{
 "dora@contoso.com": { "claims": { "roles": [ "ssh.user" ],
  "oid": "2f1b6f0e-8c3a-4c55-9a51-5b0a7d3c9e10" } },
 "emil@contoso.com": { "claims": { "roles": [ "ssh.user" ],
  "oid": "9d4c2a77-0be1-4f6d-8e02-1c6f5a9b3d21" } }
}
END
id=1010
for user in dora emil; do
	echo "$user:x:$id:$id::/home/$user:/bin/sh" >>/etc/passwd
	echo "$user:x:$id:" >>/etc/group
	echo "$user:*:19000:0:99999:7:::" >>/etc/shadow
	install -d -m 0700 -o "$id" -g "$id" "/home/$user"
	id=$((id + 1))
done

# NAME stands for one login: of the user before the dash, with key NAME.
logins="alice-1 bob-1 dora-1 emil-1 alice-2 bob-2 dora-2 emil-2"
for name in $logins; do
	need new_key "$name"
	ask_new "$name"
	ssh_ask_begin "${name%-*}" "$W/$name" -- id -un
	echo "$ssh_pid" >"$ask_dir/pid"
done
for name in $logins; do
	ask_dir=$W/ask.$name
	ssh_pid=$(cat "$ask_dir/pid")
	ok "eight at once: $name is asked" wait_for 30 asked_or_gone 1
	also "... about its own key" marks "$name"
	also "... and no other" \
	    [ "$(grep -c SHA256: "$ask_dir/prompt.1")" -eq 1 ]
done
for name in $logins; do
	ask_dir=$W/ask.$name
	approve "${name%-*}@contoso.com" "$ask_dir/prompt.1" \
	    >"$ask_dir/browser" 2>&1 &
	echo $! >"$ask_dir/browser.pid"
	reply 1 ''
done
for name in $logins; do
	ask_dir=$W/ask.$name
	ssh_pid=$(cat "$ask_dir/pid")
	wait "$(cat "$ask_dir/browser.pid")" || cat "$ask_dir/browser"
	ok "$name signs in" ssh_ask_end
	also "... as itself" [ "$(cat "$W/out")" = "${name%-*}" ]
done
for user in alice bob dora emil; do
	ok "both keys of $user are remembered, and no other" \
	    bound "$user" "$user-1" "$user-2"
	for key in "$user-1" "$user-2"; do
		ok "$key lets $user in" whoami_is "$user" "$W/$key"
	done
done
ok "no key lets another in" shut alice "$W/bob-1"
ok "no process is left" wait_for 30 sh -c '! pgrep -u aadssh'
finish
