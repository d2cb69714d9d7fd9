#!/bin/sh
# SPDX-License-Identifier: ISC
title="log lines have this host's local time"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

zone=/usr/share/zoneinfo/Asia/Tokyo # far from UTC, no summer time
[ -f "$zone" ] || skip_all "no time zones"
stage
rm -f /etc/localtime
cp "$zone" /etc/localtime

# "<priority>Mon dd hh:mm:ss", the hour as date(1) has it, before or after.
line_is_local()
{
	local before
	before=$(date +%H)
	log_mark
	hook alice "$W/k1.pub" || :
	log_has aadssh-authkeys "$1" || return 1
	tail -n "+$log_from" "$SYSLOG" | grep aadssh-authkeys |
	    grep -Eq "^<[0-9]+>[A-Z][a-z]{2} [ 0-9]{2} ($before|$(date +%H)):"
}

ok "the hour is local inside the fence" line_is_local verdict=
mv "$CONF" "$CONF.away"
ok "and of a configuration that is not there" line_is_local reason=config
finish
