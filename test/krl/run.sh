#!/bin/sh
# SPDX-License-Identifier: ISC
#
# run.sh: what our encoder writes, ssh-keygen -Q reads as it was meant, and so
# does our decoder; what ssh-keygen -k writes, our decoder reads as it does.
# Every question is asked of both.  Ends with "krl: N passed, N failed".
set -eu
cd "$(dirname "$0")/../.."
B=${B:-build}
case $B in
/*) ;;
*) B=$PWD/$B ;;
esac
mkkrl=$B/test/tools/mkkrl
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
cd "$dir"
passed=0 failed=0

ok() {
	echo "ok - krl: $1"
	passed=$((passed + 1))
}

bad() {
	echo "not ok - krl: $1"
	head -n 20 said | sed 's/^/    /'
	failed=$((failed + 1))
}

# ask KRL FILE:VERDICT...: both readers, all files.
ask() {
	krl=$1
	shift
	: >want
	files=
	for pair in "$@"; do
		files="$files ${pair%:*}"
		echo "${pair%:*}: ${pair##*:}" >>want
	done
	# shellcheck disable=SC2086
	{
		ssh-keygen -Q -f "$krl" $files >answers 2>errors
		[ $? -le 1 ] || { cat errors; return 1; }
		"$mkkrl" -q "$krl" $files >ours || return 1
	}
	sed 's/ (.*):/:/' answers >sshs
	diff want sshs && diff want ours
}

# expect TITLE FILE:VERDICT...: of the list that standard input describes.
expect() {
	title=$1
	shift
	if "$mkkrl" >krl 2>said && ask krl "$@" >said 2>&1; then
		ok "$title"
	else
		bad "$title"
	fi
}

# refused TITLE WHY: of such a list.
refused() {
	if "$mkkrl" >krl 2>said; then
		bad "$1"
	elif grep -q "$2" said && [ ! -s krl ]; then
		ok "$1"
	else
		bad "$1"
	fi
}

# sign CA SERIAL ID KEY...: KEY-cert.pub, serials from SERIAL on.
sign() {
	ca=$1 serial=$2 id=$3
	shift 3
	ssh-keygen -q -s "$ca" -I "$id" -n alice -z "+$serial" "$@"
}

# certs CA NAME SERIAL...: NAME.SERIAL-cert.pub, all of one key.
certs() {
	by=$1 name=$2
	shift 2
	for number in "$@"; do
		cp key.pub "$name.$number.pub"
		sign "$by" "$number" "id-$number" "$name.$number.pub"
	done
}

for key in ca old other key inner; do
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$key"
done
ssh-keygen -q -t ecdsa -N '' -C '' -f ecca
ssh-keygen -q -t rsa -b 2048 -N '' -C '' -f rsaca
edges='1 2 3 15 16 17 1999 2000 15998 15999 16000 16001 16002 16383 16385
    16387 31999 32000 32001 99999 199999 200001'
# shellcheck disable=SC2086
certs ca s $edges 18446744073709551615
certs ca s 0
certs old o 1 2 3
certs other x 1 2 3
certs ecca e 1 2
certs rsaca r 1 2

# ---- nothing revoked ----

expect 'II-R3 an empty list revokes nothing, and is read' \
    key.pub:ok ca.pub:ok s.1-cert.pub:ok s.0-cert.pub:ok </dev/null
expect 'II-R3 so does one with an authority that has no entries' \
    key.pub:ok ca.pub:ok s.1-cert.pub:ok <<'END'
version 18446744073709551615
generated 1767225600
comment bundle 7
ca ca.pub
ca any
END

# NB. sshd takes each of these for a list in which nothing is revoked.
no_list() {
	printf "$1" >empty
	if "$mkkrl" -c empty >said 2>&1; then
		bad "$2"
	else
		ok "$2"
	fi
}
no_list '' 'I-E1 an empty file is no list'
no_list '\n' 'I-E1 nor is a line feed'
no_list '# nothing\n' 'I-E1 nor a comment'

# ---- serials ----

# The odd serials up to 2 N - 1, asked at the edges.
alternating() {
	set -- "$1" "s.0-cert.pub:ok"
	for serial in $edges; do
		verdict=ok
		if [ "$serial" -lt $((2 * $1)) ] && [ $((serial % 2)) -eq 1 ]
		then
			verdict=REVOKED
		fi
		set -- "$@" "s.$serial-cert.pub:$verdict"
	done
	n=$1
	shift
	{
		echo 'ca ca.pub'
		seq 1 2 $((2 * n - 1)) | sed 's/^/serial /'
	} >spec
	expect "I-E3 $n alternating serials are read back" "$@" <spec
}
for count in 1 2 3 8 9 999 7999 8000 8001 8192 8193 8194 16001 100000; do
	alternating "$count"
done
no_spec() {
	printf 'ca ca.pub\n%s\n' "$1" >spec
	refused "$2" EARG <spec
}
no_spec 'serial 0' 'I-C7 serial 0 is not written'
no_spec 'range 0 5' 'I-C7 nor a range from 0'
no_spec 'range 5 4' 'nor one that is the wrong way round'
expect 'I-C7 no serial at all reaches the certificate with serial 0' \
    s.0-cert.pub:ok s.1-cert.pub:REVOKED s.16001-cert.pub:REVOKED \
    s.18446744073709551615-cert.pub:REVOKED <<'END'
ca ca.pub
range 1 18446744073709551615
END
expect 'II-R6 ranges, in any order, over each other' \
    s.1-cert.pub:ok s.2-cert.pub:REVOKED s.15-cert.pub:REVOKED \
    s.16-cert.pub:ok s.1999-cert.pub:ok s.2000-cert.pub:REVOKED \
    s.16387-cert.pub:REVOKED s.31999-cert.pub:REVOKED s.32000-cert.pub:ok \
    s.18446744073709551615-cert.pub:REVOKED <<'END'
ca ca.pub
range 16000 31999
range 18446744073709551615 18446744073709551615
range 2 10
range 2000 16000
range 5 15
range 7 8
END

# ---- authorities ----

expect 'I-E5 each authority has its own section, the retired one too' \
    s.1-cert.pub:REVOKED s.2-cert.pub:ok o.1-cert.pub:ok \
    o.2-cert.pub:REVOKED x.1-cert.pub:ok x.2-cert.pub:ok <<'END'
ca old.pub
serial 2
ca ca.pub
serial 1
END
expect 'II-R6 serials and key ids of any authority' \
    s.1-cert.pub:ok s.2-cert.pub:REVOKED o.2-cert.pub:REVOKED \
    o.3-cert.pub:REVOKED s.3-cert.pub:REVOKED x.1-cert.pub:ok <<'END'
ca any
serial 2
id id-3
END
expect 'II-R6 an RSA and an ECDSA authority' \
    e.1-cert.pub:REVOKED e.2-cert.pub:ok r.1-cert.pub:ok \
    r.2-cert.pub:REVOKED <<'END'
ca ecca.pub
serial 1
ca rsaca.pub
serial 2
END
refused 'an authority twice is not written' EARG <<'END'
ca ca.pub
serial 1
ca old.pub
ca ca.pub
END

# ---- each way to revoke one ----

# One certificate and one beside it that no row means.
sign ca 77 'mira@corp oid=1' inner.pub
fingerprint() {
	ssh-keygen -l -f "$1" | cut -d ' ' -f 2
}
sha1() {
	cut -d ' ' -f 2 "$1" | base64 -d | sha1sum | cut -c 1-40
}
matrix() {
	title="I-E9 $1"
	shift
	printf '%s\n' "$@" >spec
	expect "$title" inner-cert.pub:REVOKED s.1-cert.pub:ok \
	    o.1-cert.pub:ok <spec
}
matrix 'the serial' 'ca ca.pub' 'serial 77'
matrix 'a range that holds the serial' 'ca ca.pub' 'range 70 80'
matrix 'the key id' 'ca ca.pub' 'id mira@corp oid=1'
matrix 'the key id among others' 'ca ca.pub' 'id zzz' 'id mira@corp oid=1' \
    'id aaa' 'id mira@corp oid=' 'id mira@corp oid=11'
matrix 'the inner key, by its hash' "hash $(fingerprint inner.pub)"
matrix 'the inner key, by its SHA-1' "sha1 $(sha1 inner.pub)"
matrix 'the inner key, whole' 'key inner.pub'
expect 'I-E9 and the key without its certificate' inner.pub:REVOKED \
    key.pub:ok <<END
hash $(fingerprint inner.pub)
END
every='s.1-cert.pub:REVOKED s.0-cert.pub:REVOKED inner-cert.pub:REVOKED
    ca.pub:REVOKED o.1-cert.pub:ok old.pub:ok'
# shellcheck disable=SC2086
expect 'I-E9 the authority, by its hash' $every <<END
ca ca.pub
hash $(fingerprint ca.pub)
END
# shellcheck disable=SC2086
expect 'I-E9 the authority, whole' $every <<'END'
key ca.pub
END
expect 'I-E9 everything at once' inner-cert.pub:REVOKED s.2-cert.pub:REVOKED \
    s.3-cert.pub:ok o.3-cert.pub:REVOKED o.1-cert.pub:ok e.1-cert.pub:REVOKED \
    x.1-cert.pub:REVOKED r.1-cert.pub:ok r.2-cert.pub:REVOKED <<END
comment all
version 3
key other.pub
hash $(fingerprint ecca.pub)
hash $(fingerprint inner.pub)
hash $(fingerprint inner.pub)
sha1 $(sha1 inner.pub)
ca rsaca.pub
range 2 1000000000000
ca any
id id-unused
ca ca.pub
serial 2
ca old.pub
id id-3
END

# ---- at random ----

i=1 all=
while [ $i -le 12 ]; do
	cp key.pub "n.$i.pub"
	all="$all n.$i.pub"
	i=$((i + 1))
done
# shellcheck disable=SC2086
sign ca 1 number $all
# random SEED: spec, and what ssh-keygen -k is told, and the pairs asked.
random() {
	awk -v seed="$1" 'BEGIN {
		srand(seed)
		print "ca ca.pub" >"spec"
		print "" >"lines"
		wide = rand() < 0.5 ? 24 : 4000
		for (n = int(rand() * 30); n >= 0; n--) {
			lo = hi = 1 + int(rand() * wide)
			if (rand() < 0.3)
				hi += int(rand() * rand() * wide)
			print "range " lo, hi >"spec"
			print "serial: " lo (hi > lo ? "-" hi : "") >"lines"
			for (s = lo; s <= hi; s++)
				revoked[s] = 1
		}
		for (s = 1; s <= 12; s++)
			print "n." s "-cert.pub:" (revoked[s] ? "REVOKED" : "ok")
	}'
}
seed=1 said=
while [ $seed -le 25 ]; do
	random $seed >pairs
	# shellcheck disable=SC2046
	if ! "$mkkrl" <spec >krl || ! ask krl $(cat pairs) ||
	    ! ssh-keygen -q -k -s ca.pub -f theirs lines ||
	    ! ask theirs $(cat pairs) ||
	    [ "$("$mkkrl" -c krl | cut -d ' ' -f 5-)" != \
	    "$("$mkkrl" -c theirs | cut -d ' ' -f 5-)" ] ||
	    [ "$(wc -c <krl)" -gt "$(wc -c <theirs)" ]; then
		said="$said $seed"
	fi
	seed=$((seed + 1))
done >said 2>&1
echo "seeds:$said" >>said
if [ -z "$said" ]; then
	ok 'II-R7 25 random lists, by both writers, read by both; ours no larger'
else
	bad 'II-R7 25 random lists, by both writers, read by both; ours no larger'
fi

# Random 63-bit serials, as the authority draws them.
od -An -v -t u8 -w8 -N 160000 /dev/urandom |
    awk '{ printf "serial %s%s\n", substr($1, 1, 1) % 8 + 1,
	substr($1 "000000000000000000", 2, 17) }' >drawn
sed 's/^serial/serial:/' drawn >lines
head -n 1 drawn | cut -d ' ' -f 2 >one
certs ca d "$(cat one)"
{ echo 'ca ca.pub' && cat drawn; } >spec
expect 'II-R6 20,000 random serials' "d.$(cat one)-cert.pub:REVOKED" \
    s.1-cert.pub:ok <spec
ssh-keygen -q -k -s ca.pub -f theirs lines
"$mkkrl" -c theirs >said
"$mkkrl" -c krl >>said
wc -c krl theirs >>said
if [ "$(cut -d ' ' -f 5- said | head -n 2 | uniq | wc -l)" -eq 1 ] &&
    [ "$(wc -c <krl)" -le "$(wc -c <theirs)" ]; then
	ok 'as many as ssh-keygen -k writes, in no more bytes'
else
	bad 'as many as ssh-keygen -k writes, in no more bytes'
fi

echo "krl: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
