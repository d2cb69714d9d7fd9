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

# What ssh asks is answered in the browser, and then by Enter.
sign_in_browser() # USER KEY
{
	local done=0
	ask_new "browser.$2"
	ssh_ask_begin alice "$W/$2" -- id -un
	wait_for 30 asked_or_gone 1 && asked 1 || return 1
	node "$SRC/test/e2e/browser.mjs" "$chromium" \
	    "$(shown_url "$ask_dir/prompt.1")" \
	    "$(shown_code "$ask_dir/prompt.1")" "$1" || done=1
	reply 1 ''
	return "$done"
}

need start_idp
need write_conf </dev/null
need new_key k1
need new_key k2
stage_pam
need trust
ok "Chromium, checking TLS, goes through all pages" \
    sign_in_browser "$ALICE" k1
ok "the login that asked for it is in" ssh_ask_end
also "as alice" [ "$(cat "$W/out")" = alice ]
ok "ssh logs in with her key, without a question" whoami_is alice "$W/k1"

ok "another person goes through the pages" sign_in_browser "$BOB" k2
exits 255 "and is not let in as alice" ssh_ask_end
also "but told who signed in" has "$W/err" "You signed in as $BOB"
ok "and the key is not remembered" says_no alice "$W/k2.pub"
finish
