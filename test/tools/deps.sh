#!/bin/sh
# SPDX-License-Identifier: ISC
#
# deps.sh need GROUP      install what is missing as root; else name it in
#                         one line and exit 1
# deps.sh install GROUP   the same, always trying to install
#
# GROUP: build, demo or test; each holds the ones before it.  The provider's
# npm packages belong to demo; its browser driver belongs to test.
set -u
cd "$(dirname "$0")/../.." || exit 1

mode=$1 group=$2
case $group in
build) groups=build ;;
demo) groups='build demo' ;;
test) groups='build demo test' ;;
*) echo "deps.sh: unknown group $group" >&2; exit 2 ;;
esac

wanted() {
	for g in $groups; do
		sed -n "s/^$g //p" test/tools/packages
	done
	# NB. where another nodejs than Debian's is there, Debian's npm may not
	# be installable, and is not needed.
	if [ "$group" != build ] && ! command -v npm >/dev/null 2>&1; then
		echo nodejs
		echo npm
	fi
	if [ "$group" = demo ] && [ "${DEMO:-}" = interactive ] &&
	    ! command -v "${BROWSER:-x-www-browser}" >/dev/null 2>&1; then
		echo chromium
		echo libnss3-tools
	fi
}

missing=
for p in $(wanted); do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
	    grep -q ' installed$' || missing="$missing $p"
done

modules=test/idp/node_modules
npm_missing() {
	case $group in
	build) return 1 ;;
	demo) [ ! -d $modules/oidc-provider ] ;;
	test) [ ! -d $modules/oidc-provider ] || [ ! -d $modules/playwright-core ] ;;
	esac
}

if [ -n "$missing" ]; then
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		echo "aadssh: this needs Debian's$missing (sudo make deps)" >&2
		exit 1
	fi
	echo "installing$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -qq update >/dev/null 2>&1
	# shellcheck disable=SC2086
	apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install -y \
	    --no-install-recommends $missing >"${TMPDIR:-/tmp}/aadssh-apt.log" 2>&1 || {
		tail -n 20 "${TMPDIR:-/tmp}/aadssh-apt.log" >&2
		echo "aadssh: apt-get could not install$missing" >&2
		exit 1
	}
fi

if npm_missing; then
	echo "installing the test provider's npm packages"
	omit=
	[ "$group" = demo ] && omit=--omit=dev
	# shellcheck disable=SC2086
	(cd test/idp && npm ci --loglevel=error --no-audit --no-fund --ignore-scripts \
	    $omit) >&2 || {
		echo "aadssh: npm could not install test/idp/package-lock.json" >&2
		exit 1
	}
fi
exit 0
