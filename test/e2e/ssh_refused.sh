#!/bin/sh
# SPDX-License-Identifier: ISC
title="who may not sign in through ssh is told why, once, and leaves nothing"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=crowd.sh
. /src/test/e2e/crowd.sh

# conf: with room for the sign-ins of this test; input is appended to [pam].
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
need new_key k1
need new_key k2
stage_pam

# NB. so that everything is there that any sign-in makes.
need ssh_signin "$BOB" bob "$W/k2"
need whoami_is bob "$W/k2"

# What a sign-in that failed may leave: nothing, but for tenant keys that it
# fetched.
kept()
{
	(cd "$STATE" && find . -path './locks/*' -prune -o -path ./keys.json \
	    -prune -o -printf '%p %U:%G %m %y\n' | sort &&
	    find . -path './locks/*' -prune -o -path ./keys.json -prune -o \
	    -type f -print0 | sort -z | xargs -0r sha256sum) | sha256sum
}
before=$(kept)

nobody_left()
{
	! pgrep -u aadssh >/dev/null && ! pgrep -u aadssh-hook >/dev/null
}

slots_free()
{
	for slot in "$STATE"/locks/@flow.*; do
		flock -n "$slot" true || return 1
	done
}

no_files() # DIRECTORY PATTERN
{
	[ -z "$(find "$1" -mindepth 1 -name "$2")" ]
}

# leaves_nothing TITLE: of whoever came last.
leaves_nothing()
{
	ok "$1: no process is left" wait_for 30 nobody_left
	ok "... no offers" no_files "$RUN/offers" '*'
	ok "... no waiting sign-in" slots_free
	ok "... no identity for a session" no_files "$RUN/sessions" '*'
	ok "... nothing stored" [ "$(kept)" = "$before" ]
}

# --- somebody else, or nobody ----------------------------------------------------

# expect_no USER LOGIN REASON SENTENCE…: USER signs in for LOGIN and is told.
expect_no()
{
	local _user _login _reason
	_user=$1 _login=$2 _reason=$3
	shift 3
	log_mark
	exits 255 "$_user for $_login is refused" \
	    ssh_signin "$_user" "$_login" "$W/k1"
	for sentence; do
		also "... is told: $sentence" told "$sentence"
	done
	also "... was asked once" [ "$(prompts)" -eq 1 ]
	ok "... the log says $_reason" log_has event=signin verdict= \
	    "reason=$_reason" via=pam "login=$_login" source=127.0.0.1
	leaves_nothing "$_user"
}

# The sentence, which may be broken into lines; not thrice.
told() # SENTENCE
{
	tr -d '\r' <"$W/err" | tr '\n' ' ' >"$W/err.line"
	[ "$(grep -Fo -- "$1" "$W/err.line" | wc -l)" -eq 1 ]
}

