#!/bin/sh
# SPDX-License-Identifier: ISC
#
# sandbox.sh [--host-net] [--share DIR] [--] COMMAND [ARGUMENT ...]
#
# Run COMMAND as root of a small machine of its own, which ends with it: own
# mounts, processes, network (loopback only), host name, users and /etc, on a
# root file system in memory.  The host lends its /usr, read-only, and is not
# touched.  Started by a person without root, it maps that person to root
# (package uidmap and a range in /etc/subuid).
#
#   /src                  this source tree, read-only
#   /usr/libexec/aadssh   build/aadssh-authkeys, owned by root
#   /opt/aadssh/bin       build/aadssh, first in PATH; also in /usr/libexec/aadssh
#   /opt/aadssh/lib       build/pam_aadssh.so
#   both                  build/aadssh-ca and build/aadssh-ca-signer, where built
#   /var/log/syslog       all that comes to /dev/log
#   /share                DIR of --share, read-write
#
# --host-net keeps the host's network, for a browser outside.
# With E2E_ROOT=DIR the /usr is that of DIR, another system's root, for which
# build/ was made; with E2E_SSH=DIR only the programs of OpenSSH are DIR's.
# Exit: COMMAND's; 77 with the reason where the kernel allows no sandbox.

set -eu
umask 022
export LC_ALL=C PATH="${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin"

skip()
{
	echo "sandbox: $1" >&2
	exit 77
}

die()
{
	echo "sandbox: $1" >&2
	exit 1
}

# --- outside: enter the namespaces ----------------------------------------

enter()
{
	hostnet=
	share=
	while [ $# -gt 0 ]; do
		case $1 in
		--host-net) hostnet=yes; shift ;;
		--share) share=$(cd "$2" && pwd -P); shift 2 ;;
		--) shift; break ;;
		-*) die "unknown option $1" ;;
		*) break ;;
		esac
	done
	[ $# -gt 0 ] || die "no command"

	top=$(cd "$(dirname "$0")/../.." && pwd -P)
	b=${B:-build} # as the Makefile has it
	[ -x "$top/$b/test/tools/init" ] ||
	    die "$b/test/tools/init is missing: make it first"

	flags="--mount --pid --fork --kill-child --ipc --uts"
	[ "$hostnet" ] || flags="$flags --net"
	if [ "$(id -u)" -ne 0 ]; then
		command -v newuidmap >/dev/null ||
		    skip "no newuidmap (package uidmap)"
		grep -Eq "^($(id -un)|$(id -u)):" /etc/subuid 2>/dev/null ||
		    skip "no range for $(id -un) in /etc/subuid"
		flags="--user --map-root-user --map-auto $flags"
	fi
	# shellcheck disable=SC2086 # flags are words
	if ! why=$(unshare $flags true 2>&1); then
		skip "the kernel gives us no namespaces: $why"
	fi
	# shellcheck disable=SC2086
	exec env -i PATH="$PATH" TERM="${TERM:-dumb}" \
	    E2E_TOP="$top" E2E_B="$b" E2E_SHARE="$share" E2E_HOSTNET="$hostnet" \
	    E2E_ROOT="${E2E_ROOT-}" E2E_SSH="${E2E_SSH-}" \
	    ${DEMO+"DEMO=$DEMO"} \
	    unshare $flags /bin/sh "$top/test/e2e/sandbox.sh" --inside "$@"
}

# --- inside: build the machine --------------------------------------------

# Some directory that every machine has and that our tree is not below.
pick_root()
{
	case $E2E_TOP/ in
	/run/*) echo /mnt ;;
	*) echo /run ;;
	esac
}

# Bind $1 at $2 read-only, or at the same path of the new root.  A mapped
# root may not drop flags (nosuid ...) that the host's mount has.
bind_ro()
{
	to=$root${2-$1}
	[ -e "$to" ] || if [ -d "$1" ]; then mkdir -p "$to"; else : >"$to"; fi
	mount --rbind "$1" "$to"
	keep=$(findmnt -n -o VFS-OPTIONS --target "$1" | tr , '\n' |
	    grep -E '^no(suid|dev|exec)$' | tr '\n' ,) || keep=
	mount -o "remount,bind,${keep}ro" "$to"
}

# The directories of the host's /usr, below a /usr of our own: sshd asks
# that every parent of a helper is root's, and a mapped root does not own
# the host's.
make_usr()
{
	mkdir "$root/usr" "$root/usr/libexec"
	for dir in "$E2E_ROOT"/usr/*; do
		case $dir in
		*/libexec | */src) ;;
		*) [ ! -d "$dir" ] || bind_ro "$dir" "${dir#"$E2E_ROOT"}" ;;
		esac
	done
	for dir in bin sbin lib lib32 lib64 libx32; do
		if [ -L "$E2E_ROOT/$dir" ]; then
			ln -s "$(readlink "$E2E_ROOT/$dir")" "$root/$dir"
		elif [ -d "$E2E_ROOT/$dir" ]; then
			bind_ro "$E2E_ROOT/$dir" "/$dir"
		fi
	done
	for dir in "$E2E_ROOT"/usr/libexec/*; do
		case $dir in
		*/aadssh) ;; # ours comes from the build
		*) [ ! -d "$dir" ] || bind_ro "$dir" "${dir#"$E2E_ROOT"}" ;;
		esac
	done
}

