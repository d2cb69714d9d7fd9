# SPDX-License-Identifier: ISC
title="a rotation that is killed at any of its writes is ended by the next"
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
	no_faults
}
looked=0

# --- a key is made --------------------------------------------------------------

clock_at 697
need bare_tenant
need new_token
need bare_sign "$W/k1" ttl=86400
by_k1=$(by k1)
prepared()
{
	ends_in "$(printf 'active\nprepared')"
}
need keep due
kill_walk "II-R8 prepare" due prepared rotate

# --- it signs -------------------------------------------------------------------

restore due
need $CA rotate
clock_at 722
need bare_tenant
need new_token
need bare_sign "$W/k1" ttl=86400
retired()
{
	ends_in "$(printf 'active\nretired')"
	[ "$(find "$CA_STATE/keys" -name '*.key' | wc -l)" -eq 4 ] ||
	    echo "a private file too many or too few"
}
need keep waits
kill_walk "II-R8 activate" waits retired rotate

# --- it is gone -----------------------------------------------------------------

restore waits
need $CA rotate
clock_at 747
need bare_tenant
need new_token
need bare_sign "$W/k1" ttl=86400
by_k1=$(by k1)
removed()
{
	ends_in "$(printf 'active\nremoved')"
	[ "$(find "$CA_STATE/keys" -name '*.key' | wc -l)" -eq 3 ] ||
	    echo "a private file too many or too few"
}
need keep over
kill_walk "II-R8 remove" over removed rotate
finish
