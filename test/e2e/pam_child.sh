#!/bin/sh
# SPDX-License-Identifier: ISC
title="aadssh pam, driven by pipes as the PAM module drives it"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

# --- a module made of pipes ---------------------------------------------

OFFERS=/run/aadssh/offers
mkdir -p /run/aadssh
install -d -m 2770 -o aadssh-hook -g aadssh "$OFFERS"
monitor=$$
ticks=$(sed 's/.*) //' "/proc/$$/stat" | cut -d ' ' -f 20)

# The header that the module sends; standard input is what comes behind.
header() # LOGIN [SOURCE]
{
	printf 'aadssh-pam 1\nlogin %s\nmonitor %s %s\n' "$1" "$monitor" "$ticks"
	[ "${2-192.0.2.7}" = - ] || printf 'source %s\n' "${2-192.0.2.7}"
	cat
	echo
}

# The child as user aadssh, its lines in $W/pam.out; fd 7 is what it reads.
begin() # [session]
{
	rm -f "$W/to"
	mkfifo "$W/to"
	: >"$W/pam.out"
	env -i PATH=/usr/bin:/bin LANG=C setpriv --reuid aadssh \
	    --regid aadssh --clear-groups --no-new-privs \
	    /opt/aadssh/bin/aadssh pam "$@" <"$W/to" >"$W/pam.out" \
	    2>"$W/pam.err" &
	pam_pid=$!
	exec 7>"$W/to"
}

# begin and a header without more.
sign_in() # LOGIN [SOURCE]
{
	begin
	header "$@" </dev/null >&7
}

answer() # TEXT
{
	printf 'A %s\n' "$1" >&7
}

# The verdict, and what the person was shown in all: $W/pam.txt.
ends_with() # VERDICT
{
	wait_for 40 eval '! kill -0 "$pam_pid"' || kill -KILL "$pam_pid"
	wait "$pam_pid" || :
	exec 7>&-
	sed 's/^[IEP] //' "$W/pam.out" >"$W/pam.txt"
	[ "$(tail -n 1 "$W/pam.out")" = "R $1" ]
}

# How often it asked.
prompts()
{
	grep -c '^P ' "$W/pam.out"
}

asked() # TIMES
{
	[ "$(prompts)" -ge "$1" ]
}

# The person uses the code of the last prompt.
browse() # USER
{
	wait_for 30 asked 1 || return 1
	sed -n 's/^[IEP] //p' "$W/pam.out" >"$W/pam.txt"
	approve "$1" "$W/pam.txt"
}

# The person signs in and presses Enter, and is let in.
succeeds() # USER [ANSWER]
{
	browse "$1" && answer "${2-}" && ends_with OK
}

# One key that the client offered before, as the hook notes it.
offer() # LOGIN NAME [NS]
{
	local ns
	ns=${3-$(awk '{ printf "%.0f", $1 * 1e9 }' /proc/uptime)}
	setpriv --reuid aadssh-hook --regid aadssh-hook --init-groups \
	    sh -c 'umask 027; echo "$1" >>"$2"' - \
	    "$ns $1 $(cut -d ' ' -f 1,2 "$W/$2.pub")" "$OFFERS/$monitor"
}

no_offers()
{
	[ ! -e "$OFFERS/$monitor" ]
}

# Nobody waited just now, and no key was offered.  NB. to ask the hook is to
# offer: we are its parent, as sshd's monitor is.
fresh()
{
	rm -f "$STATE"/locks/@flow.* "$OFFERS/$monitor"
}

fp()
{
	ssh-keygen -lf "$W/$1.pub" | cut -d ' ' -f 2
}

record() # LOGIN NAME
{
	echo "$STATE/records/$1/$(cut -d ' ' -f 2 "$W/$2.pub" | base64 -d |
	    sha256sum | cut -d ' ' -f 1)"
}

refresh_token() # LOGIN NAME
{
	echo "$STATE/refresh/$1.$(basename "$(record "$1" "$2")")"
}

# No line that people read is over 74 columns, but for the address.
narrow()
{
	! grep '^[IEP] ' "$W/pam.out" | cut -c 3- | grep -v 'https://' |
	    grep -q '.\{75\}'
}

# refused TITLE REASON WORDS: the sign-in just begun is refused at once.
refused_as()
{
	ok "$1" ends_with NO
	also "... in one sentence ($2)" eval "has '$W/pam.txt' '$3'"
	also "... which the log has, too" log_has event=signin via=pam "reason=$2"
}