rm -f "$RUN/offers"/*
expect_no "$BOB" alice not_this_login "You signed in as $BOB." \
    "This Azure AD user's name maps to another login."
expect_no carol@contoso.com carol require_not_met \
    "You signed in as carol@contoso.com." \
    "This Azure AD user has none of the roles or groups that [map] require names."
expect_no sam@partner.example alice guest \
    "Guests are not mapped to logins"
expect_no alice@other.example alice domain_not_listed \
    "This Azure AD user's domain is not listed in [map] domain."
expect_no disabled@contoso.com alice signin_disabled \
    "The account is disabled or gone."
expect_no blocked@contoso.com alice signin_policy \
    "A policy of the tenant blocks this sign-in."

# At the page there is no way on, and the poll stays without an answer.
node - "$IDP/users.json" <<-'END'
require("fs").writeFileSync(process.argv[2], JSON.stringify({
	"gone-page@contoso.com": { claims: { roles: ["ssh.user"] },
	    refuse: { code: 50057, at: "page" } } }))
END
need stop_idp
need start_idp --expires 5
ask_new page
ssh_ask_begin alice "$W/k1"
need wait_for 30 asked_or_gone 1
exits 1 "a disabled account gets no further than the page" \
    approve gone-page@contoso.com "$ask_dir/prompt.1"
also "... which says why" has "$W/err" AADSTS50057
reply 1 ''
exits 255 "... the sign-in ends with its code" ssh_ask_end
also "... and says so" told "The code expired before anybody signed in"
also "... once" [ "$(prompts)" -eq 1 ]
leaves_nothing "the page"
need stop_idp
need start_idp

# --- no sign-in is begun -----------------------------------------------------------

no_request()
{
	curl_idp log | node -e 'let s = "";
	    process.stdin.on("data", (d) => s += d).on("end", () => {
		const { counts } = JSON.parse(s);
		console.log(counts);
		process.exit(Object.keys(counts).length === 0 ? 0 : 1);
	    })'
}

# expect_no_flow TITLE LOGIN REASON [SENTENCE]
expect_no_flow()
{
	log_mark
	idp_log_reset
	ask_new flow
	reply 1 ''
	exits 255 "$1 gets no code" ssh_ask "$2" "$W/k1"
	also "... was asked nothing" [ "$(prompts)" -eq 0 ]
	also "... by a client that shows none" sh -c '! grep -q https: "$1"' - \
	    "$W/err"
	[ $# -lt 4 ] || also "... is told: $4" told "$4"
	ok "... the log says $3" log_has "$3"
	ok "... Azure AD is not asked" no_request
	# NB. the module keeps root from the child, which would remove them.
	[ "$2" != root ] || rm -f "$RUN/offers"/*
	leaves_nothing "$1"
	rm -f "$RUN/offers"/*
}

expect_no_flow "an unknown login" nobodyhere "no such account"
expect_no_flow "root" root login_never
need stop_sshd
echo "PermitRootLogin yes" >/etc/ssh/sshd_config.d/root.conf
need start_sshd ask
expect_no_flow "root, where sshd lets it in" root login_never
rm /etc/ssh/sshd_config.d/root.conf
expect_no_flow "an account of the system" lowuid reason=uid_too_low \
    "The account's uid is below min_uid"
need aadssh deny --login alice
before=$(kept)
expect_no_flow "a denied login" alice reason=login_denied \
    "This login is denied; an administrator can lift it with aadssh undeny --login."
need aadssh undeny --login alice
before=$(kept)
need conf <<-END
from = 192.0.2.0/24
from = 2001:db8::/32
END
expect_no_flow "an address outside [pam] from" alice reason=from_not_allowed \
    "Sign-ins are not offered to the address that this login comes from."
ok "... while a key works from everywhere" whoami_is bob "$W/k2"
need write_conf <<-END
[pam]
per_source = 1
END
expect_no_flow "one sign-in too many" alice reason=too_many_waiting
need conf </dev/null

# sshd refuses these itself, and asks PAM all the same.
need stop_sshd
echo "AllowUsers bob" >/etc/ssh/sshd_config.d/10-allow.conf
need start_sshd ask
expect_no_flow "a login that sshd denies" alice \
    "sshd does not let this login in"
ok "... while a key of one that it allows works" whoami_is bob "$W/k2"
need stop_sshd
rm /etc/ssh/sshd_config.d/10-allow.conf

# root, when policy and sshd both name it.
{
	echo "[login root]"
	echo "allow = oid:$ALICE_OID"
} | need conf
echo "PermitRootLogin yes" >/etc/ssh/sshd_config.d/root.conf
need start_sshd ask
ok "root signs in where a rule says who that is" \
    ssh_signin "$ALICE" root "$W/k1" -- id -un
also "... and is in" [ "$(cat "$W/out")" = root ]
ok "... by the key, too" whoami_is root "$W/k1"
exits 255 "... and nobody else is root" ssh_signin "$BOB" root ""
also "... which is told" told "You signed in as $BOB."
need aadssh forget root
before=$(kept)
need conf </dev/null
need stop_sshd
rm /etc/ssh/sshd_config.d/root.conf
need start_sshd ask

# --- whoever goes away in the middle ----------------------------------------------------

# A person at a terminal: $tty is what it shows, what is written to fd 8 is
# typed.
at_terminal() # LOGIN KEY
{
	tty=$W/tty
	rm -f "$W/typed" "$tty"
	mkfifo "$W/typed"
	: >"$tty"
	# NB. in the background sh ignores what is to be typed.
	env --default-signal=INT,QUIT script -qefc "ssh -F $W/ssh_config -i $2 $1@localhost true" "$tty" \
	    <"$W/typed" >/dev/null 2>&1 &
	tty_pid=$!
	exec 8>"$W/typed"
}

at_terminal alice "$W/k1"
ok "a person at a terminal sees a code" wait_for 30 grep -q "Press Enter" "$tty"
ok "... someone waits" pgrep -u aadssh
printf '\003' >&8
leaves_nothing "Ctrl-C"
exec 8>&-
wait "$tty_pid" || :

waits() # NAME
{
	ask_new "$1"
	ssh_ask_begin alice "$W/k1"
	wait_for 30 asked_or_gone 1 && code_shown "$ask_dir/prompt.1" &&
	    pgrep -u aadssh
}

ok "one waits at the prompt" waits killed
need ssh_ask_leave
leaves_nothing "kill -9 of the client at the prompt"

ok "one has signed in and not said so" waits signed
need approve "$ALICE" "$ask_dir/prompt.1"
need sleep 2
need ssh_ask_leave
leaves_nothing "kill -9 of the client before Enter"

ok "one has said Enter and not signed in" waits enter
reply 1 ''
need sleep 1
ok "... and the host waits" pgrep -u aadssh
need ssh_ask_leave
leaves_nothing "kill -9 of the client after Enter"
ok "... the code is of no use to anybody: nobody asks for its token" \
    approve "$ALICE" "$ask_dir/prompt.1"
leaves_nothing "a late sign-in"

need stop_sshd
echo "LoginGraceTime 4" >/etc/ssh/sshd_config.d/10-grace.conf
need start_sshd ask
ok "one waits at the prompt" waits grace
leaves_nothing "LoginGraceTime at the prompt"
reply 1 ''
exits 255 "... the client ends" ssh_ask_end
ok "one has said Enter" waits grace
reply 1 ''
exits 255 "... and is cut off by LoginGraceTime" ssh_ask_end
leaves_nothing "LoginGraceTime after Enter"
need stop_sshd
rm /etc/ssh/sshd_config.d/10-grace.conf
need start_sshd ask

# The sign-in is made, but another module lets nobody in: who it was stays for
# a session that never opens, on a pid that is gone.
ok "one signs in" waits nologin
echo "Not now." >/etc/nologin
need approve "$ALICE" "$ask_dir/prompt.1"
reply 1 ''
exits 255 "... when nobody may log in" ssh_ask_end
also "... and is asked once" [ "$(prompts)" -eq 1 ]
rm /etc/nologin
ok "... no process is left" wait_for 30 nobody_left
ok "... no session is open" aadssh reap
also "... and the identity that was left is swept" has "$W/out" "0 open"
ok "... it is gone" no_files "$RUN/sessions" '*'
finish
