#!/bin/sh
# SPDX-License-Identifier: ISC
#
# interop.sh [SUITE ...]: our programs with the OpenSSH of other systems.
#
# Fetches the root file system of each SUITE by debootstrap into
# $INTEROP_ROOTS (build/interop), once, and runs there: end-to-end tests, our
# encoders against its ssh-keygen, and its own tests of certificates.  Ours is
# built there too; for a SUITE too old for that, only OpenSSH is its own, on
# this host's system.
#
# $INTEROP_TESTS are the end-to-end tests instead of all that ask sshd.
# As root, with a network.  Not a part of make check.  Ends with "interop: N
# passed, N failed, N skipped"; a SUITE that can't be had is skipped.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd -P)
roots=${INTEROP_ROOTS:-$top/build/interop}
debian=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
ubuntu=${UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu}
export E2E_LIMIT="${E2E_LIMIT:-900}"

# SUITE MIRROR SCRIPT-OF-DEBOOTSTRAP HOW: "built" there or "ssh" only.
suites()
{
	cat <<-END
	bullseye $debian sid ssh
	jammy $ubuntu gutsy ssh
	noble $ubuntu gutsy built
	plucky $ubuntu gutsy built
	trixie $debian sid built
	forky $debian sid built
	END
}

files="${INTEROP_TESTS:-ca_first ca_permits ca_krl ca_host ca_principals
    ca_revoke ca_backend ca_agent ca_bundle ca_publish explain ssh_first
    ssh_keys ssh_denied ssh_refused ssh_proof ssh_clients login_ssh pam_module
    pam_hostile reap reap_ssh}"

packages="openssh-server openssh-client openssh-tests"
packages_built="ca-certificates curl openssl iproute2 bsdutils procps perl-base
    nodejs strace systemd putty-tools dropbear-bin softhsm2 opensc"

# In the SUITE's system, with our tree in /src.
into() # COMMAND…
{
	# shellcheck disable=SC2016
	unshare --mount sh -ec 'root=$1 top=$2
	    shift 2
	    mount -t proc proc "$root/proc"
	    mount --bind "$top" "$root/src"
	    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"' - \
	    "$roots/$suite" "$top" "$@"
}

fetch() # MIRROR SCRIPT HOW
{
	local root=$roots/$suite script=/usr/share/debootstrap/scripts/$suite
	[ ! -e "$root/.fetched" ] || return 0
	rm -rf "$root"
	[ -e "$script" ] || script=${script%/*}/$2
	debootstrap --force-check-gpg --variant=minbase "$suite" "$root" "$1" \
	    "$script" || return 1
	[ "$1" != "$ubuntu" ] ||
	    echo "deb $ubuntu $suite main universe" >"$root/etc/apt/sources.list"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 0755 "$root/usr/sbin/policy-rc.d"
	mkdir -p "$root/src"
	[ "$3" = ssh ] || packages="$packages $packages_built
	    $(sed -n 's/^build //p' "$top/test/tools/packages")"
	# NB. a mirror of a suite that is not released may be days old.
	# shellcheck disable=SC2086 # names
	into apt-get -qq -o Acquire::Check-Valid-Until=false update &&
	    into apt-get -qq -o Dpkg::Use-Pty=0 install -y \
		--no-install-recommends $packages &&
	    : >"$root/.fetched"
}

# What died may have said nothing: its status counts, too.
bad()
{
	echo "not ok - $suite: $1 failed"
}

# All that runs there; $B, E2E_ROOT and E2E_SSH say how.
tests()
{
	# shellcheck disable=SC2046,SC2086 # names
	"$top/test/e2e/run.sh" -j "${INTEROP_JOBS:-2}" \
	    $(printf "$top/test/e2e/%s.sh " $files) || bad e2e
	for name in certs krl; do
		# shellcheck disable=SC2016
		"$top/test/e2e/sandbox.sh" sh -c 'CERTS_OLD=yes B=$E2E_B \
		    exec sh "/src/test/$1/run.sh"' - "$name" || bad "$name"
	done
	"$top/test/openssh/run.sh" || bad openssh
}

one() # SUITE MIRROR SCRIPT HOW
{
	suite=$1
	if ! (fetch "$2" "$3" "$4") >"$dir/log" 2>&1; then
		echo "skip - $suite: $(tail -n 2 "$dir/log" | tr '\n' ' ')"
		return
	fi
	echo "# $suite: $(into ssh -V 2>&1)"
	if [ "$4" = ssh ]; then
		E2E_SSH=$roots/$suite tests 2>&1
	elif into make -C /src -j2 "B=build/interop-$suite" interop-bins \
	    >"$dir/log" 2>&1; then
		B=build/interop-$suite E2E_ROOT=$roots/$suite tests 2>&1
	else
		echo "not ok - $suite: ours is not built there"
		tail -n 20 "$dir/log" | sed 's/^/# /'
	fi
}

none()
{
	echo "skip - interop: $1"
	echo "interop: 0 passed, 0 failed, 1 skipped"
	exit 0
}

[ "$(id -u)" -eq 0 ] || none "only root can make a root file system"
command -v debootstrap >/dev/null || none "debootstrap is missing"
cd "$top"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$roots"
suites >"$dir/suites"
for suite in ${*:-$(cut -d ' ' -f 1 "$dir/suites")}; do
	grep "^$suite " "$dir/suites" || {
		echo "interop.sh: no suite $suite" >&2
		exit 2
	}
done >"$dir/rows"
while read -r row <&3; do
	# shellcheck disable=SC2086 # words
	one $row
done 3<"$dir/rows" | tee "$dir/results"
awk '/^ok - /{p++} /^not ok - /{f++} /^skip - /{s++}
    END {printf "interop: %d passed, %d failed, %d skipped\n", p, f, s
    exit f > 0 || p + s == 0}' "$dir/results"