need start_idp
need write_conf </dev/null
for key in k1 k2 k3 k4 k5 k6 k7 k8; do
	need new_key "$key"
done
need new_key r1 rsa
# The state directory, as aadssh's.
need aadssh refresh --keys-only

# --- a first sign-in -------------------------------------------------------------
log_mark
need offer alice k1
sign_in alice
need wait_for 30 asked 1
also "II-L1 the prompt names host, login and key, and warns" eval '
    has "$W/pam.out" "Sign in to e2e as alice" &&
    has "$W/pam.out" "    ED25519 $(fp k1)" &&
    has "$W/pam.out" "Only continue if you started this login yourself."'
also "... address and code stand on lines of their own" browse "$ALICE"
also "... no line is over 74 columns" narrow
sleep 2
also "a sign-in before Enter waits for Enter" kill -0 "$pam_pid"
also "... and nothing is stored before it" [ ! -e "$(record alice k1)" ]
answer ""
ok "Enter ends it with a yes" ends_with OK
also "... after one prompt" [ "$(prompts)" -eq 1 ]
also "... the session learns who it is" eval '
    grep -qx "V AADSSH_UPN=$ALICE" "$W/pam.out" &&
    grep -qx "V AADSSH_OID=$ALICE_OID" "$W/pam.out" &&
    grep -qx "F oid $ALICE_OID" "$W/pam.out" &&
    grep -qx "F tid $TENANT" "$W/pam.out" &&
    grep -qx "F upn $ALICE" "$W/pam.out"'
ok "... the key is remembered" says_yes alice "$W/k1.pub"
ok "... unconfirmed, from where it came" eval '
    lacks "$(record alice k1)" "\"confirmed\"" &&
    has "$(record alice k1)" 192.0.2.7'
ok "... with its refresh token, which is not readable" eval '
    [ -s "$(refresh_token alice k1)" ] &&
    [ "$(stat -c "%U %a" "$(refresh_token alice k1)")" = "aadssh 600" ] &&
    [ "$(head -n 1 "$(refresh_token alice k1)")" = "aadssh-refresh 1" ]'
ok "... the offers are removed" no_offers
ok "... and logged" log_has event=signin via=pam reason=allowed login=alice \
    "$(fp k1)" source=192.0.2.7 "$ALICE"
ok "... without a token" log_lacks eyJ

# --- the session phase ---------------------------------------------
session() # LOGIN LINES...
{
	local login
	login=$1
	shift
	begin session
	printf '%s\n' "$@" | grep -v '^$' | header "$login" >&7 || :
}

auth_line() # NAME
{
	echo "auth publickey $(cut -d ' ' -f 1,2 "$W/$1.pub")"
}

log_mark
session alice "$(auth_line k1)"
ok "a login by the key confirms it" ends_with OK
ok "... in the record" has "$(record alice k1)" '"by":"session"'
ok "... the session file learns who and which key" eval '
    grep -qx "F oid $ALICE_OID" "$W/pam.out" &&
    grep -qx "F key $(fp k1)" "$W/pam.out"'
ok "... and the log" log_has event=login login=alice confirmed=yes \
    method=publickey "$(fp k1)" source=192.0.2.7
