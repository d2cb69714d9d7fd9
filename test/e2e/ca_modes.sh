# SPDX-License-Identifier: ISC
title="modes of what an authority writes do not depend on the caller's umask"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
need write_ca_conf <<-END
	hosts = web
END
need new_key k1
with_umask() # UMASK COMMAND…
{
	local mask="$1"
	shift
	(umask "$mask" && "$@")
}
# Of everything below a directory: type, mode, owner, and a name in which a
# key's hash is none.
modes() # DIRECTORY
{
	find "$1" -printf '%y %#m %u:%g %P\n' |
	    sed 's/[0-9a-f]\{64\}/HASH/; s/-> .*//; /^l/s/ 0777//' | sort
}
# life UMASK: an authority's first day, below that umask.
life()
{
	local mask="$1"
	rm -rf "$CA_STATE" "$W/recovery" "$W/h-cert.pub" "$W/backup" "$W/krl"
	install -d -m 0755 -o aadssh-ca -g aadssh-ca "$CA_STATE"
	install -d -m 0755 -o aadssh -g aadssh "$CA_STATE/tenant"
	set -- with_umask "$mask" aadssh-ca -f "$CA_CONF"
	"$@" init --recovery-out "$W/recovery" && forged_keys &&
	    "$@" sign-host --key "$W/k1.pub" --name a.example.test \
		--out "$W/h-cert.pub" &&
	    "$@" rotate --now && "$@" krl --out "$W/krl" &&
	    "$@" backup --out "$W/backup" && "$@" publish &&
	    modes "$CA_STATE" >"$W/modes.$mask" &&
	    modes "$W/recovery" >"$W/modes.recovery" &&
	    stat -c '%a %n' "$W/recovery" "$W/h-cert.pub" "$W/krl" \
		"$W/backup" >>"$W/modes.$mask"
}
secrets() # that others can read, write or even see
{
	find "$CA_STATE/keys" "$CA_STATE/ledger" "$CA_STATE/locks" \
	    "$CA_STATE/manifests" "$W/recovery" "$W/backup" -perm /077
}
ok "an authority's first day" life 022
also "what is secret is its owner's only" test -z "$(secrets)"
also "what is published anybody can read" as plain \
    cat "$CERT_KRL" "$CERT_CA" "$CA_STATE/public/current/manifest.json"
also "and only the owner can write" sh -c \
    '! find "$1" ! -type l -perm /022 | grep .' - "$CA_STATE"
for mask in 0 077 0277; do
	ok "I-F2 with a umask of $mask" life "$mask"
	also "I-F2 ... the modes are the same: $mask" \
	    diff "$W/modes.022" "$W/modes.$mask"
done
need forged_keys
for mask in 0 077; do
	ok "by the authority's own user with a umask of $mask" with_umask \
	    "$mask" as aadssh-ca aadssh-ca -f "$CA_CONF" publish
	also "anybody can read it: $mask" as plain cat "$CERT_KRL" \
	    "$CA_STATE/public/current/denials.json"
	also "nobody else write: $mask" sh -c \
	    '! find "$1" ! -type l -perm /022 | grep .' - "$CA_STATE"
done
finish
