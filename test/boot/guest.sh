# SPDX-License-Identifier: ISC
# shellcheck shell=dash
#
# Run by a unit of the machine that boot.sh makes, at both of its boots: the
# README's set-up on one host that is its own authority, then what units,
# sshd, PAM and cron make of it.
title="booted"
# shellcheck source=../e2e/lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=../e2e/calib.sh
. /src/test/e2e/calib.sh
W=/var/work IDP=$W/idp SYSLOG=/dev/null # /tmp is empty after a boot
AUTHORITY=https://$IDP_NAME:${BOOT_IDP_PORT:?}
EXAMPLES=/usr/local/share/doc/aadssh/examples
TIMERS="aadssh-refresh.timer aadssh-ca-keys.timer aadssh-ca-rotate.timer"
SERVICES="aadssh-ca-keys.service aadssh-ca-rotate.service
aadssh-refresh.service aadssh-reap.service aadssh-ca-signer@x.service"
cd "$W" || exit 1
stty -onlcr <&1
next=poweroff
leave()
{
	[ $? -eq 0 ] && [ "$failed" -eq 0 ] ||
	    journalctl -q -b -n 60 | sed 's/^/# /'
	systemctl --no-block "$next"
}
trap leave EXIT

# Who is outside does it.
approve() # USER FILE
{
	wait_for 60 code_shown_or_gone "$2" && code_shown "$2" || return 1
	echo "click $(shown_code "$2") $1" >/dev/ttyS1
}
# journal OF WORD…: a line of this boot, by journalctl's OF, has all words.
journal()
{
	local word
	journalctl --sync
	# shellcheck disable=SC2086 # words
	journalctl -q -b $1 >"$W/journal"
	shift
	for word; do
		grep -F -- "$word" "$W/journal" >"$W/journal.next" || return 1
		mv "$W/journal.next" "$W/journal"
	done
}
ended_since() # MICROSECONDS UNIT…: each of them, after that time of this boot
{
	local unit since=$1
	shift
	for unit; do
		[ "$(systemctl show -P ExecMainExitTimestampMonotonic \
		    "$unit")" -gt "$since" ] || return 1
	done
}
# What tmpfiles.d says of directories is so.
as_tmpfiles()
{
	sed -n 's/^d //p' /usr/lib/tmpfiles.d/aadssh*.conf >"$W/want"
	[ "$(wc -l <"$W/want")" -ge 13 ] || return 1
	while read -r path mode user group; do
		[ "$(stat -c '%a %U %G' "$path")" = "${mode#0} $user $group" ] ||
		    stat -c '%n %a %U %G' "$path"
	done <"$W/want" >"$W/wrong"
	empty "$W/wrong" || { cat "$W/wrong"; return 1; }
}
no_failed_units()
{
	! systemctl list-units --state=failed --plain --no-legend \
	    'aadssh-*' ssh.service cron.service | grep .
}
new_cert() # of alice
{
	ca_sign "$ALICE" alice && cp /home/alice/.ssh/id_ed25519* "$W/"
}
# crowd N [say]: alice opens N lines to the signer at once; she says half a
# word and stays until she is sent away, or is gone at once.
crowd()
{
	as alice perl -MIO::Socket::UNIX -e '
	my ($path, $n, $say) = @ARGV;
	my @lines;
	$SIG{PIPE} = "IGNORE";
	for (1..$n) {
		my $line = IO::Socket::UNIX->new(Peer => $path) or die $!;
		next if !$say;
		syswrite $line, "aads";
		push @lines, $line;
	}
	for (@lines) { 1 while sysread $_, my $answer, 4096 }
	' "$CA_RUN/signer.sock" "$@"
}
# handled N: systemd has taken or turned away so many lines, and none is left.
handled()
{
	eval "$(systemctl show -p NAccepted -p NRefused -p NConnections \
	    aadssh-ca-signer.socket)"
	lines=$((NAccepted + NRefused))
	[ "$lines" -ge "$1" ] && [ "$NConnections" -eq 0 ]
}

# --- set up -------------------------------------------------------------------

