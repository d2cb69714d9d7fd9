# SPDX-License-Identifier: ISC
# shellcheck shell=dash
#
# What the end-to-end tests of certificates share; sourced behind lib.sh.

CA_CONF=/etc/aadssh/aadssh-ca.conf
CA_STATE=/var/lib/aadssh-ca
CA_RUN=/run/aadssh-ca
CA_SIGNER=/usr/libexec/aadssh/aadssh-ca-signer
CERT_CONF=/etc/aadssh/host.conf
CERT_PORT=2223
CERT_LOG=/var/log/sshd-cert.log
# What the host of the certificates trusts.
CERT_CA=$CA_STATE/public/current/user_ca.pub
CERT_KRL=$CA_STATE/public/current/krl

# as USER COMMAND…: as that account, with its groups and home.
as()
{
	local user
	user=$1
	shift
	(cd / && exec setpriv --reuid "$user" --regid "$user" --init-groups \
	    env HOME="$(getent passwd "$user" | cut -d : -f 6)" USER="$user" \
	    "$@")
}

not()
{
	! "$@"
}

# The authority's configuration: lines of [ca] in $CA_ALSO; standard input is
# appended behind [map].
write_ca_conf()
{
	mkdir -p /etc/aadssh
	: >/etc/aadssh/idp-ca.pem
	[ ! -f "$IDP/ca.pem" ] || cp "$IDP/ca.pem" /etc/aadssh/idp-ca.pem
	{
		cat <<-END
		[idp]
		tenant = $TENANT
		client_id = $CLIENT_ID
		authority = $AUTHORITY
		ca_file = /etc/aadssh/idp-ca.pem
		[ca]
		${CA_ALSO-}
		[map]
		domain = $DOMAIN
		require = $REQUIRE
		END
		cat
	} | sed '/^$/d' >"$CA_CONF"
	chmod 0644 "$CA_CONF" /etc/aadssh/idp-ca.pem
}

# --- the authority ------------------------------------------------------------

# The signer behind its socket, as conf/systemd has it: one process a
# connection, as aadssh-ca, for members of aadssh-issue.
start_signer_socket()
{
	: >"$W/signer.log"
	rm -f "$CA_RUN/signer.sock"
	(
		umask 077
		cd /
		exec setsid systemd-socket-activate --accept --inetd \
		    -l "$CA_RUN/signer.sock" \
		    setpriv --reuid aadssh-ca --regid aadssh-ca --init-groups \
		    "$CA_SIGNER" -f "$CA_CONF"
	) >>"$W/signer.log" 2>&1 &
	signer_pid=$!
	wait_for 30 test -S "$CA_RUN/signer.sock" || return 1
	chgrp aadssh-issue "$CA_RUN/signer.sock" &&
	    chmod 0660 "$CA_RUN/signer.sock"
}

stop_signer_socket()
{
	kill "$signer_pid"
	wait "$signer_pid" 2>/dev/null || :
	rm -f "$CA_RUN/signer.sock"
}

# An authority of its own, made as root: keys, ledger, a first publication.
start_ca()
{
	aadssh -f "$CA_CONF" refresh --keys-only &&
	    aadssh-ca -f "$CA_CONF" init "$@"
}

# So many manifests, 65,000 bytes each, for a backup to have something in it.
many_manifests() # N
{
	local i
	head -c 65000 /dev/urandom >"$W/one" || return 1
	i=0
	while [ "$i" -lt "$1" ]; do
		install -o aadssh-ca -m 0600 "$W/one" \
		    "$CA_STATE/manifests/$((1000 + i)).json" || return 1
		i=$((i + 1))
	done
}

# ca_sign USER ACCOUNT [ARGUMENT…]: ACCOUNT runs aadssh-ca sign while a script
# plays USER in the browser.  Its output: $W/login.out, $W/login.err.
ca_sign()
{
	local user account
	user=$1 account=$2
	shift 2
	signin "$user" as "$account" aadssh-ca -f "$CA_CONF" sign "$@"
}

# Provider, configuration, authority and signer.
stage_ca()
{
	need start_idp
	need write_ca_conf
	need start_ca
	need start_signer_socket
}

# --- tokens without a provider ---------------------------------------------------

ASK=$SRC/${E2E_B-build}/test/tools/ask
MKTOKEN=$SRC/${E2E_B-build}/test/tools/mktoken
CAROL=carol@contoso.com
CAROL_OID=d45b8f02-91ae-4c37-8f60-b27e13c9a584

# An authority that believes mktoken's tokens instead of a provider's.
stage_forged()
{
	need write_ca_conf
	need aadssh-ca -f "$CA_CONF" init --recovery-out "$W/recovery"
	need forged_keys
}

forged_keys()
{
	"$MKTOKEN" keys >"$W/keys.json" &&
	    install -o aadssh -m 0644 "$W/keys.json" "$CA_STATE/tenant/"
}