# Another version's programs over those of /usr, and, for the linker, the
# libraries of theirs that /usr lacks.
make_ssh()
{
	mkdir -p "$root/opt/openssh"
	bind_ro "$E2E_SSH/usr/lib/openssh" /usr/lib/openssh
	for to in /usr/sbin/sshd /usr/bin/ssh /usr/bin/ssh-keygen \
	    /usr/bin/ssh-agent /usr/bin/ssh-add /usr/bin/ssh-keyscan \
	    /usr/bin/scp /usr/bin/sftp; do
		bind_ro "$E2E_SSH$to" "$to"
	done
	for file in "$E2E_SSH"/usr/lib/*/libcrypto.so.*; do
		to=${file#"$E2E_SSH"}
		[ -e "$root$to" ] || cp "$file" "$root/opt/openssh/"
	done
	echo /opt/openssh >>"$root/etc/ld.so.conf"
	ldconfig -r "$root"
}

install_programs()
{
	mkdir -p "$root/usr/libexec/aadssh" "$root/opt/aadssh/bin" \
	    "$root/opt/aadssh/lib"
	for pair in aadssh-authkeys:/usr/libexec/aadssh \
	    aadssh:/opt/aadssh/bin aadssh:/usr/libexec/aadssh \
	    aadssh-ca:/opt/aadssh/bin aadssh-ca:/usr/libexec/aadssh \
	    aadssh-ca-signer:/opt/aadssh/bin \
	    aadssh-ca-signer:/usr/libexec/aadssh \
	    aadssh-ca-import:/usr/libexec/aadssh \
	    pam_aadssh.so:/opt/aadssh/lib
	do
		prog=$E2E_TOP/$E2E_B/${pair%%:*}
		[ ! -e "$prog" ] ||
		    install -m 0755 "$prog" "$root${pair#*:}/"
	done
	install -m 0755 "$E2E_TOP/$E2E_B/test/tools/init" "$root/opt/aadssh/init"
}

# The number of a user or group of the new machine.
id_in() # FILE NAME
{
	sed -n "s/^$2:x:\([0-9]*\):.*/\1/p" "$root/etc/$1"
}

# What systemd-tmpfiles makes of conf/tmpfiles and conf/tmpfiles-ca.
make_tmpfiles()
{
	cat "$E2E_TOP/conf/tmpfiles" "$E2E_TOP/conf/tmpfiles-ca" |
	    while read -r kind path mode user group; do
		[ "$kind" != d ] || install -d -m "$mode" \
		    -o "$(id_in passwd "$user")" -g "$(id_in group "$group")" \
		    "$root$path"
	done
}

make_dev()
{
	mkdir "$root/dev" "$root/dev/pts" "$root/dev/shm"
	for dev in null zero full random urandom tty; do
		: >"$root/dev/$dev"
		mount --bind "/dev/$dev" "$root/dev/$dev"
	done
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 \
	    devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	ln -s /proc/self/fd "$root/dev/fd"
	ln -s fd/0 "$root/dev/stdin"
	ln -s fd/1 "$root/dev/stdout"
	ln -s fd/2 "$root/dev/stderr"
}

# name:uid:gid:home:shell.  lowuid is below any sane min_uid.
users()
{
	cat <<-END
	root:0:0:/root:/bin/sh
	nobody:65534:65534:/nonexistent:/usr/sbin/nologin
	sshd:110:65534:/run/sshd:/usr/sbin/nologin
	aadssh:901:901:/var/lib/aadssh:/usr/sbin/nologin
	aadssh-hook:902:902:/nonexistent:/usr/sbin/nologin
	aadssh-ca:903:903:/var/lib/aadssh-ca:/usr/sbin/nologin
	lowuid:500:500:/home/lowuid:/bin/sh
	alice:1001:1001:/home/alice:/bin/sh
	bob:1002:1002:/home/bob:/bin/sh
	carol:1003:1003:/home/carol:/bin/sh
	deploy:1004:1004:/home/deploy:/bin/sh
	plain:1100:1100:/home/plain:/bin/sh
	END
}