log_mark
session alice "$(auth_line k1)"
ok "the next one finds it confirmed" ends_with OK
ok "... and says so" log_has event=login confirmed=already
session alice "$(auth_line k2)"
ok "a key without sign-in is not ours" ends_with IGNORE
session alice "auth password" "auth keyboard-interactive/pam"
ok "other methods are not ours" ends_with IGNORE
session alice "identity $TENANT $ALICE_OID"
ok "who signed in by the prompt is named" ends_with OK
also "... to the session file" grep -qx "F oid $ALICE_OID" "$W/pam.out"
session alice "identity $TENANT $BOB_OID"
ok "another than the pin names is not let in" ends_with NO
need aadssh deny --oid "$ALICE_OID"
log_mark
session alice "$(auth_line k1)"
ok "a denial of the identity ends the session" ends_with NO
also "... and says why" has "$W/pam.txt" "This Azure AD user is denied"
ok "... in the log, too" log_has event=login reason=identity_denied
session alice "identity $TENANT $ALICE_OID"
ok "... also of who signed in by the prompt" ends_with NO
session alice "auth keyboard-interactive/pam"
ok "... and where a password opened the login that is theirs" ends_with NO
session bob "auth keyboard-interactive/pam"
ok "... but not another's" ends_with IGNORE
need aadssh undeny --oid "$ALICE_OID"
need aadssh deny --key "$(fp k1)"
session alice "$(auth_line k1)"
ok "a denial of the key, too" ends_with NO
need aadssh undeny --key "$(fp k1)"
need aadssh deny --login alice
session alice "$(auth_line k2)"
ok "a denial of the login, even by a key that is not ours" ends_with NO
need aadssh undeny --login alice
need mv "$STATE/denials" "$STATE/denials.away"
session alice "$(auth_line k1)"
ok "denials that can't be read let nobody in" ends_with NO
also "... and say so" has "$W/pam.txt" "The denials cannot be read"
need mv "$STATE/denials.away" "$STATE/denials"
need ssh-keygen -q -t ed25519 -N '' -f "$W/ca"
cert() # NAME KEYID
{
	ssh-keygen -q -s "$W/ca" -I "$2" -n alice -z 4711 "$W/$1.pub" &&
	    cp "$W/$1-cert.pub" "$W/cert.pub"
}
log_mark
need cert k3 "$ALICE oid=$ALICE_OID tid=$TENANT uti=abc"
session alice "$(auth_line cert)"
ok "a certificate of ours: who it was issued to" ends_with OK
ok "... the session file learns it" eval '
    grep -qx "F oid $ALICE_OID" "$W/pam.out" &&
    grep -qx "F key $(fp k3)" "$W/pam.out" &&
    grep -qx "F serial 4711" "$W/pam.out"'
ok "... and the log" log_has event=login serial=4711 "$ALICE" "$ALICE_OID"
need aadssh deny --oid "$ALICE_OID"
session alice "$(auth_line cert)"
ok "a denial of its identity ends the session" ends_with NO
need aadssh undeny --oid "$ALICE_OID"
need aadssh deny --key "$(fp k3)"
session alice "$(auth_line cert)"
ok "a denial of its key, too" ends_with NO
need aadssh undeny --key "$(fp k3)"
need cert k3 "$BOB oid=$BOB_OID tid=$TENANT uti=abc"
session alice "$(auth_line cert)"
ok "one for another than the pin names is not let in" ends_with NO
need cert k3 "some host of another authority"
session alice "$(auth_line cert)"
ok "one of another authority is not ours" ends_with IGNORE
need aadssh forget alice
need offer alice k1
sign_in alice
need succeeds "$ALICE"
flock -o "$STATE/locks/alice" sleep 300 &
flock_pid=$!
holders() # N: so many processes have the lock file open
{
	[ "$(find /proc/[0-9]*/fd -lname "$STATE/locks/alice" 2>/dev/null |
	    cut -d / -f 3 | sort -u | wc -l)" -eq "$1" ]
}
need wait_for 30 holders 1
log_mark
session alice "$(auth_line k1)"
need wait_for 30 holders 2
kill "$pam_pid"
ok "a confirmation that can't be stored keeps nobody out" ends_with OK
ok "... and is logged" log_has event=login confirmed=no reason=allowed
kill "$flock_pid"

# --- what did not let this login in ---------------------------------------------
# Ticks since boot of the moment that was so many seconds after a Unix time.
ticks_at() # SECONDS OFFSET
{
	awk -v at="$1" -v off="$2" -v now="$(date +%s.%N)" \
	    -v hz="$(getconf CLK_TCK)" \
	    '{ printf "%d", ($1 - (now - at - off)) * hz }' /proc/uptime
}

# Every session, whatever the fraction of the second is that it opens in.
sessions_end_with() # VERDICT
{
	local i
	for i in 1 2 3 4 5; do
		session alice "$(auth_line k1)"
		ends_with "$1" || return 1
		sleep 0.2
	done
}

need aadssh forget alice
fresh
need write_conf <<-END
[token]
confirm = 2s
END
need offer alice k1
sign_in alice
need succeeds "$ALICE"
sleep 5
ours=$ticks
ticks=$(ticks_at "$(date +%s)" 0)
session alice "$(auth_line k1)"
ok "a sign-in that was not confirmed in time is not, by a later login" \
    ends_with IGNORE
