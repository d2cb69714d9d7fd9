#!/bin/sh
# SPDX-License-Identifier: ISC
#
# demo.sh: one sign-in and what it opens, each step as it happens, on a
# machine of its own (sandbox.sh) with a private sshd and a test provider.
#
# A script plays the person in the browser.  With DEMO=interactive and a
# terminal it is you: the provider is then reachable from a browser on this
# machine.  Where there is a display, Chromium is opened at the right page.

set -eu
umask 022

# --- outside ----------------------------------------------------------------

find_browser()
{
	[ "${DISPLAY-}${WAYLAND_DISPLAY-}" ] || return 1
	for browser in "${BROWSER-}" chromium chromium-browser google-chrome; do
		case $browser in
		*chrom*) ! command -v "$browser" >/dev/null || return 0 ;;
		esac
	done
	return 1
}

# A browser whose only certificate store is one that knows the test's CA;
# never as root when a person called sudo.
open_browser()
{
	home=$share/home
	mkdir -p "$home/.pki/nssdb"
	certutil -N -d "sql:$home/.pki/nssdb" --empty-password
	certutil -A -d "sql:$home/.pki/nssdb" -n demo -t C,, -i "$share/ca.pem"
	set -- "$browser" --user-data-dir="$home/profile" --no-first-run \
	    --disable-sync "$(cat "$share/url")"
	if [ "$(id -u)" -ne 0 ]; then
		:
	elif [ "${SUDO_UID-}" ]; then
		chown -R "$SUDO_UID:$SUDO_GID" "$share"
		set -- setpriv --reuid "$SUDO_UID" --regid "$SUDO_GID" \
		    --init-groups "$@"
	else
		set -- "$@" --no-sandbox
	fi
	HOME=$home exec "$@" >/dev/null 2>&1
}

wait_and_open()
{
	while [ ! -s "$share/url" ]; do
		sleep 0.2
	done
	if find_browser && command -v certutil >/dev/null; then
		open_browser
	else
		echo "(Open it yourself; the test CA is $share/ca.pem)"
	fi
}

outside()
{
	here=$(cd "$(dirname "$0")" && pwd -P)
	export DEMO="${DEMO-}"
	if [ "$DEMO" != interactive ] || [ ! -t 0 ]; then
		DEMO=
		exec "$here/sandbox.sh" /bin/sh /src/test/e2e/demo.sh --inside
	fi
	share=$(mktemp -d)
	chmod 0755 "$share"
	wait_and_open &
	opener=$!
	trap 'kill $opener 2>/dev/null || :; rm -rf "$share"' EXIT
	trap 'exit 130' INT TERM
	"$here/sandbox.sh" --host-net --share "$share" \
	    /bin/sh /src/test/e2e/demo.sh --inside
}

# --- inside -----------------------------------------------------------------

step()
{
	printf '\n== %s\n' "$*"
}

# Show a command as one would type it, then run it.
run()
{
	printf '$ %s\n' "$*"
	sh -c "$*"
}

# Exits as COMMAND does, but what it says is also kept in FILE.
seen_in() # FILE COMMAND…
{
	file=$1
	shift
	rm -f "$W/pipe"
	mkfifo "$W/pipe"
	tee "$file" <"$W/pipe" &
	"$@" >"$W/pipe" 2>&1
}

person()
{
	if [ "$DEMO" ]; then
		wait_for 10 code_shown_or_gone "$W/login.err"
		code_shown "$W/login.err" || return 1
		shown_url "$W/login.err" >/share/url
		return
	fi
	approve alice@contoso.com "$W/login.err" 2>"$W/click.err" || {
		cat "$W/click.err" >&2
		return 1
	}
	sed 's/^/   /' "$W/click.err"
}

start_world()
{
	if [ "$DEMO" ]; then
		# On the host's network: any free port, a name it knows.
		IDP_NAME=localhost
		IDP_PORT=$(shuf -i 20000-29999 -n 1)
		AUTHORITY=https://$IDP_NAME:$IDP_PORT
		SSHD_PORT=$((IDP_PORT + 10000))
	fi
	step "A provider that looks like Azure AD: $AUTHORITY"
	need start_idp
	[ -z "$DEMO" ] || cp "$IDP/ca.pem" /share/ca.pem
	step "This host's configuration: $CONF"
	need write_conf </dev/null
	run "cat $CONF"
	step "A stock sshd that asks aadssh-authkeys about keys"
	need start_sshd
	run "cat /etc/ssh/sshd_config.d/50-aadssh.conf"
	mkdir -m 0700 /root/.ssh
	cp "$W/ssh_config" /root/.ssh/config
}

inside()
{
	title=demo
	# shellcheck source=lib.sh
	. /src/test/e2e/lib.sh
	cd /root
	start_world

	step "Alice has a key that this host has never seen"
	run "ssh-keygen -q -t ed25519 -N '' -C alice -f alice"
	run "ssh -i alice alice@localhost id || echo '(refused)'"

	step "She signs in with Azure AD, in a web browser"
	: >"$W/login.err"
	[ -z "$DEMO" ] ||
	    echo "Choose alice@contoso.com there, with any browser here."
	echo '$ aadssh login alice alice.pub'
	seen_in "$W/login.err" aadssh login alice alice.pub &
	login_pid=$!
	person
	wait "$login_pid"

	step "From now on her key opens her account"
	run "ssh -i alice alice@localhost 'id; uname -n'" | tee "$W/id"
	grep -q '^uid=1001(alice)' "$W/id"
	run "aadssh explain alice alice.pub"

	step "An administrator denies her; that counts at once"
	oid=$ALICE_OID
	run "aadssh deny --oid $oid"
	run "ssh -i alice alice@localhost id || echo '(refused)'" 2>&1 |
	    tee "$W/id"
	grep -q '^(refused)' "$W/id"
	run "aadssh explain alice alice.pub || :"
	step "Done; nothing of this is left on your machine"
}

if [ "${1-}" = --inside ]; then
	inside
else
	outside
fi