first_boot()
{
	ok "the boot made the accounts" id aadssh-ca
	also "the hook's is in aadssh's group" sh -c \
	    'id -Gn aadssh-hook | grep -qw aadssh'
	also "and the group of who may ask" getent group aadssh-issue
	ok "the boot made the directories" as_tmpfiles
	# shellcheck disable=SC2086 # words
	ok "systemd finds nothing in the units" systemd-analyze verify \
	    --man=no $SERVICES $TIMERS aadssh-ca-signer.socket
	also "and says nothing" empty "$W/err"
	for unit in $SERVICES; do
		ok "what $unit may is little" systemd-analyze security \
		    --no-pager --threshold=35 "$unit"
		sed -n 's/.*Overall exposure/# exposure/p' "$W/out"
	done
	for account in alice bob; do
		need useradd -m -s /bin/bash "$account"
		need a_key "$account" id_ed25519 -t ed25519
	done
	need usermod -aG aadssh-issue alice
	need groupadd breakglass
	need new_key k1
	need new_key k2
	CA_ALSO="rotate_every = 30d"
	printf 'hosts = web\n' | write_ca_conf
	printf '[session]\non_denial = terminate\n[host]\ngroups = web\n' |
	    write_conf
	ok "root fetches the tenant's keys" \
	    aadssh -f "$CA_CONF" refresh --keys-only
	ok "root makes an authority" aadssh-ca init
	# What it publishes is on this host already.
	need ln -s "$CA_STATE/public" /etc/ssh/aadssh
	cp "$EXAMPLES"/*-aadssh*.conf /etc/ssh/sshd_config.d/
	cp "$EXAMPLES/pam.d/sshd" /etc/pam.d/sshd
	ok "sshd takes the examples" /usr/sbin/sshd -t
	ok "it reloads them" systemctl reload ssh
	# shellcheck disable=SC2086 # words
	ok "the units are enabled" systemctl enable --now $TIMERS \
	    aadssh-ca-signer.socket
	ok "aadssh-ca check finds nothing" aadssh-ca check
	ok "aadssh check finds nothing" aadssh check
	echo "boot $(cat /etc/ssh/ssh_host_ed25519_key.pub)" >"$W/known_hosts"
	cat >"$W/ssh_config" <<-END
	Host *
	HostName 127.0.0.1
	HostKeyAlias boot
	UserKnownHostsFile $W/known_hosts
	StrictHostKeyChecking yes
	IdentitiesOnly yes
	IdentityAgent none
	LogLevel ERROR
	END
	write_askpass
}

# --- the signer ------------------------------------------------------------------

# NB. root, in its mounts: where that can't write nobody can.
fenced()
{
	crowd 1 say &
	need wait_for 60 pgrep -u aadssh-ca -f "^$CA_SIGNER"
	served=$(pgrep -u aadssh-ca -f "^$CA_SIGNER")
	need cp "/proc/$served/status" "$W/status"
	readlink "/proc/$served/ns/net" >"$W/net"
	nsenter -t "$served" -m sh -c 'for dir; do
		! touch "$dir/x" || echo "$dir"
	done' - / /etc /run /run/lock /usr /var/lib "$STATE" \
	    "$CA_STATE/tenant" "$CA_STATE" >"$W/writes" 2>/dev/null
	wait
	ok "the signer is aadssh-ca" \
	    grep -q "^Uid:	$(id -u aadssh-ca)	" "$W/status"
	also "... without a capability" grep -Eq '^CapBnd:	0+$' "$W/status"
	also "... or one to gain" has "$W/status" "NoNewPrivs:	1"
	also "... behind a filter" has "$W/status" "Seccomp:	2"
	also "... without the network" lacks "$W/net" \
	    "$(readlink /proc/1/ns/net)"
	also "... and its directory is all it may write" \
	    test "$(cat "$W/writes")" = "$CA_STATE"
	need rm "$CA_STATE/x"
}
the_signer()
{
	ok "a member of aadssh-issue gets a certificate" new_cert
	also "by a line of the log" journal "-t aadssh-ca-signer" \
	    event=certificate verdict=yes "oid=$ALICE_OID" via=socket
	ok "and a row of the ledger" sh -c \
	    'aadssh-ca list --valid | grep -F "$1"' - "$ALICE"
	exits 3 "who is none gets none" ca_sign "$BOB" bob
	also "since only members may ask" has "$W/err" signer_unreachable
	fenced
	need wait_for 60 handled 1
	ok "her half a word was refused" journal "-t aadssh-ca-signer" \
	    request_malformed
	also "which is no failure of a unit" not journal _PID=1 \
	    aadssh-ca-signer@ "Failed with result"
	ok "more lines than it takes, that say nothing, come to an end" \
	    crowd 70 say
	ok "none is left" wait_for 60 handled $((lines + 70))
	ok "lines that are gone at once come to an end" crowd 30
	ok "none is left" wait_for 60 handled $((lines + 30))
	ok "a member gets a certificate again" new_cert
	ok "the account is in order" aadssh-ca verify
}

# --- sshd, PAM, what is revoked -------------------------------------------------

the_doors()
{
	ok "sshd lets the certificate in" whoami_is alice "$W/id_ed25519"
	also "by a principal" journal "-t aadssh-authkeys" \
	    event=principals verdict=yes login=alice
	ok "not to another login" shut bob "$W/id_ed25519"
	ok "a key is signed in" signin "$ALICE" aadssh login alice "$W/k1.pub"
	ok "sshd lets it in" whoami_is alice "$W/k1"
	also "as the hook says" journal "-t aadssh-authkeys" \
	    event=key verdict=yes login=alice "$(key_print k1)"
	also "and PAM sees the login" journal "-t aadssh" event=login \
	    verdict=yes "$(key_print k1)"
	ok "another is shut out" shut alice "$W/k2"
	ok "a sign-in through ssh" ssh_signin "$ALICE" alice "$W/k2"
	ok "opens it" whoami_is alice "$W/k2"
	ok "the certificate is revoked" aadssh-ca revoke --reason lost --serial \
	    "$(ssh-keygen -L -f "$W/id_ed25519-cert.pub" |
		sed -n 's/^ *Serial: //p')"
	ok "sshd refuses it" shut alice "$W/id_ed25519"
	also "by the list" journal "-t sshd" "revoked by file"
	ok "a new one" new_cert
	ok "is let in" whoami_is alice "$W/id_ed25519"
}

# --- what timers and cron start --------------------------------------------------

a_session()
{
	[ "$(find "$RUN/sessions" -type f | wc -l)" -gt 0 ]
}
the_services()
{
	for unit in aadssh-ca-keys aadssh-ca-rotate aadssh-refresh; do
		ok "$unit.service runs" systemctl start "$unit"
		ok "... and once more" systemctl start "$unit"
	done
	also "the live check has renewed the sign-ins" journal "-t aadssh" \
	    event=refresh verdict=yes
	ssh_as alice "$W/k1" sleep 10000 2>/dev/null &
	need wait_for 60 a_session
	need aadssh deny --login alice
	ok "the live check, when somebody is denied" \
	    systemctl start aadssh-refresh
	ok "... has reap end their session" wait_for 60 not a_session
	also "... which says so" journal "-t aadssh" event=reap result=ended
	wait
	ok "who is denied is out" shut alice "$W/k1"
	need aadssh undeny --login alice
	ok "and in again" whoami_is alice "$W/k1"
	# NB. every minute, so as not to wait for a quarter.
	for file in aadssh aadssh-ca; do
		sed 's/^[0-9*][^ ]* /* /' "$EXAMPLES/cron.d/$file" \
		    >"/etc/cron.d/$file"
	done
	ok "cron does the live check" wait_for 30 journal \
	    "-t aadssh _SYSTEMD_UNIT=cron.service" event=refresh verdict=yes
	for verb in "refresh --keys-only" "aadssh-ca rotate" "aadssh reap"; do
		ok "cron runs $verb" wait_for 30 journal "-t CRON" "$verb"
	done
	need rm /etc/cron.d/aadssh /etc/cron.d/aadssh-ca
	ok "none of the units failed" no_failed_units
}

# NB. the provider's clock stays, so at the end nobody can sign in.
second_boot()
{
	local version now
	ok "the boot made /run again" as_tmpfiles
	# shellcheck disable=SC2086 # words
	ok "timers and door are there by themselves" systemctl is-active \
	    $TIMERS aadssh-ca-signer.socket
	ok "the certificate lets in" whoami_is alice "$W/id_ed25519"
	ok "and the key that was signed in" whoami_is alice "$W/k1"
	ok "a member gets a new certificate" new_cert
	ok "which lets in" whoami_is alice "$W/id_ed25519"
	ok "none of the units failed" no_failed_units
	version=$(readlink "$CA_STATE/public/current")
	cp "$CA_STATE/tenant/keys.json" "$W/keys.before"
	now=$(cut -d . -f 1 /proc/uptime)000000
	need date -s '+29 days 1 hour'
	ok "a month later the timers start what is due" wait_for 60 \
	    ended_since "$now" aadssh-ca-keys aadssh-ca-rotate \
	    aadssh-refresh aadssh-reap
	ok "new tenant keys" not cmp "$W/keys.before" "$CA_STATE/tenant/keys.json"
	ok "new keys of the authority" sh -c 'aadssh-ca keys | grep -w prepared'
	ok "a new publication" not test \
	    "$(readlink "$CA_STATE/public/current")" = "$version"
	also "for everybody to read" as bob cat "$CERT_CA" "$CERT_KRL" \
	    "$CA_STATE/public/current/manifest.json"
	ok "aadssh-ca check finds nothing" aadssh-ca check
	echo done
}

if [ ! -e "$W/second" ]; then
	first_boot
	the_signer
	the_doors
	the_services
	touch "$W/second"
	next=reboot
else
	second_boot
fi
