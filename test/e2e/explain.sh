#!/bin/sh
# SPDX-License-Identifier: ISC
title="explain names the rule, and it is the one that the hook logs"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
need new_key k3
need new_key k4
GROUP=6f0a2b71-58de-4d3c-9a14-0be7c25f91d3 # one that alice is in
life=10 # seconds
echo "{ \"short-bob\": { \"like\": \"$BOB\",
    \"claims_override\": { \"exp\": { \"now\": $life } } } }" >"$IDP/users.json"

# explained REASON CASE LOGIN PUBFILE: no, for exactly that reason.
explained()
{
	log_mark
	exits 1 "$2: explain says no" aadssh explain "$3" "$4"
	also "$2: for the reason $1" has "$W/out" "no ($1)"
	ok "$2: the hook says no" says_no "$3" "$4"
	ok "$2: and logs the same reason" \
	    log_has event=key "reason=$1" "login=$3"
}

# with_conf REASON CASE: alice's key, under what is on standard input.
with_conf()
{
	write_conf
	explained "$1" "$2" alice "$W/k1.pub"
	write_conf </dev/null
}

need signin "$ALICE" aadssh login alice "$W/k1.pub"
need signin overage-roles aadssh login alice "$W/k2.pub"
need signin short-bob aadssh login bob "$W/k3.pub"
ends=$(($(date +%s) + life))

ok "allowed: explain says yes" aadssh explain alice "$W/k1.pub"
also "allowed: in so many words" has "$W/out" "yes (allowed)"
ok "allowed: --json" aadssh explain --json alice "$W/k1.pub"
also "allowed: its verdict" grep -Eq '"verdict": ?"yes"' "$W/out"
also "allowed: its version" grep -Eq '^\{ ?"v": ?1[,}]' "$W/out"
explained no_record "another key" alice "$W/k4.pub"
explained no_record "another login" bob "$W/k1.pub"

need aadssh deny --oid "$ALICE_OID"
explained identity_denied "a denied identity" alice "$W/k1.pub"
need aadssh undeny --oid "$ALICE_OID"
need aadssh deny --login alice
explained login_denied "a denied login" alice "$W/k1.pub"
need aadssh undeny --login alice

REQUIRE=role:ssh.other with_conf require_not_met "a role alice lacks" \
    </dev/null
DOMAIN=fabrikam.example with_conf domain_not_listed "another domain" \
    </dev/null
with_conf login_never "a login never given by name" <<-END
never = alice
END
with_conf not_allowed "a login with a section of its own" <<-END
[login alice]
allow = oid:$BOB_OID
END
with_conf uid_too_low "a uid below min_uid" <<-END
min_uid = 2000
END
sleep 2
with_conf tenant_keys_stale "stale tenant keys" <<-END
[token]
keys_max_age = 1s
END
with_conf sign_in_stale "an old sign-in" <<-END
[token]
sign_in_max_age = 1s
END

REQUIRE=group:$GROUP write_conf </dev/null
explained groups_unknown "more groups than a token holds" alice "$W/k2.pub"
write_conf </dev/null
ok "a role besides: the same token is enough" says_yes alice "$W/k2.pub"

# The same UPN, another person.
exits 1 "a recycled name can't sign in" \
    signin recycled aadssh login alice "$W/k4.pub"
also "because the login is another's" grep -q pinned_other "$W/login.err"
need mv "$STATE/pins/alice" "$W/pin"
need signin recycled aadssh login alice "$W/k4.pub"
explained pinned_other "a login that is another's" alice "$W/k1.pub"
need cp -p "$W/pin" "$STATE/pins/alice"
need says_yes alice "$W/k1.pub"

while [ "$(date +%s)" -le $((ends + 1)) ]; do
	sleep 0.5
done
explained token_expired "a token that ended" bob "$W/k3.pub"

tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
explained foreign_host "another host" alice "$W/k1.pub"
finish