also "... so it opens nothing" eval '
    lacks "$(record alice k1)" "\"confirmed\"" &&
    says_no alice "$W/k1.pub"'
ticks=$ours
session alice "$(auth_line k1)"
ok "... but by one that began in time" ends_with OK
also "... which confirms it" has "$(record alice k1)" '"by":"session"'
need write_conf </dev/null
idp_refuse 50173 "$ALICE"
need aadssh refresh
need has "$(record alice k1)" '"state":"ended"'
ended=$(sed -n 's/.*"reason":"sign_in_again".*/&/; s/.*"at":\([0-9]*\).*/\1/p' \
    "$(record alice k1)")
ticks=$(ticks_at "$ended" -10)
session alice "$(auth_line k1)"
ok "a sign-in that ended since this login began ends it" ends_with NO
ticks=$(ticks_at "$ended" 0.3)
ok "... also when both were within one second" sessions_end_with NO
ticks=$(ticks_at "$ended" 3)
session alice "$(auth_line k1)"
ok "... but one that ended before did not let it in" ends_with IGNORE
ticks=$ours
rm -f "$IDP/users.json"
need ssh-keygen -q -t rsa -b 1024 -N '' -f "$W/weak"
session alice "$(auth_line weak)"
ok "a key that is too weak for us is not ours" ends_with IGNORE
need aadssh deny --key "$(fp weak)"
session alice "$(auth_line weak)"
ok "... and a denial of it ends the session all the same" ends_with NO
need aadssh undeny --key "$(fp weak)"

# --- which key ---------------------------------------------
need aadssh forget alice
fresh
for key in k2 k3 r1 k1 k4 k5 k6 k7 k8; do
	need offer alice "$key"
done
sign_in alice
need wait_for 30 asked 1
also "nine keys are listed, the first one meant" eval '
    has "$W/pam.out" "  * 1  ED25519 $(fp k2)" &&
    has "$W/pam.out" "    3  RSA $(fp r1)" &&
    has "$W/pam.out" "    9  ED25519 $(fp k8)" &&
    lacks "$W/pam.out" " more"'
also "... no line is over 74 columns" narrow
answer " 4 "
need browse "$ALICE"
ok "a number chooses another, before the sign-in too" ends_with OK
ok "... that one is remembered" says_yes alice "$W/k1.pub"
for key in k2 k3 r1 k4 k5 k6 k7 k8; do
	ok "... and no other ($key)" says_no alice "$W/$key.pub"
done
fresh
need offer alice k2
need offer alice k1
sign_in alice
need wait_for 30 asked 1
also "the one that was remembered before comes first" \
    has "$W/pam.out" "  * 1  ED25519 $(fp k1)"
answer x
need wait_for 30 asked 2
also "an answer that is none is asked for again, with a word" \
    has "$W/pam.out" "I Please answer with Enter, a number of the list, 0"
answer q
need wait_for 30 asked 3
also "q shows the address as a QR code" has "$W/pam.out" "█▀"
browse "$ALICE"
answer 0
ok "0 lets in and remembers nothing new" ends_with OK
ok "... so k2 opens nothing" says_no alice "$W/k2.pub"
need aadssh forget alice
fresh
for key in k1 k2; do need offer alice "$key"; done
need aadssh deny --key "$(fp k1)"
sign_in alice
need succeeds "$ALICE"
ok "a denied key is not asked about" eval 'lacks "$W/pam.out" "$(fp k1)" &&
    says_yes alice "$W/k2.pub"'
need aadssh undeny --key "$(fp k1)"
need aadssh forget alice
fresh
need offer bob k1
need offer alice k1 1
sign_in alice
need wait_for 30 asked 1
also "offers of another login, or older than the connection, do not count" \
    has "$W/pam.out" "I Your client offered no key"
need succeeds "$ALICE"
ok "no key at all: let in, nothing remembered" eval '
    no_offers && says_no alice "$W/k1.pub"'
fresh
need write_conf <<-END
[pam]
bind = none
END
need offer alice k1
sign_in alice
need succeeds "$ALICE"
ok "bind = none asks about no key" has "$W/pam.out" "I This host remembers no key"
ok "... and remembers none" says_no alice "$W/k1.pub"
need write_conf </dev/null

