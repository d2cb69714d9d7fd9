# SPDX-License-Identifier: ISC
# shellcheck shell=dash
#
# Sourced behind calib.sh: an authority without a provider, whose tokens the
# tenant of mktoken makes, a clock that the test drives, kills at a chosen
# call, and what must be true of the authority at every instant.

TOOLS=$SRC/$E2E_B/test/tools
CA_DONE=$CA_STATE/public/current
CA="aadssh-ca -f $CA_CONF"
signed=0

# --- an authority without a provider ------------------------------------------

# Lines of [ca] in $CA_ALSO; standard input is appended.
write_bare_conf()
{
	mkdir -p /etc/aadssh
	{
		cat <<-END
		[idp]
		tenant = $TENANT
		client_id = $CLIENT_ID
		authority = $AUTHORITY
		[ca]
		certs_per_hour = 10000
		${CA_ALSO-}
		[map]
		domain = $DOMAIN
		require = $REQUIRE
		hosts = web
		END
		cat
	} >"$CA_CONF"
	chmod 0644 "$CA_CONF"
}

# The tenant's keys, as refresh would leave them.
bare_tenant()
{
	local file
	file=$CA_STATE/tenant/keys.json
	"$TOOLS/mktoken" keys >"$file.new" && chown aadssh: "$file.new" &&
	    chmod 0644 "$file.new" && mv "$file.new" "$file"
}

# bare_init [ARGUMENT…]: and the recovery key goes to $W/recovery.
bare_init()
{
	rm -f "$W/recovery"
	$CA init --recovery-out "$W/recovery" "$@" && bare_tenant
}

# asks OPTION… OP FIELD…: the signer on pipes, as its own user, by the words
# of ask; $signer_via stands in front of it instead of setpriv.
asks()
{
	# shellcheck disable=SC2086 # words
	(cd / && exec "$TOOLS/ask" "$@" -- \
	    ${signer_via-/usr/bin/setpriv --reuid aadssh-ca --regid aadssh-ca
	    --init-groups} "$CA_SIGNER" -f "$CA_CONF")
}

# A token of alice that there was never before, in $token; $forged_ago: as
# in calib.sh.
new_token()
{
	signed=$((signed + 1))
	token=$("$TOOLS/mktoken" token "${forged_ago-1}" "$ALICE_OID" "$ALICE" \
	    ",\"n\":\"$$.$signed\"")
}

# bare_sign KEY [FIELD…]: KEY-cert.pub, for $token.
bare_sign()
{
	local key status
	key=$1 status=0
	shift
	asks sign key="$key.pub" token="$token" "$@" >"$W/answer" ||
	    status=$?
	cat "$W/answer"
	sed -n 's/^certificate //p' "$W/answer" >"$key-cert.pub"
	[ "$status" -eq 0 ] || return "$status"
	[ -s "$key-cert.pub" ]
}

# stage_first: an authority with one certificate, $W/first-cert.pub of serial
# $first; kept as "one".
stage_first()
{
	cd "$W" || exit 1
	chmod 0755 "$W"
	write_bare_conf </dev/null
	need new_key k1
	need bare_init
	need new_token
	need bare_sign "$W/k1"
	mv "$W/k1-cert.pub" "$W/first-cert.pub"
	first=$(serial_of first)
	need keep one
	asks verify >"$W/verify.out"
	rows=$(rows_seen)
}

# How many rows the last verify saw.
rows_seen()
{
	sed -n 's/.*"rows":\([0-9]*\).*/\1/p' "$W/verify.out"
}

# Since stage_first: the chain is whole and has all that it had.
no_row_lost()
{
	asks verify >"$W/verify.out" || cat "$W/verify.out"
	[ "$(rows_seen)" -ge "$rows" ] || echo "rows are lost"
}

# --- a clock ------------------------------------------------------------------

# So many hours behind the real time, for every program that starts from now
# on and is linked with libc.  NB. sshd begins each connection with an exec;
# the hook is static, and of --principals a time is no part.
clock_at() # HOURS
{
	echo $(($1 * 3600)) >/etc/fakeclock
}

drive_clock()
{
	date +%s >"$W/began"
	clock_at 1000
	echo "$TOOLS/fakeclock.so" >/etc/ld.so.preload
	[ $(($(date +%s) - $(cat "$W/began"))) -ge 3600000 ] && clock_at 0 &&
	    [ $(($(date +%s) - $(cat "$W/began"))) -lt 60 ]
}

# stage_rotation: an authority on that clock which rotates every 30 days, and a
# host that takes its certificates.
stage_rotation()
{
	cd "$W" || exit 1
	need drive_clock
	CA_ALSO="rotate_every = 30d"
	write_bare_conf </dev/null
	need bare_init
	need write_cert_conf <<-END
	[host]
	groups = web
	END
	need new_key k1
	need new_key k2
	chmod 0755 "$W"
	need start_cert_sshd
	looked=0
}

# Which authority signed KEY-cert.pub.
by() # KEY
{
	ssh-keygen -Lf "$W/$1-cert.pub" |
	    sed -n 's/.*Signing CA: [^ ]* \([^ ]*\).*/\1/p'
}

