#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: make every certificate of this folder anew.  Needs ssh-keygen of
# OpenSSH 9.x.  The private keys are thrown away, the authorities' too:
# nothing here can open anything.
#
#   good/NAME.pub   what cert_decode() must accept
#   good.tsv        what ssh-keygen -L says of each: NAME TYPE SERIAL AFTER
#                   BEFORE KEY AUTHORITY PRINCIPALS KEY-ID
#   bad/NAME.pub    what it must refuse
#   bad.txt         NAME REASON
# Certificates that no ssh-keygen makes are forged by test_cert.c itself.
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rm -rf good bad
mkdir good bad
: >bad.txt
oid=1c9a52de-7b30-4f86-9e41-6a0d8c35b2f1
tid=3f2504e0-4f89-41d3-9a0c-0305e82c3301
id="alice@contoso.com oid=$oid tid=$tid uti=Zm9v-_bar"
when=20260101000000Z:20360101000000Z

gen() { # NAME TYPE [BITS]
	ssh-keygen -q -N '' -C "$1 test key" -t "$2" ${3:+-b "$3"} \
	    -f "$tmp/$1" </dev/null
}

# cert FOLDER NAME KEY CA OPTION...
cert() {
	folder=$1 name=$2 key=$3 ca=$4
	shift 4
	ssh-keygen -q -s "$tmp/$ca" "$@" "$tmp/$key.pub"
	mv "$tmp/$key-cert.pub" "$folder/$name.pub"
}

gen ed25519 ed25519
gen ecdsa256 ecdsa 256
gen ecdsa384 ecdsa 384
gen ecdsa521 ecdsa 521
gen rsa2048 rsa 2048
gen rsa1024 rsa 1024
gen dsa dsa 1024
gen ca_ed25519 ed25519
gen ca_ecdsa256 ecdsa 256
gen ca_ecdsa384 ecdsa 384
gen ca_ecdsa521 ecdsa 521
gen ca_rsa2048 rsa 2048
gen ca_rsa1024 rsa 1024
gen ca_dsa dsa 1024
# A security key needs a token to be made, but not to be certified.
cp ../keys/good/sk_ed25519.pub ../keys/good/sk_ecdsa256.pub "$tmp/"

# Every kind of key, every kind of authority.
serial=1
for key in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa2048 sk_ed25519 sk_ecdsa256; do
	cert good "user_$key" "$key" ca_ed25519 -I "$id" -n alice \
	    -z $serial -V $when
	cert good "host_$key" "$key" ca_ed25519 -h -I "$key" \
	    -n host.example.com -z $serial -V $when
	serial=$((serial + 1))
done
for ca in ecdsa256 ecdsa384 ecdsa521 rsa2048; do
	cert good "by_$ca" ed25519 "ca_$ca" -I "$id" -n alice -V $when
done
cert good by_rsa2048_sha256 ed25519 ca_rsa2048 -t rsa-sha2-256 -I "$id" \
    -n alice -V $when

# Principals, times, serials, options, key ids.
cert good no_principals ed25519 ca_ed25519 -I "$id" -V $when
cert good two_principals ed25519 ca_ed25519 -I "$id" -n alice@web,alice -V $when
cert good many_principals ed25519 ca_ed25519 -I "$id" \
    -n "$(seq -s , -f 'login%03g' 256)" -V $when
cert good for_ever ed25519 ca_ed25519 -I "$id" -n alice -V always:forever
cert good last_serial ed25519 ca_ed25519 -I "$id" -n alice \
    -z 18446744073709551615 -V $when
cert good no_extensions ed25519 ca_ed25519 -I "$id" -n alice -V $when -O clear
cert good all_options ed25519 ca_ed25519 -I "$id" -n alice -V $when \
    -O force-command=/bin/true -O source-address=192.0.2.0/24,2001:db8::/32 \
    -O verify-required -O no-touch-required -O extension:aaa@example.com=1 \
    -O extension:zzz@example.com
cert good other_key_id ed25519 ca_ed25519 -I 'bob in room 7' -n bob -V $when
cert good empty_key_id ed25519 ca_ed25519 -I '' -n bob -V $when

for key in rsa1024 dsa; do
	cert bad "user_$key" "$key" ca_ed25519 -I x -n alice -V $when
done
cert bad by_rsa1024 ed25519 ca_rsa1024 -I x -n alice -V $when
cert bad by_dsa ed25519 ca_dsa -I x -n alice -V $when
cp "$tmp/ed25519.pub" bad/plain.pub
cat >bad.txt <<END
user_rsa1024 key_weak
user_dsa key_type
by_rsa1024 key_weak
by_dsa key_type
plain key_type
END

seconds() {
	case $1 in
	always) echo 0 ;;
	forever) echo 18446744073709551615 ;;
	*) date -u -d "$1" +%s ;;
	esac
}
show() {
	TZ=UTC ssh-keygen -L -f "$1" | awk '
	/^ +Type:/ { type = $3 }
	/^ +Public key:/ { key = $4 }
	/^ +Signing CA:/ { ca = $4 }
	/^ +Key ID:/ { id = $0; sub(/^[^"]*"/, "", id); sub(/"$/, "", id) }
	/^ +Serial:/ { serial = $2 }
	/^ +Valid: from/ { after = $3; before = $5 }
	/^ +Valid: forever/ { after = "always"; before = "forever" }
	/^ +Valid: before/ { after = "always"; before = $3 }
	/^ +Principals:/ { list = 1; next }
	/^ +Critical Options:/ { list = 0 }
	list { names = names (names == "" ? "" : ",") ($1 == "(none)" ? "" : $1) }
	/^ +Principals: \(none\)/ { names = "" }
	END { print type, serial, after, before, key, ca,
	    names == "" ? "-" : names, id }'
}
for file in good/*.pub; do
	name=${file##*/}
	show "$file" | {
		read -r type serial after before key ca names key_id
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${name%.pub}" \
		    "$type" "$serial" "$(seconds "$after")" \
		    "$(seconds "$before")" "$key" "$ca" "$names" "$key_id"
	}
done >good.tsv
