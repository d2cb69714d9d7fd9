#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: make every certificate of this folder anew.  Needs ssh-keygen of
# OpenSSH 9.x and the security key of openssh-tests.  The private keys are
# thrown away: nothing here can open anything.
#
#   options/NAME.pub  combinations of options, which cert_encode() must write
#                     byte for byte
#   good/NAME.pub     by every kind of authority: cert_verify() is 0
#   bad/NAME.pub      decodes, but its signature is none that we take
set -eu
cd "$(dirname "$0")"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rm -rf options good bad
mkdir options good bad
SSH_SK_PROVIDER=/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so
export SSH_SK_PROVIDER
when=20260101000000Z:20360101000000Z

gen() { # NAME TYPE [BITS]
	ssh-keygen -q -N '' -C "$1 test key" -t "$2" ${3:+-b "$3"} \
	    -f "$tmp/$1" </dev/null
}

serial=1
# cert FOLDER NAME CA OPTION...
cert() {
	folder=$1 name=$2 ca=$3
	shift 3
	ssh-keygen -q -s "$tmp/$ca" -z $serial -I "$name" -V $when "$@" \
	    "$tmp/subject.pub"
	mv "$tmp/subject-cert.pub" "$folder/$name.pub"
	serial=$((serial + 1))
}
option() { # NAME OPTION...
	name=$1
	shift
	cert options "$name" ed25519 -n alice "$@"
}

gen subject ed25519
gen ed25519 ed25519
gen ecdsa256 ecdsa 256
gen ecdsa384 ecdsa 384
gen ecdsa521 ecdsa 521
gen rsa2048 rsa 2048
gen rsa3072 rsa 3072
gen rsa4096 rsa 4096
gen sk_ed25519 ed25519-sk
gen sk_ecdsa256 ecdsa-sk

option default
option clear -O clear
option pty -O clear -O permit-pty
option pty_rc -O clear -O permit-user-rc -O permit-pty
option no_agent -O no-agent-forwarding
option no_port -O no-port-forwarding
option no_x11 -O no-x11-forwarding
option no_touch -O no-touch-required
option verify -O clear -O verify-required
option command -O clear -O force-command=/usr/bin/true
option command_odd -O clear \
    -O 'force-command=a="b c" '\''d'\'' \e $f; g=h, i=j # k'
option command_lines -O 'force-command=one
two'
option address -O clear -O source-address=192.0.2.1/32
option addresses -O source-address=192.0.2.0/24,2001:db8::/32
option every -O force-command=true -O verify-required -O no-touch-required \
    -O source-address=192.0.2.0/24
option foreign -O critical:z@example.com=1 -O extension:a@example.com=2 \
    -O extension:b@example.com
option host -h -n a.example.com,b.example.com
cert options host_none ed25519 -h

for ca in ed25519 ecdsa256 ecdsa384 ecdsa521 sk_ed25519 sk_ecdsa256; do
	cert good $ca $ca -n alice
done
for ca in rsa2048 rsa3072 rsa4096; do
	cert good ${ca}_sha256 $ca -n alice -t rsa-sha2-256
	cert good ${ca}_sha512 $ca -n alice -t rsa-sha2-512
done
cert bad rsa_sha1 rsa2048 -n alice -t ssh-rsa
