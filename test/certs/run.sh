#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: certificates of our encoder against those of ssh-keygen -s, for the
# same inputs, over many combinations of options: what is signed must be the
# same, byte for byte, with the same nonce, and ssh-keygen -L must show the
# expected text of ours, its signature included.
#
# Prints "ok - certs: TITLE", and ends with "certs: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
shim=$PWD/${B:-build}/test/tools/keygen-shim
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"
passed=0 failed=0

gen() # NAME TYPE [BITS]
{
	ssh-keygen -q -t "$2" ${3:+-b "$3"} -N '' -C "$1 of a test" -f "$1"
}

# A security key's public half without a security key: PROTOCOL.u2f.
sk() # NAME TYPE-ON-THE-WIRE HEX-FIELDS
{
	{
		printf '%s ' "$2"
		printf '%s' "$3" | perl -ne 'print pack("H*", $_)' |
		    base64 -w 0
		echo " $1"
	} >"$1.pub"
}

hex() # a string of the wire, as hex
{
	printf '%08x%s' "$(printf '%s' "$1" | wc -c)" \
	    "$(printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n')"
}

# The points of ordinary keys serve as those of the security keys.
point() # PUBFILE OFFSET: from the field that stands there to the end
{
	cut -d ' ' -f 2 "$1" | base64 -d | od -An -v -tx1 | tr -d ' \n' |
	    cut -c "$2"-
}

make_sk()
{
	a=$(hex ssh:)
	sk sk-ed25519 sk-ssh-ed25519@openssh.com \
	    "$(hex sk-ssh-ed25519@openssh.com)$(point k-ed25519.pub 31)$a"
	sk sk-ecdsa sk-ecdsa-sha2-nistp256@openssh.com \
	    "$(hex sk-ecdsa-sha2-nistp256@openssh.com)$(point k-ecdsa256.pub 47)$a"
}

bad()
{
	echo "not ok - certs: $1"
	failed=$((failed + 1))
}

# What ssh-keygen -L says, without what differs between two certificates.
shown() # FILE
{
	ssh-keygen -L -f "$1" | tail -n +2
}

# same TITLE KEY OPTION…: both make a certificate of KEY.pub.
same()
{
	title=$1 key=$2
	shift 2
	rm -f "$key-cert.pub"
	if ! ssh-keygen -q "$@" "$key.pub" 2>err; then
		# With CERTS_OLD it may be one that lacks what was asked.
		if [ "${CERTS_OLD-}" ] && grep -Eq \
		    '^(Unsupported certificate option|Invalid from time)' err
		then
			echo "skip - certs: $title: $(cat err)"
			return
		fi
		bad "$title: ssh-keygen did not sign: $(cat err)"
		return
	fi
	mv "$key-cert.pub" theirs.pub
	if ! "$shim" --like theirs.pub -q "$@" "$key.pub" 2>err; then
		bad "$title: ours was not signed: $(cat err)"
		return
	fi
	"$shim" --signed-part theirs.pub >theirs.hex
	"$shim" --signed-part "$key-cert.pub" >ours.hex
	shown theirs.pub >theirs.text
	shown "$key-cert.pub" >ours.text
	if ! cmp -s theirs.hex ours.hex; then
		bad "$title: other bytes"
	elif ! cmp -s theirs.text ours.text || ! grep -q 'Signing CA' ours.text; then
		bad "$title: ssh-keygen -L says something else"
	elif [ "$(cut -d ' ' -f 3- theirs.pub)" != \
	    "$(cut -d ' ' -f 3- "$key-cert.pub")" ]; then
		bad "$title: another comment"
	else
		echo "ok - certs: $title"
		passed=$((passed + 1))
	fi
}

gen ca-ed25519 ed25519
gen ca-ecdsa256 ecdsa 256
gen ca-ecdsa384 ecdsa 384
gen ca-ecdsa521 ecdsa 521
gen ca-rsa rsa 2048
gen k-ed25519 ed25519
gen k-ecdsa256 ecdsa 256
gen k-ecdsa384 ecdsa 384
gen k-ecdsa521 ecdsa 521
gen k-rsa2048 rsa 2048
gen k-rsa3072 rsa 3072
make_sk
v=20260101:20270101

