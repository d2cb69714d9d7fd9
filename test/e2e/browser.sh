#!/bin/sh
# SPDX-License-Identifier: ISC
title="a person signs in with a real web browser"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

chromium=
for name in chromium chromium-browser google-chrome; do
	[ "$chromium" ] || chromium=$(command -v $name) || :
done
[ "$chromium" ] || skip_all "no chromium"
command -v certutil >/dev/null || skip_all "no certutil (libnss3-tools)"
[ -d "$SRC/test/idp/node_modules/playwright-core" ] ||
    skip_all "no playwright-core in test/idp/node_modules"

# The browser trusts the test's CA only by its own certificate store.
trust()
{
	export HOME="$W/home"
	mkdir -p "$HOME/.pki/nssdb"
	certutil -N -d "sql:$HOME/.pki/nssdb" --empty-password &&
	    certutil -A -d "sql:$HOME/.pki/nssdb" -n idp -t C,, \
		-i "$IDP/ca.pem"
}

click_in_browser()
{
	wait_for 10 code_shown_or_gone "$W/login.err" || return 1
	node "$SRC/test/e2e/browser.mjs" "$chromium" \
	    "$(shown_url "$W/login.err")" "$(shown_code "$W/login.err")" \
	    "$1"
}

stage
need trust
aadssh login alice "$W/k1.pub" >"$W/login.out" 2>"$W/login.err" &
login_pid=$!
ok "Chromium, checking TLS, goes through all pages" \
    click_in_browser "$ALICE"
ok "aadssh login stores the sign-in" wait "$login_pid"
ok "ssh logs in" whoami_is alice "$W/k1"

aadssh login alice "$W/k2.pub" >"$W/login.out" 2>"$W/login.err" &
login_pid=$!
ok "another person goes through the pages" click_in_browser "$BOB"
exits 1 "and is not stored as alice" wait "$login_pid"
expect_refused "and is not let in" alice "$W/k2"
finish
