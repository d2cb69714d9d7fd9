# SPDX-License-Identifier: ISC
# shellcheck shell=dash
#
# What the end-to-end tests share.  A test is a file that sets title, sources
# this and asserts; it runs as root of a fresh sandbox (sandbox.sh).  Every
# assertion prints one line: "ok - …", "not ok - …" or "skip - …: why".

SRC=/src
HOOK=/usr/libexec/aadssh/aadssh-authkeys
CONF=/etc/aadssh/aadssh.conf
STATE=/var/lib/aadssh
RUN=/run/aadssh
PAM_MODULE=/opt/aadssh/lib/pam_aadssh.so
SYSLOG=/var/log/syslog
SSHD_LOG=/var/log/sshd.log
SSHD_PORT=2222
# The program of a session: from OpenSSH 9.8 on, one of its own.
SSHD_EXE=/usr/lib/openssh/sshd-session
[ -x "$SSHD_EXE" ] || SSHD_EXE=$(readlink -f /usr/sbin/sshd)
IDP_NAME=login.example.test
IDP_PORT=443
AUTHORITY=https://$IDP_NAME
W=/tmp/work # scratch of the test: keys, outputs, the client's files
IDP=$W/idp
failed=0

mkdir -p "$W"
# NB. without ": ", which divides title and reason of a skip.
: "${title:?is what a test is about}"
# shellcheck source=idp.sh
. "$SRC/test/e2e/idp.sh"

# --- assertions -------------------------------------------------------------

# ok TITLE COMMAND…: COMMAND must succeed.  What it says: $W/out, $W/err.
ok()
{
	judge "$W/out" "$W/err" 0 "$@"
}

# exits STATUS TITLE COMMAND…: COMMAND must end with exactly STATUS.
exits()
{
	judge "$W/out" "$W/err" "$@"
}

# also TITLE COMMAND…: as ok, about the files that the last one left: $W/out
# and $W/err stay what they are.
also()
{
	judge "$W/also.out" "$W/also.err" 0 "$@"
}

# NB. sh has one scope below a function: a name without _ could be the test's.
judge() # OUT ERR STATUS TITLE COMMAND…
{
	local _out="$1" _err="$2" _want="$3" _title="$4" _got=0
	shift 4
	"$@" >"$_out" 2>"$_err" || _got=$?
	if [ "$_got" -eq "$_want" ]; then
		echo "ok - $_title"
		return 0
	fi
	failed=$((failed + 1))
	echo "not ok - $_title"
	echo "# exit $_got, wanted $_want: $*"
	# NB. "$a\": a prompt has no newline, but the next line is a line.
	sed 's/^/# out: /; $a\' "$_out" | tail -n 20
	sed 's/^/# err: /; $a\' "$_err" | tail -n 20
}

# skip WHAT WHY: one thing that can't be tested here.
skip()
{
	echo "skip - $1: $2"
}

# skip_all WHY: nothing in this file can be tested here.
skip_all()
{
	skip "$title" "$1"
	exit 0
}

# Set-up that must work for the test to mean anything.
need()
{
	"$@" >"$W/out" 2>"$W/err" && return 0
	echo "not ok - $title: set-up failed: $*"
	sed 's/^/# /' "$W/out" "$W/err" | tail -n 30
	show_logs
	exit 1
}

show_logs()
{
	local file
	for file in "$SYSLOG" "$SSHD_LOG" "$W/idp.log"; do
		[ ! -s "$file" ] || tail -n 15 "$file" |
		    sed "s|^|# ${file##*/}: |"
	done
}

# The last line of every test file.
finish()
{
	[ "$failed" -eq 0 ] || show_logs
	exit $((failed > 0))
}

