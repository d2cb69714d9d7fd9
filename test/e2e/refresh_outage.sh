#!/bin/sh
# SPDX-License-Identifier: ISC
title="while Azure AD cannot be asked nobody is evicted, and grace means exactly what it says"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

life=30 # seconds that a token lives
grace=8
need start_idp
need write_conf <<END
[token]
grace = ${grace}s
END
sed '/^grace/d' "$CONF" >/etc/aadssh/nograce.conf
need crowd 60 session user1@contoso.com user2@contoso.com
need aadssh refresh
need says_yes user1 "$W/crowd/user1.pub"

# --- answers that say nothing about anybody -------------------------------------
# outage WHAT FAULT…: both requests go wrong so.
outage()
{
	local what="$1" fault
	shift
	for fault; do
		idp_fault "$fault"
	done
	exits 3 "$what: exit 3" aadssh refresh --json
	also "$what: an outage" counted result outage
	also "$what: two unreachable" counted unreachable 2
	ok "$what: nobody is evicted" says_yes user1 "$W/crowd/user1.pub"
	ok "$what: the record remembers" is_renewal user1 unreachable
	ok "$what: refresh.json says so" \
	    has "$STATE/refresh.json" '"result":"outage"'
	idp_clear
	ok "$what: when it is over" aadssh refresh --json
	also "$what: both are renewed" counted renewed 2
	ok "$what: and all is forgotten" is_renewal user1 ok
}

outage "HTTP 503" '{"endpoint":"token","kind":"unavailable","times":2}'
outage "HTTP 429" '{"endpoint":"token","kind":"throttled","times":2}'
outage "HTTP 429, come again in a day" \
    '{"endpoint":"token","kind":"throttled","retry_after":86400,"times":2}'
outage "connections that break" '{"endpoint":"token","kind":"reset","times":9}'
outage "a web page" '{"endpoint":"token","kind":"garbage","times":2}'
outage "an answer without end" '{"endpoint":"token","kind":"endless","times":2}'
outage "a number that nobody knows" \
    '{"endpoint":"token","kind":"aadsts","code":4711,"error":"invalid_grant","times":2}'
outage "an account disabled, says a server in trouble" \
    '{"endpoint":"token","kind":"aadsts","code":50057,"status":503,"times":2}'
outage "discovery that fails" '{"endpoint":"discovery","kind":"unavailable"}'

idp_fault '{"endpoint":"token","kind":"unavailable"}'
ok "one of two that cannot be asked is no outage" aadssh refresh --json
also "the other is renewed" counted renewed 1
also "the result is ok" counted result ok

# --- asked to wait ----------------------------------------------------------------
idp_log_reset
idp_fault '{"endpoint":"token","kind":"throttled","retry_after":1}'
ok "asked to wait a second, it waits" aadssh refresh --json
also "and asks once more" counted renewed 2
ok "that is three requests" [ "$(idp_asked)" -eq 3 ]
idp_fault '{"endpoint":"token","kind":"throttled","retry_after":1,"times":0}'
exits 3 "asked to wait again and again, it gives up" aadssh refresh --json
also "after one retry" counted unreachable 2
idp_clear
need aadssh refresh

# --- a discovery document that does not fit is no outage ----------------------------
idp_fault '{"endpoint":"discovery","kind":"edit","set":{"issuer":"https://evil.test"}}'
exits 3 "a provider that is another one" aadssh refresh --json
also "is no outage" counted result failed
ok "and gives nobody grace" is_renewal user1 ok

# --- longer than the token ---------------------------------------------------------
short="\"claims_override\":{\"exp\":{\"now\":$life}}"
roles='"claims":{"roles":["ssh.user"]}'
cat >"$IDP/users.json" <<END
{ "user1@contoso.com": { $roles, $short },
  "user2@contoso.com": { $roles, $short } }
END
need aadssh refresh
cat >"$IDP/users.json" <<END
{ "user1@contoso.com": { $roles, $short },
  "user2@contoso.com": { $roles, "refuse": { "code": 53003, "at": "refresh" } } }
END
need aadssh refresh
ends=$(($(date +%s) + life))
need is_renewal user2 sign_in_again
need stop_idp
exits 3 "with the provider gone a refresh is an outage" aadssh refresh --json
also "nobody could be asked" counted checked 0
also "two are unreachable" counted unreachable 2
ok "one record says unreachable" is_renewal user1 unreachable
ok "the one that a policy refused keeps that" is_renewal user2 sign_in_again
ok "both get in while the token lives" says_yes user1 "$W/crowd/user1.pub"
if [ "$(date +%s)" -ge $((ends - 1)) ]; then
	ok "set-up was quick enough to see the token live" false
fi

no_grace() # LOGIN
{
	local type blob
	read -r type blob <"$W/crowd/$1.pub"
	setpriv --reuid aadssh-hook --regid aadssh-hook --init-groups \
	    "$HOOK" -f /etc/aadssh/nograce.conf "$1" 65533 "$type" "$blob"
}
while [ "$(date +%s)" -le $((ends + 1)) ]; do
	sleep 0.3
done
ok "after the token's end grace lets it in" says_yes user1 "$W/crowd/user1.pub"
ok "but not without grace" no_grace user1
also "nothing is said then" empty "$W/out"
ok "nor the one that a policy refused" says_no user2 "$W/crowd/user2.pub"
need aadssh deny --login user1
ok "a denial has no grace" says_no user1 "$W/crowd/user1.pub"
need aadssh undeny --login user1
while [ "$(date +%s)" -le $((ends + grace + 1)) ]; do
	sleep 0.3
done
log_mark
ok "after grace it is over" says_no user1 "$W/crowd/user1.pub"
ok "for that reason" log_has event=key token_expired login=user1
exits 3 "another refresh changes nothing" aadssh refresh
ok "it is still over" says_no user1 "$W/crowd/user1.pub"
need start_idp
# The provider's memory is gone with it: what it does not know is malformed.
ok "with the provider back" aadssh refresh --json
also "the sign-ins that it does not know end" counted again 2
finish
