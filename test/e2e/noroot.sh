#!/bin/sh
# SPDX-License-Identifier: ISC
title="all this works for a person without root"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

# As root we play a person who has no rights but a range of user ids.
read -r _ outer _ </proc/self/uid_map
if [ "$outer" -ne 0 ]; then
	ok "these tests were started without root: all of them show it" \
	    [ "$(id -u)" -eq 0 ]
	finish
fi

as_plain()
{
	setpriv --reuid plain --regid plain --init-groups \
	    env HOME=/home/plain USER=plain "$@"
}

status=0
as_plain "$SRC/test/e2e/sandbox.sh" true >"$W/out" 2>&1 || status=$?
[ "$status" -ne 77 ] || skip_all "$(tail -n 1 "$W/out")"
status=0
as_plain "$SRC/test/e2e/sandbox.sh" sh -eu "$SRC/test/e2e/login_ssh.sh" \
    >"$W/inner" 2>&1 || status=$?
sed 's/^\(ok\|not ok\|skip\) - /&without root: /' "$W/inner"
ok "the whole login test, by user $(as_plain id -un)" [ "$status" -eq 0 ]
ok "said yes and no often enough" \
    [ "$(grep -c '^ok - ' "$W/inner")" -ge 15 ]
finish
