# SPDX-License-Identifier: ISC
title="a backup that is larger than a request"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
need start_idp
write_ca_conf <<-END
hosts = web
END
need start_ca --recovery-out "$W/recovery"

large()
{
	[ "$(stat -c %s "$1")" -gt 62914560 ]
}
# NB. the ledger of as many bytes takes minutes to make.
need many_manifests 1000
ok "a backup" aadssh-ca backup --out large
also "which is larger" large large
need rm -rf "$CA_STATE"
ok "it is restored" aadssh-ca restore large --recovery recovery
also "and leaves nothing beside" test ! -e "$CA_STATE/restore.backup"
also "with all of it" test "$(ls "$CA_STATE/manifests" | wc -l)" -ge 1002
need new_key host
ok "it signs" aadssh-ca sign-host --key host.pub --name web1.example.com
need rm -rf "$CA_STATE"
need truncate -s -1 large
exits 1 "one that was cut is not" aadssh-ca restore large --recovery recovery
also "by that reason" has "$W/err" "(backup)"
also "and leaves nothing beside" test ! -e "$CA_STATE/restore.backup"
finish
