#!/bin/sh
# SPDX-License-Identifier: ISC
#
# demo.sh: a login through ssh that signs in, what it opens, and how it ends,
# each step as it happens, on a machine of its own (sandbox.sh) with a private
# sshd and a test provider; then a certificate authority, and a second host
# that knows nothing but what the authority publishes.
#
# A script plays the person, at the keyboard and in the browser.  With
# DEMO=interactive and a terminal it is you: the provider is then reachable
# from a browser on this machine.  Where there is a display, Chromium is
# opened at the right page.

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
	if ! find_browser || ! command -v certutil >/dev/null; then
		echo "(Open the page yourself; its CA will be $share/ca.pem)"
		return
	fi
	while [ ! -s "$share/url" ]; do
		sleep 0.2
	done
	open_browser
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

# Run the command on a terminal; what is shown there is in $W/screen.  Without
# DEMO it is not the person's own, and $W/keys types there.
on_terminal()
{
	printf '$ %s\n' "$*"
	: >"$W/screen"
	if [ "$DEMO" ]; then
		person &
		script -qfec "$*" "$W/screen"
		return
	fi
	[ -p "$W/keys" ] || mkfifo "$W/keys"
	exec 7<>"$W/keys"
	person >&2 &
	script -qfec "$*" "$W/screen" <&7 7>&-
}

# NB. lines of a terminal end with a carriage return.
screen()
{
	tr -d '\r' <"$W/screen" >"$W/seen"
	code_shown "$W/seen"
}

# What a person does about the code: open the page, say who it is, Enter.
person()
{
	wait_for 30 screen || return 1
	if [ "$DEMO" ]; then
		shown_url "$W/seen" >/share/url
		return
	fi
	sleep 0.5
	approve "$ALICE" "$W/seen" >"$W/click.out" 2>&1 || :
	printf '\n'
	sed 's/^/   /' "$W/click.out"
	printf '   keyboard: Enter\n'
	printf '\r' >"$W/keys"
}