# wait_for SECONDS COMMAND…: until COMMAND succeeds.  What must come has 30: a
# slow machine is no fault.
wait_for()
{
	local tries
	tries=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

empty()
{
	[ -f "$1" ] && [ ! -s "$1" ]
}

has() # FILE TEXT
{
	grep -Fq -- "$2" "$1"
}

lacks() # FILE TEXT
{
	[ -f "$1" ] && ! has "$1" "$2"
}

# --- the log ------------------------------------------------------------------

# Datagrams keep their order: when our mark is there, so is all before it.
log_sync()
{
	local mark
	mark="mark $$ $(date +%s%N)"
	logger -u /dev/log "$mark"
	wait_for 30 grep -Fq -- "$mark" "$SYSLOG"
}

# From here on log_has and log_lacks see only what comes later.
log_mark()
{
	log_sync
	log_from=$(($(wc -l <"$SYSLOG") + 1))
}

# log_has WORD…: one line of the log holds all the words.
log_has()
{
	local word
	log_sync || return 1
	tail -n "+${log_from-1}" "$SYSLOG" >"$W/log.lines"
	for word; do
		grep -F -- "$word" "$W/log.lines" >"$W/log.next" || return 1
		mv "$W/log.next" "$W/log.lines"
	done
}

log_lacks()
{
	log_sync && ! log_has "$@"
}

# --- the provider ---------------------------------------------------------------

# start_idp [OPTION…]: oidc-provider with Entra's face, in $IDP.
start_idp()
{
	mkdir -p "$IDP"
	: >"$W/idp.log"
	setsid node "$SRC/test/idp/server.mjs" --dir "$IDP" \
	    --port "$IDP_PORT" --name "$IDP_NAME" --tenant "$TENANT" \
	    --issuer-authority "$AUTHORITY" --interval 1 "$@" \
	    >"$W/idp.log" 2>&1 &
	idp_pid=$!
	wait_for 30 grep -q '^ready ' "$W/idp.log"
}

stop_idp()
{
	kill -KILL "$idp_pid"
	wait "$idp_pid" 2>/dev/null || :
	! idp_listens
}

idp_listens()
{
	node -e 'require("net").connect(+process.argv[2], process.argv[1])
	    .on("connect", () => process.exit(0))
	    .on("error", () => process.exit(1))' "$IDP_NAME" "$IDP_PORT"
}

# The configuration of this host; standard input is appended.
write_conf()
{
	mkdir -p /etc/aadssh
	cp "$IDP/ca.pem" /etc/aadssh/idp-ca.pem
	{
		cat <<-END
		[idp]
		tenant = $TENANT
		client_id = $CLIENT_ID
		authority = $AUTHORITY
		ca_file = /etc/aadssh/idp-ca.pem
		[map]
		domain = $DOMAIN
		require = $REQUIRE
		END
		cat
	} >"$CONF"
	chmod 0644 "$CONF" /etc/aadssh/idp-ca.pem
}

# --- signing in -------------------------------------------------------------------

new_key() # NAME [TYPE]
{
	ssh-keygen -q -t "${2-ed25519}" -N '' -C "$1" -f "$W/$1" </dev/null
}

# The URL and the code that aadssh shows, each on a line of its own.
shown_url()
{
	sed -n 's|^[[:space:]]*\(https://[^[:space:]]*\)[[:space:]]*$|\1|p' \
	    "$1" | head -n 1
}

shown_code()
{
	sed -n 's/^[[:space:]]*\([A-Z0-9]\{4,5\}-\{0,1\}[A-Z0-9]\{4,5\}\)[[:space:]]*$/\1/p' \
	    "$1" | head -n 1
}

code_shown()
{
	[ "$(shown_url "$1")" ] && [ "$(shown_code "$1")" ]
}

# With $login_pid set, a command that is gone is not waited for.
code_shown_or_gone()
{
	code_shown "$1" || ! kill -0 "${login_pid-0}" 2>/dev/null
}

approve() # USER FILE
{
	wait_for 30 code_shown_or_gone "$2" && code_shown "$2" || return 1
	node "$SRC/test/idp/click.mjs" --ca "$IDP/ca.pem" \
	    "$(shown_url "$2")" "$(shown_code "$2")" "$1"
}

# signin USER COMMAND…: run COMMAND (an aadssh login) while a script plays
# USER in the browser.  Its output: $W/login.out, $W/login.err.
signin()
{
	local user login_status
	user=$1
	shift
	: >"$W/login.err"
	"$@" >"$W/login.out" 2>"$W/login.err" &
	login_pid=$!
	if ! approve "$user" "$W/login.err"; then
		echo "the browser's side of the sign-in failed" >&2
		kill "$login_pid" 2>/dev/null || :
	fi
	login_status=0
	wait "$login_pid" || login_status=$?
	unset login_pid
	cat "$W/login.out"
	cat "$W/login.err" >&2
	return "$login_status"
}

# hook LOGIN PUBFILE [COMMAND…]: ask as sshd does, as its user, with an
# environment and descriptors like its own; COMMAND is put in front, as root.
hook()
{
	local login pub uid type blob
	login=$1 pub=$2
	shift 2
	uid=$(id -u "$login" 2>/dev/null || echo 65533)
	read -r type blob _ <"$pub"
	env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/games USER=aadssh-hook \
	    LOGNAME=aadssh-hook HOME=/nonexistent "$@" \
	    setpriv --reuid aadssh-hook --regid aadssh-hook --init-groups \
	    "$HOOK" "$login" "$uid" "$type" "$blob" </dev/null
}

# The hook's answer is exactly this key, or nothing; both with exit 0.
says_yes() # LOGIN PUBFILE
{
	hook "$1" "$2" >"$W/hook.out" || return 1
	cut -d ' ' -f 1,2 "$2" | cmp - "$W/hook.out"
}

says_no() # LOGIN PUBFILE
{
	hook "$1" "$2" >"$W/hook.out" && empty "$W/hook.out"
}

# --- sshd and its client ------------------------------------------------------------

# Keywords came with versions: PerSourceMaxStartups with 8.5, PerSourcePenalties
# with 9.8.
sshd_knows() # KEYWORD
{
	! /usr/sbin/sshd -t -f /dev/null -o "$1=no" 2>&1 |
	    grep -q 'Bad configuration option'
}

# What keeps the many refusals of a test from counting against it.
sshd_unlimited()
{
	! sshd_knows PerSourceMaxStartups || echo PerSourceMaxStartups none
	! sshd_knows PerSourcePenalties || echo PerSourcePenalties no
}

# No questions, by the name that each version knows: 8.6 and earlier ask all
# the same with KbdInteractiveAuthentication no.
no_kbdint="ChallengeResponseAuthentication no"

# start_sshd [ask]: with the drop-in of conf/, as the guide changes it for an
# old sshd, in front of what Debian has; without ask, the keys only: what a
# sign-in through ssh needs is taken out.
start_sshd()
{
	mkdir -p /etc/ssh/sshd_config.d
	cp "$SRC/conf/sshd_config.d/50-aadssh.conf" /etc/ssh/sshd_config.d/
	sshd_knows PerSourceMaxStartups ||
	    sed -i -e '/^PerSource/d' -e 's/^#\(Challenge\)/\1/' \
	    /etc/ssh/sshd_config.d/50-aadssh.conf
	[ "${1-}" = ask ] || sed -i -e '/^AuthenticationMethods /d' \
	    -e '/^KbdInteractive/d' -e '/^Challenge/d' \
	    /etc/ssh/sshd_config.d/50-aadssh.conf
	[ -f /etc/ssh/host_key ] || ssh-keygen -q -t ed25519 -N '' \
	    -C host -f /etc/ssh/host_key
	cat >/etc/ssh/sshd_config <<-END
	Include /etc/ssh/sshd_config.d/*.conf
	ListenAddress 127.0.0.1:$SSHD_PORT
	${SSHD_ALSO_LISTEN-}
	HostKey /etc/ssh/host_key
	PidFile /run/sshd.pid
	$no_kbdint
	$(sshd_unlimited)
	Subsystem sftp /usr/lib/openssh/sftp-server
	END
	echo "[localhost]:$SSHD_PORT $(cut -d ' ' -f 1,2 /etc/ssh/host_key.pub)" \
	    >"$W/known_hosts"
	cat >"$W/ssh_config" <<-END
	Host *
	HostName 127.0.0.1
	Port $SSHD_PORT
	HostKeyAlias [localhost]:$SSHD_PORT
	UserKnownHostsFile $W/known_hosts
	StrictHostKeyChecking yes
	IdentitiesOnly yes
	IdentityAgent none
	ConnectTimeout 10
	LogLevel ERROR
	END
	: >"$SSHD_LOG"
	/usr/sbin/sshd -t &&
	    setsid /usr/sbin/sshd -E "$SSHD_LOG" &&
	    wait_for 30 grep -q 'Server listening' "$SSHD_LOG"
}

stop_sshd()
{
	kill "$(cat /run/sshd.pid)"
	wait_for 30 test ! -e /run/sshd.pid
}

# Clients as a script uses them: KEY is a file, no questions are asked.
ssh_as() # LOGIN KEY COMMAND…
{
	local login key
	login=$1 key=$2
	shift 2
	ssh -F "$W/ssh_config" -o BatchMode=yes -i "$key" "$login@localhost" \
	    "$@" </dev/null
}

scp_with() # KEY SCP-ARGUMENT…
{
	local key
	key=$1
	shift
	scp -q -F "$W/ssh_config" -o BatchMode=yes -i "$key" "$@" </dev/null
}

sftp_as() # LOGIN KEY <commands
{
	sftp -q -F "$W/ssh_config" -o BatchMode=yes -i "$2" -b - "$1@localhost"
}

whoami_is() # LOGIN KEY
{
	[ "$(ssh_as "$1" "$2" id -un)" = "$1" ]
}

# Refused by sshd for want of an accepted key, and for nothing else.
refused() # LOGIN KEY
{
	local status
	status=0
	ssh_as "$1" "$2" true >"$W/ssh.out" 2>"$W/ssh.err" || status=$?
	cat "$W/ssh.err" >&2
	[ "$status" -eq 255 ] && empty "$W/ssh.out" &&
	    has "$W/ssh.err" "Permission denied (publickey)."
}

expect_refused() # TITLE LOGIN KEY
{
	ok "$1" refused "$2" "$3"
}

# --- signing in through ssh -------------------------------------------------------

# write_pam [FILE [OPTION…]]: /etc/pam.d/sshd from conf/pam.d/FILE, with the
# module where the sandbox has it and without what it lacks of Debian's.
write_pam()
{
	local file
	file=${1-sshd}
	[ $# -eq 0 ] || shift
	sed -e "s|pam_aadssh\.so|$PAM_MODULE $*|" \
	    -e 's|^@include common-account|account required pam_unix.so|' \
	    -e 's|^@include common-session|session required pam_permit.so|' \
	    -e '/pam_\(selinux\|loginuid\|keyinit\|motd\|limits\|env\)\.so/d' \
	    "$SRC/conf/pam.d/$file" >/etc/pam.d/sshd
}

# Our module behind sshd, which asks; the provider is the test's business.
stage_pam() # [FILE [OPTION…]]
{
	need write_pam "$@"
	need start_sshd ask
	write_askpass
}

# What ssh runs to ask the person: the text of question N is $ask_dir/prompt.N,
# the answer is waited for in answer.N, or in answer for each; with hold there,
# none ever comes.
write_askpass()
{
	cat >"$W/askpass" <<-'END'
	#!/bin/sh
	n=1
	while [ -e "$ASK_DIR/prompt.$n" ]; do n=$((n + 1)); done
	printf '%s' "$1" >"$ASK_DIR/.prompt"
	mv "$ASK_DIR/.prompt" "$ASK_DIR/prompt.$n"
	[ ! -e "$ASK_DIR/hold" ] || exec sleep 600
	tries=1200
	while [ "$tries" -gt 0 ]; do
		for file in "$ASK_DIR/answer.$n" "$ASK_DIR/answer"; do
			[ ! -e "$file" ] || exec cat "$file"
		done
		tries=$((tries - 1))
		sleep 0.05
	done
	exit 1
	END
	chmod 0755 "$W/askpass"
}

# ask_new NAME: a new dialogue; ssh_ask and the like use $ask_dir.
ask_new()
{
	ask_dir=$W/ask.$1
	rm -rf "$ask_dir"
	mkdir "$ask_dir"
}

asked() # N
{
	[ -e "$ask_dir/prompt.$1" ]
}

# Like asked, or the client of $ssh_pid is gone.
asked_or_gone() # N
{
	asked "$1" || ! kill -0 "$ssh_pid" 2>/dev/null
}

reply() # N TEXT
{
	printf '%s\n' "$2" >"$ask_dir/.answer"
	mv "$ask_dir/.answer" "$ask_dir/answer.$1"
}

# ssh_ask LOGIN "KEY…" [OPTION…] [-- COMMAND…]: as a person uses it; KEY are
# files in the order of their offer, none is "", and "agent" stands for all
# that agent_with put into one.
ssh_ask()
{
	local login keys key files
	login=$1 keys=$2 files=
	shift 2
	for key in $keys; do
		files="$files -i $key"
	done
	# shellcheck disable=SC2086 # options are words
	case $keys in
	"") set -- -o PubkeyAuthentication=no "$@" ;;
	agent) set -- -o IdentityAgent="$W/agent" -o IdentitiesOnly=no "$@" ;;
	*) set -- $files "$@" ;;
	esac
	case " $* " in
	*" -- "*) ;;
	*) set -- "$@" -- true ;;
	esac
	ssh_ask_run "$login" "$@"
}

# NB. "ssh [OPTION…] LOGIN@HOST COMMAND…": -- is where the host goes.
ssh_ask_run()
{
	local login word host seen
	login=$1 seen=
	shift
	for word; do
		shift
		if [ "$word" = -- ] && [ -z "$seen" ]; then
			seen=1 host="$login@localhost"
			set -- "$@" "$host"
		else
			set -- "$@" "$word"
		fi
	done
	# NB. at ERROR ssh would not show what sshd has to say.
	${ssh_ask_exec-} env ASK_DIR="$ask_dir" SSH_ASKPASS="$W/askpass" \
	    SSH_ASKPASS_REQUIRE=force \
	    ssh -F "$W/ssh_config" -o LogLevel=INFO "$@" </dev/null
}

# The same in the background: $ssh_pid; what it says in $ask_dir/out and err.
ssh_ask_begin()
{
	(
		ssh_ask_exec=exec # or $! would be this shell
		ssh_ask "$@"
	) >"$ask_dir/out" 2>"$ask_dir/err" &
	ssh_pid=$!
}

# Wait for it; exits as it did.
ssh_ask_end()
{
	local status
	status=0
	wait "$ssh_pid" || status=$?
	unset ssh_pid
	cat "$ask_dir/out"
	cat "$ask_dir/err" >&2
	return "$status"
}

# As Ctrl-C at the client: ssh and what it asks with are gone at once.
ssh_ask_leave()
{
	kill -KILL "$ssh_pid"
	wait "$ssh_pid" 2>/dev/null || :
	unset ssh_pid
}

# ssh_signin USER LOGIN "KEY…" [OPTION…] [-- COMMAND…]: USER signs in at the
# page that a question shows, and says Enter to each, or $signin_answer to the
# first.
ssh_signin()
{
	local user n
	user=$1
	shift
	ask_new "signin.$(date +%s%N)"
	ssh_ask_begin "$@"
	n=1
	while wait_for 30 asked_or_gone "$n" && asked "$n"; do
		! code_shown "$ask_dir/prompt.$n" ||
		    approve "$user" "$ask_dir/prompt.$n" || break
		reply "$n" "${signin_answer-}"
		signin_answer=
		n=$((n + 1))
	done
	ssh_ask_end
}

prompts()
{
	find "$ask_dir" -name 'prompt.*' | wc -l
}

# The prompt names this key, and marks it when there are several.
marks() # KEY
{
	grep -Eq "^(  \\* [0-9]+ |   ) [A-Z0-9-]+ $(key_print "$1" |
	    sed 's/[+]/[+]/g')\$" "$ask_dir/prompt.1"
}

# A real agent with these keys of ours, offered in this order: ssh_ask … agent.
agent_with() # KEY…
{
	[ -z "${agent_pid-}" ] || kill "$agent_pid"
	rm -f "$W/agent"
	ssh-agent -D -a "$W/agent" >/dev/null 2>&1 &
	agent_pid=$!
	wait_for 30 test -S "$W/agent" || return 1
	(cd "$W" && SSH_AUTH_SOCK=$W/agent ssh-add -q "$@")
}

# A script's client is turned away where sshd would ask a person.
shut() # LOGIN KEY
{
	local status=0
	ssh_as "$1" "$2" true >"$W/ssh.out" 2>"$W/ssh.err" || status=$?
	cat "$W/ssh.err" >&2
	[ "$status" -eq 255 ] && empty "$W/ssh.out" &&
	    has "$W/ssh.err" "Permission denied (publickey,keyboard-interactive)."
}

# --- what a sign-in leaves ------------------------------------------------------------

key_print() # KEY
{
	ssh-keygen -lf "$W/$1.pub" | cut -d ' ' -f 2
}

# The name of the key's record, in the directory of its login.
key_hash() # KEY
{
	cut -d ' ' -f 2 "$W/$1.pub" | base64 -d | sha256sum | cut -d ' ' -f 1
}

# The login has records of exactly these keys, each with its refresh token.
bound() # LOGIN [KEY…]
{
	local login
	login=$1
	shift
	for key; do
		key_hash "$key"
	done | sort >"$W/bound.want"
	find "$STATE/records/$login" -type f -printf '%f\n' 2>/dev/null |
	    sort >"$W/bound.got"
	diff "$W/bound.want" "$W/bound.got" || return 1
	sed "s/^/$login./" "$W/bound.want" >"$W/bound.want.t"
	find "$STATE/refresh" -name "$login.*" -printf '%f\n' 2>/dev/null |
	    sort >"$W/bound.got"
	diff "$W/bound.want.t" "$W/bound.got"
}

record_has() # LOGIN KEY TEXT
{
	has "$STATE/records/$1/$(key_hash "$2")" "$3"
}

# --- the state directory ------------------------------------------------------------

# Put the state directory on a file system of its own, SIZE large.
state_on_tmpfs() # SIZE
{
	mkdir -p "$STATE"
	mount -t tmpfs -o "size=$1,mode=0750,uid=901,gid=901" state "$STATE"
}

fill_disk() # DIR
{
	cat /dev/zero >"$1/.fill" 2>/dev/null || :
	[ -s "$1/.fill" ] && ! echo x >"$1/.probe" 2>/dev/null
}

# Names, owners, modes and contents, as one word.  Lock files are not state:
# an empty one may appear, and means nothing.
state_sum()
{
	(cd "$STATE" && find . -path './locks/*' -prune -o \
	    -printf '%p %U:%G %m %y\n' | sort &&
	    find . -path './locks/*' -prune -o -type f -print0 | sort -z |
	    xargs -0r sha256sum) |
	    sha256sum
}

# Everything that most tests start with: provider, configuration, sshd, key.
stage()
{
	need start_idp
	need write_conf </dev/null
	need start_sshd
	need new_key k1
	need new_key k2
}
