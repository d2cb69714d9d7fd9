#!/bin/sh
# SPDX-License-Identifier: ISC
#
# make.sh: make every private key of this folder anew.  Needs ssh-keygen of
# OpenSSH 9.x and the security key of openssh-tests.  They are for tests, and
# nobody lets them in anywhere.
#
#   NAME          a private key file
#   privkeys.txt  NAME RESULT FINGERPRINT: what privkey_parse() makes of it
#                 ("ok" or the name of an error), and the key by ssh-keygen -l
set -eu
cd "$(dirname "$0")"
find . -type f ! -name make.sh -delete
SSH_SK_PROVIDER=/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so
export SSH_SK_PROVIDER

# key RESULT NAME COMMENT ssh-keygen's options...
key() {
	result=$1 name=$2 comment=$3
	shift 3
	ssh-keygen -q -C "$comment" -f "$name" "$@" </dev/null
	fingerprint=$(ssh-keygen -l -f "$name.pub" | cut -d ' ' -f 2)
	rm "$name.pub"
	echo "$name $result $fingerprint" >>privkeys.txt
}

key ok ed25519 'ed25519 test key' -N '' -t ed25519
# every length of padding
for n in 0 1 2 3 4 5 6 7; do
	key ok "comment_$n" "$(printf "%.${n}s" abcdefg)" -N '' -t ed25519
done
key ok comment_utf8 'Zoë' -N '' -t ed25519
key EREFUSED encrypted x -N 'a test' -a 1 -t ed25519
key EREFUSED encrypted_gcm x -N 'a test' -a 1 -Z aes256-gcm@openssh.com \
    -t ed25519
key EREFUSED rsa2048 x -N '' -t rsa -b 2048
key EREFUSED ecdsa256 x -N '' -t ecdsa -b 256
key EREFUSED dsa x -N '' -t dsa
key EREFUSED sk_ed25519 x -N '' -t ed25519-sk
key EFORMAT pem x -N '' -t rsa -b 2048 -m PEM
key EFORMAT pkcs8 x -N '' -t ecdsa -b 256 -m PKCS8
