#!/bin/sh
# SPDX-License-Identifier: ISC
title="a sign-in through ssh remembers one key, the one that the prompt names"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

need start_idp
need write_conf </dev/null
stage_pam
keys="a1 a2 a3 a4 a5 a6 a7 a8"
for key in $keys; do
	need new_key $key
done
# shellcheck disable=SC2086
need agent_with $keys

# --- eight keys in an agent ---------------------------------------------------

ok "with eight keys in an agent alice signs in" \
    ssh_signin "$ALICE" alice agent -- id -un
also "... and is in" [ "$(cat "$W/out")" = alice ]
also "... after one question" [ "$(prompts)" -eq 1 ]
also "... that marks the first key" marks a1
also "... and no other" [ "$(grep -c '^  \* ' "$ask_dir/prompt.1")" -eq 1 ]
also "... of eight" [ "$(grep -c 'ED25519 SHA256:' "$ask_dir/prompt.1")" -eq 8 ]
ok "exactly that one is remembered" bound alice a1
ok "... and opens the login" whoami_is alice "$W/a1"
for key in a2 a8; do
	ok "... while $key does not" shut alice "$W/$key"
done
ok "an agent with all of them is silent" ssh_ask alice agent -o BatchMode=yes

# --- choosing -------------------------------------------------------------------

signin_answer=5
ok "bob chooses by number" ssh_signin "$BOB" bob agent
also "... where the first was marked" marks a1
ok "... exactly that one is remembered" bound bob a5
ok "... and opens the login" whoami_is bob "$W/a5"
ok "... while the first does not" shut bob "$W/a1"

# --- the same key again -----------------------------------------------------------

need write_conf <<-END
[token]
sign_in_max_age = 1s
END
need sleep 2.1
ok "after sign_in_max_age the key is refused" shut bob "$W/a5"
ok "... for its age" log_has event=key reason=sign_in_stale \
    "key=$(key_print a5)"
need write_conf </dev/null
need agent_with a1 a2 a3 a4 a6 a7 a8 a5
bob_again() # TITLE
{
	ok "$1" ssh_signin "$BOB" bob agent
	also "... which asks" [ "$(prompts)" -eq 1 ]
	also "... about the same key, offered last" marks a5
	also "... as the first of the list" \
	    grep -q "^  \* 1  ED25519 $(key_print a5)$" "$ask_dir/prompt.1"
	ok "... and remembers that one again" bound bob a5
	ok "... which opens the login" whoami_is bob "$W/a5"
}
stale()
{
	write_conf <<-END
	[token]
	sign_in_max_age = ${1}s
	END
}
# NB. long enough for the sign-in and the login behind it, not for us.
need stale 12
need wait_for 30 says_no bob "$W/a5.pub"
bob_again "the next sign-in"
need wait_for 30 says_no bob "$W/a5.pub"
ok "a live check ends what is over age" aadssh refresh
ok "... its refresh token is gone" test ! -e \
    "$STATE/refresh/bob.$(key_hash a5)"
ok "... its record says why" record_has bob a5 sign_in_stale
bob_again "the sign-in after that"
need write_conf </dev/null

# --- none ---------------------------------------------------------------------------

need aadssh forget bob
signin_answer=0
ok "bob chooses none" ssh_signin "$BOB" bob agent -- id -un
also "... and is in" [ "$(cat "$W/out")" = bob ]
also "... after one question" [ "$(prompts)" -eq 1 ]
ok "... nothing is remembered" bound bob
ok "... so no key opens the login" shut bob "$W/a5"

ok "without a key offered" ssh_signin "$BOB" bob agent \
    -o PreferredAuthentications=keyboard-interactive -- id -un
also "... bob is in" [ "$(cat "$W/out")" = bob ]
also "... the prompt says that nothing will be remembered" \
    has "$ask_dir/prompt.1" "Your client offered no key"
ok "... nothing is remembered" bound bob

need write_conf <<-END
[pam]
bind = none
END
ok "with bind = none" ssh_signin "$BOB" bob agent -- id -un
also "... bob is in" [ "$(cat "$W/out")" = bob ]
also "... the prompt says that nothing will be remembered" \
    has "$ask_dir/prompt.1" "This host remembers no key"
also "... and lists none" lacks "$ask_dir/prompt.1" SHA256:
ok "... nothing is remembered" bound bob
rm -f "$RUN/offers"/*
ok "... each login asks again" ssh_signin "$BOB" bob agent
also "... one question" [ "$(prompts)" -eq 1 ]
ok "and no sign-in leaves its offers" [ -z "$(ls "$RUN/offers")" ]
finish