# One that there was never before, $forged_ago seconds ago; -60 is that of a
# provider whose clock is as far ahead as it may be.
forged_token() # OID UPN
{
	"$MKTOKEN" token "${forged_ago-1}" "$1" "$2" ",\"n\":\"$(date +%s%N)\""
}

# signer [OPTION…] OP FIELD…: as ask has it; what it answers is printed.
signer()
{
	as aadssh-ca "$ASK" "$@" -- "$CA_SIGNER" -f "$CA_CONF"
}

# issue NAME OID UPN [FIELD…]: $W/NAME-cert.pub, a stranger's request.
issue()
{
	local name token status
	name=$1
	token=$(forged_token "$2" "$3")
	shift 3
	status=0
	signer -s sign key="$W/$name.pub" token="$token" "$@" \
	    context=via=test >"$W/reply" || status=$?
	cat "$W/reply"
	[ "$status" -ne 0 ] ||
	    sed -n 's/^certificate //p' "$W/reply" >"$W/$name-cert.pub"
	return "$status"
}

serial_of() # NAME
{
	ssh-keygen -L -f "$W/$1-cert.pub" | sed -n 's/^ *Serial: //p'
}

krl_version() # FILE
{
	ssh-keygen -Q -l -f "$1" | sed -n 's/^# KRL version //p'
}

# json FILE EXPRESSION: of the objects o, one a line, it must be true.
json()
{
	node -e 'const o = require("fs").readFileSync(process.argv[1], "utf8")
	    .trim().split("\n").map(JSON.parse)
	    process.exit(eval(process.argv[2]) ? 0 : 1)' "$1" "$2"
}

# a_key ACCOUNT TYPE [OPTION…]: ~ACCOUNT/.ssh/TYPE, and what it is called there.
a_key()
{
	local account type dir
	account=$1 type=$2 dir=/home/$1/.ssh
	shift 2
	install -d -m 0700 -o "$account" "$dir"
	ssh-keygen -q -N '' -C '' -f "$dir/$type" "$@" </dev/null &&
	    chown "$account:" "$dir/$type" "$dir/$type.pub"
}

# --- what nobody gets -------------------------------------------------------------

# How many certificates, and one, there ever were.
ledger_certs()
{
	aadssh-ca -f "$CA_CONF" list --json | wc -l
}

# Where there is no provider, she is never sent to sign in.
alice_signs() # WORD…
{
	setpriv --reuid alice --regid alice --init-groups \
	    aadssh-ca -f "$CA_CONF" sign "$@" </dev/null
}

refused() # STATUS REGEX COMMAND…: it ends so, and says so
{
	local status want="$1" regex="$2"
	shift 2
	status=0
	"$@" >"$W/said" 2>&1 || status=$?
	cat "$W/said"
	[ "$status" -eq "$want" ] && grep -Eq -- "$regex" "$W/said" &&
	    ! grep -Eq 'microsoft|^certificate' "$W/said"
}

# Refused by people's program, with the reason, and nobody had to sign in.
front() # TITLE REASON WORD…
{
	local title="$1" reason="$2"
	shift 2
	ok "sign: $title" refused 1 "[(]($reason)[)]" alice_signs "$@"
}

# --- a host that trusts certificates --------------------------------------------

# The configuration of its hook, from standard input.
write_cert_conf()
{
	mkdir -p /etc/aadssh
	cat >"$CERT_CONF"
	chmod 0644 "$CERT_CONF"
}

# The drop-in of conf/, with the paths of this host.
cert_drop_in()
{
	sed -e "s|/etc/ssh/aadssh/current/user_ca.pub|$CERT_CA|" \
	    -e "s|/etc/ssh/aadssh/current/krl|$CERT_KRL|" \
	    -e "s|/usr/libexec/aadssh/aadssh-authkeys|$HOOK -f $CERT_CONF|" \
	    "$SRC/conf/sshd_config.d/40-aadssh-certificates.conf"
}

# A second stock sshd, which knows certificates and nothing else.
start_cert_sshd()
{
	[ -f /etc/ssh/host_key ] || ssh-keygen -q -t ed25519 -N '' \
	    -C host -f /etc/ssh/host_key
	{
		cert_drop_in
		cat <<-END
		ListenAddress 127.0.0.1:$CERT_PORT
		HostKey /etc/ssh/host_key
		PidFile /run/sshd-cert.pid
		AuthorizedKeysFile none
		PasswordAuthentication no
		$no_kbdint
		UsePAM yes
		$(sshd_unlimited)
		${CERT_SSHD_ALSO-}
		END
	} >/etc/ssh/sshd_cert_config
	cat >"$W/ssh_cert_config" <<-END
	Host *
	HostName 127.0.0.1
	Port $CERT_PORT
	HostKeyAlias cert.example.test
	UserKnownHostsFile $W/known_hosts_cert
	StrictHostKeyChecking yes
	IdentitiesOnly yes
	IdentityAgent none
	ConnectTimeout 10
	LogLevel ERROR
	END
	echo "cert.example.test $(cut -d ' ' -f 1,2 /etc/ssh/host_key.pub)" \
	    >"$W/known_hosts_cert"
	: >"$CERT_LOG"
	/usr/sbin/sshd -t -f /etc/ssh/sshd_cert_config &&
	    setsid /usr/sbin/sshd -f /etc/ssh/sshd_cert_config -E "$CERT_LOG" &&
	    wait_for 30 grep -q 'Server listening' "$CERT_LOG"
}

