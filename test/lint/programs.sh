# SPDX-License-Identifier: ISC
. test/lint/lib.sh

hook=$B/aadssh-authkeys
host=$B/aadssh
ca=$B/aadssh-ca
import=$B/aadssh-ca-import
module=$B/pam_aadssh.so
signer=$B/aadssh-ca-signer

# needed PROGRAM LIBRARY...: what the loader brings is exactly among these.
needed() {
	program=$1
	shift
	for library in $(readelf -d "$program" |
	    sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		case " $* " in
		*" ${library%%.so*} "*) ;;
		*) echo "$program needs $library" ;;
		esac
	done
}

libraries() {
	if [ "${HOOK_LIBS:-static}" = static ]; then
		needed "$hook"
	else
		needed "$hook" libc libinih libjansson libhogweed libnettle \
		    libgmp libsodium
	fi
	needed "$host" libc libinih libjansson libjwt libcurl libhogweed \
	    libnettle libgmp libsodium libqrencode
	needed "$ca" libc libinih libjansson libhogweed libnettle libgmp \
	    libsodium
	needed "$import" libc libinih libjansson libhogweed libnettle libgmp \
	    libsodium libssh
	needed "$module" libc libpam
	needed "$signer" libc libinih libjansson libsqlite3 libhogweed \
	    libnettle libgmp libsodium
	for program in "$host" "$module" "$signer"; do
		readelf -d "$program" | grep -q NEEDED ||
		    echo "$program: no NEEDED entry"
	done
}

# The whole closure, not only what is named: a library may bring another.
closure() {
	list=$(LC_ALL=C ldd "$hook" 2>&1 | awk '{ print $1 }')
	[ -n "$list" ] || echo 'ldd says nothing'
	for library in $list; do
		case ${HOOK_LIBS:-static}:$library in
		static:statically) ;;
		shared:linux-vdso.so.*|shared:*/ld-*.so.*|shared:libc.so.*) ;;
		shared:libinih.*|shared:libjansson.*|shared:libhogweed.*) ;;
		shared:libnettle.*|shared:libgmp.*|shared:libsodium.*) ;;
		*) echo "the hook loads $library" ;;
		esac
	done
}

# What the hook must not be able to do, in it or asked of a library.
# NB. in a static hook libc's own syslog(3) brings socket and connect, and its
# iconv dlopen; symbols.tsv keeps our objects from asking for them, and the
# seccomp filter keeps everybody.
incapable() {
	symbols=$(nm "$hook" && nm -D "$hook" 2>/dev/null)
	printf '%s\n' "$symbols" | awk '
	{ seen++; s = $NF; sub(/@.*/, "", s); sub(/^__/, "", s) }
	s ~ /^(curl_|ssh_|jwt_|SSL_|EVP_|getpw|getgr|getsp|getaddrinfo|gethostby|res_)/ ||
	s ~ /^(exec(v|ve|vp|vpe|veat|l|le|lp)?|fexecve|posix_spawnp?|system|popen)$/ ||
	s ~ /^(v?fork|clone|clone3|daemon|ptrace)$/ ||
	s ~ /^(bind|listen|accept4?|socketpair)$/ ||
	s ~ /^(http_|discovery_|device_|grant_|verify_jwt)/ {
		print "the hook has " $NF }
	END { if (seen < 100) print "no symbols: a stripped hook proves nothing" }' |
	    sort -u
}

# What sshd can call, or trip over, in its own process: what pam(3) names.
exports() {
	list=$(nm -D --defined-only "$module" | awk '{ print $NF }' | sort)
	[ "$list" = "$(printf 'pam_sm_%s\n' acct_mgmt authenticate chauthtok \
	    close_session open_session setcred)" ] || echo "$module has" $list
}

# The module is linked from its own folder's objects.
alone() {
	symbols=$(nm "$module")
	printf '%s\n' "$symbols" | grep -q ' relay_run$' ||
	    echo 'no symbols: a stripped module proves nothing'
	list=$(objects lib && objects cmd)
	for object in $list; do
		case $object in
		"$B"/cmd/pam_aadssh/*) continue ;;
		esac
		nm --defined-only -g "$object" | awk '{ print $NF }'
	done | sort -u >"$B/others"
	printf '%s\n' "$symbols" | awk '$2 ~ /[TtDdRrBb]/ { print $NF }' |
	    sort -u | comm -12 - "$B/others" | sed "s|^|$module has |"
	rm -f "$B/others"
}

hardened() {
	for program in "$hook" "$host" "$module"; do
		readelf -hW "$program" | grep -q 'Type: *DYN' ||
		    echo "$program: no PIE"
		[ "$program" = "$module" ] ||
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
		nm "$program" | grep -q '__stack_chk_fail' ||
		    echo "$program: no stack canaries"
		nm "$program" | grep -qE '(snprintf|memcpy|read|strcpy)_chk' ||
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

check 'programs need the named libraries only, the static hook none' libraries
check 'ldd shows no library in the hook that is not named' closure
check 'the hook cannot fetch, look up users, start programs' incapable
check 'the PAM module exports what libpam calls and nothing else' exports
check 'the PAM module holds no object but its own' alone
check 'programs: PIE, RELRO, BIND_NOW, no executable stack' hardened
check 'objects: stack canaries' flags