# After a kill: hosts believe who signed k1, whose login works (every fifth
# time, as it takes a while); the next rotate ends in these stages, which
# hosts then know.
ends_in() # STAGES
{
	looked=$((looked + 1))
	ssh-keygen -lf "$CA_DONE/user_ca.pub" | grep -Fq "$by_k1" ||
	    echo "the authority of a live certificate is not published"
	[ $((looked % 5)) -ne 0 ] || cert_opens alice "$W/k1" ||
	    echo "who was let in is not"
	$CA rotate >"$W/rotate.out" 2>&1 ||
	    echo "the next rotate: exit $?: $(cat "$W/rotate.out")"
	$CA keys | awk '$1 == "user" { print $2 }' | sort >"$W/now"
	echo "$1" | diff - "$W/now"
	cut -d ' ' -f 5 "$CA_DONE/user_ca.pub" | sort >"$W/told"
	grep -v removed "$W/now" | diff - "$W/told"
	# One for each key that is not removed, and none of the killed run.
	[ "$(find "$CA_STATE/keys" -type f | wc -l)" -eq "$($CA keys |
	    grep -Evc '^recovery|^[a-z]+ +removed')" ] ||
	    echo "a private file too many or too few"
	no_faults
}

# --- what must be true ----------------------------------------------------------

# The stages of a role's keys, in one word each: "active retired".
stages() # user|host
{
	$CA keys | awk -v role="$1" \
	    '$1 == role { printf "%s%s", sep, $2; sep = " " } END { print "" }'
}

stages_are() # user|host WORDS
{
	[ "$(stages "$1" | tr ' ' '\n' | sort)" = \
	    "$(echo "$2" | tr ' ' '\n' | sort)" ]
}

# The fingerprint of a role's key at a stage.
key_at() # user|host STAGE
{
	$CA keys | awk -v role="$1" -v stage="$2" \
	    '$1 == role && $2 == stage { print $3 }'
}

no_faults()
{
	$CA verify >"$W/verify.out" 2>&1 && return 0
	cat "$W/verify.out" >&2
	return 1
}

# The publication is signed, not over, and holds the key of each live
# certificate.
published_well()
{
	local ends fp
	ends=$(date -d "$(grep -o '"expires":"[^"]*"' "$CA_DONE/manifest.json" |
	    cut -d '"' -f 4)" +%s) &&
	    [ "$ends" -gt "$(date +%s)" ] || return 1
	cat "$CA_DONE/user_ca.pub" "$CA_DONE/host_ca.pub" |
	    ssh-keygen -lf - | cut -d ' ' -f 2 >"$W/published"
	$CA list --valid --json >"$W/live" || return 1
	for fp in $(grep -o '"ca": *"SHA256:[^"]*"' "$W/live" | cut -d '"' -f 4); do
		grep -qxF "$fp" "$W/published" || return 1
	done
	printf 'namespaces="aadssh-bundle" %s\n' \
	    "$(cut -d ' ' -f 1,2 "$CA_DONE/bundle_key.pub")" |
	    sed 's/^/ca /' >"$W/allowed"
	ssh-keygen -Y verify -f "$W/allowed" -I ca -n aadssh-bundle \
	    -s "$CA_DONE/manifest.json.sig" <"$CA_DONE/manifest.json"
}

# --- kills ------------------------------------------------------------------------

# NB. root's strace, as nobody else may look into a signer.
STRACE="/usr/bin/strace -u aadssh-ca -qq -e signal=none"

# Before each call by which the signer changes the state, as kill.sh has it,
# but for three of four pages of a journal; $kill_every: of those each n-th.
kill_points() # OPTION… OP FIELD…
{
	signer_via="$STRACE -y -o $W/calls -e trace=$CALLS" \
	    asks "$@" >"$W/answer" || return 1
	sed 's/(.*//' "$W/calls" | awk '{ print $1, ++n[$1] }' |
	    paste -d '|' - "$W/calls" | grep -F "$CA_STATE" |
	    awk -F '|' -v changes="$CHANGES" '
		{ call = substr($0, length($1) + 2) }
		call ~ changes { print $1 }' |
	    awk '$1 != "pwrite64" || $2 % 4 == 1' |
	    awk "NR % ${kill_every-1} == 0" >"$W/points"
	[ -s "$W/points" ]
}

# killed_at CALL K OPTION… OP FIELD…: it dies before the K-th CALL; else what
# it answered is in $W/answer.
killed_at()
{
	local call="$1" k="$2"
	shift 2
	signer_via="$STRACE -o /dev/null -e trace=$call
	    -e inject=$call:signal=KILL:when=$k" \
	    asks "$@" >"$W/answer" 2>&1 || :
	grep -qx 'signal 9' "$W/answer"
}

# kill_walk TITLE BEFORE CHECK OP FIELD…: from the kept state BEFORE kill the
# signer at each of its changes; CHECK, which is silent when all is well, then
# looks at what is left, and mends it.
kill_walk()
{
	local what="$1" before="$2" check="$3" call k points=0 hit=0
	shift 3
	restore "$before"
	ok "$what: unharmed, it changes the state" kill_points "$@"
	sed 's/^/# /' "$W/answer" >"$W/unharmed"
	: >"$W/wrong"
	while read -r call k <&3; do
		points=$((points + 1))
		restore "$before"
		! killed_at "$call" "$k" "$@" || hit=$((hit + 1))
		"$check" >"$W/said" 2>&1 && [ ! -s "$W/said" ] || {
			echo "at $call $k:"
			cat "$W/said"
		} >>"$W/wrong"
	done 3<"$W/points"
	also "$what: killed at $points places, it is old or new and goes on" \
	    empty "$W/wrong"
	sed 's/^/# /' "$W/wrong" | head -n 20
	also "$what: nearly all kills hit ($hit)" \
	    [ $((hit * 10)) -ge $((points * 8)) ]
}
