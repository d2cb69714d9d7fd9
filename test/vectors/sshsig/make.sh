#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: make every signature of this folder anew.  Needs ssh-keygen of
# OpenSSH 9.x.  The private keys are thrown away: nothing here can open
# anything.
#
#   message         what is signed
#   good/NAME.sig   by NAME.pub, namespace "aadssh-bundle"
#   bad/NAME.sig    sound, but for another namespace, or by what we don't
#                   take: a certificate, a weak key
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rm -rf good bad
mkdir good bad
printf '{"v":1,"version":7}\n' >message

# sign FOLDER NAME KEY NAMESPACE OPTION...
sign() {
	folder=$1 name=$2 key=$3 namespace=$4
	shift 4
	ssh-keygen -q -Y sign -f "$tmp/$key" -n "$namespace" "$@" \
	    <message >"$folder/$name.sig" 2>/dev/null
}

gen() { # NAME TYPE [BITS]
	ssh-keygen -q -N '' -C "$1 test key" -t "$2" ${3:+-b "$3"} \
	    -f "$tmp/$1" </dev/null
	cp "$tmp/$1.pub" "good/$1.pub"
	sign good "$1" "$1" aadssh-bundle
}

gen ed25519 ed25519
gen ecdsa256 ecdsa 256
gen ecdsa384 ecdsa 384
gen ecdsa521 ecdsa 521
gen rsa2048 rsa 2048
sign good sha256 ed25519 aadssh-bundle -O hashalg=sha256
cp good/ed25519.pub good/sha256.pub
sign bad namespace ed25519 file
sign bad longer ed25519 aadssh-bundles
sign bad shorter ed25519 aadssh-bundl

ssh-keygen -q -N '' -C '' -t rsa -b 1024 -f "$tmp/weak"
sign bad weak weak aadssh-bundle
ssh-keygen -q -s "$tmp/rsa2048" -I x -n x "$tmp/ed25519.pub"
cp "$tmp/ed25519-cert.pub" "$tmp/certified.pub"
cp "$tmp/ed25519" "$tmp/certified"
sign bad certificate certified.pub aadssh-bundle