# --- who is not asked at all ---------------------------------------------
# NB. without a provider, so that who asks it gets another answer.
need stop_idp
fresh
log_mark
sign_in nobody-here
refused_as "an unknown account starts no flow" no_account "no account"
sign_in root
refused_as "root starts no flow" login_never "never given by name"
sign_in lowuid
refused_as "a uid below min_uid starts no flow" uid_too_low "min_uid"
begin
header "../etc" </dev/null >&7
refused_as "a login outside the grammar starts no flow" bad_login "login name"
need aadssh deny --login alice
sign_in alice
refused_as "a denied login starts no flow" login_denied "This login is denied"
need aadssh undeny --login alice
need write_conf <<-END
[pam]
from = 192.0.2.0/24
from = 2001:db8::/32
END
sign_in alice 198.51.100.1
refused_as "an address outside [pam] from" from_not_allowed "not offered"
sign_in alice -
ok "no address at all, with [pam] from" ends_with NO
need start_idp
sign_in alice 2001:db8::7
need wait_for 30 asked 1
ok "... and one within it" succeeds "$ALICE"

need write_conf <<-END
[pam]
per_host = 2
per_source = 1
END
fresh
sign_in alice
need wait_for 30 asked 1
sign_in alice
refused_as "II-L2 one more from the same address than per_source" \
    too_many_waiting "Too many sign-ins"
sign_in alice 192.0.2.8
need wait_for 30 asked 1
sign_in alice 192.0.2.9
refused_as "II-L2 one more on this host than per_host" \
    too_many_waiting "Too many sign-ins"
fresh
need write_conf </dev/null

fresh
# --- the ends ---------------------------------------------
sign_in alice
need wait_for 30 asked 1
answer ""
sleep 1
ok "Enter before the sign-in goes on waiting" kill -0 "$pam_pid"
browse "$ALICE"
ok "... and ends by itself when it is there" ends_with OK
also "... after one prompt" [ "$(prompts)" -eq 1 ]

fresh
need offer alice k1
sign_in alice
need browse "$BOB"
answer ""
log_mark
ok "II-L1 somebody else's sign-in is refused" ends_with NO
also "... and both are told who it was" eval '
    has "$W/pam.txt" "You signed in as $BOB" && log_has event=signin "$BOB"'
ok "... nothing is stored" says_no alice "$W/k1.pub"

fresh
need offer alice k1
state=$(state_sum)
sign_in alice
need wait_for 30 asked 1
kill "$pam_pid"
ok "Ctrl-C: SIGTERM ends it" ends_with NO
also "... removes the offers" no_offers
also "... stores nothing" [ "$(state_sum)" = "$state" ]
need offer alice k1
sign_in alice
need wait_for 30 asked 1
exec 7>&-
ok "an end of the input ends it" ends_with NO
also "... with nothing stored" [ "$(state_sum)" = "$state" ]

fresh
need write_conf <<-END
[pam]
timeout = 30s
END
sign_in alice
need wait_for 30 asked 1
log_mark
ok "nobody signs in: it ends by itself" ends_with NO
also "... and says so" has "$W/pam.txt" "Nobody signed in within 30s."
ok "... in the log, too" log_has event=signin reason=signin_expired
need write_conf </dev/null

# --- a key of two people ---------------------------------------------
fresh
need offer alice k1
sign_in alice
need succeeds "$ALICE"
need says_yes alice "$W/k1.pub"
need offer bob k1
sign_in bob
browse "$BOB" && answer ""
log_mark
ok "a second identity with the same key is refused" ends_with NO
also "... and told why" has "$W/pam.txt" "Two Azure AD users signed in with this key"
ok "... has no record" says_no bob "$W/k1.pub"
ok "... and the first one's has ended" says_no alice "$W/k1.pub"
ok "... with its refresh token" [ ! -e "$(refresh_token alice k1)" ]
fresh
need offer bob k1
sign_in bob
browse "$BOB" && answer ""
ok "... it stays shared" ends_with NO
need aadssh forget alice --key "$(fp k1)"
need offer bob k1
sign_in bob
ok "... until an administrator forgets it" succeeds "$BOB"
ok "... then it is the other's" says_yes bob "$W/k1.pub"
need aadssh forget bob