for key in k-ed25519 k-ecdsa256 k-ecdsa384 k-ecdsa521 k-rsa2048 k-rsa3072 \
    sk-ed25519 sk-ecdsa; do
	same "a user's $key" $key -s ca-ed25519 -I id -n alice -V $v -z 7
done
for key in k-ed25519 k-ecdsa256 k-ecdsa384 k-ecdsa521 k-rsa2048; do
	same "a host's $key" $key -s ca-ed25519 -h -I id -n web1.example.com \
	    -V $v
done
for ca in ca-ecdsa256 ca-ecdsa384 ca-ecdsa521 ca-rsa; do
	same "a user's key, signed by $ca" k-ed25519 -s $ca -I id -n alice -V $v
	same "a host's key, signed by $ca" k-rsa2048 -s $ca -h -I id -n h -V $v
done
same 'RSA with SHA-256' k-ed25519 -s ca-rsa -t rsa-sha2-256 -I id -n alice -V $v
same 'RSA with SHA-512' k-ed25519 -s ca-rsa -t rsa-sha2-512 -I id -n alice -V $v

k=k-ed25519
user="-s ca-ed25519 -n alice -V $v"
# shellcheck disable=SC2086 # options are words
{
	same 'the largest serial' $k $user -I id -z 18446744073709551615
	same 'serial 0' $k $user -I id -z 0
	same 'no principal' $k -s ca-ed25519 -I id -V $v
	same 'many principals' $k -s ca-ed25519 -I id -V $v \
	    -n "$(seq -s , 1 256)"
	same 'principals of a group' $k -s ca-ed25519 -I id -V $v \
	    -n deploy@web,deploy@db,deploy
	same 'for ever' $k -s ca-ed25519 -I id -n alice -V always:forever
	same 'without a time' $k -s ca-ed25519 -I id -n alice
	same 'times in hexadecimal' $k -s ca-ed25519 -I id -n alice \
	    -V 0x5f000000:0x7f000000
	same 'from 1970 on' $k -s ca-ed25519 -I id -n alice -V 19700101:20380119
	same 'a key id with blanks and signs' $k $user \
	    -I 'alice@contoso.com oid=1 tid=2 uti=_-=~!"'
	same 'a long key id' $k $user -I "$(printf '%01000d' 0)"
	same 'clear' $k $user -I id -O clear
	same 'clear, then a pty' $k $user -I id -O clear -O permit-pty
	for o in no-agent-forwarding no-port-forwarding no-pty no-user-rc \
	    no-x11-forwarding; do
		same "$o" $k $user -I id -O $o
	done
	for o in permit-agent-forwarding permit-port-forwarding \
	    permit-x11-forwarding permit-user-rc; do
		same "clear, then $o" $k $user -I id -O clear -O $o
	done
	same 'force-command' $k $user -I id -O 'force-command=/bin/echo "a=b, c"'
	same 'source-address' $k $user -I id \
	    -O source-address=192.0.2.0/24,2001:db8::/32
	same 'both critical options' $k $user -I id -O source-address=10.0.0.0/8 \
	    -O force-command=true
	same 'verify-required' sk-ed25519 $user -I id -O verify-required
	same 'no-touch-required' sk-ecdsa $user -I id -O no-touch-required
	same 'an extension of somebody else' $k $user -I id \
	    -O extension:login@example.com=value
	same 'an extension without a value' $k $user -I id \
	    -O extension:aaa@example.com
	same 'a critical option of somebody else' $k $user -I id \
	    -O critical:zzz@example.com=x
	same 'everything at once' sk-ed25519 $user -I 'all of it' -z 99 \
	    -O no-x11-forwarding -O force-command=x -O verify-required \
	    -O source-address=::1/128 -O extension:b@example.com=1 \
	    -O extension:a@example.com -O critical:c@example.com
	same 'a host with many names' $k -s ca-ed25519 -h -I id -V $v \
	    -n web1.example.com,web2.example.com,192.0.2.1
	same 'a host without a name' $k -s ca-ed25519 -h -I id -V $v
	same 'a host with a wildcard' $k -s ca-ed25519 -h -I id -V $v \
	    -n '*.example.com'
}

echo "certs: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