# As it was, or as the configuration is now.
cert_sshd_again()
{
	/usr/sbin/sshd -f /etc/ssh/sshd_cert_config -E "$CERT_LOG" &&
	    wait_for 5 test -e /run/sshd-cert.pid
}

stop_cert_sshd()
{
	kill "$(cat /run/sshd-cert.pid)"
	wait_for 30 test ! -e /run/sshd-cert.pid
}

# ssh_cert_as LOGIN KEY COMMAND…: KEY is a file with KEY-cert.pub beside it.
ssh_cert_as()
{
	local login key
	login=$1 key=$2
	shift 2
	ssh -F "$W/ssh_cert_config" -o BatchMode=yes -i "$key" \
	    -o CertificateFile="$key-cert.pub" "$login@cert" "$@" </dev/null
}

cert_opens() # LOGIN KEY
{
	[ "$(ssh_cert_as "$1" "$2" id -un)" = "$1" ]
}

# Refused by sshd for want of a key that it accepts, and for nothing else.
cert_refused() # LOGIN KEY
{
	local status
	status=0
	ssh_cert_as "$1" "$2" true >"$W/ssh.out" 2>"$W/ssh.err" || status=$?
	cat "$W/ssh.err" >&2
	[ "$status" -eq 255 ] && empty "$W/ssh.out" &&
	    has "$W/ssh.err" "Permission denied (publickey)."
}

# cert_made AUTHORITY KEY PRINCIPALS [OPTION…]: by plain ssh-keygen, with an
# authority of $W, whatever ours would refuse to sign; PRINCIPALS "" is none.
cert_made()
{
	local ca key principals
	ca=$1 key=$2 principals=$3
	shift 3
	[ -z "$principals" ] || set -- -n "$principals" "$@"
	ssh-keygen -q -s "$W/$ca" -I "${CERT_ID-made by ssh-keygen}" \
	    -z "${CERT_SERIAL-1}" -V "${CERT_VALID--1m:+1h}" "$@" \
	    "$W/$key.pub" </dev/null
}

# forge_key NAME: an authority of whose key certforge.mjs has the bytes.
forge_key()
{
	node "$SRC/test/e2e/certforge.mjs" key "$W/$1"
}

# cert_forged AUTHORITY KEY FIELD=JSON…: KEY's certificate, by forge_key's
# AUTHORITY, with fields that ssh-keygen would not write.
cert_forged()
{
	local ca key
	ca=$1 key=$2
	shift 2
	cert_made "$ca" "$key" alice &&
	    node "$SRC/test/e2e/certforge.mjs" cert "$W/$ca" \
	    "$W/$key-cert.pub" "$@"
}

# principals LOGIN CERTFILE [COMMAND…]: ask the hook as sshd does; as hook.
principals()
{
	local login file uid type blob
	login=$1 file=$2
	shift 2
	uid=$(id -u "$login" 2>/dev/null || echo 65533)
	read -r type blob _ <"$file"
	env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/games USER=aadssh-hook \
	    LOGNAME=aadssh-hook HOME=/nonexistent "$@" \
	    setpriv --reuid aadssh-hook --regid aadssh-hook --init-groups \
	    "$HOOK" -f "$CERT_CONF" --principals "$login" "$uid" "$type" \
	    "$blob" </dev/null
}

# The hook's answer is exactly this principal; with "", nothing.
principals_say() # LOGIN CERTFILE PRINCIPAL
{
	principals "$1" "$2" >"$W/hook.out" || return 1
	[ "$(cat "$W/hook.out")" = "$3" ]
}

# --- sign-ins that nobody has to do -----------------------------------------------

# QUICK is aadssh-ca with another "aadssh" beside it, whose sign-ins are
# mktoken's, of alice; behind stage_forged.  Each leaves a line in
# $W/signed-in.
QUICK=/opt/quick/aadssh-ca
stage_quick()
{
	mkdir -p "${QUICK%/*}" && cp /opt/aadssh/bin/aadssh-ca "$QUICK" &&
	    cp "$MKTOKEN" "${QUICK%/*}/mktoken" || return 1
	install -m 0666 /dev/null "$W/signed-in"
	cat >"${QUICK%/*}/aadssh" <<-END
	#!/bin/sh
	while [ "\$1" != --fd ]; do shift; done
	echo once >>$W/signed-in
	${QUICK%/*}/mktoken token 1 $ALICE_OID $ALICE ",\"n\":\"\$(date +%s%N)\"" |
	    eval "tr -d '\\n' >&\$2"
	END
	chmod 0755 "${QUICK%/*}/aadssh" "${QUICK%/*}/mktoken" "$W"
}
