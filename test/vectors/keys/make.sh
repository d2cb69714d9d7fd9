#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: make every public key of this folder anew.  Needs ssh-keygen of
# OpenSSH 9.x (it still makes DSA keys) and node.  The private keys are
# thrown away: nothing here can open anything.
#
#   good/NAME.pub   what key_from_pub() must accept
#   good.txt        NAME BITS FINGERPRINT, by ssh-keygen -l
#   bad/NAME.pub    what it must refuse
#   bad.txt         NAME REASON
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rm -rf good bad
mkdir good bad
: >good.txt
: >bad.txt

gen() { # FILE TYPE [BITS]
	ssh-keygen -q -N '' -C "$1 test key" -t "$2" ${3:+-b "$3"} \
		-f "$tmp/$1" </dev/null
}
bad() { # NAME REASON
	echo "$1 $2" >>bad.txt
}

gen ed25519 ed25519
gen ecdsa256 ecdsa 256
gen ecdsa384 ecdsa 384
gen ecdsa521 ecdsa 521
for bits in 2048 3072 4096; do
	gen "rsa$bits" rsa "$bits"
done
cp "$tmp"/*.pub good/

gen rsa1024 rsa 1024
gen dsa dsa 1024
cp "$tmp/rsa1024.pub" "$tmp/dsa.pub" bad/
bad rsa1024 key_weak
bad dsa key_type

# Certificates: every plain kind for a user, one for a host, one without
# principals (which sshd 9.2 takes for any login behind a cert-authority line).
gen ca ed25519
for k in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa2048; do
	ssh-keygen -q -s "$tmp/ca" -I "$k" -n alice -V +1h "$tmp/$k.pub"
	mv "$tmp/$k-cert.pub" "bad/cert_user_$k.pub"
	bad "cert_user_$k" key_certificate
done
ssh-keygen -q -s "$tmp/ca" -I host -h -n host.example -V +1h "$tmp/ed25519.pub"
mv "$tmp/ed25519-cert.pub" bad/cert_host_ed25519.pub
bad cert_host_ed25519 key_certificate
ssh-keygen -q -s "$tmp/ca" -I nobody -V +1h "$tmp/ed25519.pub"
mv "$tmp/ed25519-cert.pub" bad/cert_no_principals.pub
bad cert_no_principals key_certificate

# What ssh-keygen cannot make: security keys need a token, unsound keys need
# a forger.
node forge.mjs good bad >>bad.txt

sort -o bad.txt bad.txt
for f in good/*.pub; do
	ssh-keygen -l -f "$f" | while read -r bits fp rest; do
		n=${f##*/}
		echo "${n%.pub} $bits $fp"
	done
done >good.txt
