#!/bin/sh
# SPDX-License-Identifier: ISC
title="no lock is held while a person or the network is waited for"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

stage
ok "alice signs in" signin "$ALICE" aadssh login alice "$W/k1.pub"

# A sign-in of the same login waits for its person.
: >"$W/waiting.err"
aadssh login alice "$W/k2.pub" >"$W/waiting.out" 2>"$W/waiting.err" &
waiting=$!
need wait_for 30 code_shown "$W/waiting.err"

ok "II-K10 the hook answers meanwhile" says_yes alice "$W/k1.pub"
ok "II-K10 keys are fetched meanwhile" \
    timeout 60 aadssh refresh --keys-only --force
ok "II-K10 alice's sign-ins are forgotten meanwhile" \
    timeout 60 aadssh forget alice
ok "... and are gone" says_no alice "$W/k1.pub"
ok "II-K10 alice is denied meanwhile" timeout 60 aadssh deny --login alice
exits 1 "II-K10 a second sign-in is refused at once" \
    timeout 60 aadssh login alice "$W/k2.pub"
also "... because of the denial" has "$W/err" login_denied

# The denial came after the code was shown: nothing may be stored.
ok "the person signs in after all" approve "$ALICE" "$W/waiting.err"
status=0
wait "$waiting" || status=$?
ok "a denial that came during the sign-in counts" [ "$status" -eq 1 ]
ok "... and is named" has "$W/waiting.err" login_denied
ok "... and nothing was stored" [ -z "$(find "$STATE/records" -type f)" ]
ok "the denial is lifted" aadssh undeny --login alice
ok "... and the key stays shut" says_no alice "$W/k2.pub"
finish
