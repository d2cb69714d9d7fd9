#!/bin/sh
# SPDX-License-Identifier: ISC
title="the examples in the documents do what they say"
# shellcheck source=lib.sh
. /src/test/e2e/lib.sh
#
# A document marks what is run here.  In a manual page, the line
#	.\" run [STATUS]
# in front of a .Dl line: "# COMMAND", of root, or "$ COMMAND", of alice, must
# end with STATUS (0).  In Markdown,
#	<!-- run [WORLD] -->
# in front of a ```sh block: the block is a script that must succeed, in the
# state of things that the function world_WORLD makes.

# shellcheck source=calib.sh
. /src/test/e2e/calib.sh

# man_examples PAGE: "STATUS #|$ COMMAND", one a line.
man_examples()
{
	awk '/^\.\\" run( [0-9]+)?$/ { status = $3 + 0; wanted = 1; next }
	    wanted && /^\.Dl [#$] / {
		line = substr($0, 5)
		while (sub(/\\$/, "", line) && (getline more) > 0)
			line = line more
		gsub(/\\\(dq/, "\"", line)
		print status, line
	    }
	    { wanted = 0 }' "$1"
}

# md_examples PAGE: each block into example.1, example.2, ..., and its world
# into world.1, ...
md_examples()
{
	rm -f example.* world.*
	awk '/^<!-- run( [a-z]+)? -->$/ { wanted = 1; world = $3; next }
	    wanted && /^```sh$/ {
		out = "example." ++n
		if (world != "-->")
			print world >"world." n
		wanted = 0
		next
	    }
	    /^```$/ { out = "" }
	    out != "" { print >out }
	    { wanted = 0 }' "$1"
	[ -s example.1 ]
}

# As root's shell would run it, or hers; where it signs in, somebody plays
# Alice.
run_example()
{
	case $1 in
	"# aadssh login "*) signin "$ALICE" sh -c "${1#??}" ;;
	"$ aadssh-ca sign"*) signin "$ALICE" as alice sh -c "${1#??}" ;;
	"$ "*) as alice sh -c "${1#??}" ;;
	*) sh -c "${1#??}" ;;
	esac
}

man_page() # PAGE
{
	local status command
	need [ -n "$(man_examples "/src/docs/$1")" ]
	man_examples "/src/docs/$1" >examples
	while read -r status command <&3; do
		exits "$status" "$1: ${command#??}" run_example "$command"
	done 3<examples
}

md_page() # PAGE
{
	local i
	need md_examples "/src/docs/$1"
	i=1
	while [ -s "example.$i" ]; do
		[ ! -e "world.$i" ] || need "world_$(cat "world.$i")"
		ok "$1: example $i" run_block "example.$i"
		i=$((i + 1))
	done
}

# One that is nothing but a sign-in is hers.
run_block()
{
	case $(cat "$1") in
	"aadssh-ca sign") run_example "$ aadssh-ca sign" ;;
	*) sh -eu "$1" ;;
	esac
}

# ---- the worlds of the blocks ------------------------------------------------

# As systemd-tmpfiles leaves it.
forget_ca()
{
	rm -rf "$CA_STATE"
	install -d -o aadssh-ca -g aadssh-ca "$CA_STATE"
	install -d -o aadssh -g aadssh "$CA_STATE/tenant"
}

# An authority, wherever it is from.
world_ca()
{
	start_ca --recovery-out "$W/recovery"
}

# stub NAME: a program of bin, from standard input.
stub()
{
	{ echo '#!/bin/sh'; cat; } >"bin/$1" && chmod 0755 "bin/$1"
}

# No authority yet; and its hosts, all of them this one, without systemd.
world_fresh()
{
	stop_signer_socket
	forget_ca
	start_signer_socket
	mount -t tmpfs tmpfs /usr/local/sbin
	install -m 0755 /src/conf/aadssh-ca-push /usr/local/sbin/
	install -m 0600 /etc/ssh/host_key /etc/ssh/ssh_host_ed25519_key
	cp /etc/ssh/host_key.pub /etc/ssh/ssh_host_ed25519_key.pub
	echo 'Include /etc/ssh/ssh_config.d/*.conf' >/etc/ssh/ssh_config
	mkdir -p bin
	# "ssh -o OPTION HOST COMMAND"
	stub ssh <<-'END'
	while [ "$1" = -o ]; do shift 2; done
	shift
	exec sh -c "$*"
	END
	stub sudo <<-'END'
	exec "$@"
	END
	stub systemctl <<-'END'
	case $* in
	'reload ssh') kill -HUP "$(cat /run/sshd.pid)" ;;
	'stop aadssh-ca-'* | 'start aadssh-ca-'*) ;;
	*) exit 1 ;;
	esac
	END
	stub systemd-tmpfiles <<-END
	install -d -o aadssh-ca -g aadssh-ca $CA_STATE &&
	install -d -o aadssh -g aadssh $CA_STATE/tenant
	END
	new_key lost
}

# The host's configuration that was used so far is kept.
world_host()
{
	cp "$CONF" aadssh.conf
}

world_nolist()
{
	rm /etc/ssh/aadssh/current/krl
}

# Hosts that are to stop trusting the authority.
DROP_IN=/etc/ssh/sshd_config.d/40-aadssh-certificates.conf
world_taken()
{
	mkdir -p /etc/ssh/breakglass && cp lost.pub /etc/ssh/breakglass/root &&
	    cp "$DROP_IN" drop-in
}

# They did, and trust it again.
world_again()
{
	[ ! -e "$DROP_IN" ] && [ ! -e /etc/ssh/breakglass/root ] &&
	    cp drop-in "$DROP_IN"
}