make_users()
{
	echo "tty:x:5:" >"$root/etc/group"
	# Who may ask the signer over its socket.
	echo "aadssh-issue:x:904:alice" >>"$root/etc/group"
	users | while IFS=: read -r name uid gid home shell; do
		echo "$name:x:$uid:$gid::$home:$shell" >>"$root/etc/passwd"
		echo "$name:*:19000:0:99999:7:::" >>"$root/etc/shadow"
		case $name in
		nobody) echo "nogroup:x:$gid:" ;;
		aadssh) echo "$name:x:$gid:aadssh-hook" ;;
		sshd) ;;
		*) echo "$name:x:$gid:" ;;
		esac >>"$root/etc/group"
		case $home in
		/home/* | /root)
			install -d -m 0700 -o "$uid" -g "$gid" "$root$home" ;;
		esac
	done
	chmod 0600 "$root/etc/shadow"
	# plain has no rights at all, but may map users of its own.
	echo "plain:100000:65536" | tee "$root/etc/subuid" >"$root/etc/subgid"
}

# What the programs of /usr need of their own /etc, and no more.
borrow_etc()
{
	for file in ld.so.cache ld.so.conf ld.so.conf.d alternatives fonts \
	    chromium chromium.d; do
		[ ! -e "$E2E_ROOT/etc/$file" ] ||
		    cp -RP "$E2E_ROOT/etc/$file" "$root/etc/"
	done
	[ ! -d "$E2E_ROOT/etc/ssl" ] || bind_ro "$E2E_ROOT/etc/ssl" /etc/ssl
	mkdir "$root/etc/ssh"
	[ ! -f "$E2E_ROOT/etc/ssh/moduli" ] ||
	    cp "$E2E_ROOT/etc/ssh/moduli" "$root/etc/ssh/"
}

make_etc()
{
	mkdir -p "$root/etc/pam.d"
	make_users
	borrow_etc
	for db in passwd group shadow hosts services protocols; do
		echo "$db: files"
	done >"$root/etc/nsswitch.conf"
	cat >"$root/etc/hosts" <<-END
	127.0.0.1 localhost e2e
	127.0.0.1 login.example.test login.microsoftonline.com
	127.0.0.1 other.example.test
	END
	cat >"$root/etc/pam.d/sshd" <<-END
	auth     required  pam_deny.so
	account  required  pam_nologin.so
	account  required  pam_unix.so
	session  required  pam_permit.so
	END
	cp "$root/etc/pam.d/sshd" "$root/etc/pam.d/other"
	tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
	echo e2e >"$root/etc/hostname"
}

build()
{
	root=$(pick_root)
	mount -t tmpfs -o mode=0755,size=512m tmpfs "$root"
	mkdir "$root/src" "$root/proc" "$root/run" "$root/home" "$root/old"
	mkdir -m 1777 "$root/tmp"
	mkdir -p "$root/var/lib" "$root/var/log" "$root/run/sshd"
	bind_ro "$E2E_TOP" /src
	if [ "$E2E_SHARE" ]; then
		mkdir "$root/share"
		mount --bind "$E2E_SHARE" "$root/share"
	fi
	make_usr
	make_dev
	make_etc
	[ -z "$E2E_SSH" ] || make_ssh
	make_tmpfiles
	install_programs
	mount -t proc proc "$root/proc" || skip "the kernel lends us no /proc"
	hostname e2e
}

# Leave the host's file system and become process 1.
switch()
{
	cd "$root"
	rmdir mount # libmount's notes, had /run been there
	pivot_root . old
	umount -l /old
	rmdir /old
	cd /root
	exec env -i HOME=/root USER=root TERM="$TERM" LANG=C.UTF-8 \
	    PATH=/opt/aadssh/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    ${DEMO+"DEMO=$DEMO"} \
	    E2E_B="$E2E_B" E2E_HOSTNET="$E2E_HOSTNET" \
	    /opt/aadssh/init /var/log/syslog "$@"
}

if [ "${1-}" = --inside ]; then
	shift
	build
	switch "$@"
else
	enter "$@"
fi
