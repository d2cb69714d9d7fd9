# SPDX-License-Identifier: ISC
title="kill -9 at every write of the signer: no certificate without its row"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh
STATE=$CA_STATE # what keep and restore are about

stage_first

# state_is SERIAL STATE: what the ledger has of a certificate.
state_is()
{
	asks list serial="$1" | grep -Fq "\"state\":\"$2\"" ||
	    echo "the ledger does not have $1 as $2"
}

# --- sign -------------------------------------------------------------------------

# Whatever came out is in the ledger; the same token then gives a certificate.
signs_again()
{
	local serial
	no_row_lost
	sed -n 's/^certificate //p' "$W/answer" >"$W/k1-cert.pub"
	if [ -s "$W/k1-cert.pub" ]; then
		state_is "$(serial_of k1)" issued
	fi
	bare_sign "$W/k1" >"$W/said.sign" || cat "$W/said.sign"
	serial=$(serial_of k1)
	state_is "$serial" issued
	no_row_lost
}
need new_token
kill_walk "II-C13 sign" one signs_again sign key="$W/k1.pub" token="$token"

# --- revoke, and what hosts are told ------------------------------------------------

revokes_again()
{
	no_row_lost
	$CA revoke --serial "$first" --reason again >"$W/said.rev" 2>&1 ||
	    cat "$W/said.rev"
	state_is "$first" revoked
	hosts_know
}

# The list of the current version revokes the first certificate.
hosts_know()
{
	local status=0
	ssh-keygen -Q -f "$CA_DONE/krl" "$W/first-cert.pub" >/dev/null 2>&1 ||
	    status=$?
	[ "$status" -eq 1 ] || echo "hosts do not know: $status"
	no_row_lost
}
kill_walk "II-R8 revoke" one revokes_again revoke serial="$first" text=stolen

# --- all of it, ever later ----------------------------------------------------------

# aadssh-ca and what it started.  NB. a signer whose aadssh-ca is gone ends
# what it began.
no_signer()
{
	! pgrep -x aadssh-ca-signe
}

n=0
for after in $(seq 0 15 600); do
	restore one
	$CA revoke --serial "$first" --reason stolen >"$W/out" 2>&1 &
	pid=$!
	sleep "0.$(printf %03d "$after")"
	kill -KILL "$pid" 2>/dev/null || :
	status=0
	wait "$pid" 2>/dev/null || status=$?
	wait_for 5 no_signer || echo "its signer goes on"
	n=$((n + 1))
	revokes_again
	[ "$status" -ne 0 ] || break
done >"$W/wrong" 2>&1
ok "II-R8 aadssh-ca revoke, killed ever later, $n times" empty "$W/wrong"
sed 's/^/# /' "$W/wrong" | head -n 20
finish
