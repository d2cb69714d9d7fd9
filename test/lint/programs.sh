# SPDX-License-Identifier: ISC
. test/lint/lib.sh

hook=$B/aadssh-authkeys
host=$B/aadssh

# needed PROGRAM LIBRARY...: what the loader brings is exactly among these.
needed() {
	program=$1
	shift
	list=$(readelf -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
	[ -n "$list" ] || echo "$program: no NEEDED entry at all"
	for library in $list; do
		case " $* " in
		*" ${library%%.so*} "*) ;;
		*) echo "$program needs $library" ;;
		esac
	done
}

libraries() {
	if [ "${HOOK_LIBS:-static}" = static ]; then
		needed "$hook" libc
	else
		needed "$hook" libc libinih libjansson libhogweed libnettle \
		    libgmp libsodium
	fi
	needed "$host" libc libinih libjansson libjwt libcurl libhogweed \
	    libnettle libgmp libsodium
}

# The whole closure, not only what is named: a library may bring another.
closure() {
	list=$(ldd "$hook" | awk '{ print $1 }')
	for library in $list; do
		case $library in
		linux-vdso.so.*|linux-gate.so.*|libc.so.*|/*/ld-*.so.*|ld-*.so.*) ;;
		libinih.*|libjansson.*|libhogweed.*|libnettle.*|libgmp.*|libsodium.*)
			[ "${HOOK_LIBS:-static}" != static ] ||
			    echo "the hook loads $library" ;;
		*) echo "the hook loads $library" ;;
		esac
	done
}

# What the hook must not be able to do, in it or asked of a library.
incapable() {
	symbols=$(nm "$hook" && nm -D "$hook")
	printf '%s\n' "$symbols" | awk '
	{ seen++; s = $NF; sub(/@.*/, "", s); sub(/^__/, "", s) }
	s ~ /^(curl_|ssh_|jwt_|SSL_|EVP_|getpw|getgr|getsp|getaddrinfo|gethostby|res_)/ ||
	s ~ /^(exec(v|ve|vp|vpe|veat|l|le|lp)?|fexecve|posix_spawnp?|system|popen)$/ ||
	s ~ /^(v?fork|clone|clone3|daemon|dlopen|dlsym|dlmopen)$/ ||
	s ~ /^(socket|socketpair|connect|bind|listen|accept4?|sendto|sendmsg)$/ ||
	s ~ /^(http_|discovery_|device_|grant_|verify_jwt)/ {
		print "the hook has " $NF }
	END { if (seen < 100) print "no symbols: a stripped hook proves nothing" }' |
	    sort -u
}

hardened() {
	for program in "$hook" "$host"; do
		readelf -hW "$program" | grep -q 'Type: *DYN' &&
		    readelf -dW "$program" | grep -q 'FLAGS_1.*PIE' ||
		    echo "$program: no PIE"
		readelf -dW "$program" | grep -q 'FLAGS_1.*NOW' ||
		    echo "$program: no BIND_NOW"
		readelf -lW "$program" | grep -q GNU_RELRO ||
		    echo "$program: no RELRO"
		readelf -lW "$program" | grep 'GNU_STACK' | grep -q 'RW  0x' ||
		    echo "$program: executable stack"
		readelf -lW "$program" | grep -q 'RWE' &&
		    echo "$program: a segment to write and execute"
		readelf -dW "$program" | grep -E 'RPATH|RUNPATH|TEXTREL' &&
		    echo "$program: RPATH, RUNPATH or TEXTREL"
		nm -D "$program" | grep -q '__stack_chk_fail' ||
		    echo "$program: no stack canaries"
		nm -D "$program" | grep -q '_chk@' ||
		    echo "$program: not fortified"
	done
	return 0
}

# A canary somewhere is no canary everywhere: each object with an array on
# the stack must have asked for one, so the flag was there for all.
flags() {
	list=$(objects lib && objects cmd)
	with=0 all=0
	for object in $list; do
		all=$((all + 1))
		! nm -u "$object" | grep -q '__stack_chk_fail' ||
		    with=$((with + 1))
	done
	[ $((with * 3)) -ge $all ] ||
	    echo "only $with of $all objects have stack canaries"
}

check "the hook is linked with libc and nothing it does not name" libraries
check "ldd shows no library in the hook that is not named" closure
check 'the hook cannot fetch, look up users, start programs' incapable
check 'programs: PIE, RELRO, BIND_NOW, no executable stack' hardened
check 'objects: stack canaries' flags
