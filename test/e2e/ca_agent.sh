# SPDX-License-Identifier: ISC
title="certificates in an ssh-agent end there, and agents that take none"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

cd "$W" || exit 1
stage_forged <<-END
	hosts = web
END
need stage_quick
need start_signer_socket
need a_key alice id_ed25519 -t ed25519
need write_cert_conf <<-END
	[host]
	groups = web
END
need start_cert_sshd
H=/home/alice/.ssh
AGENT=/home/alice/agent
alice()
{
	as alice env SSH_AUTH_SOCK="$AGENT" "$@"
}
sign()
{
	alice "$QUICK" -f "$CA_CONF" sign "$@" </dev/null
}
# holds N: of alice's key, certificates and all, in the agent.
holds()
{
	alice ssh-add -l >"$W/held" 2>&1 || :
	[ "$(grep -c 'ED25519' "$W/held")" -eq "$1" ] || { cat "$W/held"; return 1; }
}
certs() # N
{
	alice ssh-add -l >"$W/held" 2>&1 || :
	[ "$(grep -c 'ED25519-CERT' "$W/held")" -eq "$1" ] ||
	    { cat "$W/held"; return 1; }
}
# With nothing but what the agent holds: no file of the key.
agent_opens()
{
	[ "$(ssh -F "$W/ssh_cert_config" -o BatchMode=yes \
	    -o IdentitiesOnly=no -o IdentityFile=none \
	    -o IdentityAgent="$AGENT" alice@cert id -un </dev/null)" = alice ]
}

# --- for as long as it lives --------------------------------------------------------

need alice ssh-agent -a "$AGENT"
ok "a certificate for ten seconds" sign --add-to-agent --ttl 10s
also "is in the agent" certs 1
ok "I-F3 and leaves it when it ends" wait_for 30 holds 0
ok "a longer one" sign --add-to-agent
also "is in the agent" certs 1
ok "and opens, by the agent alone" agent_opens
for n in 2 3 4 5 6 7 8; do
	need sign --add-to-agent --ttl ${n}h
done
ok "I-F3 signed eight times, it holds one certificate" certs 1
also "I-F3 ... the newest" sh -c 'grep -Fq "$(cut -d " " -f 2 "$1")" "$2"' - \
    "$H/id_ed25519-cert.pub" /dev/stdin <<-END
	$(alice ssh-add -L)
END
also "I-F3 ... which opens" agent_opens
need new_key other
need chown alice: "$W/other"
chmod 0755 "$W"
need alice ssh-add -q "$W/other"
need sign --add-to-agent
ok "II-L7 other keys stay in it" sh -c 'grep -Fq "$1"' - \
    "$(cut -d ' ' -f 2 "$W/other.pub")" <<-END
	$(alice ssh-add -L)
END

# --- a certificate that is fresh, and an agent that is new -----------------------------

new_agent()
{
	! pkill -u alice -x ssh-agent || wait_for 5 not pgrep -u alice -x ssh-agent
	rm -f "$AGENT"
	alice ssh-agent -a "$AGENT"
}
# In silence, without a sign-in.
filled() # TITLE [WORD…]
{
	local title="$1" n
	shift
	n=$(wc -l <"$W/signed-in")
	ok "$title" sign --if-needed --add-to-agent "$@"
	also "... in silence" empty "$W/out"
	also "... on stderr, too" empty "$W/err"
	also "... without a sign-in" test "$(wc -l <"$W/signed-in")" -eq "$n"
}
need sign --add-to-agent
filled "fresh, and in the agent"
also "... where it is once" certs 1
need new_agent
need holds 0
filled "fresh, and the agent is new"
also "... it has it now" certs 1
also "... which opens" agent_opens
need new_agent
need alice ssh-add -q "$W/other"
filled "fresh, and the agent has another key"
also "... it has both" certs 1
also "II-L7 ... the other is still there" sh -c 'grep -Fq "$1"' - \
    "$(cut -d ' ' -f 2 "$W/other.pub")" <<-END
	$(alice ssh-add -L)
END
need new_agent
need sign --ttl 10s
filled "fresh for seconds only" --min-left 1s
also "... it is in the agent" certs 1
also "II-L7 ... and leaves it when it ends" wait_for 20 holds 0
need sign
need new_agent
need cp /home/alice/.ssh/id_ed25519 "$W/aside"
need rm "$H/id_ed25519"
exits 3 "fresh, but the private key is elsewhere" sign --if-needed --add-to-agent
also "... which is said" has "$W/err" "no private key beside"
n=$(wc -l <"$W/signed-in")
exits 3 "as for a new one" sign --add-to-agent
also "... before anybody signs in" test "$(wc -l <"$W/signed-in")" -eq "$n"
# An agent that has the key only, and no file of it: ssh takes the certificate
# from its file.
need install -o alice -m 0600 "$W/aside" /home/alice/aside
need alice ssh-add -q /home/alice/aside
ok "a key that only the agent has gets a certificate, too" sign
key_in_agent()
{
	[ "$(alice ssh -F "$W/ssh_cert_config" -o BatchMode=yes \
	    -o IdentityAgent="$AGENT" -i "$H/id_ed25519" alice@cert id -un \
	    </dev/null)" = alice ]
}
also "which opens" key_in_agent
need alice ssh-add -qd "$H/id_ed25519.pub"
need install -o alice -m 0600 "$W/aside" "$H/id_ed25519"
# As JSON it is told what there is, and then handed over.
ok "fresh, as JSON" sign --if-needed --add-to-agent --json
also "... is told" json "$W/out" 'o[0].how === "fresh" && o.length === 1'
also "... and handed over" certs 1