# Disable an account at the provider; without one, enable all.
disable()
{
	if [ $# -eq 0 ]; then
		rm -f "$IDP/users.json"
		return
	fi
	node - /src/test/idp/users.json "$1" <<-'END' >"$W/users.json"
	const [file, name] = process.argv.slice(2);
	const user = JSON.parse(require('fs').readFileSync(file))[name];
	console.log(JSON.stringify({ [name]: { ...user,
	    refuse: { code: 50057 } } }));
	END
	mv "$W/users.json" "$IDP/users.json"
}

start_world()
{
	if [ "$DEMO" ]; then
		# On the host's network: any free port, a name it knows.
		IDP_NAME=localhost
		IDP_PORT=$(shuf -i 20000-29999 -n 1)
		AUTHORITY=https://$IDP_NAME:$IDP_PORT
		SSHD_PORT=$((IDP_PORT + 10000))
		CERT_PORT=$((IDP_PORT + 10001))
	fi
	step "A provider that looks like Azure AD: $AUTHORITY"
	need start_idp
	[ -z "$DEMO" ] || cp "$IDP/ca.pem" /share/ca.pem
	step "This host's configuration: $CONF"
	need write_conf <<-END
	[session]
	on_denial = terminate
	END
	run "cat $CONF"
	step "A stock sshd that asks aadssh about keys, and through PAM people"
	need write_pam
	need start_sshd ask
	run "grep '^[A-Z]' /etc/ssh/sshd_config.d/50-aadssh.conf"
	run "grep '^[a-z].* [^ ]*aadssh' /etc/pam.d/sshd"
	mkdir -m 0700 /root/.ssh
	sed 's/^LogLevel .*/LogLevel INFO/' "$W/ssh_config" >/root/.ssh/config
}

# What must have been said; the demo is a test, too.
said() # TEXT
{
	tr -d '\r' <"$W/screen" | grep -q "$1"
}

first_login()
{
	step "Alice has a key that this host has never seen"
	run "ssh-keygen -q -t ed25519 -N '' -C alice -f alice"
	run "ssh -o BatchMode=yes -i alice alice@localhost id || echo '(refused)'"

	step "A script stops there; a person is asked to sign in"
	[ -z "$DEMO" ] ||
	    echo "Choose $ALICE there, with any browser here."
	on_terminal "ssh -i alice alice@localhost 'id; echo \$AADSSH_UPN'"
	said '^uid=1001(alice)'

	step "From now on her key opens her account, without a question"
	run "ssh -i alice alice@localhost 'id; uname -n'" </dev/null |
	    tee "$W/id"
	grep -q '^uid=1001(alice)' "$W/id"
	run "aadssh explain alice alice.pub"
}

# An open session that the end of her account must end, too.
leave_open()
{
	step "She leaves a session open"
	echo '$ ssh -i alice alice@localhost sleep 1000'
	ssh -i alice alice@localhost sleep 1000 </dev/null >"$W/open" 2>&1 &
	open=$!
	wait_for 30 grep -rqx 'method publickey' "$RUN/sessions"
	run "aadssh status"
}

disabled()
{
	step "Her account is disabled at the provider; cron asks every 15 min"
	disable "$ALICE"
	run "aadssh refresh"
	run "ssh -o BatchMode=yes -i alice alice@localhost id || echo '(refused)'" \
	    2>&1 | tee "$W/id"
	grep -q '^(refused)' "$W/id"
	run "aadssh explain alice alice.pub || :"

	step "What runs as her ends, too"
	run "aadssh reap"
	wait "$open" || :
	sed 's/^/   her terminal: /' "$W/open"
	grep -q 'closed' "$W/open"
	[ -z "$DEMO" ] || return 0

	step "Signing in again is no way round it"
	on_terminal "ssh -i alice alice@localhost id || echo '(refused)'"
	said '^(refused)'
}

enabled()
{
	step "Enabled again, she signs in again, and that is all"
	disable
	on_terminal "ssh -i alice alice@localhost id"
	said '^uid=1001(alice)'
	run "ssh -i alice alice@localhost uname -n" </dev/null
	run "grep -oE 'event=(evict|reap|undeny) .*' /var/log/syslog"
}

start_authority()
{
	step "A fleet has a certificate authority: $CA_CONF"
	need write_ca_conf <<-END
	hosts = web
	END
	run "sed -n '/^\[ca\]/,\$p' $CA_CONF"
	run "aadssh -f $CA_CONF refresh --keys-only"
	run "aadssh-ca init"

	step "A second host knows what the authority publishes, and its group"
	need write_cert_conf <<-END
	[host]
	groups = web
	END
	need start_cert_sshd
	run "cat $CERT_CONF"
	run "grep -E '^(Trusted|Revoked|Authorized)' /etc/ssh/sshd_cert_config"
	cat >>/root/.ssh/config <<-END
	Host second
	Port $CERT_PORT
	HostKeyAlias cert.example.test
	UserKnownHostsFile $W/known_hosts_cert
	END
	# NB. the first match counts.
	sed -n '/^Host second/,$p' /root/.ssh/config >"$W/config"
	sed '/^Host second/,$d' /root/.ssh/config >>"$W/config"
	cat "$W/config" >/root/.ssh/config
	run "ssh -o BatchMode=yes -i alice alice@second id || echo '(refused)'"
}

certificate()
{
	step "One sign-in gives her a certificate for every host of the group"
	on_terminal "aadssh-ca sign --key alice.pub"
	said 'alice on web'
	run "ssh-keygen -L -f alice-cert.pub | grep -A 2 -E 'ID:|Valid|Principals'"
	run "ssh -i alice alice@second id" </dev/null | tee "$W/id"
	grep -q '^uid=1001(alice)' "$W/id"
	run "aadssh-ca sign --key alice.pub --if-needed && echo 'still fresh'"
}

revoked()
{
	step "She leaves: revoked, and refused from that moment on"
	run "aadssh-ca revoke --user $ALICE --reason 'left the company'"
	run "ssh -o BatchMode=yes -i alice alice@second id || echo '(refused)'" \
	    2>&1 | tee "$W/id"
	grep -q '^(refused)' "$W/id"
	on_terminal "aadssh-ca sign --key alice.pub || echo '(refused)'"
	said '^(refused)'
	run "aadssh-ca list"
	run "aadssh-ca verify"
}

inside()
{
	title=demo
	# shellcheck source=lib.sh
	. /src/test/e2e/lib.sh
	# shellcheck source=calib.sh
	. /src/test/e2e/calib.sh
	cd /root
	start_world
	first_login
	leave_open
	disabled
	enabled
	start_authority
	certificate
	revoked
	step "Done; nothing of this is left on your machine"
}

if [ "${1-}" = --inside ]; then
	inside
else
	outside
fi