# What the new authority is instead of.
world_lost()
{
	cp -a "$CA_STATE" state && cp -a /etc/ssh/aadssh host
}

# Hosts took the keys of another, and were never without a list.
has_new_authority()
{
	cmp "$CA_STATE/public/current/user_ca.pub" \
	    /etc/ssh/aadssh/current/user_ca.pub &&
	    ! cmp -s host/current/user_ca.pub \
	    /etc/ssh/aadssh/current/user_ca.pub &&
	    [ "$(readlink /etc/ssh/aadssh/current)" -gt \
	    "$(readlink host/current)" ]
}

# The one before, of which one byte of the ledger is another.
world_damaged()
{
	local db at
	has_new_authority || return 1
	rm -rf "$CA_STATE" /etc/ssh/aadssh
	mv state "$CA_STATE" && mv host /etc/ssh/aadssh
	db=$CA_STATE/ledger/ledger.db
	at=$(grep -abo -m 1 'via=revoke uid' "$db" | head -n 1 | cut -d : -f 1)
	[ "$at" ] && printf X | dd of="$db" bs=1 seek="$at" conv=notrunc
}

# The authority has a small disk, which packages fill.
world_full()
{
	local debs
	debs=/var/cache/apt/archives
	mkdir -p small "$debs"
	mount -t tmpfs -o size=4m tmpfs small
	mkdir small/debs
	cp -a "$CA_STATE" small/state
	mount --bind small/state "$CA_STATE"
	mount --bind small/debs "$debs"
	dd if=/dev/zero of="$debs/one.deb" bs=4096 2>/dev/null || :
	[ -s "$debs/one.deb" ]
}

world_gone()
{
	umount "$CA_STATE"
	forget_ca
}

stage
cd "$W"
need cp k1.pub alice.pub
need cp k2.pub bob.pub

man_page aadssh.1
man_page aadssh-authkeys.8
also "aadssh-authkeys.8: and nothing is printed" empty "$W/out"
need signin "$ALICE" aadssh login alice alice.pub
ok "and after them Alice's key is let in" says_yes alice alice.pub

write_ca_conf <<-END
hosts = web,db
[login deploy]
allow = oid:$ALICE_OID
hosts = web
END

# What formats.md does with its example, done to the record just made.
md_page formats.md
also "formats.md: ssh-keygen and sha256sum agree with a manifest" \
    grep -qx 'user_ca.pub: OK' "$W/out"
ok "formats.md: openssl says so" sh -eu example.1
need sed -n '/^{ printf .302A/,$p' example.1
mv "$W/out" verify.sh
cp "$STATE"/records/alice/* record
cp "$STATE/keys/record.pub" record.pub
ok "formats.md: a real record verifies too" sh -eu verify.sh
also "formats.md: openssl says that too" \
    has "$W/out" "Signature Verified Success"
sed -i 's/"local"/"LOCAL"/' record
exits 1 "formats.md: and not when a byte is changed" sh -eu verify.sh

# An authority, as aadssh-ca(1) has it, and as the guide sets one up anew.
need forget_ca
need start_signer_socket
mkdir -p /media/stick /home/alice/.ssh
need ssh-keygen -q -t ed25519 -N '' -f /home/alice/.ssh/id_ed25519
chown -R alice: /home/alice
need cp /etc/ssh/host_key.pub ssh_host_ed25519_key.pub
man_page aadssh-ca.1
also "aadssh-ca.1: and the list has both of hers" \
    test "$(grep -c "$ALICE" certificates.csv)" -eq 2

PATH=$W/bin:/usr/local/sbin:$PATH
rm -f /home/alice/.ssh/*-cert.pub *-cert.pub
md_page guide.md

# root pushes what is another user's.
hostile()
{
	ln -sfn -- "$1" "$CA_STATE/public/current" && ! aadssh-ca-push web1
}
was=$(readlink "$CA_STATE/public/current")
cp /bin/true "$CA_STATE/public/$was/odd"
chmod 4755 "$CA_STATE/public/$was/odd"
rm -rf "/etc/ssh/aadssh/$was"
ok "guide.md: a push" aadssh-ca-push web1
also "takes over no mode that makes root of somebody" sh -c \
    '[ "$(stat -c %a "$1")" = 755 ]' - "/etc/ssh/aadssh/$was/odd"
rm "$CA_STATE/public/$was/odd" "/etc/ssh/aadssh/$was/odd"
ok "and nothing but a version" hostile '9999 ]; touch /etc/pushed; [ 1 -le 1'
also "which is no command of root's on the hosts" test ! -e /etc/pushed
ok "nor an option of tar" hostile --files-from=/etc/shadow
ln -sfn "$was" "$CA_STATE/public/current"

# The host that the guide made, after all that.  Who has a certificate keeps it:
# hers is of before the restore, which knows neither it nor what was revoked.  A
# new one she gets only a minute later.
need systemctl reload ssh
rm bin/ssh
# NB. nobody but the certificate of the host vouches for it; web2 was the last
# name that this one got.
by_certificates() # OPTION...
{
	[ "$(ssh -p "$SSHD_PORT" -o BatchMode=yes -o StrictHostKeyChecking=yes \
	    -o UserKnownHostsFile=/dev/null -o HostKeyAlias=web2.example.com \
	    -i /home/alice/.ssh/id_ed25519 "$@" alice@localhost id -un \
	    </dev/null)" = alice ]
}
ok "guide.md: host and person know each other by certificates" \
    wait_for 30 by_certificates
exits 1 "guide.md: and not without the line in ssh_config.d" \
    by_certificates -o GlobalKnownHostsFile=/dev/null
finish
