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

stage_rotation

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
}
need keep over
kill_walk "II-R8 remove" over removed rotate
finish