# A key with a passphrase, and nobody to ask: nothing is asked of anybody, and
# nothing waits.  NB. its standard input stays open.
need a_key alice locked -t ed25519
need sign --key "$H/locked.pub"
need ssh-keygen -q -p -P '' -N secret -f "$H/locked"
need chown alice: "$H/locked"
locked="$QUICK -f $CA_CONF sign --if-needed --add-to-agent --key $H/locked.pub"
unasked()
{
	tail -f /dev/null --pid=$$ | alice $locked
}
exits 3 "a passphrase, and no terminal" unasked
also "... is a hint" has "$W/err" "if the key has a passphrase"
also "... and no prompt" lacks "$W/err" "Enter"
exits 3 "a passphrase, and standard error elsewhere" \
    alice script -qec "$locked 2>/home/alice/said" /dev/null </dev/null
also "... is no prompt on the terminal" empty "$W/out"
also "... but the same hint" has /home/alice/said "if the key has a passphrase"
asked()
{
	(wait_for 10 has /home/alice/screen "Enter passphrase" &&
	    echo secret && wait_for 10 certs 2) |
	    alice script -qfec "$locked" /home/alice/screen
}
ok "a passphrase on a terminal is asked for" asked
also "... and the certificate is there, too" certs 2

# --- where there is none ---------------------------------------------------------------

stored()
{
	[ -s "$H/id_ed25519-cert.pub" ]
}
rm -f "$H/id_ed25519-cert.pub"
n=$(wc -l <"$W/signed-in")
exits 3 "no agent" as alice env -u SSH_AUTH_SOCK "$QUICK" \
    -f "$CA_CONF" sign --add-to-agent
also "is said to be none" has "$W/err" SSH_AUTH_SOCK
also "before anybody signs in" test "$(wc -l <"$W/signed-in")" -eq "$n"
also "and nothing is stored" not stored
need sign
exits 3 "fresh, and no agent" as alice env -u SSH_AUTH_SOCK "$QUICK" \
    -f "$CA_CONF" sign --if-needed --add-to-agent
also "is said to be none" has "$W/err" SSH_AUTH_SOCK
need pkill -u alice -x ssh-agent
exits 3 "fresh, and an agent that is gone" sign --if-needed --add-to-agent
also "is said not to answer" has "$W/err" "does not say"
rm -f "$H/id_ed25519-cert.pub"
exits 3 "an agent that is gone" sign --add-to-agent
also "is said not to have it" has "$W/err" "did not add"
also "II-L7 and the certificate is stored" stored

# --- one that keeps everything for ever, or would ----------------------------------------

# It knows no lifetimes, as some do: what asks for one it refuses, and what
# asks for none (17) it takes, and says so.
cat >"$W/agent.mjs" <<-'END'
	import fs from 'node:fs'
	import net from 'node:net'
	net.createServer(c => {
		let had = Buffer.alloc(0)
		c.on('error', () => {})
		c.on('data', d => {
			had = Buffer.concat([had, d])
			while (had.length >= 4 &&
			    had.length >= 4 + had.readUInt32BE(0)) {
				const type = had[4]
				had = had.subarray(4 + had.readUInt32BE(0))
				fs.appendFileSync(process.argv[3], type + '\n')
				c.write(type === 11
				    ? Buffer.from([0, 0, 0, 5, 12, 0, 0, 0, 0])
				    : Buffer.from([0, 0, 0, 1, type === 17 ? 6 : 5]))
			}
		})
	}).listen(process.argv[2])
END
chmod 0644 "$W/agent.mjs"
rm -f "$AGENT" "$H/id_ed25519-cert.pub"
as alice node "$W/agent.mjs" "$AGENT" /home/alice/heard &
wait_for 30 test -S "$AGENT"
exits 3 "II-L7 an agent that knows no lifetimes" sign --add-to-agent
also "II-L7 ... is said not to have it" has "$W/err" "did not add"
also "II-L7 ... was asked for one" grep -qx 25 /home/alice/heard
also "II-L7 ... and for nothing without" not grep -qx 17 /home/alice/heard
also "II-L7 ... the certificate is stored" stored
ok "II-L7 ... and opens from its file" cert_opens alice "$H/id_ed25519"
: >/home/alice/heard
exits 3 "II-L7 fresh, it is asked for what it has not" \
    sign --if-needed --add-to-agent
also "II-L7 ... with a lifetime" grep -qx 25 /home/alice/heard
also "II-L7 ... and for nothing without" not grep -qx 17 /home/alice/heard
# One that never answers.
pkill -u alice -f agent.mjs # a newer node's name is MainThread
rm -f "$AGENT"
as alice sh -c "exec node -e 'require(\"net\").createServer(() => {})
    .listen(\"$AGENT\")'" &
wait_for 30 test -S "$AGENT"
exits 3 "an agent that says nothing holds nothing up" \
    sign --if-needed --add-to-agent
also "... and is said not to answer" has "$W/err" "does not say"
alice script -qec "$QUICK -f $CA_CONF sign --add-to-agent" /dev/null \
    >"$W/out" 2>"$W/err" </dev/null &
pid=$!
stuck()
{
	pgrep -u alice -x ssh-add >/dev/null
}
need wait_for 30 stuck
need pkill -TERM -u alice -x aadssh-ca
exits 3 "an agent that says nothing is left by an interrupt" wait "$pid"
also "and so is what asked it" not stuck
finish
