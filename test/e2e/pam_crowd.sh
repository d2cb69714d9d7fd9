#!/bin/sh
# SPDX-License-Identifier: ISC
title="40 people who sign in and 200 idle strangers shut out nobody with a key"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh

WAITING=40
PER_SOURCE=8 # as [pam] per_source
IDLE=200
CHILD=/usr/libexec/aadssh/aadssh

install -d -m 0750 -o aadssh -g aadssh "$STATE" "$STATE/denials" \
    "$STATE/denials/login"
need new_key k1
stage_pam
cp "$W/k1.pub" /etc/ssh/keys.alice
echo 'Match User alice
AuthorizedKeysFile /etc/ssh/keys.%u' >>/etc/ssh/sshd_config
need stop_sshd
need setsid /usr/sbin/sshd -E "$SSHD_LOG"

# The child's part: each waits for its person.
cat >"$CHILD.new" <<'END'
#!/bin/sh
while IFS= read -r line && [ "$line" ]; do :; done
[ "${4-}" = session ] || echo "P Press Enter:"
[ "${4-}" = session ] || read -r line
echo "R OK"
END
chmod 0755 "$CHILD.new"
mv "$CHILD.new" "$CHILD"

# Strangers, ten of an address, who connect and say nothing.
cat >"$W/idle.mjs" <<'END'
import net from 'net'
const [count, port] = process.argv.slice(2).map(Number)
let open = 0
for (let i = 0; i < count; i++) {
	const s = net.connect({ port, host: '127.0.0.1',
	    localAddress: `127.0.1.${1 + Math.floor(i / 10)}` })
	s.on('data', () => {
		if (++open === count)
			console.log('all')
	})
	s.on('close', () => console.log('closed'))
	s.on('error', () => console.log('error'))
}
END
node "$W/idle.mjs" "$IDLE" "$SSHD_PORT" >"$W/idle.out" 2>&1 &
idle_pid=$!
ok "200 strangers are connected" wait_for 60 grep -qx all "$W/idle.out"

# People, eight behind an address.
n=0
while [ "$n" -lt "$WAITING" ]; do
	ask_new "crowd.$n"
	ssh_ask_begin bob "" \
	    -o BindAddress="127.0.0.$((2 + n / PER_SOURCE))" -o ConnectTimeout=60
	n=$((n + 1))
done
all_asked()
{
	[ "$(find "$W" -path "$W/ask.crowd.*/prompt.1" | wc -l)" -eq "$WAITING" ]
}
ok "40 people are asked" wait_for 60 all_asked

for source in 1 2; do
	ok "a key opens its login meanwhile, from 127.0.0.$source" \
	    timeout 60 ssh -F "$W/ssh_config" -o BatchMode=yes \
	    -o BindAddress="127.0.0.$source" -i "$W/k1" alice@localhost true
done
ok "nobody was sent away" lacks "$W/idle.out" closed
ok "... nor failed" lacks "$W/idle.out" error

n=0
while [ "$n" -lt "$WAITING" ]; do
	echo >"$W/ask.crowd.$n/answer"
	n=$((n + 1))
done
accepted()
{
	[ "$(grep -c 'Accepted keyboard-interactive/pam for bob' "$SSHD_LOG")" \
	    -eq "$WAITING" ]
}
ok "then all 40 get in" wait_for 60 accepted
kill "$idle_pid"
finish
