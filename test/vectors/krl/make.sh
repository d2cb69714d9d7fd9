#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: make every list of this folder anew.  Needs ssh-keygen of OpenSSH
# 9.x.  The private keys are thrown away, the authorities' too: nothing here
# can open anything.
#
#   NAME.pub        keys; ca, old and rsaca are authorities
#   good/NAME.krl   what krl_decode() must accept
#   good.tsv        NAME VERSION SERIALS KEYS, as many as are revoked
#   asked.tsv       LIST CA SERIAL KEY-ID VERDICT, by ssh-keygen -Q
#   bad/dense.krl   what ssh-keygen writes and can't read: a bitmap too long
# Lists that no ssh-keygen makes are forged by test_krl.c itself.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rm -rf good bad ./*.pub
mkdir good bad
: >good.tsv
: >asked.tsv

for name in ca old key other; do
	ssh-keygen -q -N '' -C "$name" -t ed25519 -f "$tmp/$name"
done
ssh-keygen -q -N '' -C rsaca -t rsa -b 2048 -f "$tmp/rsaca"
ssh-keygen -q -N '' -C ecdsa -t ecdsa -f "$tmp/ecdsa"
cp "$tmp"/*.pub .

# list NAME VERSION SERIALS KEYS CA|none [-u] <SPECIFICATION
list() {
	cat >"$tmp/spec"
	ca=$5
	[ "$ca" = none ] || ca=$ca.pub
	ssh-keygen -q -k ${6-} -z "$2" -s "$ca" -f "good/$1.krl" "$tmp/spec"
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>good.tsv
}

# ask LIST CA SERIAL KEY-ID
ask() {
	cp key.pub "$tmp/asked.pub"
	ssh-keygen -q -s "$tmp/$2" -I "$4" -n alice -z "$3" "$tmp/asked.pub"
	verdict=$(ssh-keygen -Q -f "good/$1.krl" "$tmp/asked-cert.pub" || :)
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "${verdict##*: }" \
	    >>asked.tsv
}

list empty 0 0 0 none </dev/null
list serials 1 4 0 ca <<'END'
serial: 18446744073709551615
serial: 5
serial: 1000000
serial: 9000000000000000000
END
list range 2 9999001 0 ca <<'END'
serial: 1000-10000000
END
seq 7 3 700 | sed 's/^/serial: /' | list bitmap 3 232 0 ca
list mixed 4 1039 0 rsaca <<END
$(seq 100 7 350 | sed 's/^/serial: /')
serial: 100000-101000
serial: 7000000
serial: 8000000
END
list ids 5 0 0 ca <<'END'
id: mira@contoso.com oid=1
id: a
id: zzz
END
list any 18446744073709551615 3 0 none <<'END'
serial: 3-5
id: mira
END
list keys 6 0 3 ca <<END
key: $(cat key.pub)
key: $(cat rsaca.pub)
key: $(cat ecdsa.pub)
END
list hashes 7 0 2 ca <<END
hash: $(ssh-keygen -l -f key.pub | cut -d ' ' -f 2)
hash: $(ssh-keygen -l -f old.pub | cut -d ' ' -f 2)
END
list sha1 8 0 2 ca <<END
sha1: $(cat key.pub)
sha1: $(cat old.pub)
END
list all 9 3 3 ca <<END
serial: 1-3
id: mira
key: $(cat other.pub)
sha1: $(cat ecdsa.pub)
hash: $(ssh-keygen -l -f rsaca.pub | cut -d ' ' -f 2)
END
# ssh-keygen's own update: the second authority comes behind the first.
cp good/serials.krl good/two.krl
list two 10 6 0 old -u <<'END'
serial: 5
serial: 6
END

ask empty ca 1 mira
for serial in 1 4 5 6 999999 1000000 1000001 8999999999999999999 \
    9000000000000000000 9000000000000000001 18446744073709551614 \
    18446744073709551615; do
	ask serials ca $serial mira
done
ask serials old 5 mira
for serial in 0 1 999 1000 1001 9999999 10000000 10000001; do
	ask range ca $serial mira
done
for serial in 1 6 7 8 9 10 13 100 697 698 700 703; do
	ask bitmap ca $serial mira
done
for serial in 99 100 101 107 345 350 352 99999 100000 101000 101001 7000000 \
    7000001 8000000; do
	ask mixed rsaca $serial mira
	ask mixed ca $serial mira
done
for id in a aa mira zzz 'mira@contoso.com oid=1' 'mira@contoso.com oid=11'; do
	ask ids ca 0 "$id"
	ask ids ca 7 "$id"
	ask ids old 7 "$id"
done
for serial in 0 2 3 5 6; do
	ask any ca $serial x
	ask any rsaca $serial mira
done
for serial in 1 4; do
	ask all ca $serial x
	ask all ca $serial mira
	ask all old $serial mira
done
for serial in 5 6 7; do
	ask two ca $serial mira
	ask two old $serial mira
done

seq 1 2 16391 | sed 's/^/serial: /' >"$tmp/spec"
ssh-keygen -q -k -s ca.pub -f bad/dense.krl "$tmp/spec"
! ssh-keygen -Q -f bad/dense.krl ca.pub 2>/dev/null
