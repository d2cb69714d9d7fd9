#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: OpenSSH's own tests of certificates and KRLs (Debian's package
# openssh-tests), with test/tools/keygen-shim in the place of ssh-keygen: what
# they sign and revoke is made by our encoders, and judged by theirs.
#
# Prints "ok - openssh: TEST", and ends with "openssh: N passed, N failed".
# As root of a sandbox (test/e2e/sandbox.sh): sshd wants /run/sshd.
set -eu
suite=/usr/lib/openssh/regress
# Two at once: where one waits for its sshd, the other makes its keys.
lanes='cert-userkey|cert-hostkey cert-file krl'

# one TEST: in a copy of the suite of its own; what came of it in its files.
one()
{
	local dir=/tmp/$1 status=0
	mkdir "$dir"
	cp -a "$suite" "$dir/regress"
	: >"$dir/log"
	# NB. the same settings as the package's own run-tests.
	KEYGEN_SHIM_LOG=$dir/log make -C "$dir/regress" \
	    .OBJDIR="$dir/regress" .CURDIR="$dir/regress" \
	    BUILDDIR="$dir/regress" OBJ="$dir/regress" SUDO= TEST_SHELL=sh \
	    TEST_SSH_SSH=ssh \
	    TEST_SSH_SSHKEYGEN="/src/${E2E_B-build}/test/tools/keygen-shim" \
	    TEST_SSH_SFTPSERVER=/usr/lib/openssh/sftp-server \
	    TEST_SSH_SSHD_SESSION=/usr/lib/openssh/sshd-session \
	    TEST_SSH_SSHD_AUTH=/usr/lib/openssh/sshd-auth \
	    TEST_SSH_ECC=yes TEST_SSH_UNSAFE_PERMISSIONS=1 \
	    LTESTS="$1" t-exec </dev/zero >"$dir/out" 2>&1 || status=$?
	echo "$status" >"$dir/status"
}

lane()
{
	local t
	for t; do
		one "$t"
	done
}

inside()
{
	local t
	# shellcheck disable=SC2046,SC2086 # names
	{
		lane ${lanes%%|*} &
		lane ${lanes#*|}
	}
	wait
	for t in $(echo "$lanes" | tr '|' ' '); do
		judge "$t" "$(cat "/tmp/$t/status")"
	done
	echo "openssh: $passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

# A test passes when it says so and all certificates and lists were ours but
# for those of DSA keys, which lib/ssh doesn't know.
judge()
{
	local ours foreign
	ours=$(grep -c '^ours ' "/tmp/$1/log" || :)
	foreign=$(grep '^real ' "/tmp/$1/log" | grep -E ' -(s|[a-z]*k[a-z]*) ' |
	    grep -Ev ' -[a-zA-Z]*[QLltY]' || :)
	if [ "$2" -eq 0 ] && [ -z "$foreign" ] && [ "$ours" -gt 0 ]; then
		echo "ok - openssh: $1 ($ours times ours)"
		passed=$((passed + 1))
		return
	fi
	echo "not ok - openssh: $1 (exit $2, $ours times ours)"
	tail -n 15 "/tmp/$1/out" | sed 's/^/# /'
	[ -z "$foreign" ] || echo "$foreign" | head -n 5 |
	    sed 's/^/# not ours: /'
	failed=$((failed + 1))
}

passed=0 failed=0
if [ "${1-}" = --inside ]; then
	inside
else
	here=$(cd "$(dirname "$0")" && pwd -P)
	exec "$here/../e2e/sandbox.sh" /bin/sh /src/test/openssh/run.sh --inside
fi
