# SPDX-License-Identifier: ISC
title="aadssh-ca and a signer that is broken, or lies"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

# The programs once more, with another signer beside them; root owns it all.
cd "$W" || exit 1
B=/opt/lies
mkdir -p "$B"
cp /opt/aadssh/bin/aadssh-ca /opt/aadssh/bin/aadssh "$B/"
need start_idp
write_ca_conf </dev/null
need start_ca

# signer: the script on standard input is the signer.
signer()
{
	cat >"$B/aadssh-ca-signer"
	chmod 0755 "$B/aadssh-ca-signer"
}
ca()
{
	"$B/aadssh-ca" -f "$CA_CONF" "$@"
}

signer <<-'END'
#!/bin/sh
exec /usr/libexec/aadssh/aadssh-ca-signer "$@"
END
ok "the real one, in between, is believed" ca keys
also "and is run as the authority's owner" has "$W/out" active

# Root's terminal is nothing for who is the authority only: with TIOCSTI(2const)
# it would type what root's shell runs next.
install -m 0666 /dev/null "$W/terminal"
signer <<-END
#!/bin/sh
{
	if (: </dev/tty) 2>/dev/null; then echo it is there; fi
	for fd in 0 1 2; do [ ! -t \$fd ] || echo "it is \$fd"; done
	echo looked
} >"$W/terminal"
exec /usr/libexec/aadssh/aadssh-ca-signer "\$@"
END
chmod 0755 "$W"
# NB. script(1) is the terminal.
on_tty()
{
	script -qec "[ -t 2 ] && : </dev/tty && $*" /dev/null </dev/null
}
ok "started by root on a terminal" on_tty "$B/aadssh-ca" -f "$CA_CONF" keys
also "II-O9 it has no terminal" sh -c '[ "$(cat "$1")" = looked ]' - "$W/terminal"

signer <<-'END'
#!/bin/sh
cat >/dev/null
END
exits 3 "one that says nothing" ca keys
also "is unreachable" has "$W/err" signer_unreachable
signer <<-'END'
#!/bin/sh
exit 0
END
exits 3 "one that is gone at once" ca keys
also "is unreachable, too" has "$W/err" signer_unreachable
signer <<-'END'
#!/bin/sh
kill -9 $$
END
exits 3 "one that is killed" ca keys
signer <<-'END'
#!/bin/sh
echo 'HTTP/1.1 200 OK'; echo; echo hello
END
exits 3 "one that speaks another language" ca keys
also "is not believed" has "$W/err" signer_reply
signer <<-'END'
#!/bin/sh
printf 'aadssh1\n\000\000\000\103\377\377\377\377'
END
exits 3 "one that announces 4 GiB" ca keys
also "is not believed" has "$W/err" signer_reply
signer <<-'END'
#!/bin/sh
printf 'aadssh1\n\000\000\000\103\000\000\000\040half'
END
exits 3 "one that stops in its middle" ca keys
also "is not believed" has "$W/err" signer_reply

# An END of code 0 and reason "allowed", by an exit of N.
cat >"$W/end.mjs" <<-'END'
const field = (label, bytes) => {
	const head = Buffer.alloc(6)
	head.writeUInt16BE(label, 0)
	head.writeUInt32BE(bytes.length, 2)
	return Buffer.concat([head, bytes])
}
const code = Buffer.alloc(8)
code.writeBigUInt64BE(BigInt(process.argv[2]))
const rest = Buffer.concat([field(16, Buffer.from('')),
    field(25, code), field(26, Buffer.from(process.argv[3]))])
const head = Buffer.from('aadssh1\n\0\0\0\x43\0\0\0\0', 'latin1')
head.writeUInt32BE(rest.length, 12)
process.stdout.write(Buffer.concat([head, rest]))
END
node "$W/end.mjs" 0 allowed >"$B/yes"
node "$W/end.mjs" 0 ledger >"$B/odd"
node "$W/end.mjs" 3 ledger >"$B/no"
node "$W/end.mjs" 7 allowed >"$B/seven"
node "$W/end.mjs" 3 unknown_kid >"$B/later"
chmod 0644 "$B/yes" "$B/odd" "$B/no" "$B/seven" "$B/later"
says() # FILE STATUS [BEHIND]
{
	signer <<-END
	#!/bin/sh
	cat $B/$1
	printf '%s' '${3-}'
	exit $2
	END
}
says yes 0
ok "a yes and an exit of 0 is a yes" ca keys
says no 3
exits 3 "a no and its exit is that no" ca keys
also "with its reason" has "$W/err" '(ledger)'
says later 3
exits 3 "a token whose key is not there yet is no definite no" ca keys
also "and is called by its name" has "$W/err" '(unknown_kid)'
says yes 3
exits 3 "a yes and another exit contradict each other" ca keys
also "so neither is believed" has "$W/err" signer_reply
says odd 0
exits 3 "a yes with a no's reason is none" ca keys
also "nor that" has "$W/err" signer_reply
says seven 7
exits 3 "a code that there is not" ca keys
also "nor that" has "$W/err" signer_reply
says yes 0 more
exits 3 "something behind the end" ca keys
also "nor that" has "$W/err" signer_reply

# --- a certificate that nobody asked for ------------------------------------------

says yes 0
log_mark
ssh-keygen -q -t ed25519 -N '' -C '' -f "$W/k"
exits 3 "a yes without a certificate" \
    signin "$ALICE" ca sign --key "$W/k.pub"
also "is not believed" has "$W/err" signer_reply
also "and nothing is stored" test ! -e "$W/k-cert.pub"
also "and it is logged" log_has reason=signer_reply

# --- who may be started -----------------------------------------------------------

chmod 0777 "$B"
ok "where others can write, no program is taken from" ca keys
also "but the installed one" has "$W/out" active
chmod 0755 "$B"
chmod 0775 "$B/aadssh-ca-signer"
ok "nor one that others can write" ca keys
also "but the installed one" has "$W/out" active
chown alice "$B/aadssh-ca-signer"
chmod 0755 "$B/aadssh-ca-signer"
ok "nor another user's" ca keys
also "but the installed one" has "$W/out" active

# --- the socket -------------------------------------------------------------------

as alice ssh-keygen -q -t ed25519 -N '' -C '' -f /home/alice/k
exits 3 "without its socket it is unreachable" ca_sign "$ALICE" alice \
    --key /home/alice/k.pub
also "and that is said" has "$W/err" signer_unreachable
mkdir -p "$CA_RUN"
chown bob "$CA_RUN"
cat >"$W/listen.mjs" <<-'END'
import { appendFileSync, chmodSync } from 'node:fs'
import { createServer } from 'node:net'
createServer(c => {
	c.on('error', () => {})
	c.on('data', d => appendFileSync('/tmp/got', d))
}).listen(process.argv[2], () => chmodSync(process.argv[2], 0o777))
END
chmod 0644 "$W/listen.mjs"
as bob node "$W/listen.mjs" "$CA_RUN/signer.sock" &
wait_for 30 test -S "$CA_RUN/signer.sock"
exits 3 "a socket of another user is not spoken to" ca_sign "$ALICE" alice \
    --key /home/alice/k.pub
also "and that is said" has "$W/err" "who has no part in this"
also "no token went there" test ! -s /tmp/got
finish
