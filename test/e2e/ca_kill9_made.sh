# SPDX-License-Identifier: ISC
title="kill -9 at every write of init and restore: the next one ends it"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=kill.sh
. /src/test/e2e/kill.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh
STATE=$CA_STATE # what keep and restore are about

cd "$W" || exit 1
chmod 0755 "$W"
write_bare_conf </dev/null
need new_key k1

# Behind a restore a sign-in counts from a minute after it on; these tokens
# are of a clock that is a minute ahead.
forged_ago=-60
signs()
{
	bare_tenant && new_token && bare_sign "$W/k1" >"$W/said.sign"
}

# An authority that works: it signs, it has published, it finds no fault.
works()
{
	wait_for 5 signs || cat "$W/said.sign"
	published_well >"$W/said.well" 2>&1 || cat "$W/said.well"
	no_faults
	sealed_for "$W/recovery" || echo "the recovery key is not this one's"
}

# The authority's backups are opened by that key.
sealed_for() # FILE
{
	ssh-keygen -y -f "$1" >"$W/recovery.pub" &&
	    $CA keys | awk '$1 == "recovery" { print $3 }' |
	    grep -qxF "$(ssh-keygen -lf "$W/recovery.pub" | cut -d ' ' -f 2)"
}

# --- init -------------------------------------------------------------------------

# What root's half makes: directories without anything.
install -d -o aadssh-ca -g aadssh-ca "$CA_STATE" "$CA_STATE/public"
install -d -o aadssh -g aadssh "$CA_STATE/tenant"
need keep nothing
inits_again()
{
	local status=0
	rm -f "$W/recovery.new"
	$CA init --recovery-out "$W/recovery.new" >"$W/said.init" 2>&1 ||
	    status=$?
	case $status in
	0) mv "$W/recovery.new" "$W/recovery" ;;
	1) # It was made, for the recovery key that was asked with.
		has "$W/said.init" ca_exists || cat "$W/said.init"
		[ ! -e "$W/recovery.new" ] || echo "a recovery key of nobody"
		cp "$W/recovery.ask" "$W/recovery"
		$CA publish >"$W/said.pub" 2>&1 || cat "$W/said.pub" ;;
	*) cat "$W/said.init" ;;
	esac
	works
}
umask 077
kill_every=3
need ssh-keygen -q -t ed25519 -N '' -C '' -f "$W/recovery.ask"
kill_walk "II-C19 init" nothing inits_again init key="$W/recovery.ask.pub"

# --- aadssh-ca init itself ------------------------------------------------------------

no_signer()
{
	! pgrep -x aadssh-ca-signe
}
n=0
for after in $(seq 0 15 600); do
	restore "no such state"
	rm -f "$W/recovery"
	$CA init --recovery-out "$W/recovery" >"$W/out" 2>&1 &
	pid=$!
	sleep "0.$(printf %03d "$after")"
	kill -KILL "$pid" 2>/dev/null || :
	status=0
	wait "$pid" 2>/dev/null || status=$?
	wait_for 5 no_signer || echo "its signer goes on"
	n=$((n + 1))
	# As the message of the next one has it.
	if [ -e "$W/recovery" ]; then
		$CA init --recovery-out "$W/recovery" >"$W/said.init" 2>&1 &&
		    echo "a file of before is overwritten"
		has "$W/said.init" "aadssh-ca keys" || cat "$W/said.init"
	fi
	if $CA keys >"$W/said.keys" 2>&1; then
		$CA publish >"$W/said.pub" 2>&1 || cat "$W/said.pub"
	else
		rm -f "$W/recovery"
		$CA init --recovery-out "$W/recovery" >"$W/said.init" 2>&1 ||
		    cat "$W/said.init"
	fi
	works
	[ "$status" -ne 0 ] || break
done >"$W/wrong" 2>&1
ok "II-C19 aadssh-ca init, killed ever later, $n times" empty "$W/wrong"
sed 's/^/# /' "$W/wrong" | head -n 20

# --- backup, restore --------------------------------------------------------------------

ok "a backup" $CA backup --out "$W/backup"
n=0
for after in $(seq 0 10 600); do
	rm -f "$W/backup2"
	$CA backup --out "$W/backup2" >"$W/out" 2>&1 &
	pid=$!
	sleep "0.$(printf %03d "$after")"
	kill -KILL "$pid" 2>/dev/null || :
	status=0
	wait "$pid" 2>/dev/null || status=$?
	n=$((n + 1))
	[ ! -e "$W/backup2" ] ||
	    [ "$(wc -c <"$W/backup2")" -eq "$(wc -c <"$W/backup")" ] ||
	    echo "half a backup after $after ms"
	[ "$status" -ne 0 ] || break
done >"$W/wrong" 2>&1
ok "a backup that is killed, $n times, is whole or not there" empty "$W/wrong"
sed 's/^/# /' "$W/wrong" | head -n 20

restores_again()
{
	local status=0
	$CA restore --recovery "$W/recovery" "$W/backup" >"$W/said.res" 2>&1 ||
	    status=$?
	case $status in
	0) ;;
	1)
		has "$W/said.res" ca_exists || cat "$W/said.res"
		$CA publish >"$W/said.pub" 2>&1 || cat "$W/said.pub" ;;
	*) cat "$W/said.res" ;;
	esac
	works
}
kill_every=4
kill_walk "II-C19 restore" nothing restores_again -f "$W/backup" restore \
    secret=@"$W/recovery" length="$(stat -c %s "$W/backup")"
finish