# --- denials of the identity ---------------------------------------------
idp_denial()
{
	printf '0\n{"v":1,"origin":"%s","at":%s}\n' "$1" "$2" \
	    >"$STATE/denials/oid/$ALICE_OID" &&
	    chown aadssh:aadssh "$STATE/denials/oid/$ALICE_OID" &&
	    chmod 0640 "$STATE/denials/oid/$ALICE_OID"
}
fresh
need idp_denial idp $(($(date +%s) - 100))
need offer alice k1
sign_in alice
log_mark
ok "a sign-in ends a denial that Azure AD's refusal made" succeeds "$ALICE"
ok "... which is gone" [ ! -e "$STATE/denials/oid/$ALICE_OID" ]
ok "... and logged" log_has event=undeny by=signin "$ALICE_OID"
ok "... so that the key opens the login" says_yes alice "$W/k1.pub"
need aadssh forget alice
need idp_denial admin $(($(date +%s) - 100))
need offer alice k1
sign_in alice
browse "$ALICE" && answer ""
ok "an administrator's stays" ends_with NO
also "... and says so" has "$W/pam.txt" "This Azure AD user is denied"
need aadssh undeny --oid "$ALICE_OID"

# --- the provider ---------------------------------------------
fresh
sign_in alice
need wait_for 30 asked 1
sed -n 's/^[IEP] //p' "$W/pam.out" >"$W/pam.txt"
need node "$SRC/test/idp/click.mjs" --ca "$IDP/ca.pem" --deny \
    "$(shown_url "$W/pam.txt")" "$(shown_code "$W/pam.txt")" "$ALICE"
sleep 2
also "declined while the prompt is up: nothing until Enter" \
    lacks "$W/pam.out" "R NO"
answer ""
ok "... then no" ends_with NO
also "... and why" has "$W/pam.txt" "declined in the browser"
fresh
need stop_idp
sign_in alice
ok "an outage that nobody else saw is a no" ends_with NO
also "... which says what is wrong" has "$W/pam.txt" "could not be reached"
also "... but not what is there to be reached" \
    lacks "$W/pam.txt" "$IDP_NAME"
# last_run RESULT AGE: as `aadssh refresh` leaves it.
last_run()
{
	setpriv --reuid aadssh --regid aadssh --clear-groups \
	    sh -c 'umask 027; echo "$1" >"$2"' - "$(sed \
	    "s/\"result\":\"[a-z_]*\"/\"result\":\"$1\"/
	    s/\"at\":[0-9]*/\"at\":$(($(date +%s) - $2))/" "$W/refresh.json")" \
	    "$STATE/refresh.json"
}
aadssh refresh >"$W/out" 2>&1 || :
need cp "$STATE/refresh.json" "$W/refresh.json"
for run in "outage 10 UNAVAIL" "outage 1900 NO" "outage -600 NO" "ok 10 NO"; do
	# shellcheck disable=SC2086 # three words
	set -- $run
	fresh
	need last_run "$1" "$2"
	sign_in alice
	ok "an outage, and the last live check ($2 s ago) said $1: $3" \
	    ends_with "$3"
done

# The same when the person has a code, which decides what is answered about it.
need start_idp
fresh
need last_run outage 10
sign_in alice
need wait_for 30 asked 1
idp_fault '{"endpoint":"token","kind":"aadsts","code":4711,"error":"what_is_this","times":0}'
answer ""
ok "an odd answer about a code that was shown is no outage" ends_with NO
need stop_idp

# --- what is wrong with this host is nobody's business ------------------
fresh
need chmod 0777 "$STATE/keys"
log_mark
sign_in alice
ok "keys that others could write: no" ends_with NO
also "... the person is told nothing of where they are" \
    lacks "$W/pam.txt" "$STATE"
ok "... the administrator is" log_has event=signin "$STATE"
need chmod 0750 "$STATE/keys"

# --- headers ---------------------------------------------
begin
printf 'aadssh-pam 2\nlogin alice\nmonitor 1 1\n\n' >&7
ok "a header of another version is refused" ends_with NO
begin
printf 'GET / HTTP/1.0\n\n' >&7
ok "one that is none, too" ends_with NO
begin
exec 7>&-
ok "and one that never came" ends_with NO
exits 2 "other words are a usage error" aadssh pam now
begin_as_root()
{
	header alice </dev/null | aadssh pam >"$W/pam.out"
}
exits 1 "root itself is refused" begin_as_root
also "... with R NO" [ "$(tail -n 1 "$W/pam.out")" = "R NO" ]
finish
