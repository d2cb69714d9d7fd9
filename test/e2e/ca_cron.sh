# SPDX-License-Identifier: ISC
title="what cron and systemd start for an authority does its work"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh
# shellcheck source=castage.sh
. /src/test/e2e/castage.sh

# NB. the units' fences are systemd's to make; here is what they leave.
cd "$W" || exit 1
PREFIX=/opt/aadssh
KEYS=$CA_STATE/tenant/keys.json
need drive_clock
need start_idp
CA_ALSO="rotate_every = 30d" # publish_before is 1d, keys_refresh 1h
need write_ca_conf <<-END
	hosts = web
END
need start_ca --recovery-out "$W/recovery"

at() # HOURS
{
	clock_at "$1" && stop_idp && start_idp
}
# crontab WORD: the line that has it, as cron runs it; all that it says would
# be a mail.
CRON=/src/conf/cron.d/aadssh-ca
crontab()
{
	local line
	line=$(grep -v '^#' "$CRON" | grep -F -- "$1") || return 1
	[ "$(echo "$line" | cut -d ' ' -f 6)" = root ] || return 1
	line=$(echo "$line" | cut -d ' ' -f 7- | sed "s|@PREFIX@|$PREFIX|g")
	(cd /root && exec env -i HOME=/root LOGNAME=root \
	    SHELL="$(sed -n 's/^SHELL=//p' "$CRON")" \
	    PATH="$(sed -n 's/^PATH=//p' "$CRON")" \
	    "$(sed -n 's/^SHELL=//p' "$CRON")" -c "$line") </dev/null
}
silent()
{
	"$@" >"$W/said" 2>&1 && empty "$W/said" || { cat "$W/said"; return 1; }
}
# in_unit NAME COMMAND…: as that unit's user, without network where it has
# none, privileges to gain, and a file that can be written but ReadWritePaths.
cat >"$W/in_unit" <<-'END'
#!/bin/sh -eu
file=/src/conf/systemd/$1
shift
# NB. systemd skips a path with a dash where there is none.
of() { sed -n "s|^$1=||p" "$file" | sed "s|^-||; s| -| |g"; }
[ "$(of ProtectSystem)" = strict ]
net=
[ "$(of PrivateNetwork)" != yes ] || net=--net
exec unshare --mount $net sh -euc '
	for path in $1; do mount --bind "$path" "$path"; done
	for path in / /etc /run /tmp /var; do
		! mountpoint -q "$path" || mount -o remount,bind,ro "$path"
	done
	for path in $1; do mount -o remount,bind,rw "$path"; done
	for path in $2; do
		mount --bind "$path" "$path"
		mount -o remount,bind,ro "$path"
	done
	! touch /tmp/x /etc/x /var/log/x 2>/dev/null || exit 99
	umask 0077
	user=$3
	shift 3
	exec setpriv --reuid "$user" --regid "$user" --init-groups \
	    --no-new-privs --bounding-set=-all env -i LANG=C.UTF-8 \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin "$@"
' - "$(of ReadWritePaths)" "$(of ReadOnlyPaths)" "$(of User)" "$@"
END
chmod 0755 "$W/in_unit"
unit() # NAME: what it starts
{
	# shellcheck disable=SC2046 # words
	"$W/in_unit" "$1" $(sed -n 's/^ExecStart=//p' \
	    "/src/conf/systemd/$1" | sed "s|@PREFIX@|$PREFIX|g") </dev/null
}
fetched()
{
	grep -o '"fetched_at":[0-9]*' "$KEYS"
}
readable()
{
	[ "$(stat -c '%U %a' "$KEYS")" = "aadssh 644" ] &&
	    as plain cat "$CERT_KRL" "$CERT_CA" \
	    "$CA_STATE/public/current/manifest.json" >/dev/null
}

# --- cron -------------------------------------------------------------------------

before=$(fetched)
ok "while the tenant's keys are fresh cron's line says nothing" \
    silent crontab --keys-only
also "and fetches none" test "$(fetched)" = "$before"
at 2
ok "two hours later it fetches them, and says nothing" \
    silent crontab --keys-only
also "they are new" test "$(fetched)" != "$before"
also "anybody can read what is published" readable
need stop_idp
clock_at 4
before=$(fetched)
exits 3 "without the provider it fails" crontab --keys-only
also "and cron's mail says why" test -s "$W/err"
also "what was there stays" test "$(fetched)" = "$before"
need start_idp
version=$(readlink "$CA_DONE")
ok "rotate's line says nothing when nothing is due" silent crontab rotate
also "and changes nothing" test "$(readlink "$CA_DONE")" = "$version"
at $((29 * 24 + 1))
ok "a day before a key is due it makes the next, and says nothing" \
    silent crontab rotate
also "a key for people" stages_are user "active prepared"
also "a key for hosts" stages_are host "active prepared"
also "all of it published" published_well
also "anybody can read it" readable

# --- systemd ----------------------------------------------------------------------

for unit in aadssh-ca-rotate.service aadssh-ca-keys.service \
    aadssh-ca-signer@.service; do
	need "$W/in_unit" "$unit" /bin/true
	exits 1 "nothing is written where $unit has no place" \
	    "$W/in_unit" "$unit" touch "$CA_STATE/../x"
done
exits 1 "the signer's can't change the tenant's keys" \
    "$W/in_unit" aadssh-ca-signer@.service touch "$CA_STATE/tenant/x"
at $((30 * 24 + 2))
ok "the unit activates the key" unit aadssh-ca-rotate.service
also "for people, and the old one goes: nobody has a certificate of it" \
    stages_are user "active removed"
also "for hosts" stages_are host "active removed"
also "published" published_well
also "for anybody to read, whatever its umask" readable
ok "the account is in order" no_faults
before=$(fetched)
ok "the unit fetches the tenant's keys" unit aadssh-ca-keys.service
also "which are new" test "$(fetched)" != "$before"
also "for the signer to read, whatever its umask" readable
need new_key k1
need bare_tenant
new_token
# NB. by the words of ExecStart, which must be the program and the file here.
of_the_unit="$(sed -n 's/^ExecStart=//p' /src/conf/systemd/aadssh-ca-signer@.service)"
ok "the signer's unit starts the signer" \
    test "$of_the_unit" = "$CA_SIGNER -f $CA_CONF"
signer_via="$W/in_unit aadssh-ca-signer@.service"
ok "... which signs" bare_sign "$W/k1"
unset signer_via
also "... by a row" grep -q . "$W/k1-cert.pub"
ok "the account is in order" no_faults
finish
