# SPDX-License-Identifier: ISC
title="a stock sshd reads the revocation lists that our encoder writes"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

# Certificates of plain ssh-keygen, whose serials are ours to choose.
CERT_CA=/etc/ssh/user_ca.pub
CERT_KRL=/etc/ssh/revoked
MKKRL=$SRC/${E2E_B-build}/test/tools/mkkrl
cd "$W" || exit 1
for key in ca ca2 k1 k2 k3; do
	need new_key "$key"
done
cat ca.pub ca2.pub >"$CERT_CA"
need ssh-keygen -q -k -f "$CERT_KRL"
need write_cert_conf <<END
[host]
groups = web
END
need start_cert_sshd

# publish: the list of mkkrl's lines on standard input.
publish()
{
	"$MKKRL" >"$CERT_KRL.new" && mv "$CERT_KRL.new" "$CERT_KRL"
}
# with AUTHORITY SERIAL: k1's certificate.
with()
{
	CERT_SERIAL=$2
	need cert_made "$1" k1 alice@web
}
odd() # N: the odd serials up to 2 N - 1
{
	seq 1 2 $((2 * $1 - 1)) | sed 's/^/serial /'
}

# --- long ones ---------------------------------------------------------------------

# NB. of 8,193 the bitmap would be one that sshd does not read.
for n in 8193 100000; do
	need publish <<-END
	version $n
	ca ca.pub
	$(odd $n)
	END
	last=$((2 * n - 1))
	for serial in 1 $last; do
		with ca "$serial"
		ok "I-E3 of $n alternating serials: $serial is refused" \
		    cert_refused alice "$W/k1"
	done
	for serial in 2 $((last - 1)) $((last + 1)) $((last + 2)); do
		with ca "$serial"
		ok "I-E3 of $n alternating serials: $serial opens" \
		    cert_opens alice "$W/k1"
	done
done
with ca2 1
ok "I-E5 nor is another authority's serial meant" cert_opens alice "$W/k1"

# --- two authorities, keys, ranges -----------------------------------------------------

need publish <<-END
	version 1000000
	ca ca.pub
	range 100 9223372036854775807
	ca ca2.pub
	serial 7
	key k2.pub
END
for case in "ca 99 opens" "ca 100 refused" "ca 5000000000 refused" \
    "ca 9223372036854775807 refused" "ca2 100 opens" "ca2 7 refused" \
    "ca2 9223372036854775807 opens" "ca 7 opens"; do
	# shellcheck disable=SC2086 # words
	set -- $case
	with "$1" "$2"
	ok "I-E9 $case" "cert_$3" alice "$W/k1"
done
CERT_SERIAL=1
need cert_made ca k2 alice@web
ok "I-E9 a key is refused, whoever signed it" cert_refused alice "$W/k2"
need cert_made ca2 k2 alice@web
ok "I-E9 ... and whoever else" cert_refused alice "$W/k2"
need publish <<-END
	version 1000001
	hash $(key_print ca)
END
with ca 50
ok "I-E9 an authority by its hash" cert_refused alice "$W/k1"
with ca2 50
ok "I-E9 ... and no other" cert_opens alice "$W/k1"
need publish <<-END
	version 1000002
END
ok "II-R3 a list of nothing refuses nobody" cert_opens alice "$W/k1"

# --- what sshd makes of half of one ------------------------------------------------------

# It lets nobody in: so nothing but a whole list may ever get there, which is
# what publish is tested for.
need publish <<-END
	version 1000003
	ca ca.pub
	$(odd 1000)
END
need cert_opens alice "$W/k1"
size=$(stat -c %s "$CERT_KRL")
for cut in 1 8 $((size / 2)) $((size - 1)); do
	head -c "$cut" "$CERT_KRL" >"$W/cut"
	ok "I-E2 cut to $cut bytes: our decoder refuses it" \
	    not "$MKKRL" -c "$W/cut"
	cp "$CERT_KRL" "$W/kept" && cp "$W/cut" "$CERT_KRL"
	ok "I-E2 cut to $cut bytes: sshd lets nobody in" \
	    cert_refused alice "$W/k1"
	cp "$W/kept" "$CERT_KRL"
done
ok "whole again it opens" cert_opens alice "$W/k1"
with ca 1
ok "what it revokes does not" cert_refused alice "$W/k1"
mv "$CERT_KRL" "$W/kept"
with ca 2
ok "without a list sshd lets nobody in" cert_refused alice "$W/k1"
: >"$CERT_KRL"
with ca 1
ok "an empty file revokes nothing" cert_opens alice "$W/k1"
ok "... so our decoder refuses it" not "$MKKRL" -c "$CERT_KRL"
finish
