# SPDX-License-Identifier: ISC
title="a long backup or restore says how far it is, on a terminal and nowhere else"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
chmod 0755 "$W"
need write_ca_conf </dev/null
need aadssh-ca -f "$CA_CONF" init --recovery-out "$W/recovery"
need many_manifests 200

# Another signer beside aadssh-ca: the real one, which the data of a restore
# reaches slowly, and from which that of a backup comes slowly: 64 KiB in 50 ms,
# until $W/screen says how much it was, or $W/pieces of them came.
B=/opt/slow
mkdir -p "$B"
cp /opt/aadssh/bin/aadssh-ca "$B/"
cat >"$B/aadssh-ca-signer" <<-END
	#!/bin/sh
	slowly()
	{
		n=0
		while [ "\$n" -lt "\$(cat $W/pieces)" ] &&
		    ! grep -q MiB $W/screen; do
			dd bs=65536 count=1 iflag=fullblock status=none
			n=\$((n + 1))
			sleep 0.05
		done
		cat
	}
	if grep -q restore $W/verb; then
		slowly | $CA_SIGNER "\$@"
	else
		exec 4>&1
		exit "\$({ { $CA_SIGNER "\$@"; echo \$? >&3; } |
		    slowly >&4; } 3>&1)"
	fi
	END
chmod 0755 "$B/aadssh-ca-signer"
slow() # PIECES VERB
{
	echo "$1" >pieces
	echo "$2" >verb
	: >screen
	chmod 0644 pieces verb screen
}
# on_terminal WORD…: what the terminal got is in $W/screen.
on_terminal()
{
	slow 180 "$1"
	script -qfec "$B/aadssh-ca -f $CA_CONF $*" screen </dev/null
}
# The last that was said of it, a line of blanks put over it.
wiped()
{
	tr '\r' '\n' <screen | grep -A 1 MiB | tail -n 1 | grep -qx ' *'
}
# elsewhere WORD…: for more than two seconds, without a terminal.
elsewhere()
{
	slow 60 "$1"
	"$B/aadssh-ca" -f "$CA_CONF" "$@"
}

ok "a backup on a terminal" on_terminal backup --out whole
also "... says how far it is" \
    grep -Eq '^aadssh-ca: backup: [0-9]+ MiB $' <<-END
	$(tr '\r' '\n' <screen)
	END
also "... takes that away" wiped
ok "without a terminal" elsewhere backup --out again
also "... it says nothing of it" lacks "$W/err" MiB
ok "to standard output, on a terminal" on_terminal "backup --out - >piped"
also "... it says how far it is" has screen "backup: "
also "... and not in the data" lacks piped "backup: "
# NB. each is sealed anew.
also "... which are all there" test "$(stat -c %s piped)" -ge 12000000

need rm -rf "$CA_STATE"
ok "a restore on a terminal" on_terminal restore whole --recovery recovery
also "... says how far it is, and of how much" \
    grep -Eq '^aadssh-ca: restore: [0-9]+ of 12 MiB $' <<-END
	$(tr '\r' '\n' <screen)
	END
also "... and when it is read" has screen "it is read, and now checked"
also "... with all of it" test "$(ls "$CA_STATE/manifests" | wc -l)" -ge 202
need rm -rf "$CA_STATE"
ok "a restore of what was piped, without a terminal" \
    elsewhere restore piped --recovery recovery
also "... says nothing of it" lacks "$W/err" MiB
finish
