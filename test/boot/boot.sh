#!/bin/sh
# SPDX-License-Identifier: ISC
#
# boot.sh: what conf/ has for systemd, sshd, PAM and cron, in a Debian 12 that
# has booted.  Debian's packages and `make install` become a disk, without a
# mount; qemu emulates a machine around it.  In there guest.sh asserts, before
# and after a reboot, and writes to the second serial port; the provider and
# who signs in there are out here.
#
# Called by make boot-test.  Takes root, Debian's archive and half an hour.
# Variables: MIRROR, and BOOT_LIMIT in seconds.
set -eu
umask 022
cd "$(dirname "$0")/../.."
B=${B:-build}
MIRROR=${MIRROR:-http://deb.debian.org/debian}
dir=$B/boot
packages=systemd-sysv,dbus,libpam-systemd,openssh-server,openssh-client,cron
packages=$packages,linux-image-cloud-amd64,ca-certificates,procps
packages=$packages,libsodium23,libjansson4,libcurl4,libjwt0,libqrencode4
packages=$packages,libsqlite3-0,libnettle8,libhogweed6,libinih1,libssh-4

skip() {
	echo "skip - boot: $1"
	echo 'boot: 0 passed, 0 failed, 1 skipped'
	exit 0
}

[ "$(id -u)" -eq 0 ] || skip 'this is not root'
[ "$(uname -m)" = x86_64 ] || skip 'this is not an x86_64'
for program in qemu-system-x86_64 debootstrap mke2fs; do
	command -v $program >/dev/null ||
	    skip "no $program (qemu-system-x86, debootstrap, e2fsprogs)"
done

make() {
	command "${MAKE:-make}" --no-print-directory -s B="$B" "$@"
}

make need-demo
# Debian's part is kept for the next time.
mkdir -p "$dir"
if [ "$(cat "$dir/base.packages" 2>/dev/null)" != "$packages" ]; then
	rm -rf "$dir/base" "$dir/base.packages"
	echo "# debootstrap from $MIRROR"
	debootstrap --variant=minbase --include="$packages" bookworm \
	    "$dir/base" "$MIRROR" >"$dir/debootstrap.log" 2>&1 ||
	    skip "debootstrap fails: $(tail -n 1 "$dir/debootstrap.log")"
	echo "$packages" >"$dir/base.packages"
fi

# --- the provider -----------------------------------------------------------------

rm -rf "$dir/idp"
mkdir "$dir/idp"
node test/idp/server.mjs --dir "$dir/idp" --name login.example.test \
    --interval 1 >"$dir/idp.log" 2>&1 &
idp=$!
trap 'kill $idp' EXIT
trap 'exit 130' INT TERM
until grep -q '^ready ' "$dir/idp.log"; do
	kill -0 $idp || { cat "$dir/idp.log"; exit 1; }
	sleep 0.2
done
port=$(cat "$dir/idp/port")

# click CODE USER: USER enters the code that the machine shows.
click() {
	node test/idp/click.mjs --ca "$dir/idp/ca.pem" \
	    "https://localhost:$port/common/oauth2/deviceauth" "$1" "$2" \
	    </dev/null >"$dir/click.log" 2>&1 || sed 's/^/# /' "$dir/click.log"
}

# --- the disk ---------------------------------------------------------------------

root=$dir/root
rm -rf "$root"
cp -a "$dir/base" "$root"
make install DESTDIR="$root" >"$dir/install.log"
mkdir -p "$root/src/test" "$root/var/work/idp"
cp -R test/boot test/e2e "$root/src/test/"
cp "$dir/idp/ca.pem" "$root/var/work/idp/"
chown -R 0:0 "$root/src" "$root/var/work"
echo boot >"$root/etc/hostname"
printf '127.0.0.1 localhost boot\n10.0.2.2 login.example.test\n' \
    >"$root/etc/hosts"
echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
printf '[Match]\nName=e*\n[Network]\nDHCP=ipv4\n' \
    >"$root/etc/systemd/network/net.network"
# NB. Type=simple: what waits for the boot must not be a part of it.
cat >"$root/etc/systemd/system/guest.service" <<-END
[Service]
Environment=BOOT_IDP_PORT=$port HOME=/root LANG=C.UTF-8
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart=/bin/sh -eu /src/test/boot/guest.sh
StandardOutput=file:/dev/ttyS1
StandardError=inherit
END
wants=$root/etc/systemd/system/multi-user.target.wants
ln -s ../guest.service /lib/systemd/system/systemd-networkd.service "$wants/"
rm -f "$dir/disk"
mke2fs -q -t ext4 -d "$root" "$dir/disk" 3G >/dev/null
rm -rf "$root"

# --- the machine ------------------------------------------------------------------

: >"$dir/results"
timeout -k 10 "${BOOT_LIMIT:-3600}" qemu-system-x86_64 -accel tcg \
    -smp 2 -m 1024 -nodefaults -display none -nic user,model=virtio-net-pci \
    -drive file="$dir/disk",format=raw,if=virtio,cache=unsafe \
    -device virtio-rng-pci \
    -kernel "$(echo "$dir"/base/boot/vmlinuz-*)" \
    -initrd "$(echo "$dir"/base/boot/initrd.img-*)" \
    -append 'root=/dev/vda rw console=ttyS0 quiet' \
    -serial file:"$dir/console" -serial file:"$dir/results" &
qemu=$!
trap 'kill $idp $qemu 2>/dev/null || :' EXIT
tail --pid=$qemu -n +1 -f "$dir/results" | while read -r word code user; do
	case $word in
	click) click "$code" "$user" ;;
	*) echo "$word $code $user" ;;
	esac
done
status=0
wait $qemu || status=$?
[ "$status" -eq 0 ] || echo "not ok - boot: qemu ended with status $status"
grep -q '^done$' "$dir/results" || {
	echo 'not ok - boot: it did not come to its end'
	tail -n 20 "$dir/console" | sed 's/^/# /'
	status=1
}
passed=$(grep -c '^ok - ' "$dir/results") || :
failed=$(($(grep -c '^not ok - ' "$dir/results") + (status > 0))) || :
echo "boot: $passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
