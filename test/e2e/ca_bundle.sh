# SPDX-License-Identifier: ISC
title="the bundle key, its successors and the recovery key, by stock ssh-keygen"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
A="aadssh-ca -f $CA_CONF"
NOW=$CA_STATE/public/current
stage_forged <<-END
	hosts = web
END
bundle_print()
{
	ssh-keygen -lf "$NOW/bundle_key.pub" | cut -d ' ' -f 2
}
# signed_by KEYFILE.pub NAMESPACE FILE: as a host with that pin checks it.
signed_by()
{
	printf 'x %s\n' "$(cut -d ' ' -f 1,2 "$1")" >"$W/allowed"
	ssh-keygen -Y verify -f "$W/allowed" -I x -n "$2" -s "$3.sig" <"$3"
}
manifest_by() # KEYFILE.pub
{
	signed_by "$1" aadssh-bundle "$NOW/manifest.json"
}
successor_by() # KEYFILE.pub
{
	signed_by "$1" aadssh-bundle-successor "$NOW/bundle_successor.json"
}
# The key that the statement names is the one that is published.
names_it() # OLD-FINGERPRINT
{
	json "$NOW/bundle_successor.json" "o[0].old === '$1' &&
	    o[0].new === '$(bundle_print)' && o[0].key ===
	    '$(cut -d ' ' -f 1,2 "$NOW/bundle_key.pub")'"
}
ssh-keygen -y -f "$W/recovery" >"$W/recovery.pub"

ok "the manifest is the bundle key's" manifest_by "$NOW/bundle_key.pub"
also "and nobody else's" not manifest_by "$W/recovery.pub"
also "nor of another purpose" not signed_by "$NOW/bundle_key.pub" \
    aadssh-bundle-successor "$NOW/manifest.json"
also "it names the key that can replace that one" json "$NOW/manifest.json" \
    "o[0].recovery_key === '$(key_print recovery)' &&
    o[0].bundle_key === '$(bundle_print)'"
also "which is no authority" sh -c '! cat "$1"/*_ca.pub "$1/known_hosts" |
    grep -qFe "$2" -e "$3"' - "$NOW" "$(cut -d ' ' -f 2 "$W/recovery.pub")" \
    "$(cut -d ' ' -f 2 "$NOW/bundle_key.pub")"
ok "there is no successor" test ! -e "$NOW/bundle_successor.json"
cp "$NOW/bundle_key.pub" "$W/first.pub"
first=$(bundle_print)

ok "the bundle key is replaced" $A rotate --bundle
also "by another" test "$(bundle_print)" != "$first"
also "which signs the manifest" manifest_by "$NOW/bundle_key.pub"
also "and the one before does not" not manifest_by "$W/first.pub"
also "which a statement names" names_it "$first"
also "by the key before" successor_by "$W/first.pub"
also "and by no other" not successor_by "$NOW/bundle_key.pub"
also "that is no manifest" not signed_by "$W/first.pub" aadssh-bundle \
    "$NOW/bundle_successor.json"
also "the private half of the old one is gone" \
    test "$(find "$CA_STATE/keys" -name '*.key' | wc -l)" -eq 3
need $A publish
ok "the statement is in the next publication as well" successor_by "$W/first.pub"
cp "$NOW/bundle_key.pub" "$W/second.pub"
second=$(bundle_print)

ok "the recovery key replaces it, too" \
    $A rotate --bundle --recovery "$W/recovery"
also "which a statement names" names_it "$second"
also "by the recovery key" successor_by "$W/recovery.pub"
also "and not by the key before" not successor_by "$W/second.pub"
also "the manifest is the new key's" manifest_by "$NOW/bundle_key.pub"
third=$(bundle_print)
for name in second.pub none; do
	status=0
	$A rotate --bundle --recovery "$W/$name" >"$W/out" 2>"$W/err" || status=$?
	ok "another key is no recovery key: $name" test "$status" -ne 0
done
need new_key thief
exits 3 "nor is anybody's" $A rotate --bundle --recovery "$W/thief"
ok "it is what it was" test "$(bundle_print)" = "$third"
ok "verify has all of it in order" $A verify
finish
